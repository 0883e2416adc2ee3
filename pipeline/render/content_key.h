// The name of a segment's bytes: a hash of everything that decides them. Two segments with one key
// are interchangeable, so a finished one is never rendered twice. Pure.
#pragma once

#include <string>

#include "pipeline/plan/timeline.h"
#include "pipeline/render/renderer.h"

namespace pytoon::render {

// What the machine and the build contribute.
struct ImageMaker {
  std::string device_kind;
  std::string encoder_fingerprint;
  std::string fonts_fingerprint;
};

// Raise when the same spec would be drawn differently.
inline constexpr int kPictureVersion = 1;

std::string content_key(const RenderJob& job, const plan::Timeline& timeline, int segment,
                        const ImageMaker& maker);

}  // namespace pytoon::render
