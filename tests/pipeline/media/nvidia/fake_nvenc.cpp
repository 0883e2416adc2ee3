// See fake_nvidia.h. The part of NVENC's API 11.1 that libavcodec uses on CUDA frames. A session
// keeps NVENC's habits: it is told of addresses once, reads luma and chroma from one address and
// pitch, answers "need more input" inside a group of B-frames, and gives its packets in decoding
// order to the bitstream buffers in the order of the pictures.
#include <ffnvcodec/nvEncodeAPI.h>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
}

#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "tests/pipeline/media/nvidia/fake_nvidia.h"

namespace {

constexpr int kBFramesMax = 4;
constexpr int kSidesMax = 4096;

struct Packet {
  std::vector<std::uint8_t> bytes;
  std::uint64_t time = 0;
  bool key = false;
};

struct Free {
  void operator()(AVCodecContext* codec) const { avcodec_free_context(&codec); }
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};

struct Address {
  const std::uint8_t* data = nullptr;
  std::size_t pitch = 0;
};

struct Session {
  std::unique_ptr<AVCodecContext, Free> codec;
  int group = 1;  // a P-frame and the B-frames before it
  int pictures = 0;
  std::set<Address*> addresses;
  std::deque<void*> awaiting;          // bitstream buffers without a packet, oldest first
  std::map<void*, Packet> bitstreams;  // with one
  std::map<std::uint64_t, std::uint64_t> durations;  // by time
};

struct World {
  std::mutex mutex;
  FakeNvenc behaviour{1000, 0, -1};
  int open = 0;
  int opened = 0;
  int open_most = 0;
  int frames = 0;
  int registered = 0;
  int peak_kbps = 0;
};

World& world() {
  static World only;
  return only;
}

Session& session_of(void* encoder) { return *static_cast<Session*>(encoder); }

NVENCSTATUS open_session(NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS* params, void** encoder) {
  const std::lock_guard lock(world().mutex);
  if (world().behaviour.open_status != 0) {
    return static_cast<NVENCSTATUS>(world().behaviour.open_status);
  }
  if (params->device != fake_cuda_context()) return NV_ENC_ERR_INVALID_DEVICE;
  if (world().open >= world().behaviour.sessions_max) return NV_ENC_ERR_OUT_OF_MEMORY;
  *encoder = std::make_unique<Session>().release();
  ++world().opened;
  world().open_most = std::max(world().open_most, ++world().open);
  return NV_ENC_SUCCESS;
}

NVENCSTATUS destroy(void* encoder) {
  const std::unique_ptr<Session> owned(&session_of(encoder));
  const std::lock_guard lock(world().mutex);
  --world().open;
  return NV_ENC_SUCCESS;
}

NVENCSTATUS guid_count(void*, std::uint32_t* count) {
  *count = 1;
  return NV_ENC_SUCCESS;
}

NVENCSTATUS guids(void*, GUID* list, std::uint32_t size, std::uint32_t* count) {
  if (size < 1) return NV_ENC_ERR_INVALID_PARAM;
  list[0] = NV_ENC_CODEC_H264_GUID;
  *count = 1;
  return NV_ENC_SUCCESS;
}

NVENCSTATUS capability(void*, GUID, NV_ENC_CAPS_PARAM* params, int* value) {
  switch (params->capsToQuery) {
    case NV_ENC_CAPS_WIDTH_MAX:
    case NV_ENC_CAPS_HEIGHT_MAX:
      *value = kSidesMax;
      break;
    case NV_ENC_CAPS_NUM_MAX_BFRAMES:
      *value = kBFramesMax;
      break;
    case NV_ENC_CAPS_SUPPORT_CABAC:
      *value = 1;
      break;
    default:
      *value = 0;
  }
  return NV_ENC_SUCCESS;
}

NVENCSTATUS preset(void*, GUID, GUID, NV_ENC_TUNING_INFO, NV_ENC_PRESET_CONFIG* config) {
  config->presetCfg.rcParams.averageBitRate = 5'000'000;
  return NV_ENC_SUCCESS;
}

void set_options(AVCodecContext& codec, const NV_ENC_CONFIG& config) {
  codec.gop_size = static_cast<int>(config.gopLength);
  codec.max_b_frames = config.frameIntervalP - 1;
  codec.rc_max_rate = config.rcParams.maxBitRate;
  codec.rc_buffer_size = static_cast<int>(config.rcParams.maxBitRate);
  codec.thread_count = 1;
  codec.flags = AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_CLOSED_GOP;
  codec.profile = FF_PROFILE_H264_HIGH;
  const auto& vui = config.encodeCodecConfig.h264Config.h264VUIParameters;
  codec.colorspace = static_cast<AVColorSpace>(vui.colourMatrix);
  codec.color_primaries = static_cast<AVColorPrimaries>(vui.colourPrimaries);
  codec.color_trc = static_cast<AVColorTransferCharacteristic>(vui.transferCharacteristics);
  codec.color_range = vui.videoFullRangeFlag != 0 ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
  av_opt_set(&codec, "preset", "veryfast", AV_OPT_SEARCH_CHILDREN);
  av_opt_set(&codec, "profile", "high", AV_OPT_SEARCH_CHILDREN);
  av_opt_set(&codec, "crf", std::to_string(config.rcParams.targetQuality).c_str(),
             AV_OPT_SEARCH_CHILDREN);
  av_opt_set(&codec, "x264-params",
             "stitchable=1:b-pyramid=none:b-adapt=0:rc-lookahead=0:mbtree=0:scenecut=0",
             AV_OPT_SEARCH_CHILDREN);
}

NVENCSTATUS initialize(void* encoder, NV_ENC_INITIALIZE_PARAMS* params) {
  Session& session = session_of(encoder);
  const AVCodec* x264 = avcodec_find_encoder_by_name("libx264");
  session.codec.reset(avcodec_alloc_context3(x264));
  AVCodecContext& codec = *session.codec;
  codec.width = static_cast<int>(params->encodeWidth);
  codec.height = static_cast<int>(params->encodeHeight);
  codec.pix_fmt = AV_PIX_FMT_NV12;
  codec.time_base = {static_cast<int>(params->frameRateDen),
                     static_cast<int>(params->frameRateNum)};
  codec.framerate = av_inv_q(codec.time_base);
  set_options(codec, *params->encodeConfig);
  session.group = params->encodeConfig->frameIntervalP;
  if (avcodec_open2(&codec, x264, nullptr) < 0) return NV_ENC_ERR_INVALID_PARAM;
  const std::lock_guard lock(world().mutex);
  world().peak_kbps = static_cast<int>(params->encodeConfig->rcParams.maxBitRate / 1000);
  return NV_ENC_SUCCESS;
}

NVENCSTATUS set_streams(void*, NV_ENC_CUSTREAM_PTR, NV_ENC_CUSTREAM_PTR) { return NV_ENC_SUCCESS; }

NVENCSTATUS create_bitstream(void*, NV_ENC_CREATE_BITSTREAM_BUFFER* params) {
  params->bitstreamBuffer = std::make_unique<char>().release();
  return NV_ENC_SUCCESS;
}

NVENCSTATUS destroy_bitstream(void*, NV_ENC_OUTPUT_PTR buffer) {
  const std::unique_ptr<char> owned(static_cast<char*>(buffer));
  return NV_ENC_SUCCESS;
}

NVENCSTATUS sequence_params(void* encoder, NV_ENC_SEQUENCE_PARAM_PAYLOAD* payload) {
  const AVCodecContext& codec = *session_of(encoder).codec;
  const auto size = static_cast<std::uint32_t>(codec.extradata_size);
  if (size > payload->inBufferSize) return NV_ENC_ERR_NOT_ENOUGH_BUFFER;
  std::memcpy(payload->spsppsBuffer, codec.extradata, size);
  *payload->outSPSPPSPayloadSize = size;
  return NV_ENC_SUCCESS;
}

NVENCSTATUS register_resource(void* encoder, NV_ENC_REGISTER_RESOURCE* params) {
  if (params->resourceType != NV_ENC_INPUT_RESOURCE_TYPE_CUDADEVICEPTR ||
      params->bufferFormat != NV_ENC_BUFFER_FORMAT_NV12_PL) {
    return NV_ENC_ERR_UNSUPPORTED_PARAM;
  }
  auto address = std::make_unique<Address>();
  address->data = static_cast<const std::uint8_t*>(params->resourceToRegister);
  address->pitch = params->pitch;
  Session& session = session_of(encoder);
  session.addresses.insert(address.get());
  params->registeredResource = address.release();
  const std::lock_guard lock(world().mutex);
  world().registered = std::max(world().registered, static_cast<int>(session.addresses.size()));
  return NV_ENC_SUCCESS;
}

NVENCSTATUS unregister_resource(void* encoder, NV_ENC_REGISTERED_PTR resource) {
  const std::unique_ptr<Address> owned(static_cast<Address*>(resource));
  session_of(encoder).addresses.erase(owned.get());
  return NV_ENC_SUCCESS;
}

NVENCSTATUS map_resource(void*, NV_ENC_MAP_INPUT_RESOURCE* params) {
  params->mappedResource = params->registeredResource;
  params->mappedBufferFmt = NV_ENC_BUFFER_FORMAT_NV12_PL;
  return NV_ENC_SUCCESS;
}

NVENCSTATUS unmap_resource(void*, NV_ENC_INPUT_PTR) { return NV_ENC_SUCCESS; }

void collect(Session& session) {
  const std::unique_ptr<AVPacket, Free> packet(av_packet_alloc());
  while (avcodec_receive_packet(session.codec.get(), packet.get()) >= 0) {
    Packet& out = session.bitstreams[session.awaiting.front()];
    session.awaiting.pop_front();
    out.bytes.assign(packet->data, packet->data + packet->size);
    out.time = static_cast<std::uint64_t>(packet->pts);
    out.key = (packet->flags & AV_PKT_FLAG_KEY) != 0;
    av_packet_unref(packet.get());
  }
}

void copy_rows(const std::uint8_t* from, std::size_t pitch, AVFrame& to, int plane, int rows) {
  for (int y = 0; y < rows; ++y) {
    std::memcpy(to.data[plane] + std::ptrdiff_t{y} * to.linesize[plane],
                from + static_cast<std::size_t>(y) * pitch, static_cast<std::size_t>(to.width));
  }
}

NVENCSTATUS encode(void* encoder, NV_ENC_PIC_PARAMS* params) {
  Session& session = session_of(encoder);
  if ((params->encodePicFlags & NV_ENC_PIC_FLAG_EOS) != 0) {
    if (session.codec) avcodec_send_frame(session.codec.get(), nullptr);
    if (session.codec) collect(session);
    return NV_ENC_SUCCESS;
  }
  {
    const std::lock_guard lock(world().mutex);
    if (world().frames++ == world().behaviour.fail_at_frame) return NV_ENC_ERR_GENERIC;
  }
  const Address& address = *static_cast<const Address*>(params->inputBuffer);
  const std::unique_ptr<AVFrame, Free> picture(av_frame_alloc());
  picture->format = AV_PIX_FMT_NV12;
  picture->width = session.codec->width;
  picture->height = session.codec->height;
  picture->pts = static_cast<std::int64_t>(params->inputTimeStamp);
  if (av_frame_get_buffer(picture.get(), 0) < 0) return NV_ENC_ERR_OUT_OF_MEMORY;
  const auto rows = static_cast<std::size_t>(picture->height);
  copy_rows(address.data, address.pitch, *picture, 0, picture->height);
  copy_rows(address.data + rows * address.pitch, address.pitch, *picture, 1, picture->height / 2);
  session.awaiting.push_back(params->outputBitstream);
  session.durations[params->inputTimeStamp] = params->inputDuration;
  if (avcodec_send_frame(session.codec.get(), picture.get()) < 0) return NV_ENC_ERR_GENERIC;
  collect(session);
  const bool group_is_whole = session.pictures++ % session.group == 0;
  return group_is_whole ? NV_ENC_SUCCESS : NV_ENC_ERR_NEED_MORE_INPUT;
}

NVENCSTATUS lock_bitstream(void* encoder, NV_ENC_LOCK_BITSTREAM* params) {
  Session& session = session_of(encoder);
  const auto found = session.bitstreams.find(params->outputBitstream);
  if (found == session.bitstreams.end()) return NV_ENC_ERR_LOCK_BUSY;
  Packet& packet = found->second;
  params->bitstreamBufferPtr = packet.bytes.data();
  params->bitstreamSizeInBytes = static_cast<std::uint32_t>(packet.bytes.size());
  params->outputTimeStamp = packet.time;
  params->outputDuration = session.durations[packet.time];
  params->pictureType = packet.key ? NV_ENC_PIC_TYPE_IDR : NV_ENC_PIC_TYPE_P;
  return NV_ENC_SUCCESS;
}

NVENCSTATUS unlock_bitstream(void* encoder, NV_ENC_OUTPUT_PTR buffer) {
  session_of(encoder).bitstreams.erase(buffer);
  return NV_ENC_SUCCESS;
}

const char* last_error(void*) { return "a refusal of the fake NVENC"; }

}  // namespace

