// Where a clip's converted frames are written: this process's own memory, or what a confined
// decoder shares with the process that it works for.
//
// Thread rule: one thread at a time; what was taken may be given back by any. Never blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace pytoon::media {

class FrameMemory {
 public:
  virtual ~FrameMemory() = default;
  // So many bytes for one frame, which nobody else writes for as long as they are held. Null: a
  // frame so large has no room.
  virtual std::shared_ptr<std::uint8_t> take(std::size_t bytes) = 0;
};

// Buffers are used again once nobody holds them. Throws std::bad_alloc.
class HeapFrames final : public FrameMemory {
 public:
  std::shared_ptr<std::uint8_t> take(std::size_t bytes) override;

 private:
  std::vector<std::shared_ptr<std::vector<std::uint8_t>>> buffers_;  // all of one size
};

}  // namespace pytoon::media
