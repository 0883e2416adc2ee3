#include "server/http/connection_table.h"

namespace pytoon::http {
namespace {
constexpr std::chrono::milliseconds kSweepInterval{250};
}

ConnectionTable::ConnectionTable(const ConnectionLimits& limits, const Clock& clock)
    : limits_(limits), clock_(clock), sweeper_([this] { sweep(); }) {}

void ConnectionTable::add(const std::shared_ptr<Connection>& connection) {
  std::size_t all = 0;
  std::size_t of_address = 0;
  {
    const std::lock_guard lock(mutex_);
    connections_.emplace(connection.get(), connection);
    all = connections_.size();
    const std::string& client = connection->counted_by();
    if (!client.empty()) of_address = ++of_address_[client];
  }
  const bool last_ones = all > limits_.for_everybody();
  const std::size_t of_address_max = last_ones ? limits_.of_address_late() : limits_.of_address;
  if (all > limits_.all || of_address > of_address_max) return connection->reject_overload();
  if (last_ones) connection->keep_for_operators();
}

void ConnectionTable::remove(const Connection* connection) {
  const std::lock_guard lock(mutex_);
  const auto found = connections_.find(connection);
  if (found == connections_.end()) return;
  const auto counted = of_address_.find(connection->counted_by());
  if (counted != of_address_.end() && --counted->second == 0) of_address_.erase(counted);
  connections_.erase(found);
  if (connections_.empty()) changed_.notify_all();
}

std::vector<std::shared_ptr<Connection>> ConnectionTable::all() const {
  std::vector<std::shared_ptr<Connection>> list;
  const std::lock_guard lock(mutex_);
  list.reserve(connections_.size());
  for (const auto& [key, connection] : connections_) list.push_back(connection);
  return list;
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
    const auto connections = all();
    const bool crowded = connections.size() > limits_.crowd();
    for (const auto& connection : connections) connection->check_deadline(now, crowded);
  }
}

}  // namespace pytoon::http