extern "C" {

NVENCSTATUS NvEncodeAPIGetMaxSupportedVersion(std::uint32_t* version) {
  *version = NVENCAPI_MAJOR_VERSION << 4 | NVENCAPI_MINOR_VERSION;
  return NV_ENC_SUCCESS;
}

NVENCSTATUS NvEncodeAPICreateInstance(NV_ENCODE_API_FUNCTION_LIST* functions) {
  functions->nvEncOpenEncodeSessionEx = open_session;
  functions->nvEncDestroyEncoder = destroy;
  functions->nvEncGetEncodeGUIDCount = guid_count;
  functions->nvEncGetEncodeGUIDs = guids;
  functions->nvEncGetEncodeCaps = capability;
  functions->nvEncGetEncodePresetConfigEx = preset;
  functions->nvEncInitializeEncoder = initialize;
  functions->nvEncSetIOCudaStreams = set_streams;
  functions->nvEncCreateBitstreamBuffer = create_bitstream;
  functions->nvEncDestroyBitstreamBuffer = destroy_bitstream;
  functions->nvEncGetSequenceParams = sequence_params;
  functions->nvEncRegisterResource = register_resource;
  functions->nvEncUnregisterResource = unregister_resource;
  functions->nvEncMapInputResource = map_resource;
  functions->nvEncUnmapInputResource = unmap_resource;
  functions->nvEncEncodePicture = encode;
  functions->nvEncLockBitstream = lock_bitstream;
  functions->nvEncUnlockBitstream = unlock_bitstream;
  functions->nvEncGetLastErrorString = last_error;
  return NV_ENC_SUCCESS;
}

void fake_nvenc_reset(FakeNvenc behaviour) {
  const std::lock_guard lock(world().mutex);
  world().behaviour = behaviour;
  world().opened = world().open_most = world().frames = world().registered = 0;
  world().peak_kbps = 0;
}
int fake_nvenc_open() {
  const std::lock_guard lock(world().mutex);
  return world().open;
}
int fake_nvenc_opened() {
  const std::lock_guard lock(world().mutex);
  return world().opened;
}
int fake_nvenc_open_most() {
  const std::lock_guard lock(world().mutex);
  return world().open_most;
}
int fake_nvenc_frames() {
  const std::lock_guard lock(world().mutex);
  return world().frames;
}
int fake_nvenc_registered() {
  const std::lock_guard lock(world().mutex);
  return world().registered;
}
int fake_nvenc_peak_kbps() {
  const std::lock_guard lock(world().mutex);
  return world().peak_kbps;
}

}  // extern "C"
