#include "pipeline/media/clip/clip_container.h"

#include <string_view>

#include "base/input_file.h"
#include "pipeline/media/clip/animation.h"
#include "pipeline/media/clip/matroska_elements.h"
#include "pipeline/media/clip/movie_boxes.h"

namespace pytoon::media {
namespace {

using namespace std::string_view_literals;

Result<ClipFormat> named(ClipContainer container, Result<std::string> name) {
  if (!name) return name.failure();
  return ClipFormat{container, std::move(*name)};
}

}  // namespace

Result<ClipFormat> check_container(const std::filesystem::path& path) {
  constexpr std::size_t kHeadBytes = 4;
  const Result<InputFile> file = InputFile::open(path);
  if (!file) return file.failure();
  const std::string head = file->text_at(0, kHeadBytes);
  if (head.starts_with("\x1A\x45\xDF\xA3"sv)) {
    return named(ClipContainer::kMatroska, check_matroska_elements(path));
  }
  if (const auto animated = animation_of(*file)) return *animated;
  return named(ClipContainer::kMovie, check_movie_boxes(path));
}

}  // namespace pytoon::media
