#include "pipeline/media/media.h"

#include <gst/gst.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "pipeline/media/gst/audio_source.h"
#include "pipeline/media/gst/compositor_source.h"
#include "pipeline/media/gst/encoder_element.h"
#include "pipeline/media/gst/ffmpeg_log.h"
#include "pipeline/media/gst/gst_pipeline.h"
#include "pipeline/media/gst/mp4_mux_element.h"
#include "pipeline/media/gst/packet_sink.h"
#include "pipeline/media/gst/packet_source.h"
#include "pipeline/media/gst/plugin_folder.h"

namespace pytoon::media {
namespace {

void on_gstreamer_line(GstDebugCategory* category, GstDebugLevel level, const gchar*, const gchar*,
                       gint, GObject*, GstDebugMessage* message, gpointer log) {
  if (level > GST_LEVEL_WARNING) return;
  try {
    const nlohmann::ordered_json fields{{"library", "gstreamer"},
                                        {"part", gst_debug_category_get_name(category)},
                                        {"message", gst_debug_message_get(message)}};
    if (level == GST_LEVEL_ERROR) {
      static_cast<Log*>(log)->error("media_library", fields);
    } else {
      static_cast<Log*>(log)->warning("media_library", fields);
    }
  } catch (...) {  // a log line that can't be written is lost
  }
}

gboolean register_elements(GstPlugin* plugin) {
  const auto add = [plugin](const char* name, GType type) {
    return gst_element_register(plugin, name, GST_RANK_NONE, type) != FALSE;
  };
  return add(kCompositorSource, compositor_source_get_type()) &&
         add(kEncoderElement, encoder_element_get_type()) &&
         add(kPacketSink, packet_sink_get_type()) &&
         add(kMp4MuxElement, mp4_mux_element_get_type()) &&
         add(kPacketSource, packet_source_get_type()) && add(kAudioSource, audio_source_get_type());
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
  start_ffmpeg_log(log_);
}

MediaRuntime::~MediaRuntime() {
  gst_debug_remove_log_function_by_data(&log_);
  stop_ffmpeg_log(log_);
}

}  // namespace pytoon::media
