// A real S3 server of the test's own: Ceph's object gateway over a one-disk cluster in memory, on
// free ports of 127.0.0.1. It checks every signature and checksum and takes multipart uploads as
// Amazon does. Takes about ten seconds to start: one for all tests of a program.
//
// The test fails, rather than being skipped, where the packages ceph-mon, ceph-osd and radosgw are
// missing. Thread rule: one thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/child_process.h"

namespace pytoon::support {

class S3Server {
 public:
  S3Server();
  ~S3Server();

  bool started() const { return started_; }
  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  static constexpr const char* kKeyId = "TESTKEY";
  static constexpr const char* kSecret = "test-secret";
  std::string log() const;  // what the programs said, for a failure's message

 private:
  void write_settings() const;
  bool make_cluster();
  bool start_gateway();
  int run(const std::vector<std::string>& command) const;
  std::vector<std::string> with_settings(std::vector<std::string> command) const;

  std::filesystem::path folder_;
  std::string cluster_id_;
  int monitor_port_ = 0;
  int port_ = 0;
  bool started_ = false;
  ChildProcess monitor_;
  ChildProcess disk_;
  ChildProcess gateway_;
};

}  // namespace pytoon::support
