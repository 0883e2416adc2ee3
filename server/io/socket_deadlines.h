// Time limits for calls of a library that waits for its socket without one: whose time is up, its
// socket is shut down, and the call meets the end of the stream. A server that is frozen still has
// a kernel that acknowledges, so no limit of TCP's notices it.
//
// Thread rule: any thread; one thread of its own waits. Limits run on the system's steady clock, at
// most a few milliseconds late.
#pragma once

#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>

#include "base/clock.h"

namespace pytoon::io {

class SocketDeadlines {
  struct Watched {
    int socket = -1;
    SteadyTime deadline;
    bool shut = false;
  };

 public:
  // The limit holds until this goes, and the socket must stay open as long.
  class Watch {
   public:
    Watch(SocketDeadlines& deadlines, std::list<Watched>::iterator watched)
        : deadlines_(deadlines), watched_(watched) {}
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    SocketDeadlines& deadlines_;
    const std::list<Watched>::iterator watched_;
  };

  SocketDeadlines();
  ~SocketDeadlines();

  Watch watch(int socket, std::chrono::milliseconds limit);

 private:
  void run();

  const SystemClock clock_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Watched> watched_;  // guarded by mutex_
  bool stopping_ = false;       // guarded by mutex_
  std::thread thread_;          // last: it uses the others
};

}  // namespace pytoon::io
