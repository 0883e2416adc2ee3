// A TCP gate before PostgreSQL that can cut a connection at the very moment of a commit: before the
// server hears of it, or before the client hears the answer.
//
// Thread rule: its methods from the test's thread.
#pragma once

#include <atomic>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

namespace pytoon::testing_support {

class CommitGate {
 public:
  explicit CommitGate(int server_port);
  ~CommitGate();
  CommitGate(const CommitGate&) = delete;
  CommitGate& operator=(const CommitGate&) = delete;

  int port() const { return port_; }
  void cut_next_commit(bool reaches_server);
  void cut_all();  // the connections there are now

 private:
  enum class Plan { kNone, kBeforeServer, kBeforeClient };
  struct Link {
    int client = -1;
    int server = -1;
    std::thread thread;
  };

  void listen();
  void relay(Link& link);
  // False when the link is to be cut now.
  bool pass(const Link& link, bool from_client, bool& awaited);

  const int server_port_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<Plan> plan_{Plan::kNone};
  std::atomic<bool> over_{false};
  std::mutex mutex_;
  std::list<Link> links_;
  std::thread thread_;
};

}  // namespace pytoon::testing_support
