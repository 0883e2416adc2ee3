// Simulated workers at a PostgreSQL: each leases a task, holds it for ten seconds, renews its lease
// meanwhile as a worker does, hands it back and leases the next. Nothing is drawn.
//
// usage: lease_tool DB_URL WORKERS SECONDS
// One JSON object: what lease_next(), renew() and release() took, in milliseconds. The workers ask
// one after the other, evenly over the time that a task is held. With SECONDS 0 they all ask at the
// same moment, and that once.
#include <algorithm>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <queue>
#include <thread>

#include "base/json.h"
#include "server/io/database_url.h"
#include "server/io/open_store.h"

namespace {

using namespace pytoon;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kThreads = 8;  // and connections
constexpr seconds kHeld{10};
constexpr milliseconds kLease{20'000};
constexpr milliseconds kRenewal = kLease / 4;
constexpr seconds kIdle{1};

struct Worker {
  SteadyTime due;
  SteadyTime until;  // its task is done then
  std::string id;
  std::optional<jobs::Lease> lease;
  bool operator<(const Worker& other) const { return due > other.due; }  // the soonest on top
};

struct Taken {
  std::vector<double> lease, renew, release;
  int empty = 0;
  int failed = 0;
};

class Thread {
 public:
  Thread(io::SqlStore& store, Clock& clock, int first, int workers) : store_(store), clock_(clock) {
    for (int i = first; i < workers; i += kThreads) {
      Worker worker;
      worker.id = "simulated-" + std::to_string(i);
      worker.due = clock_.steady_now() + milliseconds(kHeld) * i / workers;
      queue_.push(std::move(worker));
    }
  }

  void run(SteadyTime end) {
    while (!queue_.empty() && clock_.steady_now() < end) {
      Worker worker = queue_.top();
      queue_.pop();
      const auto early = worker.due - clock_.steady_now();
      if (early.count() > 0) clock_.sleep_for(std::chrono::ceil<milliseconds>(early));
      act(worker);
      queue_.push(std::move(worker));
    }
  }

  void run_once() {
    for (; !queue_.empty(); queue_.pop()) {
      Worker worker = queue_.top();
      act(worker);
    }
  }

  Taken taken;

 private:
  template <typename Call>
  auto timed(std::vector<double>& into, const Call& call) {
    const SteadyTime began = clock_.steady_now();
    auto result = call();
    into.push_back(std::chrono::duration<double, std::milli>(clock_.steady_now() - began).count());
    if (!result) ++taken.failed;
    return result;
  }

  void act(Worker& worker) {
    const SteadyTime now = clock_.steady_now();
    if (worker.lease && now < worker.until) {
      (void)timed(taken.renew, [&] { return store_.renew({*worker.lease}, kLease); });
      worker.due = std::min(now + kRenewal, worker.until);
      return;
    }
    if (worker.lease) {
      (void)timed(taken.release, [&] {
        return store_.release(*worker.lease, jobs::ReleaseReason::kHandedBack, milliseconds(0));
      });
      worker.lease.reset();
    }
    const auto leased = timed(taken.lease, [&] {
      return store_.lease_next({worker.id, {jobs::TaskKind::kPrepare}, {}}, kLease);
    });
    worker.due = clock_.steady_now() + kIdle;
    if (!leased || !*leased) {
      ++taken.empty;
      return;
    }
    worker.lease = (*leased)->lease;
    worker.until = clock_.steady_now() + kHeld;
    worker.due = clock_.steady_now() + kRenewal;
  }

  io::SqlStore& store_;
  Clock& clock_;
  std::priority_queue<Worker> queue_;
};

nlohmann::ordered_json shown(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  const auto at = [&](double share) {
    if (times.empty()) return 0.0;
    const auto place = static_cast<std::size_t>(share * static_cast<double>(times.size() - 1));
    return std::round(times.at(place) * 100) / 100;
  };
  return {{"count", times.size()}, {"p50_ms", at(0.5)}, {"p99_ms", at(0.99)}, {"max_ms", at(1)}};
}

void append(std::vector<double>& to, const std::vector<double>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: lease_tool DB_URL WORKERS SECONDS\n";
    return 2;
  }
  SystemClock clock;
  const auto url = io::parse_database_url(argv[1]);
  if (!url) return std::cerr << url.failure().detail << "\n", 1;
  io::PostgresOptions options;
  options.connections = kThreads;
  const auto store = io::open_postgres_store(url->login(), clock, options);
  if (!store) return std::cerr << store.failure().detail << "\n", 1;
  const int workers = std::stoi(argv[2]);
  const seconds length(std::stoi(argv[3]));
  const SteadyTime begin = clock.steady_now();
  std::vector<std::unique_ptr<Thread>> simulated;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    simulated.push_back(std::make_unique<Thread>(**store, clock, i, workers));
    threads.emplace_back([&thread = *simulated.back(), begin, length] {
      length.count() == 0 ? thread.run_once() : thread.run(begin + length);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double> took = clock.steady_now() - begin;
  Taken all;
  for (const auto& one : simulated) {
    append(all.lease, one->taken.lease);
    append(all.renew, one->taken.renew);
    append(all.release, one->taken.release);
    all.empty += one->taken.empty;
    all.failed += one->taken.failed;
  }
  std::cout << json_text(nlohmann::ordered_json{{"workers", workers},
                                                {"seconds", std::round(took.count() * 1000) / 1000},
                                                {"lease", shown(all.lease)},
                                                {"renew", shown(all.renew)},
                                                {"release", shown(all.release)},
                                                {"found_nothing", all.empty},
                                                {"failed", all.failed}})
            << "\n";
  return all.failed == 0 ? 0 : 1;
}
