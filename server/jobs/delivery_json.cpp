// Webhook deliveries as people see them.
#include <nlohmann/json.hpp>

#include "base/web_address.h"
#include "server/jobs/name_table.h"
#include "server/jobs/or_null.h"
#include "server/jobs/outbox.h"

namespace pytoon::jobs {
namespace {

constexpr std::array kNames{
    Name<DeliveryState>{DeliveryState::kPending, "pending"},
    Name<DeliveryState>{DeliveryState::kSending, "sending"},
    Name<DeliveryState>{DeliveryState::kDelivered, "delivered"},
    Name<DeliveryState>{DeliveryState::kGivenUp, "given_up"},
};

}  // namespace

std::string_view name_of(DeliveryState state) { return name_in(kNames, state); }

std::optional<DeliveryState> delivery_state_from_name(std::string_view name) {
  return value_in(kNames, name);
}

nlohmann::ordered_json to_json(const Delivery& delivery) {
  const Result<WebAddress> receiver = parse_web_address(delivery.url);
  return {{"event_id", delivery.event_id},
          {"job_id", delivery.job_id},
          {"tenant", delivery.tenant},
          {"receiver", receiver ? receiver->origin : ""},
          {"type", delivery.type},
          {"state", name_of(delivery.state)},
          {"attempts", delivery.attempts},
          {"last_error", text_or_null(delivery.last_error)},
          {"tried_at", time_or_null(delivery.tried_at)},
          {"next_try_at", time_or_null(delivery.next_try_at)},
          {"created_at", iso8601(delivery.created_at)}};
}

}  // namespace pytoon::jobs
