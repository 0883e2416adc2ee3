#include "tests/gpu/scene.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "base/check.h"

namespace pytoon::gpu {
namespace {

constexpr std::uint8_t kGuard = 0xA5;

class Dice {
 public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}
  int from(int low, int high) {
    return low + static_cast<int>(engine_() % static_cast<std::uint32_t>(high - low + 1));
  }
  bool one_in(int n) { return from(1, n) == 1; }
  double real(double low, double high) { return low + (high - low) * from(0, 1 << 20) / (1 << 20); }

 private:
  std::mt19937 engine_;
};

// Waves with some noise; alpha full, noisy, or a soft disc whose transparent pixels are loud.
RgbaImage random_image(Dice& dice) {
  RgbaImage image({dice.from(1, 90), dice.from(1, 90)});
  const int alpha_kind = dice.from(0, 2);
  const double pace = dice.real(0.05, 0.6);
  const int noise = dice.one_in(3) ? 60 : 8;
  const double radius = std::max(image.size.width, image.size.height) * 0.4;
  for (int y = 0; y < image.size.height; ++y) {
    for (int x = 0; x < image.size.width; ++x) {
      std::uint8_t* p = image.at(x, y);
      for (int c = 0; c < 3; ++c) {
        const double wave = 128 + 100 * std::sin(pace * (x + 2 * c) + 0.7 * pace * y * (c + 1));
        p[c] = static_cast<std::uint8_t>(std::clamp(wave + dice.from(-noise, noise), 0.0, 255.0));
      }
      const double away = std::hypot(x - image.size.width / 2.0, y - image.size.height / 2.0);
      const double disc = std::clamp((radius - away) * 40, 0.0, 255.0);
      p[3] = alpha_kind == 0   ? std::uint8_t{255}
             : alpha_kind == 1 ? static_cast<std::uint8_t>(dice.from(0, 255))
                               : static_cast<std::uint8_t>(disc);
    }
  }
  return image;
}

Sampling random_sampling(Dice& dice, double step, int frame) {
  if (step == 1 && dice.one_in(2)) return {static_cast<double>(dice.from(-frame, 20)), 1};
  return {dice.real(-frame * step, 30), step};
}

SceneLayer random_layer(Dice& dice, Size frame, std::size_t pictures) {
  SceneLayer layer;
  layer.picture = static_cast<std::size_t>(dice.from(0, static_cast<int>(pictures) - 1));
  const double step = dice.one_in(3) ? 1 : dice.real(0.2, 2);
  layer.x = random_sampling(dice, step, frame.width);
  layer.y = random_sampling(dice, dice.one_in(4) ? dice.real(0.2, 2) : step, frame.height);
  layer.clip = {0, 0, frame.width, frame.height};
  if (!dice.one_in(3)) {
    layer.clip = {dice.from(-20, frame.width), dice.from(-20, frame.height),
                  dice.from(0, frame.width + 20), dice.from(0, frame.height + 20)};
  }
  layer.opacity_256 = dice.one_in(2) ? 256 : dice.from(0, 256);
  return layer;
}

std::vector<Layer> textured(const std::vector<SceneLayer>& layers,
                            const std::vector<std::shared_ptr<const Texture>>& textures) {
  std::vector<Layer> out;
  out.reserve(layers.size());
  for (const SceneLayer& layer : layers) {
    out.push_back({textures[layer.picture], layer.x, layer.y, layer.clip, layer.opacity_256});
  }
  return out;
}

}  // namespace

Scene scene_of_all_kinds() {
  Scene scene;
  scene.frame = {64, 64};
  scene.pictures = {RgbaImage({80, 80}, {1, 2, 3, 255}), RgbaImage({30, 20}, {200, 2, 3, 90})};
  scene.base = {{0, {0.5, 1.1}, {0.5, 1.1}, {0, 0, 64, 64}, 256}};
  scene.incoming = scene.base;
  scene.top = {{1, {-5.25, 1}, {-6.5, 1}, {5, 5, 40, 30}, 200}};
  scene.mix_256 = 100;
  return scene;
}

Scene random_scene(std::uint32_t seed) {
  Dice dice(seed);
  Scene scene;
  scene.frame = {2 * dice.from(1, 50), 2 * dice.from(1, 50)};
  const int pictures = dice.from(1, 3);
  for (int i = 0; i < pictures; ++i) scene.pictures.push_back(random_image(dice));
  const auto fill = [&](std::vector<SceneLayer>& layers, int most) {
    for (int n = dice.from(0, most); n > 0; --n) {
      layers.push_back(random_layer(dice, scene.frame, scene.pictures.size()));
    }
  };
  fill(scene.base, 2);
  fill(scene.incoming, 2);
  fill(scene.top, 2);
  scene.mix_256 = dice.one_in(3) ? 0 : dice.one_in(4) ? 256 : dice.from(0, 256);
  return scene;
}

Composition on_device(Device& device, const Scene& scene) {
  std::vector<std::shared_ptr<const Texture>> textures;
  for (const RgbaImage& picture : scene.pictures) {
    auto uploaded = device.upload(picture);
    textures.push_back(uploaded.value());
  }
  return {textured(scene.base, textures), textured(scene.incoming, textures), scene.mix_256,
          textured(scene.top, textures)};
}

GuardedFrame::GuardedFrame(Size size)
    : size_(size),
      luma_pitch_(static_cast<std::size_t>(size.width) + 13),
      chroma_pitch_(static_cast<std::size_t>(size.width) + 7),
      luma_at_(101),
      chroma_at_(luma_at_ + luma_pitch_ * static_cast<std::size_t>(size.height) + 67),
      bytes_(chroma_at_ + chroma_pitch_ * static_cast<std::size_t>(size.height / 2) + 97, kGuard) {}

HostNv12View GuardedFrame::view() {
  return {size_, bytes_.data() + luma_at_, luma_pitch_, bytes_.data() + chroma_at_, chroma_pitch_};
}

int GuardedFrame::luma(int x, int y) const {
  return bytes_[luma_at_ + static_cast<std::size_t>(y) * luma_pitch_ + static_cast<std::size_t>(x)];
}

int GuardedFrame::chroma(int i, int j, int component) const {
  return bytes_[chroma_at_ + static_cast<std::size_t>(j) * chroma_pitch_ +
                static_cast<std::size_t>(2 * i + component)];
}

bool GuardedFrame::is_picture(std::size_t at) const {
  const auto within = [&](std::size_t start, std::size_t pitch, int rows) {
    return at >= start && (at - start) / pitch < static_cast<std::size_t>(rows) &&
           (at - start) % pitch < static_cast<std::size_t>(size_.width);
  };
  return within(luma_at_, luma_pitch_, size_.height) ||
         within(chroma_at_, chroma_pitch_, size_.height / 2);
}

bool GuardedFrame::guards_intact() const {
  for (std::size_t i = 0; i < bytes_.size(); ++i) {
    if (bytes_[i] != kGuard && !is_picture(i)) return false;
  }
  return true;
}

GuardedFrame compose(Device& device, const Scene& scene) {
  GuardedFrame frame(scene.frame);
  const Status done = device.make_compositor()->compose(on_device(device, scene), frame.view());
  CHECK(done.ok(), "compose failed");
  return frame;
}

}  // namespace pytoon::gpu
