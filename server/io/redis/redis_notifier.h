// The WorkNotifier that wakes workers in other processes, through Redis. A hint and no more: a
// wake-up that can't be sent is dropped and counted, and the workers find the work by asking the
// database. When Redis comes back, one wake-up is sent for all that were dropped.
//
// Thread rule: any thread. notify() takes microseconds: a thread of ours speaks to Redis, wake-ups
// that come faster than it sends become one. The destructor waits for at most the time limits.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "server/io/redis/link_watch.h"
#include "server/io/redis/wakeup_channel.h"
#include "server/jobs/ports.h"

namespace pytoon::io {

class RedisNotifier final : public jobs::WorkNotifier {
 public:
  struct Counts {
    std::int64_t notified = 0;  // notify() was called
    std::int64_t sent = 0;      // times Redis was told
    std::int64_t dropped = 0;   // notified while Redis was missing, or lost with it
  };

  // Clock and log must outlive the notifier.
  RedisNotifier(RedisAddress address, WakeupOptions options, const Clock& clock, Log& log);
  ~RedisNotifier() override;
  RedisNotifier(const RedisNotifier&) = delete;
  RedisNotifier& operator=(const RedisNotifier&) = delete;

  void notify() override;
  LinkState state() const { return watch_.state(); }
  Counts counts() const;

 private:
  void work();
  // Sends what was notified until the connection breaks; says why it ended.
  Failure serve(RedisConnection& connection);

  const RedisAddress address_;
  const WakeupOptions options_;
  LinkWatch watch_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Counts counts_;         // the rest is guarded by mutex_
  bool pending_ = false;  // notified and not yet sent
  bool there_ = false;    // the connection serves
  bool stopping_ = false;
  const RedisConnection* talking_ = nullptr;  // what the destructor cuts
  std::thread thread_;                        // last: it uses all of the above
};

}  // namespace pytoon::io
