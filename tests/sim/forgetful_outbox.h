// The outbox taken out, as a mutation: an event that was handed out is struck from the record at
// once and lives on in the memory of its process, put off there and sent again from there. A
// process that dies forgets it.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "server/jobs/outbox.h"

namespace pytoon::sim {

class ForgetfulOutbox final : public jobs::Outbox {
 public:
  ForgetfulOutbox(jobs::Outbox& real, const Clock& clock) : real_(real), clock_(clock) {}

  Result<std::vector<jobs::Event>> take_events(const jobs::EventRequest& request) override {
    auto fresh = real_.take_events(request);
    if (!fresh) return fresh;
    for (const jobs::Event& event : *fresh) {
      (void)real_.event_delivered(event);
      remembered_.push_back({event, clock_.steady_now()});
    }
    const auto due = std::find_if(remembered_.begin(), remembered_.end(), [&](const auto& one) {
      return one.second <= clock_.steady_now();
    });
    if (due == remembered_.end()) return std::vector<jobs::Event>();
    due->second = clock_.steady_now() + request.lease;
    return std::vector<jobs::Event>{due->first};
  }
  Status event_delivered(const jobs::Event& event) override {
    forget(event);
    return ok_status();
  }
  Status event_put_off(const jobs::Event& event, std::chrono::milliseconds delay,
                       const std::string& /*reason*/) override {
    forget(event);
    remembered_.push_back({event, clock_.steady_now() + delay});
    return ok_status();
  }
  Status event_given_up(const jobs::Event& event, const std::string& cause) override {
    forget(event);
    return real_.event_given_up(event, cause);
  }
  Status redeliver(const std::string& job_id) override { return real_.redeliver(job_id); }
  Result<std::vector<jobs::Delivery>> deliveries(const jobs::DeliveryQuery& query) override {
    return real_.deliveries(query);
  }
  Result<std::vector<jobs::DeadLetter>> dead_letters(int limit) override {
    return real_.dead_letters(limit);
  }

 private:
  void forget(const jobs::Event& event) {
    std::erase_if(remembered_, [&](const auto& one) { return one.first.id == event.id; });
  }

  jobs::Outbox& real_;
  const Clock& clock_;
  std::vector<std::pair<jobs::Event, SteadyTime>> remembered_;  // and when it is due
};

}  // namespace pytoon::sim
