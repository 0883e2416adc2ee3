// The contract of the store, asked of every database: what a test of it needs.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/io/open_store.h"
#include "tests/server/jobs/samples.h"

namespace pytoon::testing_support {

inline constexpr jobs::QueueLimits kPlenty{100'000, 100'000};
inline constexpr std::chrono::milliseconds kLease{20'000};
inline constexpr std::chrono::milliseconds kAtOnce{0};

// A store and what stands outside of it.
struct StoreUnderTest {
  std::unique_ptr<io::SqlStore> store;
  // What an operator types into sqlite3 or psql.
  std::function<void(const std::string& sql)> by_hand;
  // Lets time go by as the store sees it.
  std::function<void(std::chrono::milliseconds)> advance;
};

struct StoreMaker {
  std::string name;
  std::function<StoreUnderTest(HandClock& clock, const std::filesystem::path& folder)> make;
};
void PrintTo(const StoreMaker& maker, std::ostream* out);

std::vector<StoreMaker> all_stores();

class StoreContract : public testing::TestWithParam<StoreMaker> {
 protected:
  void SetUp() override;

  void create(const std::string& id, const std::string& tenant = "acme", int priority = 5,
              int segments = 3);
  // Creates it with a webhook.
  void create_told(const std::string& id);

  std::optional<jobs::LeasedTask> try_lease(const jobs::LeaseRequest& request);
  jobs::LeasedTask lease(const std::string& worker_id = "worker");  // of any work
  jobs::LeasedTask lease(jobs::TaskKind kind, const std::string& worker_id = "worker");
  bool nothing_to_lease();

  // Ends a prepare task: all footage decided, or none.
  void prepare(const jobs::LeasedTask& leased, bool decided = true, bool audio = false);
  void render(const jobs::LeasedTask& leased);
  // A job with its prepare task behind it.
  void create_prepared(const std::string& id, int segments = 3, bool audio = false);
  void walk_to_done(const std::string& id);

  jobs::Job job(const std::string& id);
  std::vector<jobs::Segment> segments(const std::string& id);
  void fail_by_hand(const std::string& id, const std::string& error);
  void advance(std::chrono::milliseconds time) { made_.advance(time); }

  HandClock clock_;
  TemporaryFolder folder_;
  StoreUnderTest made_;
  io::SqlStore* store_ = nullptr;
};

// kConflict and nothing else.
testing::AssertionResult refused(const Status& status);
jobs::LeaseRequest any_hand(const std::string& worker_id = "worker");

}  // namespace pytoon::testing_support
