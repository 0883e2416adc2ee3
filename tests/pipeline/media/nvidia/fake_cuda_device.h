// A CUDA device of the fake driver: its memory is the host's, so the CPU device draws in it. Like
// the real one it draws into CUDA memory, or into host memory at the price of one crossing.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "gpu/cpu/cpu_device.h"
#include "tests/pipeline/media/nvidia/fake_nvidia.h"

namespace pytoon::testing_support {

class FakeCudaDevice final : public gpu::Device {
 public:
  std::string kind() const override { return "cuda"; }
  std::string description() const override { return "Fake GPU"; }
  Result<std::shared_ptr<const gpu::Texture>> upload(const gpu::RgbaImage& image) override {
    return cpu_->upload(image);
  }
  Result<std::shared_ptr<const gpu::Texture>> adopt(const gpu::Nv12Frame& frame) override {
    return cpu_->adopt(frame);
  }
  std::unique_ptr<gpu::Compositor> make_compositor() override {
    return std::make_unique<Compositor>(cpu_->make_compositor(), crossings_);
  }
  std::optional<gpu::CudaHandles> cuda_handles() const override {
    return gpu::CudaHandles{fake_cuda_context(), 0};
  }
  int batch_frames() const override { return 3; }
  std::unique_ptr<gpu::Device> open_account(std::string /*owner*/,
                                            std::optional<std::uint64_t> /*budget*/) override {
    return std::make_unique<FakeCudaDevice>();
  }
  void set_memory_budget(std::optional<std::uint64_t> /*bytes*/) override {}
  std::optional<gpu::MemoryUse> memory_use() const override { return gpu::MemoryUse{}; }
  std::vector<gpu::MemoryUse> memory_accounts() const override { return {}; }
  std::uint64_t reserved_bytes() const override { return 0; }
  std::uint64_t crossings() const override { return crossings_; }
  Status check() const override {
    return lost ? Status(failure(FailureKind::kDeviceLost, "the context is lost")) : ok_status();
  }

  std::atomic<bool> lost{false};  // what check() finds; nothing else notices

 private:
  class Compositor final : public gpu::Compositor {
   public:
    Compositor(std::unique_ptr<gpu::Compositor> cpu, std::atomic<std::uint64_t>& crossings)
        : cpu_(std::move(cpu)), crossings_(crossings) {}
    Status compose_batch(std::span<const gpu::FrameRequest> frames) override {
      for (const gpu::FrameRequest& frame : frames) {
        const Status drawn = draw(frame);
        if (!drawn) return drawn;
      }
      return ok_status();
    }

   private:
    Status draw(const gpu::FrameRequest& frame) {
      if (const auto* host = std::get_if<gpu::HostNv12View>(&frame.target)) {
        ++crossings_;
        return cpu_->compose(*frame.composition, *host);
      }
      const auto& cuda = std::get<gpu::CudaNv12View>(frame.target);
      return cpu_->compose(*frame.composition,
                           gpu::HostNv12View{cuda.size, cuda.luma, cuda.luma_pitch_bytes,
                                             cuda.chroma, cuda.chroma_pitch_bytes});
    }

    std::unique_ptr<gpu::Compositor> cpu_;
    std::atomic<std::uint64_t>& crossings_;
  };

  std::unique_ptr<gpu::Device> cpu_ = gpu::make_cpu_device();
  std::atomic<std::uint64_t> crossings_{0};
};

}  // namespace pytoon::testing_support
