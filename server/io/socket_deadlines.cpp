#include "server/io/socket_deadlines.h"

#include <sys/socket.h>

#include <algorithm>

namespace pytoon::io {
using std::chrono::milliseconds;

SocketDeadlines::Watch::~Watch() {
  const std::lock_guard lock(deadlines_.mutex_);
  deadlines_.watched_.erase(watched_);
}

SocketDeadlines::SocketDeadlines() : thread_([this] { run(); }) {}

SocketDeadlines::~SocketDeadlines() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

SocketDeadlines::Watch SocketDeadlines::watch(int socket, milliseconds limit) {
  std::list<Watched>::iterator added;
  {
    const std::lock_guard lock(mutex_);
    added = watched_.insert(watched_.end(), {socket, clock_.steady_now() + limit, false});
  }
  changed_.notify_all();
  return {*this, added};
}

void SocketDeadlines::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const SteadyTime now = clock_.steady_now();
    SteadyTime next = now + std::chrono::hours(1);
    for (Watched& one : watched_) {
      if (one.shut) continue;
      if (one.deadline <= now) {
        ::shutdown(one.socket, SHUT_RDWR);
        one.shut = true;
      } else {
        next = std::min(next, one.deadline);
      }
    }
    changed_.wait_for(lock, next - now);
  }
}

}  // namespace pytoon::io
