#include "pipeline/media/decoder/clip_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/check.h"

namespace pytoon::media {
namespace {

constexpr std::uint64_t kPageBytes = 4096;

std::uint64_t whole_pages(std::uint64_t bytes) {
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

Failure no_memory() {
  return errno_failure(errno, "no memory can be shared with a decoder of clips");
}

// Who holds it besides its owner holds the frame in it.
template <typename T>
bool is_free(const std::shared_ptr<T>& slot) {
  return slot.use_count() == 1;
}

}  // namespace

std::uint64_t ClipLayout::slot_at(std::size_t slot) const {
  return whole_pages(index_bytes) + slot * whole_pages(slot_bytes);
}

Result<std::shared_ptr<MappedMemory>> MappedMemory::map(int memory, std::size_t bytes,
                                                        Access access) {
  const int protection = access == Access::kWrite ? PROT_READ | PROT_WRITE : PROT_READ;
  void* const start = ::mmap(nullptr, bytes, protection, MAP_SHARED, memory, 0);
  if (start == MAP_FAILED) return failure(FailureKind::kOutOfMemory, "no room to map frames");
  return std::make_shared<MappedMemory>(static_cast<std::uint8_t*>(start), bytes);
}

MappedMemory::~MappedMemory() { ::munmap(start_, bytes_); }

Result<std::unique_ptr<ClipMemory>> ClipMemory::make(const std::string& index,
                                                     std::uint64_t slot_bytes) {
  const ClipLayout layout{index.size(), slot_bytes};
  FileDescriptor memory(::memfd_create("pytoon-frames", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory || ::ftruncate(memory.get(), static_cast<off_t>(layout.bytes())) != 0) {
    return no_memory();
  }
  const auto written = ::pwrite(memory.get(), index.data(), index.size(), 0);
  if (written != static_cast<ssize_t>(index.size())) return no_memory();
  constexpr int kSizeStays = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  if (::fcntl(memory.get(), F_ADD_SEALS, kSizeStays) != 0) return no_memory();
  const auto mapped = MappedMemory::map(memory.get(), layout.bytes(), MappedMemory::Access::kRead);
  if (!mapped) return mapped.failure();
  return std::make_unique<ClipMemory>(std::move(memory), layout, *mapped);
}

ClipMemory::ClipMemory(FileDescriptor memory, const ClipLayout& layout,
                       const std::shared_ptr<MappedMemory>& mapped)
    : memory_(std::move(memory)), layout_(layout) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    slots_[i] = std::make_shared<Slot>(Slot{mapped, mapped->at(layout_.slot_at(i))});
  }
}

std::size_t ClipMemory::free_slot() const {
  const auto* const found = std::ranges::find_if(slots_, is_free<Slot>);
  CHECK(found != slots_.end(), "the last free slot is never lent");
  return static_cast<std::size_t>(found - slots_.begin());
}

std::shared_ptr<const std::uint8_t> ClipMemory::lend(std::size_t slot, std::size_t count) const {
  const std::shared_ptr<Slot>& lent = slots_.at(slot);
  if (std::ranges::count_if(slots_, is_free<Slot>) > 1) return {lent, lent->bytes};
  const auto copy = std::make_shared<std::vector<std::uint8_t>>(lent->bytes, lent->bytes + count);
  return {copy, copy->data()};
}

}  // namespace pytoon::media
