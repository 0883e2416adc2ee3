#include "server/io/redis/redis_notifier.h"

#include "server/io/redis/quiet_thread.h"

namespace pytoon::io {

RedisNotifier::RedisNotifier(RedisAddress address, WakeupOptions options, const Clock& clock,
                             Log& log)
    : address_(std::move(address)), options_(std::move(options)), watch_("notifier", clock, log) {
  thread_ = quiet_thread([this] { work(); });
}

RedisNotifier::~RedisNotifier() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (talking_ != nullptr) talking_->hang_up();
  }
  changed_.notify_all();
  thread_.join();
}

void RedisNotifier::notify() {
  {
    const std::lock_guard lock(mutex_);
    ++counts_.notified;
    if (there_) {
      pending_ = true;
    } else {
      ++counts_.dropped;
    }
  }
  changed_.notify_all();
}

RedisNotifier::Counts RedisNotifier::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void RedisNotifier::work() {
  Backoff backoff(options_.backoff, options_.backoff_seed);
  for (;;) {
    Result<RedisConnection> connection = RedisConnection::open(address_, options_.limits);
    Failure why = connection ? serve(*connection) : connection.failure();
    std::unique_lock lock(mutex_);
    if (stopping_) return;
    if (there_) backoff.reset();
    there_ = false;
    watch_.down(why.detail);
    changed_.wait_for(lock, backoff.next(), [this] { return stopping_; });
    if (stopping_) return;
  }
}

Failure RedisNotifier::serve(RedisConnection& connection) {
  {
    const std::lock_guard lock(mutex_);
    talking_ = &connection;
  }
  // The first wake-up makes up for those that were dropped, and shows whether Redis takes entries
  // at all: it may be a replica, full, or loading.
  bool notified = true;
  Status told = add_entries(connection, options_, options_.workers_woken);
  for (;;) {
    std::unique_lock lock(mutex_);
    if (!told || stopping_) {
      if (notified && there_) ++counts_.dropped;
      pending_ = false;
      talking_ = nullptr;
      return told ? Failure{} : told.failure();
    }
    if (notified) ++counts_.sent;
    there_ = true;
    watch_.up();
    changed_.wait_for(lock, options_.probe, [this] { return pending_ || stopping_; });
    notified = std::exchange(pending_, false);
    lock.unlock();
    told = notified ? add_entries(connection, options_, options_.workers_woken) : ping(connection);
  }
}

}  // namespace pytoon::io
