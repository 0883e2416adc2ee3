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
  Result<std::shared_ptr<const gpu::Texture>> adopt(const gpu::Nv12Picture& frame) override {
    return cpu_->adopt(frame);
  }
  std::unique_ptr<gpu::Compositor> make_compositor() override {
    return std::make_unique<Compositor>(cpu_->make_compositor(), crossings_);
  }
  std::optional<gpu::CudaHandles> cuda_handles() const override {
    return gpu::CudaHandles{fake_cuda_context(), 0};
  }
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
    Status compose(const gpu::Composition& composition, const gpu::Nv12Target& target) override {
      if (const auto* host = std::get_if<gpu::HostNv12View>(&target)) {
        ++crossings_;
        return cpu_->compose(composition, *host);
      }
      const auto& cuda = std::get<gpu::CudaNv12View>(target);
      return cpu_->compose(
          composition, gpu::HostNv12View{cuda.size, cuda.luma, cuda.luma_pitch_bytes, cuda.chroma,
                                         cuda.chroma_pitch_bytes});
    }

   private:
    std::unique_ptr<gpu::Compositor> cpu_;
    std::atomic<std::uint64_t>& crossings_;
  };

  std::unique_ptr<gpu::Device> cpu_ = gpu::make_cpu_device();
  std::atomic<std::uint64_t> crossings_{0};
};

}  // namespace pytoon::testing_support
