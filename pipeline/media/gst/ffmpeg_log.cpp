#include "pipeline/media/gst/ffmpeg_log.h"

#include <array>
#include <atomic>
#include <nlohmann/json.hpp>
#include <string_view>

#include "pipeline/media/gst/ffmpeg.h"

namespace pytoon::media {
namespace {

// FFmpeg's callback takes no user data, so these two pointers have to be reachable without it.
std::atomic<Log*>& log_now() {
  static std::atomic<Log*> log{nullptr};
  return log;
}

FfmpegComplaints*& listener() {
  thread_local FfmpegComplaints* innermost = nullptr;
  return innermost;
}

// Lines of demuxers and decoders are about somebody's file: whoever reads it judges it, and this
// program has nothing wrong with it.
bool is_about_input(const AVClass* type, void* context) {
  if (type == nullptr) return false;
  const AVClassCategory category =
      type->get_category != nullptr ? type->get_category(context) : type->category;
  return category == AV_CLASS_CATEGORY_DECODER || category == AV_CLASS_CATEGORY_DEMUXER;
}

void write_line(Log& log, int level, bool about_input, const char* part, std::string_view message) {
  const nlohmann::ordered_json fields{{"library", "ffmpeg"}, {"part", part}, {"message", message}};
  if (about_input) {
    log.info("media_library", fields);
  } else if (level <= AV_LOG_ERROR) {
    log.error("media_library", fields);
  } else {
    log.warning("media_library", fields);
  }
}

void on_line(void* context, int level, const char* format, va_list arguments) {
  if (level > AV_LOG_WARNING) return;
  Log* log = log_now().load();
  const bool complaint = listener() != nullptr;
  if (log == nullptr && !complaint) return;
  try {
    const AVClass* type = context == nullptr ? nullptr : *static_cast<AVClass**>(context);
    std::array<char, 1024> line{};
    int prefix = 0;
    av_log_format_line2(context, level, format, arguments, line.data(),
                        static_cast<int>(line.size()), &prefix);
    std::string_view message(line.data());
    while (!message.empty() && message.back() == '\n') message.remove_suffix(1);
    if (message.empty()) return;
    if (complaint) {
      listener()->hear(message);
    } else {
      write_line(*log, level, is_about_input(type, context),
                 type == nullptr ? "" : type->class_name, message);
    }
  } catch (...) {  // a log line that can't be written is lost
  }
}

}  // namespace

void start_ffmpeg_log(Log& log) {
  log_now().store(&log);
  av_log_set_callback(on_line);
}

void stop_ffmpeg_log(Log& log) {
  Log* mine = &log;
  log_now().compare_exchange_strong(mine, nullptr);
}

FfmpegComplaints::FfmpegComplaints() : outer_(listener()) { listener() = this; }

FfmpegComplaints::~FfmpegComplaints() { listener() = outer_; }

void FfmpegComplaints::hear(std::string_view message) {
  if (first_.empty()) first_ = message;
}

}  // namespace pytoon::media
