// All open connections, who may have one, and the thread that holds them to their time limits, four
// times a second.
//
// One client has so many connections at most, by its address. In a crowd (three quarters of the
// places are taken) a connection that shows no key is closed soon, and the last places are for
// operators: /health, /ready and the like, and admins.
//
// Thread rule: any thread.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "server/http/connection.h"

namespace pytoon::http {

struct ConnectionLimits {
  std::size_t all = 4096;
  std::size_t of_address = 512;
  std::size_t for_operators = 64;  // the last ones of all; an eighth of them at most

  std::size_t for_everybody() const { return all - std::min(for_operators, all / 8); }
  // Who has many gets none of the last ones.
  std::size_t of_address_late() const { return of_address / 8 + 1; }
  std::size_t crowd() const { return all - all / 4; }
};

class ConnectionTable {
 public:
  ConnectionTable(const ConnectionLimits& limits, const Clock& clock);
  ~ConnectionTable() { stop(); }

  // Turns it away, or bounds it, when there are too many; it is in the table all the same until it
  // is removed.
  void add(const std::shared_ptr<Connection>& connection);
  void remove(const Connection* connection);
  std::vector<std::shared_ptr<Connection>> all() const;
  bool wait_for_none(std::chrono::milliseconds patience);
  void stop();

 private:
  void sweep();

  const ConnectionLimits limits_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<const Connection*, std::shared_ptr<Connection>> connections_;
  std::unordered_map<std::string, std::size_t> of_address_;
  bool stopped_ = false;
  std::thread sweeper_;
};

}  // namespace pytoon::http
