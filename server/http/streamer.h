// One thread that writes what does not fit a socket buffer: files by sendfile, event streams, long
// JSON. It owns a duplicate of the connection's descriptor, so that it never writes to a recycled
// one, and an epoll of its own; a slow reader costs nobody else anything.
//
// A stream ends whole, or broken: by the reader's hang-up, by a socket error, or by no byte taken
// for `stall`. Ready streams take turns of 512 KiB.
//
// Thread rule: any thread may submit; `done` is called on the streamer's thread, once, and may
// submit again.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "server/http/response.h"

namespace pytoon::http {

struct Stream {
  FileDescriptor socket;  // non-blocking
  std::string bytes;      // sent first
  std::variant<std::monostate, FileBody, std::unique_ptr<EventSource>> rest;
  std::function<void(bool whole, std::uint64_t bytes_sent)> done;
};

class Streamer {
 public:
  Streamer(const Clock& clock, std::chrono::milliseconds stall);
  ~Streamer();

  // False once stopped; then the stream is dropped and done is not called.
  [[nodiscard]] bool submit(Stream stream);
  // Event streams end at their next tick: the server is going away.
  void end_events() { events_end_ = true; }
  // Breaks all streams and joins the thread.
  void stop();

 private:
  struct Active;
  enum class Pumped { kSocketFull, kIdle, kWhole, kBroken };

  void run();
  void take_arrived();
  void on_ready(std::uint64_t id, std::uint32_t flags);
  void tick(SteadyTime now);
  void settle(std::uint64_t id, Active& active);
  void finish(std::uint64_t id, bool whole);
  void watch(std::uint64_t id, Active& active, bool writable);
  Pumped pump(Active& active);
  long send_some(Active& active);
  bool ask_source(Active& active, SteadyTime now);
  void wake();

  const Clock& clock_;
  const std::chrono::milliseconds stall_;
  const FileDescriptor epoll_;
  const FileDescriptor wake_;
  std::atomic<bool> events_end_{false};
  std::mutex mutex_;
  std::vector<Stream> arrived_;                                        // guarded by mutex_
  bool stopped_ = false;                                               // guarded by mutex_
  std::unordered_map<std::uint64_t, std::unique_ptr<Active>> active_;  // the thread's own
  std::uint64_t next_id_ = 1;                                          // the thread's own
  std::thread thread_;
};

}  // namespace pytoon::http
