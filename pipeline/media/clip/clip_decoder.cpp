#include "pipeline/media/clip/clip_decoder.h"

#include <string>

namespace pytoon::media {
namespace {

constexpr int kDecoderThreads = 2;

// Of FFmpeg's decoders of VP8 and VP9 only libvpx's knows alpha.
const AVCodec* decoder_for(const AVStream& track) {
  const AVCodecID codec = track.codecpar->codec_id;
  if (!is_coded_with_alpha(track)) return avcodec_find_decoder(codec);
  return avcodec_find_decoder_by_name(codec == AV_CODEC_ID_VP8 ? "libvpx" : "libvpx-vp9");
}

Result<CodecPtr> open_codec(const AVStream& track, AVBufferRef* hardware, CardTrack* card,
                            Scrutiny scrutiny) {
  const AVCodec* const decoder = decoder_for(track);
  if (decoder == nullptr) {
    return failure(FailureKind::kMedia, std::string("this FFmpeg has no decoder for ") +
                                            avcodec_get_name(track.codecpar->codec_id));
  }
  CodecPtr codec(avcodec_alloc_context3(decoder));
  if (!codec || avcodec_parameters_to_context(codec.get(), track.codecpar) < 0) {
    return failure(FailureKind::kOutOfMemory, "no memory for a decoder");
  }
  codec->pkt_timebase = track.time_base;
  codec->max_pixels = std::int64_t{kClipEdgeMaxPx} * kClipEdgeMaxPx;
  const bool threaded = card == nullptr && scrutiny == Scrutiny::kWhatIsKnown;
  codec->thread_count = threaded ? kDecoderThreads : 1;
  if (card != nullptr) demand_hardware(*codec, hardware, *card);
  if (const int rc = avcodec_open2(codec.get(), decoder, nullptr); rc < 0) {
    return rc == AVERROR_INVALIDDATA ? damaged_clip("in its index")
                                     : av_failure(rc, "can't open the decoder");
  }
  return codec;
}

// What the coded frames don't say of their colours, the file may.
void take_unsaid(const AVCodecParameters& file, AVFrame& frame) {
  if (frame.colorspace == AVCOL_SPC_UNSPECIFIED) frame.colorspace = file.color_space;
  if (frame.color_range == AVCOL_RANGE_UNSPECIFIED) frame.color_range = file.color_range;
  if (frame.color_primaries == AVCOL_PRI_UNSPECIFIED) frame.color_primaries = file.color_primaries;
  if (frame.color_trc == AVCOL_TRC_UNSPECIFIED) frame.color_trc = file.color_trc;
  if (frame.chroma_location == AVCHROMA_LOC_UNSPECIFIED) {
    frame.chroma_location = file.chroma_location;
  }
}

}  // namespace

Result<std::unique_ptr<ClipDecoder>> ClipDecoder::open(const ClipIndex& clip, BufferPtr hardware,
                                                       CancelToken cancel, Scrutiny scrutiny) {
  Result<ClipFile> file = ClipFile::open(clip.path, clip.container);
  if (!file) return file.failure();
  std::unique_ptr<CardTrack> card;
  if (hardware) card = std::make_unique<CardTrack>(CardTrack{file->track()->codecpar, false});
  Result<CodecPtr> codec = open_codec(*file->track(), hardware.get(), card.get(), scrutiny);
  if (!codec) return codec.failure();
  return std::make_unique<ClipDecoder>(std::move(*file), std::move(card), std::move(*codec),
                                       std::move(cancel));
}

Status ClipDecoder::seek(const KeyFrame& from) {
  if (Status moved = file_.seek(from.decoded); !moved) return moved;
  avcodec_flush_buffers(codec_.get());
  not_before_ = from.shown;
  return ok_status();
}

Failure ClipDecoder::broken(int error) const {
  if (error == AVERROR(ENOMEM)) return failure(FailureKind::kOutOfMemory, "no memory to decode");
  if (card_ && card_->refused) {
    return failure(FailureKind::kMedia,
                   "the card decodes 8-bit 4:2:0 in SDR, BT.709, limited range only");
  }
  const AVRational tick = file_.track()->time_base;
  const double seconds =
      packet_->pts == AV_NOPTS_VALUE ? 0 : static_cast<double>(packet_->pts) * av_q2d(tick);
  return damaged_clip("near second " + std::to_string(static_cast<int>(seconds)));
}

Status ClipDecoder::feed() {
  if (cancel_.cancelled()) return failure(FailureKind::kCancelled, "decoding was cancelled");
  const Result<bool> more = file_.next(packet_.get());
  if (!more) return more.failure();
  const int rc = avcodec_send_packet(codec_.get(), *more ? packet_.get() : nullptr);
  return rc < 0 ? Status(broken(rc)) : ok_status();
}

Result<const AVFrame*> ClipDecoder::next() {
  for (;;) {
    const int rc = avcodec_receive_frame(codec_.get(), frame_.get());
    if (rc == AVERROR_EOF) return static_cast<const AVFrame*>(nullptr);
    if (rc == AVERROR(EAGAIN)) {
      if (Status fed = feed(); !fed) return fed.failure();
      continue;
    }
    if (rc < 0) return broken(rc);
    if (not_before_ && frame_->pts < *not_before_) continue;
    take_unsaid(*file_.track()->codecpar, *frame_);
    if (frame_->decode_error_flags != 0 || (frame_->flags & AV_FRAME_FLAG_CORRUPT) != 0) {
      return broken(AVERROR_INVALIDDATA);
    }
    return static_cast<const AVFrame*>(frame_.get());
  }
}

}  // namespace pytoon::media
