#include "pipeline/media/media.h"

#include <gst/gst.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <string>

#include "pipeline/media/gst/compositor_source.h"
#include "pipeline/media/gst/encoder_element.h"
#include "pipeline/media/gst/gst_pipeline.h"
#include "pipeline/media/gst/mp4_mux_element.h"
#include "pipeline/media/gst/packet_source.h"
#include "pipeline/media/gst/plugin_folder.h"
#include "pipeline/media/gst/sound_source.h"
#include "pipeline/media/gst/video_encoder.h"

namespace pytoon::media {
namespace {

// FFmpeg's log callback takes no user data, so this one pointer has to be reachable without it.
std::atomic<Log*>& ffmpeg_log() {
  static std::atomic<Log*> log{nullptr};
  return log;
}

void write_line(Log& log, bool error, const char* library, std::string_view part,
                std::string_view message) {
  const nlohmann::ordered_json fields{{"library", library}, {"part", part}, {"message", message}};
  if (error) {
    log.error("media_library", fields);
  } else {
    log.warning("media_library", fields);
  }
}

void on_ffmpeg_line(void* context, int level, const char* format, va_list arguments) {
  Log* log = ffmpeg_log().load();
  if (log == nullptr || level > AV_LOG_WARNING) return;
  try {
    std::array<char, 1024> line{};
    int prefix = 0;
    av_log_format_line2(context, level, format, arguments, line.data(),
                        static_cast<int>(line.size()), &prefix);
    std::string_view message(line.data());
    while (!message.empty() && message.back() == '\n') message.remove_suffix(1);
    const AVClass* type = context == nullptr ? nullptr : *static_cast<AVClass**>(context);
    const char* part = type == nullptr ? "" : type->class_name;
    if (!message.empty()) write_line(*log, level <= AV_LOG_ERROR, "ffmpeg", part, message);
  } catch (...) {  // a log line that can't be written is lost
  }
}

void on_gstreamer_line(GstDebugCategory* category, GstDebugLevel level, const gchar*, const gchar*,
                       gint, GObject*, GstDebugMessage* message, gpointer log) {
  if (level > GST_LEVEL_WARNING) return;
  try {
    write_line(*static_cast<Log*>(log), level == GST_LEVEL_ERROR, "gstreamer",
               gst_debug_category_get_name(category), gst_debug_message_get(message));
  } catch (...) {  // as above
  }
}

gboolean register_elements(GstPlugin* plugin) {
  const auto add = [plugin](const char* name, GType type) {
    return gst_element_register(plugin, name, GST_RANK_NONE, type) != FALSE;
  };
  return add(kCompositorSource, compositor_source_get_type()) &&
         add(kEncoderElement, encoder_element_get_type()) &&
         add(kMp4MuxElement, mp4_mux_element_get_type()) &&
         add(kPacketSource, packet_source_get_type()) && add(kSoundSource, sound_source_get_type());
}

// These beat the variables without a version, which stay what the operator set. gst_init reads
// them; the environment must not be changed once other threads run.
void point_gstreamer_at(const std::filesystem::path& cache_dir,
                        const std::filesystem::path& plugins) {
  ::setenv("GST_PLUGIN_SYSTEM_PATH_1_0", plugins.c_str(), 1);
  ::setenv("GST_PLUGIN_PATH_1_0", "", 1);
  ::setenv("GST_REGISTRY_1_0", (cache_dir / "gstreamer-registry.bin").c_str(), 1);
}

Status start_gstreamer(const std::filesystem::path& cache_dir) {
  const std::filesystem::path plugins = cache_dir / "gstreamer-plugins";
  if (Status linked = link_plugins(plugins); !linked) return linked;
  point_gstreamer_at(cache_dir, plugins);
  gst_registry_fork_set_enabled(FALSE);
  GError* raw_error = nullptr;
  if (gst_init_check(nullptr, nullptr, &raw_error) == FALSE) {
    const GstPtr<GError> error(raw_error);
    return failure(FailureKind::kMedia, std::string("GStreamer does not start: ") +
                                            (error ? error->message : "no reason given"));
  }
  gst_debug_remove_log_function(gst_debug_log_default);
  if (Status good = check_plugins(); !good) return good;
  const gboolean registered = gst_plugin_register_static(
      GST_VERSION_MAJOR, GST_VERSION_MINOR, "pytoon", "Elements of this program", register_elements,
      "1.0", "Proprietary", "pytoon", "pytoon", "pytoon");
  if (registered == FALSE) {
    return failure(FailureKind::kInternal, "GStreamer refused our own elements");
  }
  return ok_status();
}

}  // namespace

Result<std::unique_ptr<MediaRuntime>> MediaRuntime::start(const std::filesystem::path& cache_dir,
                                                          Log& log) {
  return contained([&]() -> Result<std::unique_ptr<MediaRuntime>> {
    if (Status started = start_gstreamer(std::filesystem::absolute(cache_dir)); !started) {
      return started.failure();
    }
    return std::unique_ptr<MediaRuntime>(new MediaRuntime(log));  // its constructor is private
  });
}

MediaRuntime::MediaRuntime(Log& log) : log_(log) {
  gst_debug_set_active(TRUE);
  gst_debug_set_default_threshold(GST_LEVEL_WARNING);
  gst_debug_add_log_function(on_gstreamer_line, &log_, nullptr);
  ffmpeg_log().store(&log_);
  av_log_set_callback(on_ffmpeg_line);
}

MediaRuntime::~MediaRuntime() {
  gst_debug_remove_log_function_by_data(&log_);
  Log* mine = &log_;
  ffmpeg_log().compare_exchange_strong(mine, nullptr);
}

}  // namespace pytoon::media
