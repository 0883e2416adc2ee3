#include "tests/pipeline/image/heif_file.h"

#include <libheif/heif.h>

#include <cstdint>
#include <memory>

#include "base/check.h"

namespace pytoon::media {
namespace {

struct Release {
  void operator()(heif_context* context) const { heif_context_free(context); }
  void operator()(heif_encoder* encoder) const { heif_encoder_release(encoder); }
  void operator()(heif_image* image) const { heif_image_release(image); }
  void operator()(heif_encoding_options* options) const { heif_encoding_options_free(options); }
  void operator()(heif_color_profile_nclx* profile) const { heif_nclx_color_profile_free(profile); }
  void operator()(heif_image_handle* handle) const { heif_image_handle_release(handle); }
};
template <typename T>
using Owned = std::unique_ptr<T, Release>;

void must(const heif_error& error) { CHECK(error.code == heif_error_Ok, error.message); }

// Bytes of a sample at its place, little-endian, stretched to so many bits.
void put(std::uint8_t* target, std::uint8_t value, int bits) {
  const int deep = bits == 8 ? value : value * ((1 << bits) - 1) / 255;
  target[0] = static_cast<std::uint8_t>(deep & 0xff);
  if (bits > 8) target[1] = static_cast<std::uint8_t>(deep >> 8);
}

Owned<heif_image> image_of(const gpu::RgbaImage& picture, const HeifOptions& options) {
  const bool deep = options.bits > 8;
  const heif_chroma chroma =
      deep ? (options.alpha ? heif_chroma_interleaved_RRGGBBAA_LE
                            : heif_chroma_interleaved_RRGGBB_LE)
           : (options.alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB);
  heif_image* made = nullptr;
  must(heif_image_create(picture.size.width, picture.size.height, heif_colorspace_RGB, chroma,
                         &made));
  Owned<heif_image> image(made);
  must(heif_image_add_plane(made, heif_channel_interleaved, picture.size.width, picture.size.height,
                            options.bits));
  int stride = 0;
  std::uint8_t* const plane = heif_image_get_plane(made, heif_channel_interleaved, &stride);
  const int bands = options.alpha ? 4 : 3;
  const int bytes = deep ? 2 : 1;
  for (int y = 0; y < picture.size.height; ++y) {
    for (int x = 0; x < picture.size.width; ++x) {
      for (int band = 0; band < bands; ++band) {
        put(plane + y * stride + (x * bands + band) * bytes, picture.at(x, y)[band], options.bits);
      }
    }
  }
  return image;
}

Owned<heif_color_profile_nclx> code_points(const HeifOptions& options) {
  Owned<heif_color_profile_nclx> points(heif_nclx_color_profile_alloc());
  must(heif_nclx_color_profile_set_color_primaries(points.get(), options.primaries));
  must(heif_nclx_color_profile_set_transfer_characteristics(points.get(), options.transfer));
  points->full_range_flag = 1;
  return points;
}

heif_error append(heif_context*, const void* data, std::size_t size, void* target) {
  static_cast<std::string*>(target)->append(static_cast<const char*>(data), size);
  return {heif_error_Ok, heif_suberror_Unspecified, ""};
}

}  // namespace

std::string heif_file(const gpu::RgbaImage& picture, const HeifOptions& options) {
  const Owned<heif_image> image = image_of(picture, options);
  if (!options.icc.empty()) {
    must(heif_image_set_raw_color_profile(image.get(), "prof", options.icc.data(),
                                          options.icc.size()));
  }
  const Owned<heif_context> context(heif_context_alloc());
  heif_encoder* made = nullptr;
  must(heif_context_get_encoder_for_format(
      context.get(), options.avif ? heif_compression_AV1 : heif_compression_HEVC, &made));
  const Owned<heif_encoder> encoder(made);
  must(heif_encoder_set_lossy_quality(made, 95));
  if (!options.avif) must(heif_encoder_set_parameter(made, "chroma", "444"));
  const Owned<heif_encoding_options> how(heif_encoding_options_alloc());
  Owned<heif_color_profile_nclx> points;
  if (options.primaries != 0) {
    points = code_points(options);
    must(heif_image_set_nclx_color_profile(image.get(), points.get()));
    how->output_nclx_profile = points.get();
    how->macOS_compatibility_workaround_no_nclx_profile = 0;
  }
  if (options.quarter_turn) how->image_orientation = heif_orientation_rotate_90_cw;
  heif_image_handle* handle = nullptr;
  must(heif_context_encode_image(context.get(), image.get(), made, how.get(), &handle));
  const Owned<heif_image_handle> owner(handle);
  std::string bytes;
  heif_writer writer{1, append};
  must(heif_context_write(context.get(), &writer, &bytes));
  return bytes;
}

}  // namespace pytoon::media
