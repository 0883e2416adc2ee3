// The memory that a played clip's decoder shares with whoever draws: the clip's index, then as many
// slots as frames may lie there at once. Its size is sealed, so that mapping it is safe on both
// sides whatever the other does; what a decoder writes to a frame that was given already is its own
// clip's colours and nothing else. Inside the room only.
//
// A slot is for the decoder from the step that names it to the answer; then it is the drawer's,
// until nobody holds the frame.
//
// Thread rule: any thread; each slot as told. Pages are taken when they are written first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace pytoon::media {

struct ClipLayout {
  // A frame that is drawn, the one before it, and one to land the next.
  static constexpr std::size_t kSlots = 3;

  std::uint64_t index_bytes = 0;
  std::uint64_t slot_bytes = 0;

  std::uint64_t slot_at(std::size_t slot) const;
  std::uint64_t bytes() const { return slot_at(kSlots); }
};

// One side's view of it.
class MappedMemory {
 public:
  enum class Access { kRead, kWrite };
  // kOutOfMemory.
  static Result<std::shared_ptr<MappedMemory>> map(int memory, std::size_t bytes, Access access);
  MappedMemory(std::uint8_t* start, std::size_t bytes) : start_(start), bytes_(bytes) {}
  ~MappedMemory();
  MappedMemory(const MappedMemory&) = delete;
  MappedMemory& operator=(const MappedMemory&) = delete;

  std::uint8_t* at(std::uint64_t offset) const { return start_ + offset; }

 private:
  std::uint8_t* const start_;
  const std::size_t bytes_;
};

// The drawer's.
class ClipMemory {
 public:
  static Result<std::unique_ptr<ClipMemory>> make(const std::string& index,
                                                  std::uint64_t slot_bytes);
  ClipMemory(FileDescriptor memory, const ClipLayout& layout,
             const std::shared_ptr<MappedMemory>& mapped);

  int descriptor() const { return memory_.get(); }
  const ClipLayout& layout() const { return layout_; }
  // One that nobody holds: there always is.
  std::size_t free_slot() const;
  const std::uint8_t* bytes_of(std::size_t slot) const { return slots_.at(slot)->bytes; }
  // `count` bytes of it, unchanged for as long as they are held; copied when it was the last free
  // one.
  std::shared_ptr<const std::uint8_t> lend(std::size_t slot, std::size_t count) const;

 private:
  struct Slot {
    std::shared_ptr<MappedMemory> memory;
    const std::uint8_t* bytes = nullptr;
  };

  const FileDescriptor memory_;
  const ClipLayout layout_;
  std::array<std::shared_ptr<Slot>, ClipLayout::kSlots> slots_;
};

}  // namespace pytoon::media
