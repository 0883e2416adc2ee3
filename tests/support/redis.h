// A Redis of the test's own: on a free port of 127.0.0.1, in a temporary folder, nothing saved.
// The test fails, rather than being skipped, where redis-server is missing.
//
// Thread rule: one thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/child_process.h"

namespace pytoon::support {

class PrivateRedis {
 public:
  // Waits until it answers. options: as on its command line ("--requirepass", "secret").
  explicit PrivateRedis(std::vector<std::string> options = {});
  ~PrivateRedis();

  int port() const { return port_; }
  std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }
  void kill();     // SIGKILL
  void restart();  // kill(), then again on the same port, empty; waits until it answers
  void pause();    // SIGSTOP: the connections stay, nothing is answered
  void resume();

 private:
  void start();

  const std::vector<std::string> options_;
  std::filesystem::path folder_;
  int port_ = 0;
  ChildProcess process_;
};

}  // namespace pytoon::support
