#include "gpu/layer_geometry.h"

#include "gpu/memory_layout.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace pytoon::gpu {
namespace {

// Farthest texture pixels that can reach a frame pixel: two chroma taps, sited and filtered.
constexpr double kReach = 6;
constexpr double kOriginMax = 1 << 22;
constexpr double kStepMax = 1 << 6;

struct Span {
  int begin;
  int end;
};

Span clip_to(int begin, int length, int size) {
  const auto end = std::clamp<std::int64_t>(std::int64_t{begin} + length, 0, size);
  return {std::clamp(begin, 0, size), static_cast<int>(end)};
}

// Drops frame pixels that see nothing but a texture's transparent surroundings.
Span cut_to_content(Span span, const Sampling& sampling, int begin, int length, int size) {
  const auto frame_at = [&](double texture) {
    return (texture + 0.5 - sampling.origin) / sampling.step - 0.5;
  };
  if (begin > 0) {  // else the content repeats for ever beyond the edge
    const double low = std::floor(frame_at(begin - kReach));
    span.begin = static_cast<int>(std::clamp<double>(low, span.begin, span.end));
  }
  if (begin + length < size) {
    const double high = std::ceil(frame_at(begin + length + kReach));
    span.end = static_cast<int>(std::clamp<double>(high, span.begin, span.end));
  }
  return span;
}

bool is_whole(const Sampling& sampling) {
  return sampling.step == 1 && std::floor(sampling.origin) == sampling.origin;
}

bool inside(int begin, int length, int size) { return begin >= 0 && begin + length <= size; }

void check_sampling(const Sampling& sampling) {
  CHECK(std::abs(sampling.origin) <= kOriginMax, "a layer's origin is out of reach");
  CHECK(sampling.step > 0 && sampling.step <= kStepMax, "a layer's step must lie in (0, 64]");
}

void check_layers(const std::vector<Layer>& layers) {
  for (const Layer& layer : layers) {
    CHECK(layer.texture != nullptr, "a layer needs a texture");
    check_sampling(layer.x);
    check_sampling(layer.y);
    CHECK(layer.clip.width >= 0 && layer.clip.height >= 0, "a clip's sides are not negative");
    CHECK(layer.opacity_256 >= 0 && layer.opacity_256 <= 256, "opacity lies in 0 .. 256");
  }
}

}  // namespace

bool is_opaque(const RgbaImage& image) {
  std::uint8_t all = 255;
  for (std::size_t i = 3; i < image.pixels.size(); i += 4) {
    all = static_cast<std::uint8_t>(all & image.pixels[i]);
  }
  return all == 255;
}

Rect content_of(const RgbaImage& image, bool opaque) {
  if (opaque) return {0, 0, image.size.width, image.size.height};
  int left = image.size.width;
  int right = 0;
  int top = image.size.height;
  int bottom = 0;
  for (int y = 0; y < image.size.height; ++y) {
    const std::uint8_t* row = image.at(0, y);
    const auto clear = [row](std::ptrdiff_t x) { return row[4 * x + 3] == 0; };
    int first = 0;
    while (first < image.size.width && clear(first)) ++first;
    if (first == image.size.width) continue;
    int last = image.size.width - 1;
    while (clear(last)) --last;
    left = std::min(left, first);
    right = std::max(right, last + 1);
    top = std::min(top, y);
    bottom = y + 1;
  }
  return bottom == 0 ? Rect{} : Rect{left, top, right - left, bottom - top};
}

Rect visible_area(const Layer& layer, const Rect& content, Size frame) {
  if (content.width == 0 || layer.opacity_256 == 0) return {};
  const Size size = layer.texture->size();
  Span x = clip_to(layer.clip.x, layer.clip.width, frame.width);
  Span y = clip_to(layer.clip.y, layer.clip.height, frame.height);
  x = cut_to_content(x, layer.x, content.x, content.width, size.width);
  y = cut_to_content(y, layer.y, content.y, content.height, size.height);
  if (x.begin >= x.end || y.begin >= y.end) return {};
  return {x.begin, y.begin, x.end - x.begin, y.end - y.begin};
}

Rect chroma_area_of(const Rect& luma) {
  const int left = (luma.x + 1) / 2;
  const int top = (luma.y + 1) / 2;
  return {left, top, (luma.x + luma.width + 1) / 2 - left, (luma.y + luma.height + 1) / 2 - top};
}

Shift shift_of(const Sampling& x, const Sampling& y, const Rect& area, Size plane) {
  Shift shift;
  shift.x = static_cast<int>(x.origin);
  shift.y = static_cast<int>(y.origin);
  shift.as_is = is_whole(x) && is_whole(y) && inside(area.x + shift.x, area.width, plane.width) &&
                inside(area.y + shift.y, area.height, plane.height);
  return shift;
}

void check_composition(const Composition& composition) {
  CHECK(composition.mix_256 >= 0 && composition.mix_256 <= 256, "mix lies in 0 .. 256");
  check_layers(composition.base);
  check_layers(composition.incoming);
  check_layers(composition.top);
}

Size size_of(const Nv12Target& target) {
  return std::visit([](const auto& view) { return view.size; }, target);
}

void check_batch(std::span<const FrameRequest> frames) {
  CHECK(!frames.empty() && frames.size() <= kBatchFramesMax, "a batch has 1 to 16 frames");
  for (const FrameRequest& frame : frames) {
    CHECK(frame.composition != nullptr, "a frame needs a composition");
    check_composition(*frame.composition);
    std::visit([](const auto& view) { check_frame(view); }, frame.target);
    CHECK(size_of(frame.target) == size_of(frames[0].target), "a batch's frames have one size");
    CHECK(frame.target.index() == frames[0].target.index(),
          "a batch's frames lie in one kind of memory");
  }
}

}  // namespace pytoon::gpu
