#include "tests/chaos/crash_life.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "engines/fake_engine.h"
#include "server/worker/task.h"

namespace pytoon::chaos {
namespace fs = std::filesystem;
using jobs::JobStatus;
using std::chrono::milliseconds;

namespace {

constexpr char kId[] = "a";
constexpr char kImage[] = "assets/acme/a.png";
constexpr char kMusic[] = "assets/acme/m.wav";
constexpr char kEncoder[] = "fake_encoder";
constexpr char kGoneEncoder[] = "gone_encoder";
constexpr int kSegments = 3;
constexpr int kPassesMax = 2000;
constexpr milliseconds kLease{20'000};
constexpr milliseconds kNap{2};
constexpr milliseconds kFleetPatience{60'000};

// kEngine has one that must be waited for; what it gives, the renderer draws.
std::vector<std::unique_ptr<engines::Engine>> engines_of(Life life) {
  std::vector<std::unique_ptr<engines::Engine>> engines = testing_support::only_the_compositor();
  if (life != Life::kEngine) return engines;
  engines::FakeEngine::Script script;
  script.capabilities.archetypes = {spec::Archetype::kProductHero};
  script.capabilities.image_to_video = true;
  engines.push_back(std::make_unique<engines::FakeEngine>("local_comfyui", script));
  return engines;
}

}  // namespace

const std::vector<std::pair<Life, std::string>>& all_lives() {
  static const std::vector<std::pair<Life, std::string>> lives{
      {Life::kPlain, "plain"},         {Life::kHiccup, "hiccup"},  {Life::kHopeless, "hopeless"},
      {Life::kCancelled, "cancelled"}, {Life::kByHand, "by_hand"}, {Life::kOrphan, "orphan"},
      {Life::kDegraded, "degraded"},   {Life::kEngine, "engine"},
  };
  return lives;
}

// Tells of every segment it draws, and lets the worker beat in the middle of it.
class CrashLife::Renderer final : public testing_support::FakeRenderer {
 public:
  explicit Renderer(CrashLife& life) : life_(life) {
    on_render = [this](int index, plan::SourceKind footage, const CancelToken&) -> Status {
      const bool card = footage == plan::SourceKind::kCard;
      const bool bad = life_.life_ == Life::kHopeless || (life_.life_ == Life::kHiccup && !card);
      // The last one: whether others are drawn before its retry is no matter of the clock's.
      if (bad && index == kSegments - 1) return failure(FailureKind::kMedia, "it can't be drawn");
      life_.note("renders", std::to_string(index) + (card ? " card" : ""));
      return ok_status();
    };
    if (life_.life_ == Life::kDegraded) {
      encoder_list.insert(encoder_list.begin(), {kGoneEncoder, "", false});
    }
  }

  Status render_segment(const render::RenderJob& job, int index, const fs::path& output,
                        const CancelToken& cancel,
                        const std::function<void(int)>& on_progress) override {
    return FakeRenderer::render_segment(job, index, output, cancel, [&](int frames) {
      on_progress(frames);
      life_.worker_->renew_leases();
      life_.worker_->run_maintenance();
    });
  }

 private:
  CrashLife& life_;
};

CrashLife::CrashLife(Life life, fs::path folder, const OpenStore& open, Clock& clock,
                     std::function<void(std::string_view)> at_boundary)
    : life_(life),
      folder_(std::move(folder)),
      clock_(clock),
      engine_chain_(engines_of(life), clock) {
  io::StoreOptions options;
  options.crash_point = std::move(at_boundary);
  store_ = open(std::move(options));
  storage_ = *io::FileStorage::open(folder_ / "storage", 0);
  if (life == Life::kEngine) quiet_.presets["product_hero_clean"].engines = {"local_comfyui"};
  renderer_ = std::make_unique<Renderer>(*this);
  worker::Options behaviour;
  behaviour.worker_id = holder_;
  behaviour.lease = kLease;
  behaviour.back_off = kNap;
  behaviour.back_off_max = kNap;
  jobs::WorkerInfo facts;
  facts.worker_id = holder_;
  facts.encoders = {kEncoder};
  const worker::WorkerDependencies parts{*store_,       *store_,        *storage_,      *renderer_,
                                         engine_chain_, quiet_.presets, quiet_.metrics, clock_,
                                         quiet_.log,    quiet_.process};
  worker_ = std::make_unique<worker::Worker>(parts, *store_, behaviour, facts);
  CHECK(store_->upsert_worker(facts).ok(), "the store can be written");
}

CrashLife::~CrashLife() = default;

void CrashLife::note(const std::string& file, const std::string& line) const {
  const std::string text = line + "\n";
  const int fd = ::open((folder_ / file).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const bool written = ::write(fd, text.data(), text.size()) == std::ssize(text);
  ::close(fd);
  CHECK(written, "the folder can be written");
}

int CrashLife::lines(const std::string& file, bool different) const {
  std::ifstream stream(folder_ / file);
  std::multiset<std::string> all;
  for (std::string line; std::getline(stream, line);) all.insert(line);
  if (!different) return static_cast<int>(all.size());
  return static_cast<int>(std::set<std::string>(all.begin(), all.end()).size());
}

jobs::Job CrashLife::job() { return store_->job(kId).value(); }

int CrashLife::done_segments() {
  const auto rows = store_->segments(kId).value();
  return static_cast<int>(std::count_if(rows.begin(), rows.end(), [](const auto& segment) {
    return segment.status == jobs::SegmentStatus::kDone;
  }));
}

// As a client that repeats what it heard no answer to.
void CrashLife::want_job() {
  for (const char* key : {kImage, kMusic}) {
    const fs::path staged = storage_->staging("asset");
    CHECK(write_file_atomically(staged, key).ok() && storage_->put(staged, key).ok(),
          "the storage can be written");
    jobs::AssetRecord asset;
    asset.tenant = "acme";
    asset.key = key;
    asset.sha256 = sha256_hex(key);
    CHECK(store_->keep_asset(asset).ok(), "the store can be written");
  }
  jobs::NewJob order = testing_support::sample_job(kId, "acme", 5, kSegments);
  order.job.webhook_url = "https://example.com/hook";
  order.job.spec.assets.images = {std::string("storage://") + kImage};
  order.job.spec.assets.music = std::string("storage://") + kMusic;
  order.idempotency_key = "once";
  order.body_sha256 = "body";
  const auto submitted = store_->create(order, {100});
  CHECK(submitted.ok() && submitted->job_id == kId, "a key gives one job");
}

void CrashLife::work(const std::function<bool()>& enough) {
  for (int i = 0; i < kPassesMax && !enough(); ++i) {
    bool worked = false;
    for (std::size_t pool = 0; pool < worker_->pools().size(); ++pool) {
      worked = worker_->step(pool) || worked;
    }
    if (!worked) clock_.sleep_for(kNap);
  }
  CHECK(enough(), "the job gets there");
}

void CrashLife::change_mind() {
  if (job().run == 1 && !is_terminal(job().status)) {
    work([this] { return done_segments() > 0; });
    const auto end =
        life_ == Life::kCancelled ? store_->cancel(kId) : store_->force_fail(kId, "why");
    CHECK(end.ok(), "a job under way can be ended");
  }
  if (job().status == JobStatus::kFailed) {
    CHECK(store_->retry(kId).ok(), "a failed job can be tried again");
  }
}

// Leases are taken by nobody who would ever do the work.
void CrashLife::lose_first_worker() {
  const jobs::LeaseRequest ghost{"ghost", {jobs::TaskKind::kPrepare}, {kEncoder}};
  while (job().status == JobStatus::kQueued || job().status == JobStatus::kPlanning) {
    if (job().crashes >= 1) return;  // the test's own death is another, a third sets it aside
    const auto leased = store_->lease_next(ghost, kLease);
    CHECK(leased.ok(), "the store answers");
    if (*leased) {
      CHECK(store_->put_waiting((*leased)->lease, "memory").ok(), "a task may wait");
      CHECK(store_->put_alone((*leased)->lease).ok(), "a task may be alone");
    }
    CHECK(store_->expire_leases_except("nobody").ok() && store_->reap().ok(), "so it does");
  }
}

// An encoder leaves the fleet when it has drawn one segment.
void CrashLife::lose_encoder() {
  if (job().encoder == kEncoder || is_terminal(job().status)) return;
  work([this] { return done_segments() > 0; });
  const auto fellows = store_->workers(kFleetPatience);
  CHECK(fellows.ok(), "the store answers");
  for (jobs::WorkerInfo facts : *fellows) {
    facts.encoders = {kEncoder};
    CHECK(store_->upsert_worker(facts).ok(), "fleet");
  }
  const auto degraded = store_->degrade(kEncoder, kFleetPatience);
  CHECK(degraded.ok() && job().encoder == kEncoder, "the fleet can do without an encoder");
}

void CrashLife::send_webhooks() {
  const auto events = store_->take_events({10, kLease, {}});
  CHECK(events.ok(), "the store answers");
  for (const jobs::Event& event : *events) {
    note("events", event.id);
    CHECK(store_->event_delivered(event).ok(), "an event can be concluded");
  }
}

void CrashLife::run_maintenance() {
  CHECK(store_->redeliver(kId).ok(), "what was told can be told again");
  send_webhooks();
  CHECK(store_->set_draining(true).ok() && store_->set_draining(false).ok(), "fleet");
  collect_garbage();
  CHECK(store_->purge_rows(jobs::RowKind::kEvent, std::chrono::hours(24), 10).ok(), "rows");
  CHECK(store_->probe().ok(), "health");
  CHECK(store_->remove_worker(holder_).ok(), "fleet");
}

void CrashLife::carry_out_deletions() {
  const auto keys = store_->take_deletions(100, std::chrono::milliseconds(0));
  CHECK(keys.ok() && store_->deleted(*keys).ok(), "deletions can be carried out");
}

// Whatever was done of it before a death is done again or found done.
void CrashLife::collect_garbage() {
  constexpr std::chrono::hours kAnyAge{-1};
  constexpr std::chrono::hours kNoAge{24 * 365 * 10};
  CHECK(store_->begin_gc_pass(std::chrono::milliseconds(0)).ok(), "a pass may begin");
  CHECK(store_->condemn({"segments/nobody.990001.mp4"}).ok(), "orphans can be condemned");
  carry_out_deletions();
  jobs::AssetRecord spare;
  spare.tenant = "acme";
  spare.key = "assets/acme/spare.png";
  CHECK(store_->deleted({spare.key}).ok(), "what a dead one had begun to delete is carried out");
  CHECK(store_->keep_asset(spare).ok() && store_->expire_assets(kAnyAge, 10).ok(),
        "uploads expire");
  carry_out_deletions();
  CHECK(store_->keep_asset(spare).ok(), "it comes again");
  CHECK(store_->delete_asset("acme", spare.key).ok(), "uploads can be deleted");
  CHECK(store_->deleted({spare.key}).ok(), "and are gone");
  CHECK(store_->expire_jobs(JobStatus::kDone, kNoAge, 1).ok(), "files of jobs expire");
  const std::string other = "other";
  if (!store_->job(other))
    CHECK(store_->create(testing_support::sample_job(other), {100}).ok(), "b");
  if (!is_terminal(store_->job(other)->status)) CHECK(store_->cancel(other).ok(), "it can end");
  CHECK(store_->delete_job(other).ok() && store_->purge_spend(other).ok(), "jobs can be deleted");
}

void CrashLife::take_over() {
  CHECK(store_->expire_leases_except("nobody").ok() && store_->reap().ok(), "the store answers");
}

void CrashLife::live() {
  want_job();
  if (life_ == Life::kOrphan) lose_first_worker();
  if (life_ == Life::kCancelled || life_ == Life::kByHand) change_mind();
  if (life_ == Life::kDegraded) lose_encoder();
  work([this] { return is_terminal(job().status); });
  send_webhooks();
  run_maintenance();
}

Outcome CrashLife::outcome() {
  Outcome found;
  const jobs::Job ended = job();
  found.status = ended.status;
  found.fallback = ended.fallback_used;
  found.jobs = static_cast<int>(store_->list(std::nullopt, {std::nullopt, "", 200})->jobs.size());
  found.renders = lines("renders", false);
  found.events = lines("events", true);
  const auto rows = store_->segments(kId).value();
  for (const jobs::Segment& segment : rows) {
    if (ended.status == JobStatus::kDone) found.whole &= *worker::intact(segment, *storage_);
  }
  const fs::path root = folder_ / "storage";
  for (const auto& entry : fs::recursive_directory_iterator(root / "jobs" / kId)) {
    const std::string path = entry.path().lexically_relative(root).string();
    if (!entry.is_regular_file() || path.ends_with("metadata.json")) continue;
    found.files[path] = *read_file(entry.path());
  }
  return found;
}

}  // namespace pytoon::chaos
