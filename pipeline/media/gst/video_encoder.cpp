#include "pipeline/media/gst/video_encoder.h"

#include <algorithm>
#include <cerrno>
#include <optional>

#include "pipeline/media/gst/ffmpeg_log.h"

namespace pytoon::media {
namespace {

// ITU-T H.264 table A-1, level 4.0: enough for 1080x1920 at 30 frames a second.
constexpr int kMacroblocksMax = 8192;
constexpr int kMacroblocksPerSecondMax = 245760;

Status check_format(const VideoFormat& format) {
  const auto [width, height] = format.size;
  if (width < 16 || height < 16 || width % 2 != 0 || height % 2 != 0 || width > 8192 ||
      height > 8192 || format.frames_per_second < 1 || format.frames_per_second > 240) {
    return failure(FailureKind::kInvalid,
                   "a video needs even sides of 16 to 8192 pixels and 1 to "
                   "240 frames a second");
  }
  const int macroblocks = (width + 15) / 16 * ((height + 15) / 16);
  if (macroblocks > kMacroblocksMax ||
      macroblocks * format.frames_per_second > kMacroblocksPerSecondMax) {
    return failure(FailureKind::kInvalid,
                   "the video is larger or faster than H.264 level 4.0 allows (1080x1920 at 30)");
  }
  return ok_status();
}

FailureKind trouble_of(const EncoderSettings& settings) {
  return settings.takes_cuda_frames() ? FailureKind::kEncoder : FailureKind::kMedia;
}

Failure refused(const EncoderSettings& settings, int rc, const std::string& complaint) {
  Failure fault = av_failure(rc, "can't open the encoder " + settings.codec);
  if (!settings.takes_cuda_frames()) return fault;
  fault.kind = FailureKind::kEncoder;
  if (!complaint.empty()) fault.detail += " (" + complaint + ")";
  // How NVENC says that all its sessions are taken: NV_ENC_ERR_OUT_OF_MEMORY, or, in older
  // drivers, NV_ENC_ERR_INCOMPATIBLE_CLIENT_KEY, when one is opened.
  const bool session = complaint.find("OpenEncodeSession") != std::string::npos;
  if (session && (rc == AVERROR(ENOMEM) || rc == AVERROR(EPERM))) {
    fault.kind = FailureKind::kUnavailable;
  }
  return fault;
}

Result<CodecPtr> prepare(const VideoFormat& format, const EncoderSettings& settings,
                         AVBufferRef* cuda_frames) {
  const AVCodec* implementation = avcodec_find_encoder_by_name(settings.codec.c_str());
  if (implementation == nullptr) {
    return failure(trouble_of(settings), "libavcodec was built without " + settings.codec);
  }
  CodecPtr codec(avcodec_alloc_context3(implementation));
  if (!codec) return failure(FailureKind::kOutOfMemory, "no memory for an encoder");
  codec->width = format.size.width;
  codec->height = format.size.height;
  codec->pix_fmt = AV_PIX_FMT_NV12;
  codec->time_base = {1, format.frames_per_second};
  codec->framerate = {format.frames_per_second, 1};
  codec->sample_aspect_ratio = {1, 1};
  if (!settings.takes_cuda_frames()) return codec;
  if (cuda_frames == nullptr) {
    return failure(FailureKind::kEncoder, settings.codec + " needs frames in CUDA memory");
  }
  codec->pix_fmt = AV_PIX_FMT_CUDA;
  codec->hw_frames_ctx = av_buffer_ref(cuda_frames);
  if (codec->hw_frames_ctx == nullptr) return failure(FailureKind::kOutOfMemory, "no memory");
  return codec;
}

}  // namespace

VideoEncoder::VideoEncoder(CodecPtr codec, ParameterSets sets, FailureKind trouble)
    : codec_(std::move(codec)), sets_(std::move(sets)), trouble_(trouble), packet_(make_packet()) {}

Result<std::unique_ptr<VideoEncoder>> VideoEncoder::open(const VideoFormat& format,
                                                         const EncoderSettings& settings,
                                                         AVBufferRef* cuda_frames) {
  if (Status good = check_format(format); !good) return good.failure();
  const Result<NamedValues> values = encoder_options(settings);
  if (!values) return values.failure();
  Result<CodecPtr> codec = prepare(format, settings, cuda_frames);
  if (!codec) return codec.failure();
  Options options;
  for (const auto& [name, value] : *values) options.set(name, value);
  {
    std::optional<FfmpegComplaints> complaints;  // x264's go to the log
    if (settings.takes_cuda_frames()) complaints.emplace();
    const int rc = avcodec_open2(codec->get(), (*codec)->codec, options.out());
    if (rc < 0) return refused(settings, rc, complaints ? complaints->first() : "");
  }
  if (const std::string name = options.leftover(); !name.empty()) {
    return failure(trouble_of(settings), settings.codec + " does not know the option " + name);
  }
  Result<ParameterSets> sets = parameter_sets(
      {(*codec)->extradata, static_cast<std::size_t>(std::max((*codec)->extradata_size, 0))});
  if (!sets) return failure(trouble_of(settings), sets.failure().detail);
  return std::make_unique<VideoEncoder>(std::move(*codec), std::move(*sets), trouble_of(settings));
}

Status VideoEncoder::send(const AVFrame* frame) {
  const int rc = avcodec_send_frame(codec_.get(), frame);
  if (rc < 0) return failed(rc, "the encoder refused a frame");
  return ok_status();
}

Failure VideoEncoder::failed(int rc, const std::string& what) const {
  Failure fault = av_failure(rc, what);
  if (trouble_ == FailureKind::kEncoder) fault.kind = trouble_;
  return fault;
}

Result<AccessUnit> VideoEncoder::receive() {
  const int rc = avcodec_receive_packet(codec_.get(), packet_.get());
  if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF) return AccessUnit{.frame = -1};
  if (rc < 0) return failed(rc, "the encoder failed");
  slices_with_lengths({packet_->data, static_cast<std::size_t>(packet_->size)}, unit_);
  const AccessUnit unit{.bytes = unit_,
                        .frame = packet_->pts,
                        .decode_at = units_++ - reorder_frames(),
                        .key = (packet_->flags & AV_PKT_FLAG_KEY) != 0};
  av_packet_unref(packet_.get());
  return unit;
}

}  // namespace pytoon::media
