#include "pipeline/media/clip/webp_canvas.h"

#include <webp/demux.h>

#include "pipeline/media/clip/clip_file.h"

namespace pytoon::media {

void WebpCanvas::Delete::operator()(WebPAnimDecoder* decoder) const {
  WebPAnimDecoderDelete(decoder);
}

Result<WebpCanvas> WebpCanvas::open(const std::string& bytes) {
  WebPAnimDecoderOptions options;
  if (WebPAnimDecoderOptionsInit(&options) == 0) {
    return failure(FailureKind::kMedia, "this libwebp is of another version");
  }
  options.color_mode = MODE_RGBA;
  const WebPData data{reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
  std::unique_ptr<WebPAnimDecoder, Delete> decoder(WebPAnimDecoderNew(&data, &options));
  if (!decoder) return damaged_clip("in its index");
  return WebpCanvas(std::move(decoder));
}

Result<const std::uint8_t*> WebpCanvas::next() {
  if (WebPAnimDecoderHasMoreFrames(decoder_.get()) == 0) {
    return static_cast<const std::uint8_t*>(nullptr);
  }
  std::uint8_t* canvas = nullptr;
  int shown_until_ms = 0;
  if (WebPAnimDecoderGetNext(decoder_.get(), &canvas, &shown_until_ms) == 0) {
    return damaged_clip("in its data");
  }
  return static_cast<const std::uint8_t*>(canvas);
}

void WebpCanvas::rewind() { WebPAnimDecoderReset(decoder_.get()); }

}  // namespace pytoon::media
