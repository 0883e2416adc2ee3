// One S3 server for all cases of a program, and a bucket of its own for each store under test.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/curl_client.h"
#include "server/io/storage/s3_storage.h"
#include "tests/support/s3_server.h"
#include "tests/support/tcp_gate.h"
#include "tests/support/temporary_folder.h"

namespace pytoon::io {

support::S3Server& the_s3_server();  // started by the first who asks

// A clock that can be wrong.
class ShiftedClock final : public Clock {
 public:
  WallTime now() const override { return real_.now() + shift; }
  SteadyTime steady_now() const override { return real_.steady_now(); }
  void sleep_for(std::chrono::milliseconds duration) override { real_.sleep_for(duration); }
  std::chrono::seconds shift{0};

 private:
  SystemClock real_;
};

// A store in a fresh bucket, behind a gate. Small parts, little patience.
class S3Rig {
 public:
  S3Rig();

  S3Options options_for(int port) const;
  std::unique_ptr<S3Storage> open(const S3Options& options);

  support::TemporaryFolder folder;
  const std::string bucket;
  CurlClient http;
  ShiftedClock clock;
  support::TcpGate gate{the_s3_server().port()};
  S3Options options;  // through the gate
  std::unique_ptr<S3Storage> storage;
};

}  // namespace pytoon::io
