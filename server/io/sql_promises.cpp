#include "server/io/sql_promises.h"

#include <algorithm>

#include "server/io/sql_promise_records.h"
#include "server/io/sql_records.h"
#include "server/io/sql_transaction.h"

namespace pytoon::io {

using jobs::admission::Bytes;
using jobs::admission::GpuState;
using jobs::admission::Granted;
using jobs::admission::LedgerRow;
using jobs::admission::Promise;
using jobs::admission::Published;
using jobs::admission::Refusal;
using jobs::admission::Sample;
using jobs::admission::Wish;
using std::chrono::milliseconds;

namespace {

Failure unknown(const std::string& gpu) {
  return failure(FailureKind::kNotFound, "no sample of " + gpu + " was ever published");
}

// Others that judge about the card wait here until the transaction ends.
bool lock_card(SqlSession& session, const std::string& gpu) {
  return !session.query("SELECT uuid FROM gpus WHERE uuid = ? {FOR UPDATE}", {gpu}).empty();
}

void write_sample(SqlSession& session, const LedgerRow& row) {
  const std::string text = text_of(row.state.sample);
  session.run(
      "UPDATE gpus SET sampled_at = ?, sample = ?, violated = ?, headroom_used = ? "
      "WHERE uuid = ?",
      {micros_since_1970(row.state.sample.at), text, std::int64_t{row.violated},
       std::int64_t{row.headroom_used}, row.state.uuid});
}

}  // namespace

template <typename Body>
auto SqlPromiseLedger::locked(const std::string& gpu, const Body& body)
    -> decltype(body(std::declval<SqlSession&>(), std::declval<LedgerRow&>())) {
  return write_to(database_,
                  [&](SqlSession& session) -> decltype(body(session, std::declval<LedgerRow&>())) {
                    if (!lock_card(session, gpu)) return unknown(gpu);
                    std::vector<LedgerRow> rows = read_card(session, gpu);
                    return body(session, rows.at(0));
                  });
}

Result<WallTime> SqlPromiseLedger::now() {
  return read_from(
      database_, [](SqlSession& session) -> Result<WallTime> { return time_from(session.now()); });
}

Result<Published> SqlPromiseLedger::publish(const std::string& gpu, const Sample& sample) {
  return write_to(database_, [&](SqlSession& session) -> Result<Published> {
    session.run(
        "INSERT INTO gpus (uuid, sampled_at, sample) VALUES (?, 0, ?) ON CONFLICT DO NOTHING",
        {gpu, text_of(Sample{})});
    lock_card(session, gpu);
    std::vector<LedgerRow> rows = read_card(session, gpu);
    LedgerRow& row = rows.at(0);
    Result<Published> published = publish_to(row, sample, options_, time_from(session.now()));
    if (!published) return published;
    write_sample(session, row);
    session.run("DELETE FROM promises WHERE gpu = ? AND released_at < ?",
                {gpu, micros_since_1970(sample.at)});
    return published;
  });
}

Result<GpuState> SqlPromiseLedger::state(const std::string& gpu) {
  return read_from(database_, [&](SqlSession& session) -> Result<GpuState> {
    std::vector<LedgerRow> rows = read_card(session, gpu);
    if (rows.empty()) return unknown(gpu);
    return std::move(rows[0].state);
  });
}

Result<std::vector<GpuState>> SqlPromiseLedger::states() {
  return read_from(database_, [](SqlSession& session) -> Result<std::vector<GpuState>> {
    std::vector<GpuState> states;
    for (LedgerRow& row : read_cards(session)) states.push_back(std::move(row.state));
    return states;
  });
}

Result<Granted> SqlPromiseLedger::promise(const Wish& wish) {
  return locked(wish.gpu, [&](SqlSession& session, LedgerRow& row) -> Result<Granted> {
    const WallTime now = time_from(session.now());
    if (const auto refused = refusal_of(row.state, wish, options_, now)) return Granted(*refused);
    const Granted granted = promise_from(row, wish, session.next_epoch(), options_, now);
    insert_promise(session, std::get<Promise>(granted));
    session.run("UPDATE gpus SET foreign_at_last_promise = ? WHERE uuid = ?",
                {row.state.foreign_at_last_promise, wish.gpu});
    session.run("DELETE FROM gpu_reservations WHERE task = ?", {wish.task});
    return granted;
  });
}

Result<std::optional<Refusal>> SqlPromiseLedger::resize(const Promise& promise, Bytes bytes) {
  using Outcome = Result<std::optional<Refusal>>;
  return locked(promise.gpu, [&](SqlSession& session, LedgerRow& row) -> Outcome {
    Outcome refused = resize_in(row, promise.epoch, bytes, options_, time_from(session.now()));
    if (!refused || *refused) return refused;
    session.run("UPDATE promises SET bytes = ? WHERE epoch = ?", {bytes, promise.epoch});
    return refused;
  });
}

// Card by card, so that no transaction holds two rows.
Result<std::vector<Promise>> SqlPromiseLedger::renew(const std::vector<Promise>& promises) {
  std::vector<std::string> gpus;
  for (const Promise& promise : promises) gpus.push_back(promise.gpu);
  std::sort(gpus.begin(), gpus.end());
  gpus.erase(std::unique(gpus.begin(), gpus.end()), gpus.end());
  std::vector<Promise> lost;
  for (const std::string& gpu : gpus) {
    std::vector<Promise> of_card;
    const Status renewed = locked(gpu, [&](SqlSession& session, LedgerRow& row) -> Status {
      of_card.clear();  // the transaction may run again
      const WallTime now = time_from(session.now());
      for (const Promise& promise : promises) {
        if (promise.gpu != gpu) continue;
        if (renew_in(row, promise.epoch, options_, now)) {
          session.run("UPDATE promises SET expires_at = ? WHERE epoch = ?",
                      {micros_since_1970(now + options_.lease), promise.epoch});
        } else {
          of_card.push_back(promise);
        }
      }
      return ok_status();
    });
    if (!renewed && renewed.failure().kind != FailureKind::kNotFound) return renewed.failure();
    if (!renewed) {
      for (const Promise& promise : promises) {
        if (promise.gpu == gpu) of_card.push_back(promise);
      }
    }
    lost.insert(lost.end(), of_card.begin(), of_card.end());
  }
  return lost;
}

Status SqlPromiseLedger::release(const Promise& promise) {
  return write_to(database_, [&](SqlSession& session) -> Status {
    session.run("UPDATE promises SET released_at = ? WHERE epoch = ? AND released_at IS NULL",
                {session.now(), promise.epoch});
    return ok_status();
  });
}

Status SqlPromiseLedger::reserve(const std::string& gpu, const std::string& task, Bytes bytes,
                                 milliseconds duration) {
  return locked(gpu, [&](SqlSession& session, LedgerRow& row) -> Status {
    const WallTime now = time_from(session.now());
    const WallTime until = now + duration;
    if (Status kept = reserve_in(row, {task, bytes, until}, now); !kept) return kept;
    session.run("DELETE FROM gpu_reservations WHERE gpu = ? OR (task = ? AND expires_at <= ?)",
                {gpu, task, session.now()});
    const std::int64_t made = session.run(
        "INSERT INTO gpu_reservations (gpu, task, bytes, expires_at) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        {gpu, task, bytes, micros_since_1970(until)});
    if (made == 1) return ok_status();
    return failure(FailureKind::kConflict, "another card is kept for the task already");
  });
}

Status SqlPromiseLedger::unreserve(const std::string& task) {
  return write_to(database_, [&](SqlSession& session) -> Status {
    session.run("DELETE FROM gpu_reservations WHERE task = ?", {task});
    return ok_status();
  });
}

Status SqlPromiseLedger::begin_room(const std::string& gpu, const std::string& task,
                                    milliseconds interval) {
  return locked(gpu, [&](SqlSession& session, LedgerRow& row) -> Status {
    const WallTime now = time_from(session.now());
    if (Status begun = begin_room_in(row, task, interval, now); !begun) return begun;
    session.run(
        "UPDATE gpus SET room_task = ?, room_asked_at = ?, room_finished = 0 WHERE uuid = ?",
        {task, micros_since_1970(now), gpu});
    return ok_status();
  });
}

Status SqlPromiseLedger::end_room(const std::string& gpu) {
  return write_to(database_, [&](SqlSession& session) -> Status {
    if (session.run("UPDATE gpus SET room_finished = 1 WHERE uuid = ?", {gpu}) == 1) {
      return ok_status();
    }
    return unknown(gpu);
  });
}

Result<std::vector<Promise>> SqlPromiseLedger::expire() {
  return write_to(database_, [](SqlSession& session) -> Result<std::vector<Promise>> {
    std::vector<Promise> expired;
    static const std::string sql =
        std::string(
            "DELETE FROM promises AS p WHERE p.released_at IS NULL AND p.expires_at <= ? AND "
            "p.expires_at < (SELECT g.sampled_at FROM gpus g WHERE g.uuid = p.gpu) RETURNING ") +
        "epoch, gpu, worker_id, task, lane, bytes, model, encoder_sessions, given_at, ends_at, "
        "expires_at, released_at";
    for (const Row& row : session.query(sql, {session.now()})) expired.push_back(read_promise(row));
    return expired;
  });
}

}  // namespace pytoon::io
