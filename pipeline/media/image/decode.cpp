#include "pipeline/media/image/decode.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/input_file.h"
#include "pipeline/media/image/heif_image.h"
#include "pipeline/media/image/image_file.h"
#include "pipeline/media/image/image_library.h"
#include "pipeline/media/image/image_structure.h"

namespace pytoon::media {
namespace {

namespace fs = std::filesystem;
using namespace std::string_view_literals;

// 4096 x 4096 RGBA of noise as PNG is 64 MiB; nothing we can take needs more than twice that.
constexpr std::uint64_t kMaxFileBytes = 128u << 20;

// Every scan of a progressive JPEG passes over the whole image; encoders write about ten.
constexpr int kMaxScans = 64;

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::uint32_t little_endian_32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return value;
}

// Decoders stop reading after the last pixel; a file cut just there is still not whole. A JPEG is
// judged by its rows instead.
bool has_its_end(const std::string& format, std::string_view bytes) {
  if (format == "png") return bytes.rfind("IEND\xAE\x42\x60\x82"sv) != std::string_view::npos;
  if (format == "jpeg") return true;
  return bytes.size() >= 12 && little_endian_32(bytes.substr(4)) <= bytes.size() - 8;
}

VipsImagePtr load(const std::string& format, std::string& bytes, VipsFailOn strictness) {
  return made([&](VipsImage** out) {
    auto* const loader = format == "png"    ? vips_pngload_buffer
                         : format == "jpeg" ? vips_jpegload_buffer
                                            : vips_webpload_buffer;
    return loader(bytes.data(), bytes.size(), out, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                  strictness, nullptr);
  });
}

VipsImagePtr bands(VipsImage* image, int first, int count) {
  return made(
      [&](VipsImage** out) { return vips_extract_band(image, out, first, "n", count, nullptr); });
}

// 65535 becomes 255, 0x8000 becomes 128.
VipsImagePtr eight_bit(VipsImage* image) {
  return made([&](VipsImage** out) {
    return vips_cast(image, out, VIPS_FORMAT_UCHAR, "shift", TRUE, nullptr);
  });
}

// Null when the embedded profile is broken or for another kind of image.
VipsImagePtr by_embedded_profile(VipsImage* colour) {
  if (vips_image_get_typeof(colour, VIPS_META_ICC_NAME) == 0) return nullptr;
  return made([&](VipsImage** out) {
    return vips_icc_transform(colour, out, "srgb", "embedded", TRUE, "intent", VIPS_INTENT_RELATIVE,
                              "black_point_compensation", TRUE, "depth", 8, nullptr);
  });
}

VipsImagePtr by_generic_cmyk(VipsImage* colour) {
  return made([&](VipsImage** out) {
    return vips_icc_transform(colour, out, "srgb", "input_profile", "cmyk", "intent",
                              VIPS_INTENT_RELATIVE, "black_point_compensation", TRUE, "depth", 8,
                              nullptr);
  });
}

VipsImagePtr three_bands(VipsImagePtr image) {
  if (!image || vips_image_get_bands(image.get()) == 3) return image;
  return made([&](VipsImage** out) {
    VipsImage* grey[] = {image.get(), image.get(), image.get()};
    return vips_bandjoin(grey, out, 3, nullptr);
  });
}

VipsImagePtr by_tag(const ColourTag& tag, VipsImage* colour) {
  const VipsImagePtr rgb =
      three_bands(made([&](VipsImage** out) { return vips_copy(colour, out, nullptr); }));
  return rgb ? to_srgb_by(tag, rgb.get()) : nullptr;
}

// Colour bands without alpha to three bands of 8-bit sRGB.
VipsImagePtr to_srgb(const ColourTag& tag, VipsImage* colour) {
  if (!tag.is_srgb()) return by_tag(tag, colour);
  VipsImagePtr converted = by_embedded_profile(colour);
  if (!converted && vips_image_get_interpretation(colour) == VIPS_INTERPRETATION_CMYK) {
    converted = by_generic_cmyk(colour);
    if (!converted) return nullptr;
  }
  if (!converted) converted = eight_bit(colour);
  return three_bands(std::move(converted));
}

VipsImagePtr with_alpha(VipsImage* colour, VipsImage* alpha) {
  const VipsImagePtr typed = made([&](VipsImage** out) {
    return vips_copy(colour, out, "interpretation", VIPS_INTERPRETATION_sRGB, nullptr);
  });
  if (!typed) return nullptr;
  return made([&](VipsImage** out) {
    return alpha != nullptr ? vips_bandjoin2(typed.get(), alpha, out, nullptr)
                            : vips_addalpha(typed.get(), out, nullptr);
  });
}

VipsImagePtr to_rgba(const ColourTag& tag, VipsImage* image) {
  const int count = vips_image_get_bands(image);
  if (vips_image_hasalpha(image) == 0) {
    const VipsImagePtr colour = to_srgb(tag, image);
    return colour ? with_alpha(colour.get(), nullptr) : nullptr;
  }
  const VipsImagePtr raw = bands(image, 0, count - 1);
  const VipsImagePtr raw_alpha = bands(image, count - 1, 1);
  if (!raw || !raw_alpha) return nullptr;
  const VipsImagePtr colour = to_srgb(tag, raw.get());
  const VipsImagePtr alpha = eight_bit(raw_alpha.get());
  return colour && alpha ? with_alpha(colour.get(), alpha.get()) : nullptr;
}

// Turning needs the image as a whole, so only a turned one is held in memory twice.
VipsImagePtr upright(VipsImagePtr image) {
  if (vips_image_get_orientation(image.get()) == 1) return image;
  const VipsImagePtr whole(vips_image_copy_memory(image.get()));
  if (!whole) {
    vips_error_clear();
    return nullptr;
  }
  return made([&](VipsImage** out) { return vips_autorot(whole.get(), out, nullptr); });
}

Result<std::string> read_bounded(const fs::path& path) {
  const Result<InputFile> file = InputFile::open(path);
  if (!file) return file.failure();
  if (file->size() > kMaxFileBytes) {
    return failure(FailureKind::kTooLarge, "the image's file is larger than 128 MiB");
  }
  std::string bytes(file->size(), '\0');
  const std::int64_t got = file->read_at(0, bytes);
  if (got < 0) return errno_failure(static_cast<int>(-got), "can't read " + path.string());
  bytes.resize(static_cast<std::size_t>(got));
  return bytes;
}

// Its bytes and its format; no image yet.
Result<OpenImage> read_recognised(const fs::path& path) {
  if (Status started = start_image_library(); !started) return started.failure();
  Result<std::string> bytes = read_bounded(path);
  if (!bytes) return bytes.failure();
  OpenImage open;
  open.bytes = std::make_unique<std::string>(std::move(*bytes));
  open.format = image_format_of(*open.bytes);
  if (open.format.empty()) {
    return failure(FailureKind::kUnsupportedType,
                   "the bytes are not a PNG, JPEG, WebP, HEIC or AVIF image");
  }
  if (open.format == "png") drop_text(*open.bytes);
  return open;
}

}  // namespace

