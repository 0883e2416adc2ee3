// SqlStore: who is there.
#include <nlohmann/json.hpp>

#include "server/io/sql_writing.h"

namespace pytoon::io {
using jobs::WorkerFacts;
using std::chrono::milliseconds;

namespace {

constexpr std::chrono::hours kForgottenAfter{24};

}  // namespace

std::vector<std::string> encoders_from_text(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_array()) {
    throw DatabaseError(FailureKind::kInternal, "a worker's encoders are no list: " + text);
  }
  std::vector<std::string> encoders;
  for (const auto& encoder : json) {
    if (encoder.is_string()) encoders.push_back(encoder.get<std::string>());
  }
  return encoders;
}

Status SqlStore::put_worker(const WorkerFacts& worker) {
  const std::string encoders = nlohmann::json(worker.encoders).dump();
  return writing("put_worker", [&](SqlSession& session) -> Status {
    session.run("DELETE FROM workers WHERE seen_at < ? AND holder <> ?",
                {session.now() - micros(kForgottenAfter), worker.holder});
    session.run(
        "INSERT INTO workers (holder, host, pid, threads, device, encoders, draining, started_at, "
        "seen_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (holder) DO UPDATE SET "
        "host = excluded.host, pid = excluded.pid, threads = excluded.threads, "
        "device = excluded.device, encoders = excluded.encoders, draining = excluded.draining, "
        "seen_at = excluded.seen_at",
        {worker.holder, worker.host, worker.pid, worker.threads, worker.device, encoders,
         std::int64_t{worker.draining}, session.now(), session.now()});
    return ok_status();
  });
}

Status SqlStore::remove_worker(const std::string& holder) {
  return writing("remove_worker", [&](SqlSession& session) -> Status {
    session.run("DELETE FROM workers WHERE holder = ?", {holder});
    return ok_status();
  });
}

Result<std::vector<WorkerFacts>> SqlStore::workers(milliseconds seen_within) {
  return reading([&](SqlSession& session) -> Result<std::vector<WorkerFacts>> {
    std::vector<WorkerFacts> workers;
    for (const Row& row : session.query(
             "SELECT holder, host, pid, threads, device, encoders, draining, started_at, seen_at, "
             "(SELECT count(*) FROM tasks WHERE tasks.holder <> '' AND "
             "tasks.holder = workers.holder) FROM workers WHERE seen_at > ? "
             "ORDER BY started_at, holder",
             {session.now() - micros(seen_within)})) {
      WorkerFacts worker;
      worker.holder = row.text(0);
      worker.host = row.text(1);
      worker.pid = row.small(2);
      worker.threads = row.small(3);
      worker.device = row.text(4);
      worker.encoders = encoders_from_text(row.text(5));
      worker.draining = row.integer(6) != 0;
      worker.started_at = time_from(row.integer(7));
      worker.seen_at = time_from(row.integer(8));
      worker.held = row.small(9);
      workers.push_back(std::move(worker));
    }
    return workers;
  });
}

Status SqlStore::set_draining(bool draining) {
  return writing("set_draining", [&](SqlSession& session) -> Status {
    session.run("UPDATE fleet SET draining = ?", {std::int64_t{draining}});
    return ok_status();
  });
}

Result<bool> SqlStore::draining() {
  return reading([](SqlSession& session) -> Result<bool> {
    return session.query("SELECT draining FROM fleet").at(0).integer(0) != 0;
  });
}

}  // namespace pytoon::io
