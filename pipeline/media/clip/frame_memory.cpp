#include "pipeline/media/clip/frame_memory.h"

namespace pytoon::media {

std::shared_ptr<std::uint8_t> HeapFrames::take(std::size_t bytes) {
  std::erase_if(buffers_, [bytes](const auto& buffer) { return buffer->size() != bytes; });
  for (const auto& buffer : buffers_) {
    if (buffer.use_count() == 1) return {buffer, buffer->data()};
  }
  const auto& fresh = buffers_.emplace_back(std::make_shared<std::vector<std::uint8_t>>(bytes));
  return {fresh, fresh->data()};
}

}  // namespace pytoon::media
