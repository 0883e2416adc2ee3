// Scenes for compositor tests: what a Composition says, with host pictures in place of textures, so
// that one scene can go to any device and to the reference.
#pragma once

#include <cstdint>
#include <vector>

#include "gpu/device.h"

namespace pytoon::gpu {

struct SceneLayer {
  std::size_t picture = 0;  // index into Scene::pictures
  Sampling x;
  Sampling y;
  Rect clip;
  int opacity_256 = 256;
};

struct Scene {
  Size frame;
  std::vector<RgbaImage> pictures;
  std::vector<SceneLayer> base;
  std::vector<SceneLayer> incoming;
  int mix_256 = 0;
  std::vector<SceneLayer> top;
};

// Uploads the pictures and names them in a Composition.
Composition on_device(Device& device, const Scene& scene);

// Every list of layers, alpha and a crossfade, 64 x 64.
Scene scene_of_all_kinds();

// Odd sizes, odd and outlying clips, fractional and whole steps, alpha, opacity, crossfades; the
// same scene for the same seed.
Scene random_scene(std::uint32_t seed);
inline constexpr std::uint32_t kScenes = 160;  // seeds that a test of all of them takes

// A host frame in the middle of guard bytes, rows padded.
class GuardedFrame {
 public:
  explicit GuardedFrame(Size size);
  HostNv12View view();
  Size size() const { return size_; }
  std::vector<std::uint8_t>& bytes() { return bytes_; }  // guards and all
  int luma(int x, int y) const;
  int chroma(int i, int j, int component) const;  // component 0 Cb, 1 Cr
  // True while no byte outside the picture was written.
  bool guards_intact() const;
  bool operator==(const GuardedFrame& other) const { return bytes_ == other.bytes_; }

 private:
  bool is_picture(std::size_t at) const;
  Size size_;
  std::size_t luma_pitch_;
  std::size_t chroma_pitch_;
  std::size_t luma_at_;
  std::size_t chroma_at_;
  std::vector<std::uint8_t> bytes_;
};

// Uploads and composes on a compositor of its own.
GuardedFrame compose(Device& device, const Scene& scene);

}  // namespace pytoon::gpu
