#include "gpu/cuda/layer_list.h"

#include "base/check.h"
#include "gpu/cuda/cuda_texture.h"
#include "gpu/layer_geometry.h"
#include "gpu/pixel_math.h"

namespace pytoon::gpu::cuda {
namespace {

const CudaTexture& texture_of(const Layer& layer) {
  const auto* texture = dynamic_cast<const CudaTexture*>(layer.texture.get());
  CHECK(texture != nullptr, "a CUDA device draws its own textures only");
  return *texture;
}

PlaneJob plane_job(const Sampling& x, const Sampling& y, const Rect& area, Size plane) {
  const Shift shift = shift_of(x, y, area, plane);
  PlaneJob job;
  job.width = plane.width;
  job.height = plane.height;
  job.origin_x = x.origin;
  job.origin_y = y.origin;
  job.area = area;
  job.as_is = shift.as_is ? 1 : 0;
  job.shift_x = shift.x;
  job.shift_y = shift.y;
  return job;
}

LayerJob layer_job(const Layer& layer, const CudaTexture& texture, const Rect& area) {
  const CudaTexture::Planes& planes = texture.planes();
  const Size size = texture.size();
  LayerJob job;
  job.luma = plane_job(layer.x, layer.y, area, size);
  job.luma.colour = planes.luma;
  job.luma.alpha = planes.luma_alpha;
  job.luma.colour_pitch_bytes = planes.luma_pitch_bytes;
  job.luma.alpha_pitch_bytes = planes.luma_alpha_pitch_bytes;
  const Sampling x{chroma_origin_x(layer.x.origin, layer.x.step), layer.x.step};
  const Sampling y{chroma_origin_y(layer.y.origin), layer.y.step};
  job.chroma = plane_job(x, y, chroma_area_of(area), {(size.width + 1) / 2, (size.height + 1) / 2});
  job.chroma.colour = planes.chroma;
  job.chroma.alpha = planes.chroma_alpha;
  job.chroma.colour_pitch_bytes = planes.chroma_pitch_bytes;
  job.chroma.alpha_pitch_bytes = planes.chroma_alpha_pitch_bytes;
  job.step_x = layer.x.step;
  job.step_y = layer.y.step;
  job.opacity_256 = layer.opacity_256;
  job.replaces = texture.opaque() && layer.opacity_256 == 256 ? 1 : 0;
  return job;
}

// How many were written.
int append(const std::vector<Layer>& from, Size frame, LayerJob* to) {
  int count = 0;
  for (const Layer& layer : from) {
    const CudaTexture& texture = texture_of(layer);
    const Rect area = visible_area(layer, texture.content(), frame);
    if (area.width > 0) to[count++] = layer_job(layer, texture, area);
  }
  return count;
}

}  // namespace

std::size_t layer_count_max(const Composition& composition) {
  return composition.base.size() + composition.incoming.size() + composition.top.size();
}

void fill_layers(const Composition& composition, Size frame, LayerJob* layers, FrameJob& job) {
  const bool all_incoming = composition.mix_256 == 256;
  job.mix_256 = all_incoming ? 0 : composition.mix_256;
  job.base_count = append(all_incoming ? composition.incoming : composition.base, frame, layers);
  layers += job.base_count;
  job.incoming_count = job.mix_256 == 0 ? 0 : append(composition.incoming, frame, layers);
  layers += job.incoming_count;
  job.top_count = append(composition.top, frame, layers);
}

}  // namespace pytoon::gpu::cuda
