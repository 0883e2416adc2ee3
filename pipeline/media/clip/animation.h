// Animated GIF, APNG and WebP files: what their structure says of their frames, read by our own
// eyes before a decoder sees them, and within bounds.
//
// A frame that is shown for 10 ms or less is shown for 100 ms, as browsers do. How often an
// animation wants to be repeated is not read: a clip is repeated as its segment needs it.
//
// Thread rule: values; read_animation() blocks on reading the file once. Sources: GIF89a
// specification, PNG (third edition) sections 5 and 11.3, WebP container specification.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/input_file.h"
#include "base/result.h"
#include "gpu/image.h"
#include "pipeline/media/clip/clip_container.h"

namespace pytoon::media {

inline constexpr std::int64_t kAnimationBytesMax = 64 << 20;
inline constexpr int kAnimationTicks = 1'000'000;  // a second
// Every frame is drawn on the whole canvas, and going back means beginning anew.
inline constexpr std::int64_t kAnimationPixelsMax = std::int64_t{1} << 31U;

struct Animation {
  std::string bytes;  // the file, of an APNG only what its image is made of
  gpu::Size size;
  std::vector<std::int64_t> starts;  // of its frames, in ticks, from 0
  std::int64_t end = 0;
  // What lets the ground show through: nothing, its first frame alone (the others are drawn over
  // what is there), or any.
  enum class Alpha { kNone, kOfFirst, kAny } alpha = Alpha::kNone;
};

// Nothing for other files, still PNG and WebP images among them.
std::optional<ClipFormat> animation_of(const InputFile& file);

// kMalformed for files that are cut off or whose parts don't fit; kInvalid beyond the bounds of
// clips, or for a single image; kTooLarge.
Result<Animation> read_animation(const std::filesystem::path& path, ClipContainer container);

}  // namespace pytoon::media
