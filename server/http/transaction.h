// One request and its answer, and the count of those under way.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "server/http/access_record.h"
#include "server/http/body_reader.h"
#include "server/http/request_gate.h"

namespace pytoon::http {

// How many transactions are under way. Thread rule: any thread.
class InFlight {
 public:
  // Counts while it lives.
  class Token {
   public:
    explicit Token(InFlight& owner) : owner_(owner) { owner_.add(1); }
    ~Token() { owner_.add(-1); }
    Token(const Token&) = delete;
    Token& operator=(const Token&) = delete;

   private:
    InFlight& owner_;
  };

  int count() const;
  // True when none is under way within the time.
  bool wait_for_none(std::chrono::milliseconds patience);

 private:
  void add(int change);

  mutable std::mutex mutex_;
  std::condition_variable none_;
  int count_ = 0;
};

struct Transaction {
  Transaction(InFlight& in_flight, SteadyTime started) : token(in_flight), started_at(started) {}

  InFlight::Token token;
  const SteadyTime started_at;
  std::string method = "-";
  std::string route = "unmatched";
  std::string trace_id;  // "" where the head could not be read
  std::string plan;
  std::vector<Header> headers;  // of the answer, whatever it is
  bool head_only = false;
  bool keep_alive = false;
  int status = 0;
  std::uint64_t bytes = 0;
  std::unique_ptr<Admitted> admitted;
  std::unique_ptr<BodyReader> body;
};

// Tells the observer of every transaction and the log of those that change something or fail.
class AccessLog {
 public:
  AccessLog(Log& log, std::function<void(const AccessRecord&)> observer)
      : log_(log), observer_(std::move(observer)) {}

  void record(const Transaction& transaction, SteadyTime now, bool whole);

 private:
  Log& log_;
  const std::function<void(const AccessRecord&)> observer_;
};

}  // namespace pytoon::http
