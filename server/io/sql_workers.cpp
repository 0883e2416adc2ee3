// SqlStore: who is there.
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "server/io/sql_deaths.h"
#include "server/io/sql_fleet.h"
#include "server/io/sql_writing.h"

namespace pytoon::io {
using jobs::WorkerInfo;
using std::chrono::milliseconds;

namespace {

using Json = nlohmann::json;

constexpr std::chrono::hours kForgottenAfter{24};

Json list_from(const std::string& text) {
  Json json = parse_json<Json>(text);
  if (!json.is_array()) {
    throw DatabaseError(FailureKind::kInternal, "a worker's row has no list: " + text);
  }
  return json;
}

std::string text_of(const std::vector<jobs::PoolState>& pools) {
  Json list = Json::array();
  for (const jobs::PoolState& pool : pools) {
    list.push_back({{"name", pool.name},
                    {"threads", pool.threads},
                    {"busy", pool.busy},
                    {"lost", pool.lost},
                    {"breaker", pool.breaker}});
  }
  return json_text(list);
}

// What another version of the program wrote may lack a field.
std::vector<jobs::PoolState> pools_from_text(const std::string& text) {
  std::vector<jobs::PoolState> pools;
  for (const Json& one : list_from(text)) {
    if (!one.is_object()) continue;
    jobs::PoolState pool;
    pool.name = one.value("name", "");
    pool.threads = one.value("threads", 0);
    pool.busy = one.value("busy", 0);
    pool.lost = one.value("lost", 0);
    pool.breaker = one.value("breaker", "");
    pools.push_back(std::move(pool));
  }
  return pools;
}

}  // namespace

std::vector<std::string> names_from_text(const std::string& text) {
  std::vector<std::string> names;
  for (const Json& name : list_from(text)) {
    if (name.is_string()) names.push_back(name.get<std::string>());
  }
  return names;
}

Status SqlStore::upsert_worker(const WorkerInfo& worker) {
  const std::string encoders = json_text(Json(worker.encoders));
  const std::string engines = json_text(Json(worker.engines));
  const std::string pools = text_of(worker.pools);
  return writing("upsert_worker", [&](SqlSession& session) -> Status {
    session.run("DELETE FROM workers WHERE seen_at < ? AND worker_id <> ?",
                {session.now() - micros(kForgottenAfter), worker.worker_id});
    session.run(
        "INSERT INTO workers (worker_id, host, pid, threads, device, device_kind, encoders, "
        "engines, "
        "pools, draining, started_at, seen_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (worker_id) DO UPDATE SET host = excluded.host, pid = excluded.pid, "
        "threads = excluded.threads, device = excluded.device, "
        "device_kind = excluded.device_kind, encoders = excluded.encoders, "
        "engines = excluded.engines, pools = excluded.pools, draining = excluded.draining, "
        "seen_at = excluded.seen_at",
        {worker.worker_id, worker.host, worker.pid, worker.threads, worker.device,
         worker.device_kind, encoders, engines, pools, std::int64_t{worker.draining}, session.now(),
         session.now()});
    withdraw_deaths(session, worker.worker_id);
    return ok_status();
  });
}

Status SqlStore::remove_worker(const std::string& worker_id) {
  return writing("remove_worker", [&](SqlSession& session) -> Status {
    session.run("DELETE FROM workers WHERE worker_id = ?", {worker_id});
    withdraw_deaths(session, worker_id);
    return ok_status();
  });
}

std::vector<WorkerInfo> read_workers(SqlSession& session, milliseconds seen_within) {
  std::vector<WorkerInfo> workers;
  for (const Row& row :
       session.query("SELECT worker_id, host, pid, threads, device, encoders, draining, "
                     "started_at, seen_at, "
                     "(SELECT count(*) FROM tasks WHERE tasks.worker_id <> '' AND "
                     "tasks.worker_id = workers.worker_id), device_kind, engines, pools "
                     "FROM workers WHERE seen_at > ? "
                     "ORDER BY started_at, worker_id",
                     {session.now() - micros(seen_within)})) {
    WorkerInfo worker;
    worker.worker_id = row.text(0);
    worker.host = row.text(1);
    worker.pid = row.small(2);
    worker.threads = row.small(3);
    worker.device = row.text(4);
    worker.encoders = names_from_text(row.text(5));
    worker.draining = row.integer(6) != 0;
    worker.started_at = time_from(row.integer(7));
    worker.seen_at = time_from(row.integer(8));
    worker.held = row.small(9);
    worker.device_kind = row.text(10);
    worker.engines = names_from_text(row.text(11));
    worker.pools = pools_from_text(row.text(12));
    workers.push_back(std::move(worker));
  }
  return workers;
}

Result<std::vector<WorkerInfo>> SqlStore::workers(milliseconds seen_within) {
  return reading([&](SqlSession& session) -> Result<std::vector<WorkerInfo>> {
    return read_workers(session, seen_within);
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
