#include "pipeline/media/decoder/child_clip.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "pipeline/media/decoder/clip_index_bytes.h"
#include "pipeline/media/decoder/clip_memory.h"

namespace pytoon::media {
namespace {

// Frames go where the step says.
class SlotFrames final : public FrameMemory {
 public:
  SlotFrames(std::shared_ptr<MappedMemory> memory, const ClipLayout& layout)
      : memory_(std::move(memory)), layout_(layout) {}

  void set_slot(std::size_t slot) { slot_ = slot; }
  std::uint8_t* place() const { return memory_->at(layout_.slot_at(slot_)); }
  std::shared_ptr<std::uint8_t> take(std::size_t bytes) override {
    if (bytes > layout_.slot_bytes) return nullptr;
    return {memory_, place()};
  }

 private:
  const std::shared_ptr<MappedMemory> memory_;
  const ClipLayout layout_;
  std::size_t slot_ = 0;
};

// Receiving with descriptors is nothing that a confined process may.
std::string read_packet(int socket) {
  std::array<char, 1024> text{};
  ssize_t got = 0;
  do {
    got = ::read(socket, text.data(), text.size());
  } while (got < 0 && errno == EINTR);
  return got <= 0 ? "" : std::string(text.data(), static_cast<std::size_t>(got));
}

Result<DecoderAnswer> do_step(const ClipStep& step, ClipPlayer& player, SlotFrames& frames) {
  frames.set_slot(step.slot);
  DecoderAnswer answer;
  if (!step.cutout) {
    const Result<gpu::Nv12Frame> frame = player.frame(step.frame);
    if (!frame) return frame.failure();
    answer.info.size = frame->size;
    return answer;
  }
  const Result<gpu::RgbaImage> image = player.cutout(step.frame);
  if (!image) return image.failure();
  const std::shared_ptr<std::uint8_t> place = frames.take(image->pixels.size());
  if (!place) return failure(FailureKind::kMalformed, "a frame is larger than any clip's may be");
  std::memcpy(place.get(), image->pixels.data(), image->pixels.size());
  answer.info.size = image->size;
  return answer;
}

void answer_steps(int steps, ClipPlayer& player, SlotFrames& frames) {
  for (;;) {
    const std::string said = read_packet(steps);
    const std::optional<ClipStep> step = said.empty() ? std::nullopt : step_from(said);
    if (!step) return;
    const Result<DecoderAnswer> answer = do_step(*step, player, frames);
    const std::string text = answer ? to_text(*answer) : to_text(answer.failure());
    if (::write(steps, text.data(), text.size()) < 0 || !answer) return;
  }
}

}  // namespace

void play_clip(const DecoderRequest& request, const std::filesystem::path& file, int steps,
               int memory, FileDecoder& decoder) {
  const ClipLayout layout{request.index_bytes, request.slot_bytes};
  const auto mapped = MappedMemory::map(memory, layout.bytes(), MappedMemory::Access::kWrite);
  if (!mapped) return;
  const auto* const bytes = reinterpret_cast<const char*>((*mapped)->at(0));
  std::optional<ClipIndex> index = clip_index_from({bytes, layout.index_bytes});
  if (!index) return;
  index->path = file;
  const auto frames = std::make_shared<SlotFrames>(*mapped, layout);
  const std::unique_ptr<ClipPlayer> player = decoder.open_clip(
      {std::make_shared<const ClipIndex>(std::move(*index)), request.shown, {}, frames});
  answer_steps(steps, *player, *frames);
}

}  // namespace pytoon::media
