// SqlStore: what was ordered from engines that cost money.
//
// Locks are taken in one order, so that none can deadlock: the purchase, the day, the job.
#include "server/io/sql_writing.h"

namespace pytoon::io {
using engines::Purchase;

namespace {

using State = Purchase::State;

constexpr std::size_t kDayChars = 10;  // of an ISO 8601 time

std::string account_of_day(std::int64_t now) {
  return "day/" + iso8601(time_from(now)).substr(0, kDayChars);
}

std::string account_of_job(const std::string& job_id) { return "job/" + job_id; }

Purchase read_purchase(const Row& row) {
  const std::string& state = row.text(0);
  if (state == "ordered") return {State::kOrdered, row.text(1)};
  return {state == "ended" ? State::kEnded : State::kAsked, ""};
}

// Adds to the account unless that were over the cap. Others wait for the account meanwhile.
bool charge(SqlSession& session, const std::string& account, std::int64_t micro_usd,
            std::int64_t cap) {
  session.run(
      "INSERT INTO spend (account, micro_usd, changed_at) VALUES (?, 0, ?) ON CONFLICT DO NOTHING",
      {account, session.now()});
  const std::int64_t spent =
      session.query("SELECT micro_usd FROM spend WHERE account = ? {FOR UPDATE}", {account})
          .at(0)
          .integer(0);
  if (micro_usd > cap - spent) return false;
  session.run("UPDATE spend SET micro_usd = ?, changed_at = ? WHERE account = ?",
              {spent + micro_usd, session.now(), account});
  return true;
}

void refund(SqlSession& session, const std::string& account, std::int64_t micro_usd) {
  session.run("UPDATE spend SET micro_usd = micro_usd - ?, changed_at = ? WHERE account = ?",
              {micro_usd, session.now(), account});
}

Status charge_both(SqlSession& session, const engines::Reservation& reservation,
                   const engines::SpendCaps& caps) {
  if (reservation.micro_usd == 0) return ok_status();
  if (!charge(session, account_of_day(session.now()), reservation.micro_usd,
              caps.per_day_micro_usd)) {
    return failure(
        FailureKind::kForbidden,
        "today more than " + engines::usd_text(caps.per_day_micro_usd) + " would be spent");
  }
  if (!charge(session, account_of_job(reservation.job_id), reservation.micro_usd,
              caps.per_job_micro_usd)) {
    return failure(FailureKind::kForbidden,
                   "the job would spend more than " + engines::usd_text(caps.per_job_micro_usd));
  }
  return ok_status();
}

Status require_one(std::int64_t changed, const std::string& key) {
  if (changed == 1) return ok_status();
  return failure(FailureKind::kInternal, "the purchase " + key + " was never reserved");
}

}  // namespace

Result<Purchase> SqlStore::reserve(const engines::Reservation& reservation,
                                   const engines::SpendCaps& caps) {
  return writing("reserve", [&](SqlSession& session) -> Result<Purchase> {
    // Two that reserve the same: the second waits here until the first is through.
    const bool fresh =
        session.run(
            "INSERT INTO purchases (key, job_id, state, micro_usd, reserved_at) "
            "VALUES (?, ?, 'asked', ?, ?) ON CONFLICT DO NOTHING",
            {reservation.key, reservation.job_id, reservation.micro_usd, session.now()}) == 1;
    if (!fresh) {
      const Rows rows =
          session.query("SELECT state, remote_id FROM purchases WHERE key = ?", {reservation.key});
      if (!rows.empty()) return read_purchase(rows[0]);
      return failure(FailureKind::kUnavailable, "the purchase was released at this moment");
    }
    if (Status allowed = charge_both(session, reservation, caps); !allowed)
      return allowed.failure();
    return Purchase{};
  });
}

Status SqlStore::ordered(const std::string& key, const std::string& remote_id) {
  return writing("ordered", [&](SqlSession& session) -> Status {
    return require_one(
        session.run("UPDATE purchases SET state = 'ordered', remote_id = ? WHERE key = ?",
                    {remote_id, key}),
        key);
  });
}

Status SqlStore::ended(const std::string& key) {
  return writing("ended", [&](SqlSession& session) -> Status {
    return require_one(session.run("UPDATE purchases SET state = 'ended' WHERE key = ?", {key}),
                       key);
  });
}

Status SqlStore::released(const std::string& key) {
  return writing("released", [&](SqlSession& session) -> Status {
    const Rows rows = session.query(
        "DELETE FROM purchases WHERE key = ? AND state = 'asked' "
        "RETURNING job_id, micro_usd, reserved_at",
        {key});
    if (rows.empty() || rows[0].integer(1) == 0) return ok_status();
    refund(session, account_of_day(rows[0].integer(2)), rows[0].integer(1));
    refund(session, account_of_job(rows[0].text(0)), rows[0].integer(1));
    return ok_status();
  });
}

Result<std::int64_t> SqlStore::spent_today_micro_usd() {
  return reading([](SqlSession& session) -> Result<std::int64_t> {
    const Rows rows = session.query("SELECT micro_usd FROM spend WHERE account = ?",
                                    {account_of_day(session.now())});
    return rows.empty() ? 0 : rows[0].integer(0);
  });
}

}  // namespace pytoon::io
