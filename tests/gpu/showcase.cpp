#include "tests/gpu/showcase.h"

#include <algorithm>
#include <cmath>

namespace pytoon::gpu {
namespace {

std::uint8_t byte_of(double value) {
  return static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0));
}

// Waves with sharp edges here and there.
RgbaImage photo(Size size, double pace) {
  RgbaImage image(size, {0, 0, 0, 255});
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      std::uint8_t* p = image.at(x, y);
      const double edge = (x / 37 + y / 53) % 5 == 0 ? 60 : 0;
      p[0] = byte_of(128 + 90 * std::sin(pace * x) + edge);
      p[1] = byte_of(128 + 90 * std::sin(pace * 0.7 * y + 0.01 * x) - edge);
      p[2] = byte_of(128 + 90 * std::sin(pace * 0.4 * (x + y)));
    }
  }
  return image;
}

// A soft-edged blot: transparent, but loudly coloured, around it.
RgbaImage cut_out(Size size, Rgba colour, double softness_px) {
  RgbaImage image(size, {255, 0, 255, 0});
  const double radius = std::min(size.width, size.height) * 0.45;
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      const double away = std::hypot(x - size.width / 2.0, y - size.height / 2.0);
      const double cover = (radius - away) / softness_px + 0.5;
      std::uint8_t* p = image.at(x, y);
      p[3] = byte_of(cover * colour.a);
      if (p[3] == 0) continue;
      p[0] = byte_of(colour.r + 0.1 * x);
      p[1] = colour.g;
      p[2] = byte_of(colour.b - 0.1 * y);
    }
  }
  return image;
}

// Bars of opaque ink with soft rims, as letters are.
RgbaImage caption(Size size) {
  RgbaImage image(size);
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      const int phase = x % 19;
      const double rim = std::min({phase * 90.0, (11 - phase) * 90.0, y * 60.0});
      std::uint8_t* p = image.at(x, y);
      p[0] = p[1] = 250;
      p[2] = 240;
      p[3] = byte_of(rim);
    }
  }
  return image;
}

SceneLayer fixed(std::size_t picture, const Scene& scene, int x, int y, int opacity_256 = 256) {
  const Size& size = scene.pictures[picture].size;
  return {picture,
          {static_cast<double>(-x), 1},
          {static_cast<double>(-y), 1},
          {x, y, size.width, size.height},
          opacity_256};
}

// All lengths are those of a frame 1080 wide, scaled.
class RenderStack {
 public:
  explicit RenderStack(double scale) : scale_(scale) {}

  Scene hero() const {
    Scene scene = empty();
    scene.pictures = {photo(size(1242, 2208), 0.02), cut_out(size(640, 700), kRed, 2),
                      caption(size(900, 320))};
    scene.base = {moving(0, 1.06, 21.3), fixed(1, scene, px(221), px(601))};
    scene.top = {fixed(2, scene, px(90), px(1503))};
    return scene;
  }

  Scene overlay() const {
    Scene scene = empty();
    scene.pictures = {photo(scene.frame, 0.05), cut_out(size(1080, 900), {0, 0, 0, 200}, 300),
                      caption(size(861, 211)), cut_out(size(151, 99), {255, 255, 255, 230}, 1.5)};
    scene.base = {fixed(0, scene, 0, 0)};
    scene.top = {fixed(1, scene, 0, px(1020)), fixed(2, scene, px(107), px(1411), 77),
                 fixed(3, scene, px(893), px(61))};
    return scene;
  }

  Scene meme() const {
    Scene scene = empty();
    scene.pictures = {photo(size(701, 931), 0.09), caption(size(1001, 301))};
    const Rect place{0, px(301), scene.frame.width, px(1433)};
    scene.base = {{0, {-3.7, 0.6491}, {-200.25 * scale_, 0.6491}, place, 256}};
    scene.top = {fixed(1, scene, px(39), 0), fixed(1, scene, px(39), px(1619))};
    return scene;
  }

  Scene crossfade() const {
    Scene scene = hero();
    scene.pictures.push_back(photo(size(1620, 2880), 0.013));
    scene.pictures.push_back(cut_out(size(760, 240), {0, 0, 0, 120}, 60));
    scene.base.insert(scene.base.begin() + 1, fixed(4, scene, px(161), px(1180)));
    const Rect whole{0, 0, scene.frame.width, scene.frame.height};
    scene.incoming = {{3, {33.2, 1.43}, {52.9, 1.43}, whole, 256},
                      {1, {-120.4 * scale_, 0.83}, {-300.8 * scale_, 0.83}, whole, 200}};
    scene.mix_256 = 93;
    return scene;
  }

 private:
  static constexpr Rgba kRed{200, 80, 40, 255};

  int px(int length) const { return static_cast<int>(length * scale_); }
  Size size(int width, int height) const { return {px(width), px(height)}; }
  Scene empty() const {
    Scene scene;
    scene.frame = {px(540) * 2, px(960) * 2};
    return scene;
  }
  SceneLayer moving(std::size_t picture, double zoom, double origin) const {
    const double step = 1.15 / zoom;
    return {picture, {origin, step}, {origin * 1.3, step}, {0, 0, px(540) * 2, px(960) * 2}, 256};
  }

  const double scale_;
};

}  // namespace

std::vector<NamedScene> showcase_scenes(double scale) {
  const RenderStack stack(scale);
  return {{"hero", stack.hero()},
          {"overlay", stack.overlay()},
          {"meme", stack.meme()},
          {"crossfade", stack.crossfade()}};
}

}  // namespace pytoon::gpu
