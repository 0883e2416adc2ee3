#include "pipeline/media/audio/stereo_converter.h"

#include <array>

namespace pytoon::media {
namespace {

Status check(int rc) {
  if (rc >= 0) return ok_status();
  Failure fault = av_failure(rc, "the audio can't be brought to stereo at 48 kHz");
  if (fault.kind == FailureKind::kMedia) fault.kind = FailureKind::kMalformed;
  return fault;
}

}  // namespace

StereoConverter::~StereoConverter() { av_channel_layout_uninit(&layout_); }

bool StereoConverter::fits(const AVFrame& frame) const {
  return resampler_ && frame.format == format_ && frame.sample_rate == rate_ &&
         av_channel_layout_compare(&frame.ch_layout, &layout_) == 0;
}

Status StereoConverter::prepare(const AVFrame& frame) {
  if (Status copied = check(av_channel_layout_copy(&layout_, &frame.ch_layout)); !copied) {
    return copied;
  }
  format_ = frame.format;
  rate_ = frame.sample_rate;
  AVChannelLayout from{};
  if (layout_.order == AV_CHANNEL_ORDER_UNSPEC) {  // WAV files often say only how many
    av_channel_layout_default(&from, layout_.nb_channels);
  } else if (Status copied = check(av_channel_layout_copy(&from, &layout_)); !copied) {
    return copied;
  }
  AVChannelLayout stereo{};
  av_channel_layout_default(&stereo, static_cast<int>(kAudioChannels));
  SwrContext* raw = nullptr;
  int rc = swr_alloc_set_opts2(&raw, &stereo, AV_SAMPLE_FMT_FLTP, kAudioRate, &from,
                               static_cast<AVSampleFormat>(format_), rate_, 0, nullptr);
  av_channel_layout_uninit(&from);
  resampler_.reset(raw);
  if (rc >= 0) rc = swr_init(raw);
  return check(rc);
}

Status StereoConverter::append(const AVFrame* frame) {
  const int given = frame == nullptr ? 0 : frame->nb_samples;
  const int room = swr_get_out_samples(resampler_.get(), given);
  if (room < 0) return check(room);
  const std::size_t before = out_.size();
  out_.resize(before + static_cast<std::size_t>(room));
  std::array<std::uint8_t*, kAudioChannels> to{};
  for (std::size_t i = 0; i < kAudioChannels; ++i) {
    to[i] = reinterpret_cast<std::uint8_t*>(out_.channels[i].data() + before);
  }
  auto from = frame == nullptr ? nullptr : const_cast<const std::uint8_t**>(frame->extended_data);
  const int made = swr_convert(resampler_.get(), to.data(), room, from, given);
  out_.resize(before + static_cast<std::size_t>(std::max(made, 0)));
  return check(made);
}

Status StereoConverter::convert(const AVFrame& frame) {
  if (!fits(frame)) {
    if (Status flushed = finish(); !flushed) return flushed;
    if (Status ready = prepare(frame); !ready) return ready;
  }
  return append(&frame);
}

Status StereoConverter::finish() { return resampler_ ? append(nullptr) : ok_status(); }

}  // namespace pytoon::media
