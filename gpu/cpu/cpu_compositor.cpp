#include "gpu/cpu/cpu_compositor.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"

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

void check_sampling(const Sampling& sampling) {
  CHECK(std::abs(sampling.origin) <= kOriginMax, "a layer's origin is out of reach");
  CHECK(sampling.step > 0 && sampling.step <= kStepMax, "a layer's step must lie in (0, 64]");
}

const CpuTexture& texture_of(const Layer& layer) {
  CHECK(layer.texture != nullptr, "a layer needs a texture");
  const auto* texture = dynamic_cast<const CpuTexture*>(layer.texture.get());
  CHECK(texture != nullptr, "the CPU device draws its own textures only");
  return *texture;
}

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

Rect visible(const Layer& layer, const CpuTexture& texture, Size frame) {
  const Rect& content = texture.content();
  if (content.width == 0 || layer.opacity_256 == 0) return {};
  Span x = clip_to(layer.clip.x, layer.clip.width, frame.width);
  Span y = clip_to(layer.clip.y, layer.clip.height, frame.height);
  x = cut_to_content(x, layer.x, content.x, content.width, texture.size().width);
  y = cut_to_content(y, layer.y, content.y, content.height, texture.size().height);
  if (x.begin >= x.end || y.begin >= y.end) return {};
  return {x.begin, y.begin, x.end - x.begin, y.end - y.begin};
}

Rect chroma_of(const Rect& luma) {
  const int left = (luma.x + 1) / 2;
  const int top = (luma.y + 1) / 2;
  return {left, top, (luma.x + luma.width + 1) / 2 - left, (luma.y + luma.height + 1) / 2 - top};
}

bool replaces_frame(const Layer& layer, Size frame) {
  const CpuTexture& texture = texture_of(layer);
  return texture.opaque() && layer.opacity_256 == 256 &&
         visible(layer, texture, frame) == Rect{0, 0, frame.width, frame.height};
}

void fill_rows(std::uint8_t* first, std::size_t pitch_bytes, int width, int rows, int value) {
  for (int y = 0; y < rows; ++y) {
    std::memset(first + static_cast<std::size_t>(y) * pitch_bytes, value,
                static_cast<std::size_t>(width));
  }
}

void check_frame(const HostNv12View& frame) {
  const Size& size = frame.size;
  CHECK(size.width > 0 && size.height > 0, "a frame needs pixels");
  CHECK(size.width % 2 == 0 && size.height % 2 == 0, "a frame's sides are even");
  CHECK(frame.luma != nullptr && frame.chroma != nullptr, "a frame needs both planes");
  const auto width = static_cast<std::size_t>(size.width);
  CHECK(frame.luma_pitch_bytes >= width && frame.chroma_pitch_bytes >= width,
        "a frame's pitch holds its width");
}

void check_layers(const std::vector<Layer>& layers) {
  for (const Layer& layer : layers) {
    texture_of(layer);
    check_sampling(layer.x);
    check_sampling(layer.y);
    CHECK(layer.clip.width >= 0 && layer.clip.height >= 0, "a clip's sides are not negative");
    CHECK(layer.opacity_256 >= 0 && layer.opacity_256 <= 256, "opacity lies in 0 .. 256");
  }
}

}  // namespace

Status CpuCompositor::compose(const Composition& composition, const Nv12Target& target) {
  const auto* frame = std::get_if<HostNv12View>(&target);
  CHECK(frame != nullptr, "the CPU device draws into host memory only");
  check_frame(*frame);
  const int mix = composition.mix_256;
  CHECK(mix >= 0 && mix <= 256, "mix lies in 0 .. 256");
  check_layers(composition.base);
  check_layers(composition.incoming);
  check_layers(composition.top);

  draw_over_black(mix == 256 ? composition.incoming : composition.base, *frame);
  if (mix > 0 && mix < 256) {
    const HostNv12View incoming = scratch(frame->size);
    draw_over_black(composition.incoming, incoming);
    crossfade(*frame, incoming, mix);
  }
  for (const Layer& layer : composition.top) draw(layer, *frame);
  return ok_status();
}

void CpuCompositor::draw_over_black(const std::vector<Layer>& layers, const HostNv12View& frame) {
  std::size_t first = layers.size();
  while (first > 0 && !replaces_frame(layers[first - 1], frame.size)) --first;
  if (first > 0) {
    --first;
  } else {
    fill_rows(frame.luma, frame.luma_pitch_bytes, frame.size.width, frame.size.height,
              kLumaRange.low);
    fill_rows(frame.chroma, frame.chroma_pitch_bytes, frame.size.width, frame.size.height / 2,
              kChromaNeutral);
  }
  for (; first < layers.size(); ++first) draw(layers[first], frame);
}

void CpuCompositor::draw(const Layer& layer, const HostNv12View& frame) {
  const CpuTexture& texture = texture_of(layer);
  const Rect area = visible(layer, texture, frame.size);
  if (area.width == 0) return;
  painter_.paint({.colour = &texture.luma(),
                  .alpha = texture.luma_alpha(),
                  .x = layer.x,
                  .y = layer.y,
                  .area = area,
                  .range = kLumaRange,
                  .opacity_256 = layer.opacity_256,
                  .target = frame.luma,
                  .pitch_bytes = frame.luma_pitch_bytes});
  const Rect chroma_area = chroma_of(area);
  if (chroma_area.width == 0 || chroma_area.height == 0) return;
  painter_.paint({.colour = &texture.chroma(),
                  .alpha = texture.chroma_alpha(),
                  .x = {chroma_origin_x(layer.x.origin, layer.x.step), layer.x.step},
                  .y = {chroma_origin_y(layer.y.origin), layer.y.step},
                  .area = chroma_area,
                  .range = kChromaRange,
                  .opacity_256 = layer.opacity_256,
                  .target = frame.chroma,
                  .pitch_bytes = frame.chroma_pitch_bytes});
}

void CpuCompositor::crossfade(const HostNv12View& frame, const HostNv12View& incoming,
                              int mix_256) {
  for (int y = 0; y < frame.size.height; ++y) {
    const auto row = static_cast<std::size_t>(y);
    kernels_.lerp(frame.luma + row * frame.luma_pitch_bytes,
                  incoming.luma + row * incoming.luma_pitch_bytes, frame.size.width, mix_256);
  }
  for (int y = 0; y < frame.size.height / 2; ++y) {
    const auto row = static_cast<std::size_t>(y);
    kernels_.lerp(frame.chroma + row * frame.chroma_pitch_bytes,
                  incoming.chroma + row * incoming.chroma_pitch_bytes, frame.size.width, mix_256);
  }
}

HostNv12View CpuCompositor::scratch(Size size) {
  const auto width = static_cast<std::size_t>(size.width);
  const std::size_t luma_bytes = width * static_cast<std::size_t>(size.height);
  if (scratch_.size() < luma_bytes * 3 / 2) scratch_.resize(luma_bytes * 3 / 2);
  return {size, scratch_.data(), width, scratch_.data() + luma_bytes, width};
}

}  // namespace pytoon::gpu
