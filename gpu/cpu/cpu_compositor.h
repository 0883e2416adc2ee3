// The CPU device's Compositor: draws layers in order with a PlanePainter for each plane.
//
// Chroma follows luma: sample (i, j) is drawn when the clip holds luma pixel (2i, 2j), so clips
// that tile the luma tile the chroma too.
#pragma once

#include <cstdint>
#include <vector>

#include "gpu/cpu/kernels.h"
#include "gpu/cpu/plane_painter.h"
#include "gpu/device.h"

namespace pytoon::gpu {

class CpuCompositor final : public Compositor {
 public:
  explicit CpuCompositor(const Kernels& kernels) : kernels_(kernels), painter_(kernels) {}

  Status compose_batch(std::span<const FrameRequest> frames) override;

 private:
  void draw_frame(const Composition& composition, const HostNv12View& frame);
  void draw_over_black(const std::vector<Layer>& layers, const HostNv12View& frame);
  void draw(const Layer& layer, const HostNv12View& frame);
  void crossfade(const HostNv12View& frame, const HostNv12View& incoming, int mix_256);
  HostNv12View scratch(Size size);

  const Kernels& kernels_;
  PlanePainter painter_;
  std::vector<std::uint8_t> scratch_;
};

}  // namespace pytoon::gpu
