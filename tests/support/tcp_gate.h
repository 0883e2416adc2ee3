// A faulty network between a client and a server on this machine: connections to the gate's port
// are carried on to the target, slowly, damaged or not at all, as told. For Redis, PostgreSQL, S3
// and HTTP alike: it knows nothing of what it carries. As a program: tcp_gate_main.cpp.
//
// Thread rule: any thread; one thread of its own carries. set() and cut() return when they have
// taken effect, within 20 ms, also on connections that are open.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/files.h"

namespace pytoon::support {

struct GateFaults {
  std::chrono::milliseconds delay{0};  // added each way
  std::int64_t bytes_per_second = 0;   // of each way of a connection; 0: as fast as it goes
  std::int64_t corrupt_every = 0;      // a bit of every so-manieth byte is turned; 0: none
  std::int64_t cut_after = 0;          // resets a connection that carried so many bytes; 0: never
  bool refuse = false;                 // new connections are reset at once, open ones too
  bool hold = false;                   // connections stay, nothing passes
};

class TcpGate {
 public:
  explicit TcpGate(int target_port);
  ~TcpGate();
  TcpGate(const TcpGate&) = delete;
  TcpGate& operator=(const TcpGate&) = delete;

  int port() const { return port_; }
  void set(const GateFaults& faults);
  void cut();  // resets all open connections; new ones pass as before
  int connections() const { return connections_; }  // that were ever accepted
  std::int64_t bytes() const { return bytes_; }     // that were passed on, both ways

 private:
  struct Pair;

  void work();
  void wait_until_done(std::int64_t told);
  void accept_one(const GateFaults& faults);
  bool carry(Pair& pair, const GateFaults& faults);  // false: the pair is done

  const int target_port_;
  int port_ = 0;
  SystemClock clock_;
  FileDescriptor listener_;
  std::atomic<int> connections_{0};
  std::atomic<std::int64_t> bytes_{0};
  std::mutex mutex_;
  GateFaults faults_;                  // guarded by mutex_
  std::int64_t told_ = 0;              // guarded by mutex_; set() and cut() so far
  std::atomic<std::int64_t> done_{0};  // of those
  bool cutting_ = false;               // guarded by mutex_
  std::atomic<bool> stopping_{false};
  std::list<Pair> pairs_;  // the thread's own
  std::thread thread_;
};

}  // namespace pytoon::support
