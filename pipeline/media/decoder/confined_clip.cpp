#include "pipeline/media/decoder/confined_clip.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "pipeline/media/clip/frame_size.h"
#include "pipeline/media/decoder/clip_index_bytes.h"
#include "pipeline/media/decoder/decoder_faults.h"

namespace pytoon::media {
namespace {

std::uint64_t pixels_of(gpu::Size size) {
  return static_cast<std::uint64_t>(size.width) * static_cast<std::uint64_t>(size.height);
}

// What decoding was looked at to take at the file's inspection, and the conversion of a frame: its
// fields, its samples as numbers of four bytes, and what is made of them.
std::uint64_t memory_for(const ClipIndex& clip, const DecoderLimits& limits) {
  constexpr std::uint64_t kBytesPerPixel = 32;
  return limits.memory_bytes + kBytesPerPixel * pixels_of(clip.stored);
}

// The whole clip, decoded and converted by a slow core.
std::uint64_t cpu_for(const ClipIndex& clip, const DecoderLimits& limits) {
  constexpr std::uint64_t kPixelsPerSecond = 20'000'000;
  constexpr std::uint64_t kSecondsMax = 600;
  const std::uint64_t pixels = pixels_of(clip.stored) * clip.times.starts.size();
  return static_cast<std::uint64_t>(limits.cpu.count()) +
         std::min(kSecondsMax, pixels / kPixelsPerSecond);
}

// Room for the frames that the clip's index tells of, and for the largest that a clip may have.
std::uint64_t slot_bytes_for(const ClipOrder& order, bool cutout) {
  constexpr gpu::Size kLargest{kClipEdgeMaxPx, kClipEdgeMaxPx};
  if (cutout) return 4 * pixels_of(kLargest);
  const ClipIndex& clip = *order.clip;
  return std::max(nv12_bytes(kLargest),
                  nv12_bytes(converted_size(clip.stored, clip.rotation, order.shown)));
}

bool is_frame(gpu::Size size, bool cutout, std::uint64_t slot_bytes) {
  if (std::min(size.width, size.height) < 1) return false;
  if (cutout) return 4 * pixels_of(size) <= slot_bytes;
  return size.width % 2 == 0 && size.height % 2 == 0 && nv12_bytes(size) <= slot_bytes;
}

}  // namespace

ConfinedClip::ConfinedClip(DecoderProcesses& processes, const DecoderLimits& limits,
                           const ClipOrder& order)
    : processes_(processes), limits_(limits), order_(order) {}

ConfinedClip::~ConfinedClip() = default;

// Frames of the two kinds differ in size: who changes between them begins anew.
Status ConfinedClip::make_memory(bool cutout) {
  const std::uint64_t slot_bytes = slot_bytes_for(order_, cutout);
  if (memory_ && memory_->layout().slot_bytes == slot_bytes) return ok_status();
  decoder_.reset();
  Result<std::unique_ptr<ClipMemory>> made = ClipMemory::make(to_bytes(*order_.clip), slot_bytes);
  if (!made) return made.failure();
  memory_ = std::move(*made);
  return ok_status();
}

Status ConfinedClip::begin() {
  const ClipIndex& clip = *order_.clip;
  const FileDescriptor file(::open(clip.path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return errno_failure(errno, "can't open " + clip.path.string());
  DecoderRequest request;
  request.task = DecoderTask::kClip;
  request.memory_bytes = memory_for(clip, limits_);
  request.cpu_seconds = cpu_for(clip, limits_);
  request.index_bytes = memory_->layout().index_bytes;
  request.slot_bytes = memory_->layout().slot_bytes;
  request.shown = order_.shown;
  auto begun = processes_.begin(request, file.get(), memory_->descriptor());
  if (!begun) return begun.failure();
  decoder_ = std::move(*begun);
  return ok_status();
}

Result<ConfinedClip::Landed> ConfinedClip::fetch(std::size_t index, bool cutout) {
  if (Status ready = make_memory(cutout); !ready) return ready.failure();
  for (int tries = 0; tries < kDecoderTries; ++tries) {
    if (!decoder_) {
      if (Status begun = begin(); !begun) return begun.failure();
    }
    const std::size_t slot = memory_->free_slot();
    decoder_->say(to_text(ClipStep{index, static_cast<std::uint32_t>(slot), cutout}));
    const ConfinedDecoder::Heard heard = decoder_->hear(limits_.frame_wall, order_.cancel);
    if (heard.answer && *heard.answer) {
      const gpu::Size size = (*heard.answer)->info.size;
      if (is_frame(size, cutout, memory_->layout().slot_bytes)) return Landed{slot, size};
    }
    decoder_.reset();
    if (heard.answer) {
      return *heard.answer ? broken_decoder() : fault_of_answer(heard.answer->failure());
    }
    if (const auto fault = fault_of_death(heard.death)) return *fault;
  }
  return killed_from_outside();
}

Result<gpu::Nv12Frame> ConfinedClip::frame(std::size_t index) {
  const Result<Landed> landed = fetch(index, false);
  if (!landed) return landed.failure();
  const gpu::Size size = landed->size;
  const std::shared_ptr<const std::uint8_t> bytes = memory_->lend(landed->slot, nv12_bytes(size));
  const auto pitch = static_cast<std::size_t>(size.width);
  return gpu::Nv12Frame{gpu::Memory::kHost,
                        size,
                        bytes.get(),
                        pitch,
                        bytes.get() + pitch * static_cast<std::size_t>(size.height),
                        pitch,
                        bytes};
}

Result<gpu::RgbaImage> ConfinedClip::cutout(std::size_t index) {
  const Result<Landed> landed = fetch(index, true);
  if (!landed) return landed.failure();
  const std::uint8_t* const bytes = memory_->bytes_of(landed->slot);
  gpu::RgbaImage image;
  image.size = landed->size;
  image.pixels.assign(bytes, bytes + 4 * pixels_of(image.size));
  return image;
}

}  // namespace pytoon::media
