#include "gpu/cpu/cpu_compositor.h"

#include <cstring>

#include "base/check.h"
#include "gpu/layer_geometry.h"

namespace pytoon::gpu {
namespace {

const CpuTexture& texture_of(const Layer& layer) {
  const auto* texture = dynamic_cast<const CpuTexture*>(layer.texture.get());
  CHECK(texture != nullptr, "the CPU device draws its own textures only");
  return *texture;
}

bool replaces_frame(const Layer& layer, Size frame) {
  const CpuTexture& texture = texture_of(layer);
  return texture.opaque() && layer.opacity_256 == 256 &&
         visible_area(layer, texture.content(), frame) == Rect{0, 0, frame.width, frame.height};
}

void fill_rows(std::uint8_t* first, std::size_t pitch_bytes, int width, int rows, int value) {
  for (int y = 0; y < rows; ++y) {
    std::memset(first + static_cast<std::size_t>(y) * pitch_bytes, value,
                static_cast<std::size_t>(width));
  }
}

}  // namespace

Status CpuCompositor::compose_batch(std::span<const FrameRequest> frames) {
  check_batch(frames);
  for (const FrameRequest& request : frames) {
    const auto* frame = std::get_if<HostNv12View>(&request.target);
    CHECK(frame != nullptr, "the CPU device draws into host memory only");
    draw_frame(*request.composition, *frame);
  }
  return ok_status();
}

void CpuCompositor::draw_frame(const Composition& composition, const HostNv12View& frame) {
  const int mix = composition.mix_256;
  draw_over_black(mix == 256 ? composition.incoming : composition.base, frame);
  if (mix > 0 && mix < 256) {
    const HostNv12View incoming = scratch(frame.size);
    draw_over_black(composition.incoming, incoming);
    crossfade(frame, incoming, mix);
  }
  for (const Layer& layer : composition.top) draw(layer, frame);
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
  const Rect area = visible_area(layer, texture.content(), frame.size);
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
  const Rect chroma_area = chroma_area_of(area);
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
