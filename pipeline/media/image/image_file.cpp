#include "pipeline/media/image/image_file.h"

#include "base/files.h"
#include "pipeline/media/image/decode.h"
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
  return "";
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

Result<MediaInfo> read_image_header(const std::filesystem::path& path) {
  if (Status started = start_image_library(); !started) return started.failure();
  const Result<OpenImage> head = open_head(path);
  if (!head) return head.failure();
  VipsImage* const image = head->image.get();
  MediaInfo info;
  info.format = head->format;
  info.size = {vips_image_get_width(image), vips_image_get_height(image)};
  constexpr int kFirstTransposed = 5;  // of EXIF's eight orientations
  if (vips_image_get_orientation(image) >= kFirstTransposed) {
    std::swap(info.size.width, info.size.height);
  }
  info.has_alpha = head->has_alpha;
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
