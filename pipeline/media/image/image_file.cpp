#include "pipeline/media/image/image_file.h"

#include <cerrno>
#include <fstream>

#include "base/files.h"
#include "pipeline/media/image/decode.h"
#include "pipeline/media/image/heif_image.h"
#include "pipeline/media/image/image_library.h"

namespace pytoon::media {
namespace {

using namespace std::string_view_literals;

Status publish(void* bytes, std::size_t size, const std::filesystem::path& path) {
  const std::unique_ptr<void, GFree> owner(bytes);
  return write_file_atomically(path, {static_cast<const char*>(bytes), size});
}

Failure unwritable() {
  vips_error_clear();
  return failure(FailureKind::kMedia, "the image can't be encoded");
}

}  // namespace

std::string image_format_of(std::string_view first_bytes) {
  if (first_bytes.starts_with("\x89PNG\r\n\x1A\n"sv)) return "png";
  if (first_bytes.starts_with("\xFF\xD8\xFF"sv)) return "jpeg";
  if (first_bytes.starts_with("RIFF"sv) && first_bytes.substr(0, 12).ends_with("WEBP"sv) &&
      first_bytes.size() >= 12) {
    return "webp";
  }
  return heif_format_of(first_bytes);
}

Result<std::string> image_format_of_file(const std::filesystem::path& path) {
  constexpr std::size_t kHeadBytes = 128;  // a ftyp box with thirty brands
  std::ifstream file(path, std::ios::binary);
  if (!file) return errno_failure(errno, "can't open " + path.string());
  std::string head(kHeadBytes, '\0');
  file.read(head.data(), kHeadBytes);
  head.resize(static_cast<std::size_t>(file.gcount()));
  return image_format_of(head);
}

Result<MediaInfo> inspect_image(const std::filesystem::path& path) {
  Result<OpenImage> open = open_image(path);
  if (!open) return open.failure();
  VipsImage* const image = open->image.get();
  if (Status whole = evaluate(image, FailureKind::kMalformed, damaged(open->format)); !whole) {
    return whole.failure();
  }
  MediaInfo info;
  info.format = open->format;
  info.size = {vips_image_get_width(image), vips_image_get_height(image)};
  info.has_alpha = open->has_alpha;
  return info;
}

namespace {

Result<MediaInfo> heif_info(const std::filesystem::path& path, const std::string& format) {
  const Result<std::string> bytes = read_file(path);
  if (!bytes) return bytes.failure();
  const Result<HeifHeader> header = read_heif_header(*bytes, damaged(format));
  if (!header) return header.failure();
  MediaInfo info;
  info.format = format;
  info.size = header->size;
  info.has_alpha = header->has_alpha;
  return info;
}

}  // namespace

Result<MediaInfo> read_image_header(const std::filesystem::path& path) {
  if (Status started = start_image_library(); !started) return started.failure();
  const Result<std::string> format = image_format_of_file(path);
  if (!format) return format.failure();
  if (format->empty()) return no_image_type();
  if (is_heif(*format)) return heif_info(path, *format);
  // Pixels would be decoded when they are asked for.
  const VipsImagePtr image = made([&](VipsImage** out) {
    *out = vips_image_new_from_file(path.c_str(), "access", VIPS_ACCESS_SEQUENTIAL, nullptr);
    return *out == nullptr ? -1 : 0;
  });
  if (!image) return failure(FailureKind::kMalformed, "the image's head can't be read");
  MediaInfo info;
  info.format = *format;
  info.size = {vips_image_get_width(image.get()), vips_image_get_height(image.get())};
  constexpr int kFirstTransposed = 5;  // of EXIF's eight orientations
  if (vips_image_get_orientation(image.get()) >= kFirstTransposed) {
    std::swap(info.size.width, info.size.height);
  }
  info.has_alpha = vips_image_hasalpha(image.get()) != 0;
  return info;
}

Result<gpu::RgbaImage> read_image(const std::filesystem::path& path) {
  Result<OpenImage> open = open_image(path);
  if (!open) return open.failure();
  return take_pixels(open->image.get(), FailureKind::kMalformed, damaged(open->format));
}

Status write_jpeg(const gpu::RgbaImage& image, const std::filesystem::path& path, int quality) {
  if (Status started = start_image_library(); !started) return started;
  const VipsImagePtr rgba = borrow(image);
  if (!rgba) return unwritable();
  const VipsImagePtr opaque =
      made([&](VipsImage** out) { return vips_flatten(rgba.get(), out, nullptr); });
  void* bytes = nullptr;
  std::size_t size = 0;
  if (!opaque || vips_jpegsave_buffer(opaque.get(), &bytes, &size, "Q", quality, "strip", TRUE,
                                      "optimize_coding", TRUE, nullptr) != 0) {
    return unwritable();
  }
  return publish(bytes, size, path);
}

Status write_png(const gpu::RgbaImage& image, const std::filesystem::path& path) {
  if (Status started = start_image_library(); !started) return started;
  const VipsImagePtr rgba = borrow(image);
  void* bytes = nullptr;
  std::size_t size = 0;
  if (!rgba || vips_pngsave_buffer(rgba.get(), &bytes, &size, "strip", TRUE, nullptr) != 0) {
    return unwritable();
  }
  return publish(bytes, size, path);
}

}  // namespace pytoon::media
