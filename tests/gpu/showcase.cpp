#include "tests/gpu/showcase.h"

#include <algorithm>
#include <cmath>

namespace pytoon::gpu {
namespace {

constexpr Size kFrame{1080, 1920};
constexpr Rect kWhole{0, 0, 1080, 1920};

std::uint8_t byte_of(double value) { return static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0)); }

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

SceneLayer moving(std::size_t picture, double zoom, double origin) {
  return {picture, {origin, 1.15 / zoom}, {origin * 1.3, 1.15 / zoom}, kWhole, 256};
}

SceneLayer fixed(std::size_t picture, const RgbaImage& image, int x, int y, int opacity_256) {
  return {picture,
          {static_cast<double>(-x), 1},
          {static_cast<double>(-y), 1},
          {x, y, image.size.width, image.size.height},
          opacity_256};
}

Scene empty_scene() {
  Scene scene;
  scene.frame = kFrame;
  return scene;
}

Scene hero() {
  Scene scene = empty_scene();
  scene.pictures = {photo({1242, 2208}, 0.02), cut_out({640, 700}, {200, 80, 40, 255}, 2),
                    cut_out({760, 240}, {0, 0, 0, 120}, 60), caption({900, 320})};
  scene.base = {moving(0, 1.06, 21.3), fixed(2, scene.pictures[2], 161, 1180, 256),
                fixed(1, scene.pictures[1], 221, 601, 256)};
  scene.top = {fixed(3, scene.pictures[3], 90, 1503, 256)};
  return scene;
}

Scene overlay() {
  Scene scene = empty_scene();
  scene.pictures = {photo({1080, 1920}, 0.05), cut_out({1080, 900}, {0, 0, 0, 200}, 300),
                    caption({861, 211}), cut_out({151, 99}, {255, 255, 255, 230}, 1.5)};
  scene.base = {fixed(0, scene.pictures[0], 0, 0, 256)};
  scene.top = {fixed(1, scene.pictures[1], 0, 1020, 256), fixed(2, scene.pictures[2], 107, 1411, 77),
               fixed(3, scene.pictures[3], 893, 61, 256)};
  return scene;
}

Scene meme() {
  Scene scene = empty_scene();
  scene.pictures = {photo({701, 931}, 0.09), caption({1001, 301})};
  scene.base = {{0, {-3.7, 0.6491}, {-200.25, 0.6491}, {0, 301, 1080, 1433}, 256}};
  scene.top = {fixed(1, scene.pictures[1], 39, 0, 256), fixed(1, scene.pictures[1], 39, 1619, 256)};
  return scene;
}

Scene crossfade() {
  Scene scene = hero();
  scene.pictures.push_back(photo({1620, 2880}, 0.013));
  scene.incoming = {{4, {33.2, 1.43}, {52.9, 1.43}, kWhole, 256},
                    {1, {-120.4, 0.83}, {-300.8, 0.83}, kWhole, 200}};
  scene.mix_256 = 93;
  return scene;
}

}  // namespace

std::vector<NamedScene> showcase_scenes() {
  return {{"hero", hero()}, {"overlay", overlay()}, {"meme", meme()}, {"crossfade", crossfade()}};
}

}  // namespace pytoon::gpu
