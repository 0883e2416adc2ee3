// A Composition as the frame kernel wants it: the layers that can be seen, in drawing order. Pure.
#pragma once

#include <cstddef>

#include "gpu/composition.h"
#include "gpu/cuda/kernel_jobs.h"

namespace pytoon::gpu::cuda {

// Most layers that fill_layers() may write.
std::size_t layer_count_max(const Composition& composition);

// Writes the visible layers to `layers`, and their counts and the mix into `job`. With mix 256 the
// base is not drawn at all. Textures must be CudaTextures.
void fill_layers(const Composition& composition, Size frame, LayerJob* layers, FrameJob& job);

}  // namespace pytoon::gpu::cuda
