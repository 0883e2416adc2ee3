#include "pipeline/media/image/image_library.h"

#include <vips/vips.h>

#include <mutex>

namespace pytoon::media {
namespace {

// With more than one, libvips 8.14 may tell that an image was read whole before the thread that
// found it damaged has said so (its pull request 4116).
constexpr int kThreadsPerOperation = 1;

void drop_warning(const gchar*, GLogLevelFlags, const gchar*, gpointer) {}

// libvips loads modules for more formats (ImageMagick, poppler, OpenSlide, HEIF, JPEG XL) from
// beneath its home, which it else finds for itself and sets as we do here.
void hide_modules() { g_setenv("VIPSHOME", "/nonexistent", TRUE); }

bool start_vips() {
  hide_modules();
  if (VIPS_INIT("pytoon") != 0) return false;
  vips_block_untrusted_set(TRUE);
  vips_cache_set_max(0);
  vips_concurrency_set(kThreadsPerOperation);
  constexpr auto kQuiet = static_cast<GLogLevelFlags>(G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE |
                                                      G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG);
  g_log_set_handler("VIPS", kQuiet, drop_warning, nullptr);
  return true;
}

}  // namespace

Status start_image_library() {
  static std::once_flag once;
  static bool started = false;
  std::call_once(once, [] { started = start_vips(); });
  if (!started) return failure(FailureKind::kInternal, "libvips does not start");
  return ok_status();
}

}  // namespace pytoon::media
