#include "server/http/streamer.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/check.h"

namespace pytoon::http {
namespace {

constexpr std::uint64_t kWakeId = 0;
constexpr std::uint64_t kTurnBytes = 512 * 1024;
constexpr std::chrono::milliseconds kTick{250};

}  // namespace

struct Streamer::Active {
  Stream stream;
  std::size_t at = 0;  // of stream.bytes, sent
  bool writable_watched = false;
  bool blocked = false;  // the socket is full
  bool source_ended = false;
  std::uint64_t bytes_sent = 0;
  SteadyTime progress_at;

  FileBody* file() { return std::get_if<FileBody>(&stream.rest); }
  EventSource* source() {
    auto* held = std::get_if<std::unique_ptr<EventSource>>(&stream.rest);
    return held ? held->get() : nullptr;
  }
};

Streamer::Streamer(const Clock& clock, std::chrono::milliseconds stall)
    : clock_(clock),
      stall_(stall),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  CHECK(epoll_ && wake_, "no descriptors for the streamer");
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kWakeId}};
  CHECK(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) == 0, "epoll");
  thread_ = std::thread([this] { run(); });
}

Streamer::~Streamer() { stop(); }

void Streamer::wake() {
  const std::uint64_t one = 1;
  // A full counter wakes as well, so the result does not matter.
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

bool Streamer::submit(Stream stream) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return false;
    arrived_.push_back(std::move(stream));
  }
  wake();
  return true;
}

void Streamer::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake();
  if (thread_.joinable()) thread_.join();
}

void Streamer::run() {
  SteadyTime next_tick = clock_.steady_now() + kTick;
  while (true) {
    std::array<epoll_event, 64> events{};
    const int timeout_ms = active_.empty() ? -1 : static_cast<int>(kTick.count());
    const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), timeout_ms);
    for (int i = 0; i < count; ++i) {
      on_ready(events[static_cast<std::size_t>(i)].data.u64,
               events[static_cast<std::size_t>(i)].events);
    }
    take_arrived();
    if (const SteadyTime now = clock_.steady_now(); now >= next_tick) {
      tick(now);
      next_tick = now + kTick;
    }
    const std::lock_guard lock(mutex_);
    if (stopped_) break;
  }
  take_arrived();
  while (!active_.empty()) finish(active_.begin()->first, false);
}

void Streamer::take_arrived() {
  std::vector<Stream> arrived;
  {
    const std::lock_guard lock(mutex_);
    arrived.swap(arrived_);
  }
  for (Stream& stream : arrived) {
    const std::uint64_t id = next_id_++;
    auto active = std::make_unique<Active>();
    active->stream = std::move(stream);
    active->progress_at = clock_.steady_now();
    epoll_event event{.events = EPOLLRDHUP, .data = {.u64 = id}};
    const int socket = active->stream.socket.get();
    const bool added = ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &event) == 0;
    Active& kept = *active;
    active_.emplace(id, std::move(active));
    if (!added) {
      finish(id, false);
      continue;
    }
    if (kept.source()) ask_source(kept, kept.progress_at);
    settle(id, kept);
  }
}

void Streamer::on_ready(std::uint64_t id, std::uint32_t flags) {
  if (id == kWakeId) {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t read = ::read(wake_.get(), &count, sizeof count);
    return;
  }
  const auto found = active_.find(id);
  if (found == active_.end()) return;
  if ((flags & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
    finish(id, false);
  } else {
    settle(id, *found->second);
  }
}

// Writes what can be written now, then waits for the right thing.
void Streamer::settle(std::uint64_t id, Active& active) {
  switch (pump(active)) {
    case Pumped::kSocketFull:
      active.blocked = true;
      watch(id, active, true);
      break;
    case Pumped::kIdle:
      active.blocked = false;
      watch(id, active, false);
      break;
    case Pumped::kWhole:
      finish(id, true);
      break;
    case Pumped::kBroken:
      finish(id, false);
      break;
  }
}

void Streamer::watch(std::uint64_t id, Active& active, bool writable) {
  if (active.writable_watched == writable) return;
  active.writable_watched = writable;
  const std::uint32_t write_flag = writable ? static_cast<std::uint32_t>(EPOLLOUT) : 0U;
  epoll_event event{.events = EPOLLRDHUP | write_flag, .data = {.u64 = id}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, active.stream.socket.get(), &event);
}

long Streamer::send_some(Active& active) {
  Stream& stream = active.stream;
  FileBody* const file = active.file();
  if (active.at < stream.bytes.size()) {
    const int more = file && file->length > 0 ? MSG_MORE : 0;
    const ssize_t sent =
        ::send(stream.socket.get(), stream.bytes.data() + active.at,
               stream.bytes.size() - active.at, MSG_NOSIGNAL | MSG_DONTWAIT | more);
    if (sent > 0) active.at += static_cast<std::size_t>(sent);
    return sent;
  }
  auto offset = static_cast<off_t>(file->first);
  const std::size_t piece = std::min<std::uint64_t>(file->length, kTurnBytes);
  const ssize_t sent = ::sendfile(stream.socket.get(), file->file.get(), &offset, piece);
  if (sent > 0) {
    file->first += static_cast<std::uint64_t>(sent);
    file->length -= static_cast<std::uint64_t>(sent);
  }
  return sent;
}

Streamer::Pumped Streamer::pump(Active& active) {
  std::uint64_t turn_bytes = 0;
  while (turn_bytes < kTurnBytes) {
    const FileBody* const file = active.file();
    if (active.at == active.stream.bytes.size() && (!file || file->length == 0)) {
      return active.source() && !active.source_ended ? Pumped::kIdle : Pumped::kWhole;
    }
    const long sent = send_some(active);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return Pumped::kSocketFull;
    if (sent <= 0) return Pumped::kBroken;  // 0: the file has shrunk
    turn_bytes += static_cast<std::uint64_t>(sent);
    active.bytes_sent += static_cast<std::uint64_t>(sent);
    active.progress_at = clock_.steady_now();
  }
  return Pumped::kSocketFull;
}

// True when there is something new to send or the end has come.
bool Streamer::ask_source(Active& active, SteadyTime now) {
  EventSource::Step step;
  try {
    step = active.source()->next(now);
  } catch (...) {
    step.last = true;  // the subscriber comes back and gets the error as an answer
  }
  if (active.at == active.stream.bytes.size()) {
    active.stream.bytes.clear();
    active.at = 0;
  }
  active.stream.bytes += step.bytes;
  active.source_ended = step.last || events_end_;
  return !step.bytes.empty() || active.source_ended;
}

void Streamer::tick(SteadyTime now) {
  std::vector<std::uint64_t> ids;
  ids.reserve(active_.size());
  for (const auto& [id, active] : active_) ids.push_back(id);
  for (const std::uint64_t id : ids) {
    const auto found = active_.find(id);
    if (found == active_.end()) continue;
    Active& active = *found->second;
    if (active.blocked) {
      if (now - active.progress_at > stall_) finish(id, false);
    } else if (active.source() && ask_source(active, now)) {
      active.progress_at = now;
      settle(id, active);
    }
  }
}

void Streamer::finish(std::uint64_t id, bool whole) {
  const auto found = active_.find(id);
  const std::unique_ptr<Active> active = std::move(found->second);
  active_.erase(found);
  // The connection's own descriptor lives on, so closing ours would not end the registration.
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, active->stream.socket.get(), nullptr);
  active->stream.socket = FileDescriptor();
  active->stream.done(whole, active->bytes_sent);
}

}  // namespace pytoon::http
