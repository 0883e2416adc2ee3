// All open connections, and the thread that holds them to their time limits, four times a second.
//
// Thread rule: any thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "server/http/connection.h"

namespace pytoon::http {

class ConnectionTable {
 public:
  explicit ConnectionTable(const Clock& clock);
  ~ConnectionTable() { stop(); }

  void add(std::shared_ptr<Connection> connection);
  void remove(const Connection* connection);
  std::vector<std::shared_ptr<Connection>> all() const;
  std::size_t size() const;
  bool wait_for_none(std::chrono::milliseconds patience);
  void stop();

 private:
  void sweep();

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<const Connection*, std::shared_ptr<Connection>> connections_;
  bool stopped_ = false;
  std::thread sweeper_;
};

}  // namespace pytoon::http
