#include "pipeline/media/image/image_file.h"

#include "base/files.h"
#include "base/input_file.h"
#include "pipeline/media/image/decode.h"
#include "pipeline/media/image/heif_image.h"
#include "pipeline/media/image/image_library.h"

namespace pytoon::media {
namespace {

using namespace std::string_view_literals;

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
  const Result<InputFile> file = InputFile::open(path);
  if (!file) return file.failure();
  return image_format_of(file->text_at(0, kHeadBytes));
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

Result<gpu::RgbaImage> read_image(const std::filesystem::path& path) {
  Result<OpenImage> open = open_image(path);
  if (!open) return open.failure();
  return take_pixels(open->image.get(), FailureKind::kMalformed, damaged(open->format));
}

Result<std::string> jpeg_of(const gpu::RgbaImage& image, int quality) {
  if (Status started = start_image_library(); !started) return started.failure();
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
  const std::unique_ptr<void, GFree> owner(bytes);
  return std::string(static_cast<const char*>(bytes), size);
}

Status write_jpeg(const gpu::RgbaImage& image, const std::filesystem::path& path, int quality) {
  const Result<std::string> jpeg = jpeg_of(image, quality);
  if (!jpeg) return jpeg.failure();
  return write_file_atomically(path, *jpeg);
}

Status write_png(const gpu::RgbaImage& image, const std::filesystem::path& path) {
  if (Status started = start_image_library(); !started) return started;
  const VipsImagePtr rgba = borrow(image);
  void* bytes = nullptr;
  std::size_t size = 0;
  if (!rgba || vips_pngsave_buffer(rgba.get(), &bytes, &size, "strip", TRUE, nullptr) != 0) {
    return unwritable();
  }
  const std::unique_ptr<void, GFree> owner(bytes);
  return write_file_atomically(path, {static_cast<const char*>(bytes), size});
}

}  // namespace pytoon::media
