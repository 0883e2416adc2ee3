#include <algorithm>
#include <cstddef>
#include <string>

#include "pipeline/media/gst/element_failure.h"
#include "pipeline/media/gst/video_encoder.h"
#include "pipeline/media/media.h"

namespace pytoon::media {
namespace {

constexpr int kFrames = 8;

// A slope that moves, so that no frame is a copy of the one before.
void paint(AVFrame& frame, int index) {
  for (int y = 0; y < frame.height; ++y) {
    std::uint8_t* row = frame.data[0] + std::ptrdiff_t{y} * frame.linesize[0];
    for (int x = 0; x < frame.width; ++x) {
      row[x] = static_cast<std::uint8_t>(16 + ((x + 2 * y + 5 * index) / 16) % 220);
    }
  }
  for (int y = 0; y < frame.height / 2; ++y) {
    std::uint8_t* row = frame.data[1] + std::ptrdiff_t{y} * frame.linesize[1];
    std::fill(row, row + frame.width, static_cast<std::uint8_t>(128 + index));
  }
}

struct Received {
  int units = 0;
  std::size_t bytes = 0;
};

Status take_units(VideoEncoder& encoder, Received& received) {
  for (;;) {
    const Result<AccessUnit> unit = encoder.receive();
    if (!unit) return unit.failure();
    if (unit->frame < 0) return ok_status();
    ++received.units;
    received.bytes += unit->bytes.size();
  }
}

// A fresh frame each time: the encoder may still hold the one before.
Result<FramePtr> make_frame_of(const gpu::Size& size, int index) {
  FramePtr frame = make_frame();
  frame->format = AV_PIX_FMT_NV12;
  frame->width = size.width;
  frame->height = size.height;
  frame->pts = index;
  const int rc = av_frame_get_buffer(frame.get(), 0);
  if (rc < 0) return av_failure(rc, "no memory for a frame");
  paint(*frame, index);
  return frame;
}

Status encode_some(const std::string& codec) {
  const VideoFormat format;
  EncoderSettings settings;
  settings.codec = codec;
  auto encoder = VideoEncoder::open(format, settings);
  if (!encoder) return encoder.failure();
  Received received;
  for (int index = 0; index < kFrames; ++index) {
    const Result<FramePtr> frame = make_frame_of(format.size, index);
    if (!frame) return frame.failure();
    if (Status sent = (*encoder)->send(frame->get()); !sent) return sent;
    if (Status taken = take_units(**encoder, received); !taken) return taken;
  }
  if (Status ended = (*encoder)->send(nullptr); !ended) return ended;
  if (Status taken = take_units(**encoder, received); !taken) return taken;
  if (received.units != kFrames || received.bytes == 0) {
    return failure(FailureKind::kMedia, codec + " gave " + std::to_string(received.units) +
                                            " packets for " + std::to_string(kFrames) + " frames");
  }
  return ok_status();
}

}  // namespace

Status probe_encoder(const std::string& codec) {
  return contained([&] { return encode_some(codec); });
}

}  // namespace pytoon::media
