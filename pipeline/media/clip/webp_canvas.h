// The canvases of an animated WebP one after the other, by libwebp. Inside the room only.
//
// Thread rule: one thread at a time. Blocks on decoding. Errors: kMalformed, kOutOfMemory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

struct WebPAnimDecoder;

namespace pytoon::media {

class WebpCanvas {
 public:
  // bytes: outlive it.
  static Result<WebpCanvas> open(const std::string& bytes);

  // Straight RGBA, rows packed, valid until the next call; null after the last.
  Result<const std::uint8_t*> next();
  void rewind();

 private:
  struct Delete {
    void operator()(WebPAnimDecoder* decoder) const;
  };
  explicit WebpCanvas(std::unique_ptr<WebPAnimDecoder, Delete> decoder)
      : decoder_(std::move(decoder)) {}

  std::unique_ptr<WebPAnimDecoder, Delete> decoder_;
};

}  // namespace pytoon::media
