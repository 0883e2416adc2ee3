#include "tests/gpu/reference.h"

#include <algorithm>
#include <cmath>

namespace pytoon::gpu {
namespace {

// One plane of a texture: premultiplied value and alpha (0 .. 1) of every sample.
struct Field {
  int width;
  int height;
  std::vector<double> value;
  std::vector<double> alpha;

  Field(int w, int h)
      : width(w),
        height(h),
        value(static_cast<std::size_t>(w * h)),
        alpha(static_cast<std::size_t>(w * h)) {}
  std::size_t at(int x, int y) const {
    return static_cast<std::size_t>(std::clamp(y, 0, height - 1) * width +
                                    std::clamp(x, 0, width - 1));
  }
};

struct Fields {
  Field luma;
  Field cb;
  Field cr;
};

const std::uint8_t* pixel(const RgbaImage& image, int x, int y) {
  return image.at(std::clamp(x, 0, image.size.width - 1), std::clamp(y, 0, image.size.height - 1));
}

Fields to_fields(const RgbaImage& image) {
  const int w = image.size.width;
  const int h = image.size.height;
  Fields f{Field(w, h), Field((w + 1) / 2, (h + 1) / 2), Field((w + 1) / 2, (h + 1) / 2)};
  for (int y = 0; y < h; ++y) {
    for (int x = 0; x < w; ++x) {
      const std::uint8_t* p = pixel(image, x, y);
      f.luma.alpha[f.luma.at(x, y)] = p[3] / 255.0;
      f.luma.value[f.luma.at(x, y)] = p[3] / 255.0 * reference_colour(p[0], p[1], p[2]).y;
    }
  }
  for (int j = 0; j < f.cb.height; ++j) {
    for (int i = 0; i < f.cb.width; ++i) {
      const std::size_t at = f.cb.at(i, j);
      for (int dx = -1; dx <= 1; ++dx) {
        for (int dy = 0; dy <= 1; ++dy) {
          const std::uint8_t* p = pixel(image, 2 * i + dx, 2 * j + dy);
          const double weight = (dx == 0 ? 0.5 : 0.25) * 0.5 * p[3] / 255.0;
          const Ycc colour = reference_colour(p[0], p[1], p[2]);
          f.cb.value[at] += weight * colour.cb;
          f.cr.value[at] += weight * colour.cr;
          f.cb.alpha[at] += weight;
          f.cr.alpha[at] += weight;
        }
      }
    }
  }
  return f;
}

double cubic(double distance) {
  constexpr double kA = -0.5;
  const double d = std::abs(distance);
  if (d < 1) return ((kA + 2) * d - (kA + 3)) * d * d + 1;
  if (d < 2) return ((kA * d - 5 * kA) * d + 8 * kA) * d - 4 * kA;
  return 0;
}

double sample(const Field& field, const std::vector<double>& values, double x, double y) {
  double sum = 0;
  const int left = static_cast<int>(std::floor(x));
  const int top = static_cast<int>(std::floor(y));
  for (int j = top - 1; j <= top + 2; ++j) {
    for (int i = left - 1; i <= left + 2; ++i) {
      sum += cubic(x - i) * cubic(y - j) * values[field.at(i, j)];
    }
  }
  return sum;
}

// Draws one sample of a layer over `frame`. x, y: where in the field.
void draw_sample(double& frame, const Field& field, double x, double y, double low, double high,
                 double opacity) {
  const double resampled = sample(field, field.alpha, x, y);
  const double alpha = std::clamp(resampled, 0.0, 1.0);
  const double straight = resampled > 1 ? 1 / resampled : 1;  // overshoot makes no halo
  const double value =
      std::clamp(sample(field, field.value, x, y) * straight, low * alpha, high * alpha);
  frame = value * opacity + frame * (1 - alpha * opacity);
}

bool holds(const Rect& clip, int x, int y) {
  return x >= clip.x && x < clip.x + clip.width && y >= clip.y && y < clip.y + clip.height;
}

void draw(ReferenceFrame& frame, const SceneLayer& layer, const RgbaImage& image) {
  const Fields fields = to_fields(image);
  const double opacity = layer.opacity_256 / 256.0;
  const auto texture_x = [&](double x) { return layer.x.origin + layer.x.step * (x + 0.5) - 0.5; };
  const auto texture_y = [&](double y) { return layer.y.origin + layer.y.step * (y + 0.5) - 0.5; };
  for (int y = 0; y < frame.size.height; ++y) {
    for (int x = 0; x < frame.size.width; ++x) {
      if (!holds(layer.clip, x, y)) continue;
      draw_sample(frame.luma_at(x, y), fields.luma, texture_x(x), texture_y(y), 16, 235, opacity);
    }
  }
  for (int j = 0; j < frame.size.height / 2; ++j) {
    for (int i = 0; i < frame.size.width / 2; ++i) {
      if (!holds(layer.clip, 2 * i, 2 * j)) continue;
      // Chroma sample (i, j) lies at luma (2i, 2j + 0.5), in frame and texture alike.
      const double x = texture_x(2 * i) / 2;
      const double y = (texture_y(2 * j + 0.5) - 0.5) / 2;
      draw_sample(frame.chroma_at(i, j, 0), fields.cb, x, y, 16, 240, opacity);
      draw_sample(frame.chroma_at(i, j, 1), fields.cr, x, y, 16, 240, opacity);
    }
  }
}

ReferenceFrame draw_all(const Scene& scene, const std::vector<SceneLayer>& layers) {
  ReferenceFrame frame(scene.frame);
  for (const SceneLayer& layer : layers) draw(frame, layer, scene.pictures[layer.picture]);
  return frame;
}

}  // namespace

ReferenceFrame::ReferenceFrame(Size s)
    : size(s),
      luma(static_cast<std::size_t>(s.width) * static_cast<std::size_t>(s.height), 16.0),
      chroma(luma.size() / 2, 128.0) {}

double& ReferenceFrame::luma_at(int x, int y) {
  const std::ptrdiff_t row = std::ptrdiff_t{y} * size.width;
  return luma[static_cast<std::size_t>(row + x)];
}

double& ReferenceFrame::chroma_at(int i, int j, int component) {
  const std::ptrdiff_t row = std::ptrdiff_t{j} * size.width;
  return chroma[static_cast<std::size_t>(row + std::ptrdiff_t{2} * i + component)];
}

Ycc reference_colour(double r, double g, double b) {
  const double y = (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
  return {16 + 219 * y, 128 + 224 * (b / 255 - y) / 1.8556, 128 + 224 * (r / 255 - y) / 1.5748};
}

ReferenceFrame reference_compose(const Scene& scene) {
  ReferenceFrame frame = draw_all(scene, scene.base);
  ReferenceFrame incoming = draw_all(scene, scene.incoming);
  const double mix = scene.mix_256 / 256.0;
  const auto fade = [&](std::vector<double>& from, const std::vector<double>& to) {
    for (std::size_t i = 0; i < from.size(); ++i) from[i] += (to[i] - from[i]) * mix;
  };
  fade(frame.luma, incoming.luma);
  fade(frame.chroma, incoming.chroma);
  for (const SceneLayer& layer : scene.top) draw(frame, layer, scene.pictures[layer.picture]);
  return frame;
}

}  // namespace pytoon::gpu
