// A fleet in one thread: clients, several workers, a store and a storage, with time by hand and
// misfortune by seed. Production code does the work: the workers' step() and renew_leases() are
// those of the real threads.
//
// Between any two calls of a worker to its store or storage, anything may happen: it dies, its call
// is refused, the answer is lost, time passes, other workers and clients act (so that it goes on as
// a zombie). Each process also tells the ends of jobs, to a receiver that refuses, answers late, or
// dies with the answer on its lips. The same seed gives the same run.
#pragma once

#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "server/io/sql_store.h"
#include "server/jobs/garbage_collector.h"
#include "server/jobs/webhook_sender.h"
#include "server/worker/worker.h"
#include "tests/server/jobs/fake_renderer.h"
#include "tests/server/jobs/samples.h"
#include "tests/server/worker/quiet_parts.h"
#include "tests/sim/forgetful_outbox.h"
#include "tests/sim/observing_tasks.h"
#include "tests/sim/receiver.h"
#include "tests/support/fault_injection.h"

namespace pytoon::sim {

enum class Mutation { kNone, kNoFencing, kForgetsAnswers, kNoOutbox };

enum class FaultSource {
  kAll,
  kStore,  // it refuses and loses answers; nobody dies, hangs or draws badly
};

struct Report {
  int submissions = 0;
  int jobs = 0;
  int done = 0;
  int cards = 0;  // of those, quarantined ones
  int failed = 0;
  int cancelled = 0;
  int deaths = 0;
  int lost_answers = 0;
  int refusals = 0;
  int zombies = 0;           // a worker was overtaken in the middle of its work
  std::int64_t deleted = 0;  // by the garbage collectors
  int messages = 0;          // webhooks
  int arrivals = 0;          // of them, each may arrive several times
  std::vector<std::string> violations;
};

class Simulation {
 public:
  Simulation(std::uint64_t seed, Mutation mutation, FaultSource faults = FaultSource::kAll);
  ~Simulation();

  // Misfortune for so many acts, then quiesce until everything has ended; then the invariants.
  Report run(int acts);

 private:
  struct Process;
  class ProcessFate;
  class ProcessClock;
  class Wire;
  struct Wish {
    std::string key;
    jobs::NewJob order;
    std::string job_id;  // once a client was told
    bool may_end_early = false;
  };
  struct Seen {
    int run = 0;
    jobs::JobStatus status = jobs::JobStatus::kQueued;
    int progress = 0;
    std::int64_t version = 0;
  };

  // chance(p): true with probability p
  bool chance(double probability);
  int below(int bound);
  void act(int depth);
  void moment(Process& process);
  bool dies(Process& process, double probability);
  // Time goes by, and everybody but `stalled` keeps its leases and house meanwhile.
  void pass(std::chrono::milliseconds time, const Process* stalled);
  void tend(Process& process);
  void step_once(Process& process, std::size_t pool);
  void tell_once(Process& process);
  void collect_once(Process& process);
  Result<HttpAnswer> deliver(Process& process, const HttpRequest& request);
  void start_process(std::size_t place);
  void submit();
  void send(Wish& wish);
  void random_client_action();
  void look();
  void settle();
  void check();
  void check_job(const jobs::Job& job, const Wish& wish);
  void violation(const std::string& what) { report_.violations.push_back(what); }

  std::mt19937_64 random_;
  const Mutation mutation_;
  const FaultSource faults_;
  testing_support::HandClock clock_;
  testing_support::TemporaryFolder folder_;
  std::unique_ptr<io::SqlStore> store_;
  ObservingTasks tasks_;
  Receiver receiver_;
  std::unique_ptr<jobs::ObjectStore> storage_;
  testing_support::FakeRenderer renderer_;
  testing_support::QuietParts quiet_;
  std::vector<std::unique_ptr<Process>> processes_;
  std::vector<Wish> wishes_;
  std::map<std::string, Seen> seen_;
  Report report_;
  bool quiesced_ = false;
  int started_ = 0;
  int depth_ = 0;
};

}  // namespace pytoon::sim
