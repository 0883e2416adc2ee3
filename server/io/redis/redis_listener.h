// Hears the wake-up channel: calls `wake` when there may be work. Never the only way to find work,
// since a wake-up may be lost with Redis: whoever is woken also asks the database now and then.
//
// `wake` is called from the listener's own thread, never two at a time, and must return soon; it is
// also called after every connect, since wake-ups may have gone unheard. While its process has no
// idle render thread (listen(false)) the listener reads nothing, so that the entry wakes another
// worker; one that was read at that very moment is put back.
//
// Thread rule: any thread. The destructor waits for at most the time limits of a connect.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "server/io/redis/link_watch.h"
#include "server/io/redis/wakeup_channel.h"

namespace pytoon::io {

class RedisListener {
 public:
  // consumer: this process' own name, as in its leases. Clock and log must outlive the listener.
  RedisListener(RedisAddress address, WakeupOptions options, std::string consumer,
                std::function<void()> wake, const Clock& clock, Log& log);
  ~RedisListener();
  RedisListener(const RedisListener&) = delete;
  RedisListener& operator=(const RedisListener&) = delete;

  void listen(bool wanted);  // true at first
  LinkState state() const { return watch_.state(); }
  std::int64_t received() const;  // entries that woke us

 private:
  void work();
  // Serves until the connection breaks or the listener ends; says why.
  Failure serve(RedisConnection& connection);
  Status join(RedisConnection& connection);
  Status read_once(RedisConnection& connection);
  Status on_wakeup(RedisConnection& connection);
  // A quiet spell of at most `probe`; whether entries are wanted after it.
  bool wanted_after_pause();

  const RedisAddress address_;
  const WakeupOptions options_;
  const std::string consumer_;
  const std::function<void()> wake_;
  LinkWatch watch_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t heard_ = 0;  // the rest is guarded by mutex_
  bool wanted_ = true;
  bool there_ = false;
  bool stopping_ = false;
  const RedisConnection* talking_ = nullptr;  // what the destructor cuts
  std::thread thread_;                        // last: it uses all of the above
};

}  // namespace pytoon::io
