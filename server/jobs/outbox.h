// What must be told to the outside: one event for each job that has a webhook and ended, committed
// with the end itself, sent by whoever leases it, kept until the receiver said yes or all attempts
// are spent: at least once, in no order, under one id through every attempt and redelivery.
//
// Thread rule and errors of the machine: as in job_store.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace pytoon::jobs {

struct Event {
  std::string id;  // of the message, unique
  std::string job_id;
  std::string tenant;  // whose job it is
  std::string url;
  std::string type;         // "job.done", "job.failed", "job.cancelled"
  std::string body;         // JSON, as it is sent
  std::string traceparent;  // of the job's trace
  WallTime created_at;
  int attempts = 0;        // begun so far, this one included
  std::int64_t epoch = 0;  // of this lease
};

// Which events to lease.
struct EventRequest {
  int limit = 1;
  std::chrono::milliseconds lease{0};
  std::vector<std::string> tenants_left_out;  // theirs stay where they are
};

struct DeadLetter {
  std::string job_id;
  std::string event_id;  // "" when it is the job itself that was quarantined
  std::string cause;
  WallTime at;
};

class Outbox {
 public:
  virtual ~Outbox() = default;

  // Leases due events; one that is neither delivered nor put off in time is given out again.
  virtual Result<std::vector<Event>> take_events(const EventRequest& request) = 0;
  virtual Status event_delivered(const Event& event) = 0;  // kConflict: leased anew
  virtual Status event_put_off(const Event& event, std::chrono::milliseconds delay) = 0;
  // Gives it up: a dead letter keeps the cause.
  virtual Status event_given_up(const Event& event, const std::string& cause) = 0;
  // Sends a job's last event again under the same id. kNotFound when it has none.
  virtual Status redeliver(const std::string& job_id) = 0;
  // Newest first.
  virtual Result<std::vector<DeadLetter>> dead_letters(int limit) = 0;
};

}  // namespace pytoon::jobs
