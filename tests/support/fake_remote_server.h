// A remote engine for tests that speaks the generic schema (docs/remote-engines.md): strict about
// its key and its requests, counting what it would have been paid for.
//
// Thread rule: change `plan` only while no request is under way, or before the first. After one
// that was left without its answer, look and change under between_calls().
#pragma once

#include <atomic>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/fake_http_server.h"

namespace pytoon::support {

struct RemotePlan {
  enum class Fault {
    kNone,
    kBusy,         // 429 with Retry-After
    kServerError,  // 500; the order is not taken
    kLostAnswer,   // the order is taken, the connection dropped
    kHangs,        // the order is taken, the connection hangs
    kRefuses,      // 422
    kFails,        // the order ends as failed
    kForgets,      // the order is unknown afterwards
    kPollErrors,   // 502 to polls
    kHtml,         // a web page in place of the video
    kCut,
    kTrickle,
    kHuge,
    kRedirect,  // of the video, to `redirect_to`
    kLink,      // the video's link is `redirect_to`
    kNoVideo,   // succeeded, no link
    kGarbage,   // polls answered with what is no JSON
    kUnfinished,
    kSick,          // health check 500
    kUncancelable,  // as kUnfinished, and 409 to a cancel
  };
  Fault fault = Fault::kNone;
  int times = 1'000'000;
  int looks = 2;
  bool honours_idempotency = true;
  std::string clip = "clip";
  std::string redirect_to;
};

class FakeRemoteServer {
 public:
  static constexpr const char* kKey = "remote-key";

  FakeRemoteServer();

  std::string url() const { return server_.url(); }
  int connections() const { return server_.connections(); }
  int taken() const { return taken_; }  // orders; from any thread
  void stop() { server_.stop(); }
  std::unique_lock<std::mutex> between_calls() { return server_.between_calls(); }

  RemotePlan plan;
  int paid = 0;
  std::vector<nlohmann::json> orders;
  std::vector<std::string> keys;  // of idempotency, one an order sent
  std::vector<std::string> images;
  std::vector<std::string> cancelled;
  std::vector<std::string> faults;

 private:
  Reply answer(const Call& call);
  Reply take_order(const Call& call);
  Reply show(const std::string& id);
  Reply video();
  bool faulty(RemotePlan::Fault fault);

  std::atomic<int> taken_{0};
  std::map<std::string, int> looks_;           // by id
  std::map<std::string, std::string> by_key_;  // idempotency key -> id
  FakeHttpServer server_;
};

}  // namespace pytoon::support
