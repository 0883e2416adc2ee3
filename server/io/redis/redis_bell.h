// The Bell that wakes workers in other processes, through Redis. A hint and no more: a ring that
// can't be sent is dropped and counted, and the workers find the work by asking the database.
// When Redis comes back, one ring is sent for all that were dropped.
//
// Thread rule: any thread. ring() takes microseconds: a thread of ours speaks to Redis, rings that
// come faster than it sends become one. The destructor waits for at most the time limits.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "server/io/redis/doorbell.h"
#include "server/io/redis/link_watch.h"
#include "server/jobs/ports.h"

namespace pytoon::io {

class RedisBell final : public jobs::Bell {
 public:
  struct Counts {
    std::int64_t rung = 0;     // ring() was called
    std::int64_t sent = 0;     // times Redis was told
    std::int64_t dropped = 0;  // rung while Redis was missing, or lost with it
  };

  // Clock and log must outlive the bell.
  RedisBell(RedisAddress address, DoorbellOptions options, const Clock& clock, Log& log);
  ~RedisBell() override;
  RedisBell(const RedisBell&) = delete;
  RedisBell& operator=(const RedisBell&) = delete;

  void ring() override;
  LinkState state() const { return watch_.state(); }
  Counts counts() const;

 private:
  void work();
  // Sends what was rung until the connection breaks; says why it ended.
  Failure serve(RedisConnection& connection);

  const RedisAddress address_;
  const DoorbellOptions options_;
  LinkWatch watch_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Counts counts_;         // the rest is guarded by mutex_
  bool pending_ = false;  // rung and not yet sent
  bool there_ = false;    // the connection serves
  bool stopping_ = false;
  const RedisConnection* talking_ = nullptr;  // what the destructor cuts
  std::thread thread_;                        // last: it uses all of the above
};

}  // namespace pytoon::io
