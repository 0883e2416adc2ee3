#include "pipeline/media/encoder_sessions.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace pytoon::media {
namespace {

constexpr std::chrono::milliseconds kLook{50};  // how late a cancelled wait ends

}  // namespace

EncoderSessions::EncoderSessions(int most)
    : most_(most > 0 ? most : std::numeric_limits<int>::max()), limit_(most_) {}

Result<EncoderSessions::Session> EncoderSessions::acquire(const CancelToken& cancel) {
  std::unique_lock lock(mutex_);
  while (open_ >= limit_) {
    if (cancel.cancelled()) return failure(FailureKind::kCancelled, "rendering was cancelled");
    freed_.wait_for(lock, kLook);
  }
  ++open_;
  return Session(*this);
}

bool EncoderSessions::retreat(Session refused) {
  bool others = false;
  {
    const std::lock_guard lock(mutex_);
    others = open_ > 1;
    if (others) limit_ = std::min(limit_, open_ - 1);
  }
  const Session gone = std::move(refused);
  return others;
}

void EncoderSessions::give_back() {
  const std::lock_guard lock(mutex_);
  --open_;
  // What was learned may have been another program's doing: forget it when we hold nothing.
  if (open_ == 0) limit_ = most_;
  freed_.notify_all();
}

int EncoderSessions::open() const {
  const std::lock_guard lock(mutex_);
  return open_;
}

int EncoderSessions::limit() const {
  const std::lock_guard lock(mutex_);
  return limit_;
}

}  // namespace pytoon::media
