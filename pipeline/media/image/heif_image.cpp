#include "pipeline/media/image/heif_image.h"

#include <libheif/heif.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "pipeline/media/image/decode.h"
#include "pipeline/media/image/image_file.h"

namespace pytoon::media {
namespace {

struct HeifRelease {
  void operator()(heif_context* context) const { heif_context_free(context); }
  void operator()(heif_image_handle* handle) const { heif_image_handle_release(handle); }
  void operator()(heif_image* image) const { heif_image_release(image); }
  void operator()(heif_decoding_options* options) const { heif_decoding_options_free(options); }
  void operator()(heif_color_profile_nclx* profile) const { heif_nclx_color_profile_free(profile); }
};
template <typename T>
using HeifPtr = std::unique_ptr<T, HeifRelease>;

bool good(const heif_error& error) { return error.code == heif_error_Ok; }

// The primary image of a file, not decoded yet. Borrows the file's bytes.
struct Still {
  HeifPtr<heif_context> context;
  HeifPtr<heif_image_handle> handle;

  gpu::Size size() const {
    return {heif_image_handle_get_width(handle.get()), heif_image_handle_get_height(handle.get())};
  }
  bool has_alpha() const { return heif_image_handle_has_alpha_channel(handle.get()) != 0; }
};

Result<Still> open_still(std::string_view bytes, const std::string& broken) {
  const Failure damaged = failure(FailureKind::kMalformed, broken);
  Still still{HeifPtr<heif_context>(heif_context_alloc()), nullptr};
  if (!still.context) return failure(FailureKind::kOutOfMemory, "no memory for an image");
  // Before it is turned and cut it may be larger than what comes out.
  heif_context_set_maximum_image_size_limit(still.context.get(), 2 * kMaxImageEdgePx);
  heif_image_handle* handle = nullptr;
  if (!good(heif_context_read_from_memory_without_copy(still.context.get(), bytes.data(),
                                                       bytes.size(), nullptr)) ||
      !good(heif_context_get_primary_image_handle(still.context.get(), &handle))) {
    return damaged;
  }
  still.handle.reset(handle);
  return still;
}

HeifPtr<heif_image> decode(heif_image_handle& handle, bool alpha) {
  const HeifPtr<heif_decoding_options> options(heif_decoding_options_alloc());
  if (!options) return nullptr;
  options->convert_hdr_to_8bit = 1;
  heif_image* image = nullptr;
  const auto chroma = alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB;
  if (!good(heif_decode_image(&handle, &image, heif_colorspace_RGB, chroma, options.get()))) {
    return nullptr;
  }
  return HeifPtr<heif_image>(image);
}

VipsImagePtr copied(const heif_image& image, int bands) {
  const int width = heif_image_get_width(&image, heif_channel_interleaved);
  const int height = heif_image_get_height(&image, heif_channel_interleaved);
  int stride = 0;
  const std::uint8_t* const plane =
      heif_image_get_plane_readonly(&image, heif_channel_interleaved, &stride);
  if (plane == nullptr || width <= 0 || height <= 0) return nullptr;
  const std::size_t row_bytes = static_cast<std::size_t>(width) * static_cast<std::size_t>(bands);
  std::vector<std::uint8_t> pixels(row_bytes * static_cast<std::size_t>(height));
  for (int y = 0; y < height; ++y) {
    std::memcpy(pixels.data() + static_cast<std::size_t>(y) * row_bytes,
                plane + static_cast<std::ptrdiff_t>(y) * stride, row_bytes);
  }
  VipsImagePtr made_of(vips_image_new_from_memory_copy(pixels.data(), pixels.size(), width, height,
                                                       bands, VIPS_FORMAT_UCHAR));
  if (!made_of) vips_error_clear();
  if (made_of) made_of->Type = VIPS_INTERPRETATION_sRGB;
  return made_of;
}

HeifPtr<heif_color_profile_nclx> code_points(const heif_image_handle& handle) {
  heif_color_profile_nclx* profile = nullptr;
  if (!good(heif_image_handle_get_nclx_color_profile(&handle, &profile))) return nullptr;
  return HeifPtr<heif_color_profile_nclx>(profile);
}

ColourTag tag_of(const heif_image_handle& handle) {
  const HeifPtr<heif_color_profile_nclx> points = code_points(handle);
  if (!points) return {};
  return colour_tag_of_code_points(points->color_primaries, points->transfer_characteristics);
}

// Whether the file has one.
bool attach_profile(VipsImage& image, const heif_image_handle& handle) {
  const std::size_t size = heif_image_handle_get_raw_color_profile_size(&handle);
  std::vector<char> profile(size);
  if (size == 0 || !good(heif_image_handle_get_raw_color_profile(&handle, profile.data()))) {
    return false;
  }
  vips_image_set_blob_copy(&image, VIPS_META_ICC_NAME, profile.data(), size);
  return true;
}

}  // namespace

std::string heif_format_of(std::string_view first_bytes) {
  constexpr std::size_t kBrandsAt = 8;
  if (first_bytes.size() < kBrandsAt + 4 || first_bytes.substr(4, 4) != "ftyp") return "";
  std::size_t box_bytes = 0;
  for (const char c : first_bytes.substr(0, 4)) {
    box_bytes = box_bytes << 8 | static_cast<unsigned char>(c);
  }
  const std::string_view box = first_bytes.substr(0, std::min(box_bytes, first_bytes.size()));
  for (std::size_t at = kBrandsAt; at + 4 <= box.size(); at += 4) {
    const std::string_view brand = box.substr(at, 4);
    if (brand == "avif" || brand == "avis") return "avif";
    for (const char* heic : {"heic", "heix", "heim", "heis"}) {
      if (brand == heic) return "heic";
    }
  }
  return "";
}

Result<MediaInfo> read_heif_header(std::string_view bytes, const std::string& broken) {
  const Result<Still> still = open_still(bytes, broken);
  if (!still) return still.failure();
  MediaInfo info;
  info.size = still->size();
  info.has_alpha = still->has_alpha();
  return info;
}

Result<TaggedImage> decode_heif(std::string_view bytes, const std::string& broken) {
  const Result<Still> still = open_still(bytes, broken);
  if (!still) return still.failure();
  if (Status fits = check_image_edges(still->size()); !fits) return fits.failure();
  TaggedImage decoded{nullptr, tag_of(*still->handle)};
  if (Status shown = check_image_colours(decoded.tag); !shown) return shown.failure();
  const HeifPtr<heif_image> image = decode(*still->handle, still->has_alpha());
  if (image) decoded.pixels = copied(*image, still->has_alpha() ? 4 : 3);
  if (!decoded.pixels) return failure(FailureKind::kMalformed, broken);
  if (attach_profile(*decoded.pixels, *still->handle)) decoded.tag = {};
  return decoded;
}

}  // namespace pytoon::media
