#include "server/http/connection_table.h"

namespace pytoon::http {
namespace {
constexpr std::chrono::milliseconds kSweepInterval{250};
}

ConnectionTable::ConnectionTable(const Clock& clock)
    : clock_(clock), sweeper_([this] { sweep(); }) {}

void ConnectionTable::add(std::shared_ptr<Connection> connection) {
  const std::lock_guard lock(mutex_);
  const Connection* const key = connection.get();
  connections_.emplace(key, std::move(connection));
}

void ConnectionTable::remove(const Connection* connection) {
  const std::lock_guard lock(mutex_);
  connections_.erase(connection);
  if (connections_.empty()) changed_.notify_all();
}

std::vector<std::shared_ptr<Connection>> ConnectionTable::all() const {
  std::vector<std::shared_ptr<Connection>> list;
  const std::lock_guard lock(mutex_);
  list.reserve(connections_.size());
  for (const auto& [key, connection] : connections_) list.push_back(connection);
  return list;
}

std::size_t ConnectionTable::size() const {
  const std::lock_guard lock(mutex_);
  return connections_.size();
}

bool ConnectionTable::wait_for_none(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [this] { return connections_.empty(); });
}

void ConnectionTable::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  if (sweeper_.joinable()) sweeper_.join();
}

void ConnectionTable::sweep() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, kSweepInterval, [this] { return stopped_; });
      if (stopped_) return;
    }
    const SteadyTime now = clock_.steady_now();
    for (const auto& connection : all()) connection->check_deadline(now);
  }
}

}  // namespace pytoon::http
