// What must be told to the outside: one event for each job that has a webhook and ended, committed
// with the end itself, sent by whoever leases it, kept until the receiver said yes or all attempts
// are spent: at least once, in no order, under one id through every attempt and redelivery.
//
// Thread rule and errors of the machine: as in job_store.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
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

enum class DeliveryState {
  kPending,    // waits for its next attempt
  kSending,    // an attempt is under way
  kDelivered,  // the receiver said yes
  kGivenUp,    // a dead letter
};

std::string_view name_of(DeliveryState state);  // "given_up"
std::optional<DeliveryState> delivery_state_from_name(std::string_view name);

// An event as those see it who ask what became of it.
struct Delivery {
  std::string event_id;
  std::string job_id;
  std::string tenant;
  std::string url;
  std::string type;
  DeliveryState state = DeliveryState::kPending;
  int attempts = 0;                     // begun since it was last asked for
  std::string last_error;               // of the latest attempt that failed; "" for none
  std::optional<WallTime> tried_at;     // when the latest attempt began
  std::optional<WallTime> next_try_at;  // of a pending one
  WallTime created_at;
};

// Which deliveries to show, newest first.
struct DeliveryQuery {
  std::string job_id;                  // "": of all jobs
  std::optional<DeliveryState> state;  // kPending also finds those that are being sent
  int limit = 50;
};

class Outbox {
 public:
  virtual ~Outbox() = default;

  // Leases due events; one that is neither delivered nor put off in time is given out again.
  virtual Result<std::vector<Event>> take_events(const EventRequest& request) = 0;
  virtual Status event_delivered(const Event& event) = 0;  // kConflict: leased anew
  // `reason` is why the attempt failed; "" when it was none and tells nothing.
  virtual Status event_put_off(const Event& event, std::chrono::milliseconds delay,
                               const std::string& reason) = 0;
  // Gives it up: a dead letter keeps the cause.
  virtual Status event_given_up(const Event& event, const std::string& cause) = 0;
  // Sends a job's last event again under the same id. kNotFound when it has none.
  virtual Status redeliver(const std::string& job_id) = 0;
  virtual Result<std::vector<Delivery>> deliveries(const DeliveryQuery& query) = 0;
  // Newest first.
  virtual Result<std::vector<DeadLetter>> dead_letters(int limit) = 0;
};

// With the receiver's origin in place of its URL, whose path and query may hold secrets.
nlohmann::ordered_json to_json(const Delivery& delivery);

}  // namespace pytoon::jobs
