#include "gpu/cpu/cpu_device.h"

#include <new>
#include <utility>

#include "base/check.h"
#include "gpu/cpu/cpu_compositor.h"
#include "gpu/cpu/cpu_texture.h"
#include "gpu/cpu/levels.h"

namespace pytoon::gpu {
namespace {

template <typename... Arguments>
Result<std::shared_ptr<const Texture>> make_texture(Size size, const Arguments&... arguments) {
  try {
    return std::shared_ptr<const Texture>(std::make_shared<CpuTexture>(arguments...));
  } catch (const std::bad_alloc&) {
    return failure(FailureKind::kOutOfMemory,
                   "no host memory for an image of " + std::to_string(size.width) + " x " +
                       std::to_string(size.height) + " pixels; use a smaller one");
  }
}

class CpuDevice final : public Device {
 public:
  explicit CpuDevice(Level level) : level_(std::move(level)) {}

  std::string kind() const override { return "cpu"; }
  std::string description() const override { return "cpu (" + level_.name + ")"; }

  Result<std::shared_ptr<const Texture>> upload(const RgbaImage& image) override {
    const Size& size = image.size;
    CHECK(size.width > 0 && size.height > 0, "an image needs pixels");
    CHECK(image.pixels.size() ==
              static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height) * 4,
          "an image's bytes match its size");
    return make_texture(size, image, *level_.kernels);
  }

  Result<std::shared_ptr<const Texture>> adopt(const Nv12Frame& frame) override {
    CHECK(frame.size.width > 0 && frame.size.height > 0, "a frame needs pixels");
    CHECK(frame.memory == Memory::kHost, "the CPU device reads host frames only");
    return make_texture(frame.size, frame);
  }

  std::unique_ptr<Compositor> make_compositor() override {
    return std::make_unique<CpuCompositor>(*level_.kernels);
  }

  int batch_frames() const override { return 1; }

  std::unique_ptr<Device> open_account(std::string /*owner*/,
                                       std::optional<std::uint64_t> /*budget_bytes*/) override {
    return std::make_unique<CpuDevice>(level_);
  }
  void set_memory_budget(std::optional<std::uint64_t> /*bytes*/) override {}
  std::optional<MemoryUse> memory_use() const override { return std::nullopt; }
  std::vector<MemoryUse> memory_accounts() const override { return {}; }
  std::uint64_t reserved_bytes() const override { return 0; }
  std::uint64_t crossings() const override { return 0; }

 private:
  Level level_;
};

}  // namespace

std::unique_ptr<Device> make_cpu_device(const std::string& level) {
  std::vector<Level> levels = runnable_levels();
  if (level.empty()) return std::make_unique<CpuDevice>(std::move(levels.back()));
  for (Level& known : levels) {
    if (known.name == level) return std::make_unique<CpuDevice>(std::move(known));
  }
  return nullptr;
}

std::vector<std::string> cpu_levels() {
  std::vector<std::string> names;
  for (Level& level : runnable_levels()) names.push_back(std::move(level.name));
  return names;
}

}  // namespace pytoon::gpu
