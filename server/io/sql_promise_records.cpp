#include "server/io/sql_promise_records.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "server/io/sql_records.h"

namespace pytoon::io {

using jobs::admission::EndpointSample;
using jobs::admission::LedgerRow;
using jobs::admission::Promise;
using jobs::admission::Sample;
using nlohmann::json;

const char* const kPromiseColumns =
    "p.epoch, p.gpu, p.worker_id, p.task, p.lane, p.bytes, p.model, p.encoder_sessions, "
    "p.given_at, p.ends_at, p.expires_at, p.released_at";

namespace {

constexpr std::size_t kCardColumns = 12;  // before the promise's

json json_of(const EndpointSample& endpoint) {
  json models = json::array();
  for (const auto& model : endpoint.models) models.push_back({model.model, model.bytes});
  return {{"state", static_cast<int>(endpoint.state)},
          {"dynamic_vram", endpoint.dynamic_vram},
          {"restartable", endpoint.restartable},
          {"running", endpoint.running},
          {"working", endpoint.working},
          {"fill", endpoint.fill},
          {"residue", endpoint.residue},
          {"models", std::move(models)}};
}

EndpointSample endpoint_from(const json& fields) {
  EndpointSample endpoint;
  const int state = fields.at("state");
  if (state < 0 || state > static_cast<int>(EndpointSample::State::kBusy)) {
    throw DatabaseError(FailureKind::kInternal, "a card's endpoint is in no known state");
  }
  endpoint.state = static_cast<EndpointSample::State>(state);
  endpoint.dynamic_vram = fields.at("dynamic_vram");
  endpoint.restartable = fields.at("restartable");
  endpoint.running = fields.at("running");
  endpoint.working = fields.at("working");
  endpoint.fill = fields.at("fill");
  endpoint.residue = fields.at("residue");
  for (const json& model : fields.at("models")) {
    endpoint.models.push_back({model.at(0), model.at(1)});
  }
  return endpoint;
}

// What the query of read_rows gives before the promise.
LedgerRow card_from(const Row& row) {
  LedgerRow card;
  card.state.uuid = row.text(0);
  card.state.sample = sample_from(row.text(1), row.integer(2));
  card.state.foreign_at_last_promise = row.integer(3);
  card.violated = row.integer(4) != 0;
  card.headroom_used = row.integer(5) != 0;
  if (!row.is_null(7)) {
    card.state.room =
        jobs::admission::RoomMaking{row.text(6), time_from(row.integer(7)), row.integer(8) != 0};
  }
  if (!row.is_null(9)) {
    card.state.reservation =
        jobs::admission::Reservation{row.text(9), row.integer(10), time_from(row.integer(11))};
  }
  return card;
}

std::string select_cards() {
  return std::string(
             "SELECT g.uuid, g.sample, g.sampled_at, g.foreign_at_last_promise, g.violated, "
             "g.headroom_used, g.room_task, g.room_asked_at, g.room_finished, r.task, r.bytes, "
             "r.expires_at, ") +
         kPromiseColumns +
         " FROM gpus g LEFT JOIN gpu_reservations r ON r.gpu = g.uuid "
         "LEFT JOIN promises p ON p.gpu = g.uuid ";
}

std::vector<LedgerRow> cards_from(const Rows& rows) {
  std::vector<LedgerRow> cards;
  for (const Row& row : rows) {
    if (cards.empty() || cards.back().state.uuid != row.text(0)) cards.push_back(card_from(row));
    if (!row.is_null(kCardColumns)) {
      cards.back().state.promises.push_back(read_promise(row, kCardColumns));
    }
  }
  return cards;
}

}  // namespace

std::string text_of(const Sample& sample) {
  json held = json::array();
  for (const auto& one : sample.held) held.push_back({one.epoch, one.bytes});
  const json fields{{"name", sample.name},
                    {"total", sample.total},
                    {"free", sample.free},
                    {"contexts", sample.contexts},
                    {"foreign", sample.foreign},
                    {"encoder_sessions", sample.encoder_sessions},
                    {"encoder_sessions_max", sample.encoder_sessions_max},
                    {"encoder_sessions_foreign", sample.encoder_sessions_foreign},
                    {"held", std::move(held)},
                    {"endpoint", json_of(sample.endpoint)}};
  return json_text(fields);
}

Sample sample_from(const std::string& text, std::int64_t sampled_at) {
  try {
    const json fields = parse_json<json>(text);
    Sample sample;
    sample.at = time_from(sampled_at);
    // Samples of before these were told may lie there, of cards that are gone.
    sample.name = fields.value("name", "");
    sample.encoder_sessions = fields.value("encoder_sessions", -1);
    sample.total = fields.at("total");
    sample.free = fields.at("free");
    sample.contexts = fields.at("contexts");
    sample.foreign = fields.at("foreign");
    sample.encoder_sessions_max = fields.at("encoder_sessions_max");
    sample.encoder_sessions_foreign = fields.at("encoder_sessions_foreign");
    for (const json& one : fields.at("held")) sample.held.push_back({one.at(0), one.at(1)});
    sample.endpoint = endpoint_from(fields.at("endpoint"));
    return sample;
  } catch (const json::exception& error) {
    throw DatabaseError(FailureKind::kInternal,
                        std::string("a card's sample can't be read: ") + error.what());
  }
}

std::vector<LedgerRow> read_card(SqlSession& session, const std::string& gpu) {
  static const std::string sql = select_cards() + "WHERE g.uuid = ? ORDER BY p.epoch";
  return cards_from(session.query(sql, {gpu}));
}

std::vector<LedgerRow> read_cards(SqlSession& session) {
  static const std::string sql = select_cards() + "ORDER BY g.uuid, p.epoch";
  return cards_from(session.query(sql));
}

Promise read_promise(const Row& row, std::size_t first) {
  Promise promise;
  promise.epoch = row.integer(first);
  promise.gpu = row.text(first + 1);
  promise.worker_id = row.text(first + 2);
  promise.task = row.text(first + 3);
  const auto lane = jobs::admission::lane_from_name(row.text(first + 4));
  if (!lane) throw DatabaseError(FailureKind::kInternal, "a promise is of no known lane");
  promise.lane = *lane;
  promise.bytes = row.integer(first + 5);
  promise.model = row.text(first + 6);
  promise.encoder_sessions = row.small(first + 7);
  promise.given_at = time_from(row.integer(first + 8));
  promise.ends_at = time_from(row.integer(first + 9));
  promise.expires_at = time_from(row.integer(first + 10));
  if (!row.is_null(first + 11)) promise.released_at = time_from(row.integer(first + 11));
  return promise;
}

void insert_promise(SqlSession& session, const Promise& promise) {
  session.run(
      "INSERT INTO promises (epoch, gpu, worker_id, task, lane, bytes, model, encoder_sessions, "
      "given_at, ends_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {promise.epoch, promise.gpu, promise.worker_id, promise.task, name_of(promise.lane),
       promise.bytes, promise.model, std::int64_t{promise.encoder_sessions},
       micros_since_1970(promise.given_at), micros_since_1970(promise.ends_at),
       micros_since_1970(promise.expires_at)});
}

}  // namespace pytoon::io
