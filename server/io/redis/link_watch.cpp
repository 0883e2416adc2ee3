#include "server/io/redis/link_watch.h"

#include <nlohmann/json.hpp>

namespace pytoon::io {

LinkWatch::LinkWatch(std::string what, const Clock& clock, Log& log)
    : what_(std::move(what)), clock_(clock), log_(log) {
  state_.since = clock_.now();
}

void LinkWatch::up() {
  const std::lock_guard lock(mutex_);
  if (known_ && state_.connected) return;
  nlohmann::ordered_json fields{{"for", what_}};
  const std::chrono::duration<double> missing = clock_.now() - state_.since;
  if (known_) fields["missing_seconds"] = in_thousandths(missing.count());
  known_ = true;
  state_.connected = true;
  state_.since = clock_.now();
  state_.detail.clear();
  ++state_.connects;
  log_.info("redis_connected", fields);
}

void LinkWatch::down(const std::string& detail) {
  const std::lock_guard lock(mutex_);
  const bool news = !known_ || state_.connected;
  state_.detail = detail;
  ++state_.failures;
  if (!news) return;
  known_ = true;
  state_.connected = false;
  state_.since = clock_.now();
  log_.warning(
      "redis_missing",
      {{"for", what_}, {"detail", detail}, {"effect", "work is found by asking the database"}});
}

LinkState LinkWatch::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

}  // namespace pytoon::io
