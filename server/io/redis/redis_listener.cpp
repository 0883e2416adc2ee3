#include "server/io/redis/redis_listener.h"

#include "base/check.h"
#include "server/io/redis/quiet_thread.h"

namespace pytoon::io {
namespace {

constexpr std::chrono::hours kDeadAfter{24};  // a consumer that was not heard of for so long

}  // namespace

RedisListener::RedisListener(RedisAddress address, WakeupOptions options, std::string consumer,
                             std::function<void()> wake, const Clock& clock, Log& log)
    : address_(std::move(address)),
      options_(std::move(options)),
      consumer_(std::move(consumer)),
      wake_(std::move(wake)),
      watch_("listener", clock, log) {
  CHECK(options_.block < options_.limits.command, "a blocking read ends before the time limit");
  thread_ = quiet_thread([this] { work(); });
}

RedisListener::~RedisListener() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (talking_ != nullptr) talking_->hang_up();
  }
  changed_.notify_all();
  thread_.join();
}

void RedisListener::listen(bool wanted) {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = wanted;
  }
  changed_.notify_all();
}

std::int64_t RedisListener::received() const {
  const std::lock_guard lock(mutex_);
  return heard_;
}

void RedisListener::work() {
  Backoff backoff(options_.backoff, seed_from(consumer_));
  for (;;) {
    Result<RedisConnection> connection = RedisConnection::open(address_, options_.limits);
    const Failure why = connection ? serve(*connection) : connection.failure();
    std::unique_lock lock(mutex_);
    if (stopping_) return;
    if (there_) backoff.reset();
    there_ = false;
    watch_.down(why.detail);
    changed_.wait_for(lock, backoff.next(), [this] { return stopping_; });
    if (stopping_) return;
  }
}

Failure RedisListener::serve(RedisConnection& connection) {
  {
    const std::lock_guard lock(mutex_);
    talking_ = &connection;
  }
  Status fine = join(connection);
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (!fine || stopping_) {
        talking_ = nullptr;
        return fine ? Failure{} : fine.failure();
      }
      there_ = true;
    }
    watch_.up();
    fine = wanted_after_pause() ? read_once(connection) : ping(connection);
  }
}

Status RedisListener::join(RedisConnection& connection) {
  if (Status made = make_group(connection, options_, "$"); !made) return made;
  if (Status tidied = forget_consumers(connection, options_, kDeadAfter); !tidied) return tidied;
  wake_();
  return ok_status();
}

bool RedisListener::wanted_after_pause() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, options_.probe, [this] { return wanted_ || stopping_; });
  return wanted_ && !stopping_;
}

// NOACK: the entry is acknowledged as it is read.
Status RedisListener::read_once(RedisConnection& connection) {
  const Result<RedisReply> read = connection.run(
      {"XREADGROUP", "GROUP", options_.group, consumer_, "COUNT", "1", "BLOCK",
       std::to_string(options_.block.count()), "NOACK", "STREAMS", options_.stream, ">"});
  if (read) return read->is_nil() ? ok_status() : on_wakeup(connection);
  // The stream was deleted or Redis flushed, before the call or while it blocked. What was notified
  // since then is in the stream that was made anew: hence from its beginning.
  if (redis_said(read.failure(), "NOGROUP") || redis_said(read.failure(), "UNBLOCKED")) {
    if (Status made = make_group(connection, options_, "0"); !made) return made;
    wake_();
    return ok_status();
  }
  return read.failure();
}

Status RedisListener::on_wakeup(RedisConnection& connection) {
  bool wanted = false;
  {
    const std::lock_guard lock(mutex_);
    wanted = wanted_;
    if (wanted) ++heard_;
  }
  if (!wanted) return add_entries(connection, options_, 1);
  wake_();
  return ok_status();
}

}  // namespace pytoon::io
