// Starts the media libraries once per process: GStreamer with only the plugins we use and a private
// registry, our own elements, GStreamer's and FFmpeg's warnings into `log`. Hold the object while
// anything of this room is in use; start it before the program has threads (it sets environment
// variables). A missing plugin is a Failure that names its Debian package.
//
// One object at a time in a process. start() blocks for some ten milliseconds, for seconds when the
// plugin registry is made for the first time. Errors of start(): kMedia (a plugin), kIo (the
// folder). The destructor must come after everything of this room; the log must outlive it.
//
// Thread rule: start() and the destructor from one thread; probe_encoder() from any, it blocks for
// some ten milliseconds.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/result.h"

namespace pytoon::media {

class MediaRuntime {
 public:
  // cache_dir: a writable folder for the plugin registry; created when missing.
  static Result<std::unique_ptr<MediaRuntime>> start(const std::filesystem::path& cache_dir,
                                                     Log& log);
  ~MediaRuntime();
  MediaRuntime(const MediaRuntime&) = delete;
  MediaRuntime& operator=(const MediaRuntime&) = delete;

 private:
  explicit MediaRuntime(Log& log);

  Log& log_;
};

// Opens the encoder and encodes a few real frames. For `doctor` and for start-up.
Status probe_encoder(const std::string& codec);

}  // namespace pytoon::media
