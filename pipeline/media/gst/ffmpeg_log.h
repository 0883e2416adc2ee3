// FFmpeg's log lines: warnings and errors into the program's Log, those about files that are read
// as information only, or, while one thread wants to know why a call failed, into its
// FfmpegComplaints.
//
// Thread rule: any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/log.h"

namespace pytoon::media {

// Where lines go from now on. stop_ffmpeg_log() does nothing when another log was set meanwhile.
void start_ffmpeg_log(Log& log);
void stop_ffmpeg_log(Log& log);

// Keeps what FFmpeg reports on this thread while the object lives, instead of logging it: an error
// number seldom says what the line says. Objects of one thread may nest.
class FfmpegComplaints {
 public:
  FfmpegComplaints();
  ~FfmpegComplaints();
  FfmpegComplaints(const FfmpegComplaints&) = delete;
  FfmpegComplaints& operator=(const FfmpegComplaints&) = delete;

  // The first line, without its end; "" when there was none.
  const std::string& first() const { return first_; }
  void hear(std::string_view message);

 private:
  std::string first_;
  FfmpegComplaints* outer_;
};

}  // namespace pytoon::media
