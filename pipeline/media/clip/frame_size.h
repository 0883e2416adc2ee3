// How large the frames are that a clip's frames come as, and how many may be held. Pure.
#pragma once

#include "gpu/image.h"
#include "pipeline/media/clip/rotation.h"

namespace pytoon::media {

// Above this many stored pixels a shown one, sampling without averaging would shimmer.
inline constexpr double kClipStepMax = 1.25;

// Surfaces that may be held outside the card's decoder: the shown frame, the one after it, and
// those whose drawing is not complete yet.
inline constexpr int kSurfacesHeld = 6;

// The size, upright, of what a frame stored in that size becomes in host memory. shown: px that the
// upright whole takes up where it is drawn.
gpu::Size converted_size(gpu::Size stored, const Rotation& rotation, gpu::Size shown);

// Of a frame in NV12, even in width and height.
constexpr std::size_t nv12_bytes(gpu::Size size) {
  return static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height) / 2 * 3;
}

}  // namespace pytoon::media
