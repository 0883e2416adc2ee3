#include "tests/sim/simulation.h"

#include "server/io/file_storage.h"

namespace pytoon::sim {
using jobs::JobStatus;
using std::chrono::milliseconds;
using testing_support::Dead;
using testing_support::FaultPlan;

namespace {

constexpr std::size_t kProcesses = 3;
constexpr int kDepthMax = 2;  // of acts within the work of another
constexpr milliseconds kLease{20'000};
constexpr std::size_t kRenderPool = 0;
constexpr std::size_t kAudioPool = 1;
constexpr milliseconds kLate{60'000};  // beyond the patience of a sender and its lease

const char kImage[] = "assets/acme/a.png";

}  // namespace

class Simulation::ProcessFate final : public FaultPlan {
 public:
  ProcessFate(Simulation& simulation, Process& process) : world_(simulation), process_(process) {}
  Answer before_call() override;
  void after_call() override;

 private:
  Simulation& world_;
  Process& process_;
};

// Whoever sleeps does not keep the others, or its own other threads, from going on.
class Simulation::ProcessClock final : public Clock {
 public:
  explicit ProcessClock(Simulation& simulation) : world_(simulation) {}
  WallTime now() const override { return world_.clock_.now(); }
  SteadyTime steady_now() const override { return world_.clock_.steady_now(); }
  void sleep_for(milliseconds duration) override { world_.pass(duration, nullptr); }

 private:
  Simulation& world_;
};

class Simulation::Wire final : public HttpClient {
 public:
  Wire(Simulation& simulation, Process& process) : world_(simulation), process_(process) {}
  Result<HttpAnswer> send(const HttpRequest& request, const CancelToken& /*cancel*/) override {
    return world_.deliver(process_, request);
  }

 private:
  Simulation& world_;
  Process& process_;
};

struct Simulation::Process {
  Process(Simulation& simulation, const std::string& name)
      : faults(simulation, *this),
        clock(simulation),
        wire(simulation, *this),
        forgetful(*simulation.store_, simulation.clock_),
        jobs(*simulation.store_, faults),
        tasks(simulation.tasks_, faults),
        storage(*simulation.storage_, faults),
        health(simulation.quiet_.log),
        worker({jobs, tasks, storage, simulation.renderer_, simulation.quiet_.engine_chain,
                simulation.quiet_.presets, simulation.quiet_.metrics, clock, simulation.quiet_.log,
                health},
               *simulation.store_, options(name), facts()),
        outbox(simulation.mutation_ == Mutation::kNoOutbox ? static_cast<jobs::Outbox&>(forgetful)
                                                           : *simulation.store_,
               faults),
        sender(outbox, wire, simulation.quiet_.metrics, clock, simulation.quiet_.log, webhooks()),
        eraser(*simulation.store_, *simulation.store_, storage, simulation.quiet_.gc_metrics,
               simulation.quiet_.log),
        collector(*simulation.store_, storage, eraser, simulation.quiet_.gc_metrics, clock,
                  simulation.quiet_.log, collecting_all()) {}

  static worker::Options options(const std::string& name) {
    worker::Options options;
    options.worker_id = name;
    options.lease = kLease;
    return options;
  }
  static jobs::WorkerInfo facts() {
    jobs::WorkerInfo facts;
    return facts;
  }

  static jobs::WebhookOptions webhooks() {
    jobs::WebhookOptions options;
    options.keys = {"any key"};
    options.schedule.assign(1000, milliseconds(1000));
    return options;
  }

  // Orphans go at once: only references and held leases protect what is needed.
  static jobs::GcOptions collecting_all() {
    jobs::GcOptions options;
    options.retention.orphans = std::chrono::hours(-1);
    options.pause = std::chrono::hours(0);
    return options;
  }

  ProcessFate faults;
  ProcessClock clock;
  Wire wire;
  ForgetfulOutbox forgetful;
  testing_support::FaultInjectingJobs jobs;
  testing_support::FaultInjectingTasks tasks;
  testing_support::FaultInjectingStorage storage;
  jobs::ProcessHealth health;
  worker::Worker worker;
  testing_support::FaultInjectingOutbox outbox;
  jobs::WebhookSender sender;
  jobs::Eraser eraser;
  jobs::GarbageCollector collector;
  bool dead = false;
  bool drawing = false;  // its one thread is in step()
  bool collecting = false;
  int inside = 0;  // calls of step() and renew_leases() under way
};

FaultPlan::Answer Simulation::ProcessFate::before_call() {
  if (process_.dead) throw Dead();
  if (world_.quiesced_) return Answer::kGoOn;
  world_.moment(process_);
  if (world_.chance(0.01)) {
    ++world_.report_.refusals;
    return Answer::kRefuse;
  }
  if (world_.chance(0.01)) {
    ++world_.report_.lost_answers;
    return Answer::kLoseTheAnswer;
  }
  return Answer::kGoOn;
}

void Simulation::ProcessFate::after_call() {
  if (process_.dead) throw Dead();
  if (!world_.quiesced_) world_.moment(process_);
}

Simulation::Simulation(std::uint64_t seed, Mutation mutation, FaultSource faults)
    : random_(seed),
      mutation_(mutation),
      faults_(faults),
      store_(io::open_memory_store(clock_)),
      tasks_(*store_, mutation != Mutation::kNoFencing),
      receiver_(*store_),
      storage_(*io::FileStorage::open(folder_.path() / "storage", 0)) {
  const auto staged = storage_->staging("image");
  CHECK(write_file_atomically(staged, "picture").ok(), "the folder can be written");
  CHECK(storage_->put(staged, kImage).ok(), "the storage can be written");
  jobs::AssetRecord asset;
  asset.tenant = "acme";
  asset.key = kImage;
  asset.sha256 = sha256_hex("picture");
  CHECK(store_->keep_asset(asset).ok(), "the store can be written");
  processes_.resize(kProcesses);
  for (std::size_t i = 0; i < kProcesses; ++i) start_process(i);
  // A long piece of work: others get on meanwhile.
  renderer_.on_render = [this](int, plan::SourceKind footage, const CancelToken& cancel) -> Status {
    for (int i = below(3); i > 0 && !quiesced_ && depth_ < kDepthMax; --i) act(depth_ + 1);
    if (cancel.cancelled()) return failure(FailureKind::kCancelled, "cancelled");
    const bool card = footage == plan::SourceKind::kCard;  // when that fails too the job may fail
    const bool well = quiesced_ || faults_ == FaultSource::kStore;
    if (!well && !card && chance(0.01)) return failure(FailureKind::kMedia, "a hiccup");
    return ok_status();
  };
}

Simulation::~Simulation() = default;

bool Simulation::chance(double probability) {
  return std::uniform_real_distribution<double>(0, 1)(random_) < probability;
}

int Simulation::below(int bound) {
  return std::uniform_int_distribution<int>(0, bound - 1)(random_);
}

void Simulation::start_process(std::size_t place) {
  processes_[place] = std::make_unique<Process>(*this, "process-" + std::to_string(++started_));
}

bool Simulation::dies(Process& process, double probability) {
  if (faults_ == FaultSource::kStore || !chance(probability)) return false;
  process.dead = true;
  ++report_.deaths;
  return true;
}

// What may happen while a process is between two calls.
void Simulation::moment(Process& process) {
  if (dies(process, 0.006)) throw Dead();
  if (depth_ < kDepthMax && chance(0.015)) {
    if (faults_ == FaultSource::kAll && chance(0.4)) {
      pass(kLease + milliseconds(below(8000)), &process);
      ++report_.zombies;
    }
    for (int i = below(6); i > 0; --i) act(depth_ + 1);
  }
}

void Simulation::tend(Process& process) {
  ++process.inside;
  if (!process.dead) process.worker.renew_leases();
  if (!process.dead) process.worker.run_maintenance();
  --process.inside;
  if (process.dead || process.health.usable()) return;
  process.dead = true;  // it exits, and its supervisor starts it anew
  ++report_.deaths;
}

void Simulation::pass(milliseconds time, const Process* stalled) {
  const int outer = std::exchange(depth_, kDepthMax);
  constexpr milliseconds kStep = kLease / 4;
  for (; time.count() > 0; time -= kStep) {
    clock_.advance(std::min(time, kStep));
    for (const auto& process : processes_) {
      if (process.get() != stalled) tend(*process);
    }
  }
  depth_ = outer;
}

void Simulation::step_once(Process& process, std::size_t pool) {
  if (process.drawing) return;
  ++process.inside;
  process.drawing = true;
  try {
    (void)process.worker.step(pool);
  } catch (const Dead&) {
    // before it had taken anything
  }
  process.drawing = false;
  --process.inside;
}

void Simulation::tell_once(Process& process) {
  ++process.inside;
  try {
    (void)process.sender.step();
  } catch (const Dead&) {
    // its lease of the event runs out
  }
  --process.inside;
}

void Simulation::collect_once(Process& process) {
  if (process.collecting) return;
  ++process.inside;
  process.collecting = true;
  try {
    (void)process.collector.step();
  } catch (const Dead&) {
    // the deletions that it had leased are another one's later
  }
  process.collecting = false;
  --process.inside;
}

Result<HttpAnswer> Simulation::deliver(Process& process, const HttpRequest& request) {
  HttpAnswer fine;
  fine.status = 200;
  if (quiesced_) {
    receiver_.arrived(request, true);
    return fine;
  }
  if (chance(0.2)) return failure(FailureKind::kUnavailable, "nobody listens");
  if (chance(0.2)) {
    receiver_.arrived(request, false);
    fine.status = 503;
    return fine;
  }
  receiver_.arrived(request, true);
  if (dies(process, 0.1)) throw Dead();
  if (chance(0.2)) return failure(FailureKind::kTimeout, "it died before it had answered");
  // Late: by then somebody else has sent it too, and this answer is nobody's business any more.
  if (faults_ == FaultSource::kAll && depth_ < kDepthMax && chance(0.2)) {
    pass(kLate, &process);
    for (int i = below(6); i > 0; --i) act(depth_ + 1);
  }
  if (process.dead) throw Dead();
  return fine;
}

void Simulation::act(int depth) {
  const int outer = std::exchange(depth_, depth);
  const auto place = static_cast<std::size_t>(below(static_cast<int>(kProcesses)));
  Process& process = *processes_[place];
  const int kind = below(100);
  if (kind < 50) {
    step_once(process, kind < 41 ? kRenderPool : kAudioPool);
  } else if (kind < 68) {
    tend(process);
  } else if (kind < 75) {
    tell_once(process);
  } else if (kind < 85) {
    const milliseconds time(below(3000));
    if (faults_ == FaultSource::kAll) {
      clock_.advance(time);
    } else {
      pass(time, nullptr);
    }
  } else if (kind < 91) {
    submit();
  } else if (kind < 93) {
    random_client_action();
  } else if (kind < 97) {
    // Never in the middle of somebody's task: a pass takes long, and that task would seem to hang.
    if (depth == 0) collect_once(process);
  } else {
    look();
  }
  if (process.dead && process.inside == 0) start_process(place);
  depth_ = outer;
}

void Simulation::submit() {
  const bool again = !wishes_.empty() && chance(0.4);
  if (!again) {
    Wish wish;
    wish.key = "key-" + std::to_string(wishes_.size());
    wish.order = testing_support::sample_job("job-" + std::to_string(report_.submissions), "acme",
                                             1 + below(9), 1 + below(4));
    wish.order.job.spec.seed = static_cast<std::uint32_t>(below(1'000'000));
    if (chance(0.6)) wish.order.job.webhook_url = "http://receiver/" + wish.key;
    wish.order.job.spec.assets.images = {std::string("storage://") + kImage};
    wish.order.idempotency_key = wish.key;
    wish.order.body_sha256 = "body of " + wish.key;
    wishes_.push_back(wish);
  }
  Wish& wish =
      again ? wishes_[static_cast<std::size_t>(below(std::ssize(wishes_)))] : wishes_.back();
  send(wish);
}

// Each try of a client proposes a job id of its own; the key makes them one job.
void Simulation::send(Wish& wish) {
  ++report_.submissions;
  wish.order.job.id = "job-" + std::to_string(report_.submissions);
  if (mutation_ == Mutation::kForgetsAnswers) wish.order.idempotency_key.clear();
  const auto submitted = store_->create(wish.order, {1000});
  if (!submitted) {
    violation("a sound submission was refused: " + submitted.failure().detail);
    return;
  }
  if (!quiesced_ && chance(0.2)) return;  // the answer never reached the client
  if (!wish.job_id.empty() && wish.job_id != submitted->job_id) {
    violation("key " + wish.key + " gave two jobs");
  }
  wish.job_id = submitted->job_id;
}

// A client or an operator takes a job out of the workers' hands.
void Simulation::random_client_action() {
  if (wishes_.empty()) return;
  Wish& wish = wishes_[static_cast<std::size_t>(below(std::ssize(wishes_)))];
  if (wish.job_id.empty()) return;
  const int kind = below(4);
  if (kind < 3) wish.may_end_early = true;
  switch (kind) {
    case 0:
      (void)store_->cancel(wish.job_id);
      break;
    case 1:
      (void)store_->force_fail(wish.job_id, "by hand");
      break;
    case 2:
      (void)store_->retry(wish.job_id);
      break;
    default:
      (void)store_->redeliver(wish.job_id);
  }
}

// An observer: nothing it sees may go backwards within a run.
void Simulation::look() {
  if (wishes_.empty()) return;
  const Wish& wish = wishes_[static_cast<std::size_t>(below(std::ssize(wishes_)))];
  if (wish.job_id.empty()) return;
  const auto job = store_->job(wish.job_id);
  if (!job) return violation("job " + wish.job_id + " was accepted and is gone");
  Seen& seen = seen_[wish.job_id];
  const bool same_run = job->run == seen.run;
  if (job->run < seen.run || job->version < seen.version) violation("a job's run went back");
  if (same_run && job->status < seen.status) violation("a status went back: " + wish.job_id);
  if (same_run && job->progress_pct < seen.progress) violation("progress went back");
  if (same_run && is_terminal(seen.status) && job->status != seen.status) {
    violation("a job lived on after its end");
  }
  seen = {job->run, job->status, job->progress_pct, job->version};
}

// Whoever lives goes on, undisturbed, until all has ended.
void Simulation::settle() {
  quiesced_ = true;
  for (std::size_t i = 0; i < kProcesses; ++i) {
    if (processes_[i]->dead) start_process(i);
  }
  for (Wish& wish : wishes_) send(wish);  // clients who heard nothing ask once more
  for (int idle = 0; idle < 400;) {
    bool worked = false;
    for (std::size_t i = 0; i < kProcesses; ++i) {
      tend(*processes_[i]);
      if (processes_[i]->dead) start_process(i);
      const auto& process = processes_[i];
      worked = process->sender.step() || worked;
      if (!process->collecting) (void)process->collector.step();
      for (std::size_t pool = 0; pool < process->worker.pools().size(); ++pool) {
        worked = process->worker.step(pool) || worked;
      }
    }
    idle = worked ? 0 : idle + 1;
    if (!worked) clock_.advance(milliseconds(500));
  }
}

void Simulation::check_job(const jobs::Job& job, const Wish& wish) {
  const std::string about = "job " + job.id + " (" + std::string(name_of(job.status)) + ")";
  if (!is_terminal(job.status)) return violation(about + " never ended");
  receiver_.check_told(job);
  if (faults_ == FaultSource::kStore && job.attempts > 0) {
    violation(about + " spent " + std::to_string(job.attempts) + " attempts on a failing store");
  }
  if (job.status != JobStatus::kDone) {
    ++(job.status == JobStatus::kFailed ? report_.failed : report_.cancelled);
    if (!wish.may_end_early && job.crashes < jobs::kCrashesBeforeFailure) {
      violation(about + " ended without a video: " + job.error);
    }
    return;
  }
  ++report_.done;
  if (job.fallback_reason == "crashed") ++report_.cards;
  render::RenderJob order;
  order.spec = job.spec;
  order.encoder = job.encoder;
  order.inputs.images = {{{}, sha256_hex("picture")}};
  const auto segments = *store_->segments(job.id);
  for (const auto& segment : segments) {
    order.footage.push_back(segment.footage.value_or(plan::SourceKind::kCard));
  }
  std::string expected;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    expected += "segment " + testing_support::FakeRenderer::key(order, i) + "\n";
    if (!*worker::intact(segments[i], *storage_)) violation(about + " lost a segment's object");
  }
  const auto path = storage_->local(jobs::output_key(job, "output.mp4"));
  const auto bytes = path ? read_file(*path) : Result<std::string>(path.failure());
  if (!bytes || *bytes != expected) violation(about + " has another video than it should");
}

void Simulation::check() {
  for (const Wish& wish : wishes_) {
    const auto job = store_->job(wish.job_id);
    if (!job) {
      violation("the job of " + wish.key + " is lost");
      continue;
    }
    check_job(*job, wish);
  }
  std::string cursor;
  do {
    const auto page = store_->list(std::nullopt, {std::nullopt, cursor, 200});
    report_.jobs += static_cast<int>(page->jobs.size());
    cursor = page->next_cursor;
  } while (!cursor.empty());
  if (report_.jobs != std::ssize(wishes_)) {
    violation(std::to_string(report_.jobs) + " jobs for " + std::to_string(wishes_.size()) +
              " wishes");
  }
  for (const std::string& what : tasks_.violations()) violation(what);
  for (const std::string& what : receiver_.violations()) violation(what);
  for (const auto& [kind, count] : quiet_.gc_metrics.deleted) report_.deleted += count;
  report_.messages = receiver_.messages();
  report_.arrivals = receiver_.arrivals();
}

Report Simulation::run(int acts) {
  for (int i = 0; i < acts; ++i) act(0);
  settle();
  check();
  return report_;
}

}  // namespace pytoon::sim
