// Webhook deliveries as people see them.
#include <array>
#include <nlohmann/json.hpp>

#include "base/web_address.h"
#include "server/jobs/or_null.h"
#include "server/jobs/outbox.h"

namespace pytoon::jobs {
namespace {

constexpr std::array<std::string_view, 4> kNames{"pending", "sending", "delivered", "given_up"};

}  // namespace

std::string_view name_of(DeliveryState state) { return kNames.at(static_cast<std::size_t>(state)); }

std::optional<DeliveryState> delivery_state_from_name(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames.at(i) == name) return static_cast<DeliveryState>(i);
  }
  return std::nullopt;
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