std::string damaged(const std::string& format) {
  return "the " + upper(format) + " image is truncated or damaged";
}

Status check_image_edges(gpu::Size size) {
  if (std::max(size.width, size.height) <= kMaxImageEdgePx) return ok_status();
  return failure(FailureKind::kInvalid,
                 "the image is " + std::to_string(size.width) + "x" + std::to_string(size.height) +
                     " px; at most " + std::to_string(kMaxImageEdgePx) + " px an edge is taken");
}

Status check_image_colours(const ColourTag& tag) {
  if (!tag.hdr) return ok_status();
  return failure(FailureKind::kInvalid,
                 "the image is HDR (PQ or HLG): export it in SDR, as sRGB or Display P3");
}

namespace {

// By libvips, lazily: its pixels are decoded when they are asked for.
Result<TaggedImage> open_lazily(const std::string& format, std::string& bytes) {
  const Failure broken = failure(FailureKind::kMalformed, damaged(format));
  auto strictness = VIPS_FAIL_ON_ERROR;
  ColourTag tag;
  if (format == "png") {
    tag = colour_tag_of_png(bytes);
    if (Status shown = check_image_colours(tag); !shown) return shown.failure();
    move_exif_before_pixels(bytes);
  }
  if (format == "jpeg") {
    const JpegStructure structure = read_jpeg_structure(bytes);
    if (structure.scans > kMaxScans) {
      return failure(FailureKind::kInvalid, "the JPEG image has more than 64 scans");
    }
    // Some cameras and transfers leave the end marker out: with one, the decoder warns of every row
    // that is not whole.
    if (!structure.ends) {
      bytes.append("\xFF\xD9"sv);
      strictness = VIPS_FAIL_ON_WARNING;
    }
  }
  VipsImagePtr image = load(format, bytes, strictness);
  if (!image) return broken;
  const gpu::Size size{vips_image_get_width(image.get()), vips_image_get_height(image.get())};
  if (Status fits = check_image_edges(size); !fits) return fits.failure();
  if (!has_its_end(format, bytes)) return broken;
  // They go before a profile in a PNG.
  const bool has_code_points = format == "png" && !png_chunk(bytes, "cICP").empty();
  if (has_code_points) vips_image_remove(image.get(), VIPS_META_ICC_NAME);
  return TaggedImage{std::move(image), tag};
}

// By libvips, not turned yet; the rest of the file need not be there.
Result<MediaInfo> head_of(const std::string& format, std::string& bytes) {
  const VipsImagePtr image = load(format, bytes, VIPS_FAIL_ON_NONE);
  if (!image) return failure(FailureKind::kMalformed, "the image's head can't be read");
  MediaInfo info;
  info.size = {vips_image_get_width(image.get()), vips_image_get_height(image.get())};
  constexpr int kFirstTransposed = 5;  // of EXIF's eight orientations
  if (vips_image_get_orientation(image.get()) >= kFirstTransposed) {
    std::swap(info.size.width, info.size.height);
  }
  info.has_alpha = vips_image_hasalpha(image.get()) != 0;
  return info;
}

}  // namespace

Result<MediaInfo> read_image_header(const fs::path& path) {
  const Result<OpenImage> file = read_recognised(path);
  if (!file) return file.failure();
  Result<MediaInfo> info = is_heif(file->format)
                               ? read_heif_header(*file->bytes, damaged(file->format))
                               : head_of(file->format, *file->bytes);
  if (info) info->format = file->format;
  return info;
}

Result<OpenImage> open_image(const fs::path& path) {
  Result<OpenImage> recognised = read_recognised(path);
  if (!recognised) return recognised;
  OpenImage& open = *recognised;
  const std::string broken = damaged(open.format);
  const Result<TaggedImage> raw = is_heif(open.format) ? decode_heif(*open.bytes, broken)
                                                       : open_lazily(open.format, *open.bytes);
  if (!raw) return raw.failure();
  open.has_alpha = vips_image_hasalpha(raw->pixels.get()) != 0;
  VipsImagePtr rgba = to_rgba(raw->tag, raw->pixels.get());
  if (rgba) open.image = upright(std::move(rgba));
  if (!open.image) return failure(FailureKind::kMalformed, broken);
  return recognised;
}

}  // namespace pytoon::media
