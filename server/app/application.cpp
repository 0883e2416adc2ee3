#include "server/app/application.h"

#include <unistd.h>

#include <array>
#include <utility>

#include "server/app/backends.h"

namespace pytoon::app {
namespace {

constexpr int kSenders = 8;  // a slow receiver holds up one of them, a tenant two at most
constexpr std::chrono::seconds kSenderPause{1};
constexpr std::chrono::milliseconds kLookPause{500};  // how late /ready tells
constexpr std::chrono::minutes kGcPause{1};
constexpr std::chrono::seconds kSpanPause{1};
constexpr std::chrono::seconds kOrphansPause{10};

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

jobs::WorkerInfo facts_of(const Config& config, const RenderStack& stack, IdSource& ids) {
  jobs::WorkerInfo facts;
  facts.worker_id = ids.next();
  facts.host = host_name();
  facts.pid = ::getpid();
  facts.threads = config.worker_concurrency;
  facts.device = stack.device->description();
  facts.device_kind = stack.device->kind();
  return facts;
}

worker::Options worker_options(const Config& config, bool sole_owner,
                               const jobs::WorkerInfo& facts) {
  worker::Options options;
  options.worker_id = facts.worker_id;
  options.lease = config.lease;
  options.job_time = config.engines.job_time;
  options.sole_owner = sole_owner;
  options.render_threads = config.worker_concurrency;
  options.reuse = config.reuse_segments;
  options.audio_threads = config.audio_threads;
  return options;
}

std::unique_ptr<io::RedisNotifier> open_notifier(const Config& config, const std::string& worker_id,
                                                 Clock& clock, Log& log) {
  if (!config.redis) return nullptr;
  io::WakeupOptions options;
  options.backoff_seed = seed_from(worker_id);
  return std::make_unique<io::RedisNotifier>(*config.redis, std::move(options), clock, log);
}

jobs::WebhookOptions webhook_options(const Config& config) {
  jobs::WebhookOptions options;
  options.keys = config.webhook_keys;
  options.egress = config.webhooks_allow_private ? EgressScope::kAny : EgressScope::kPublic;
  options.schedule = config.webhook_schedule;
  return options;
}

std::unique_ptr<observe::SpanExporter> open_spans(const Config& config, const std::string& instance,
                                                  HttpClient& client, IdSource& ids, Log& log) {
  if (config.spans_endpoint.empty()) return nullptr;
  return std::make_unique<observe::SpanExporter>(
      client, ids, log,
      observe::SpanExporterOptions{config.spans_endpoint, config.spans_headers, PYTOON_VERSION,
                                   instance});
}

jobs::GcOptions gc_options(const Config& config) {
  jobs::GcOptions options;
  options.retention = config.retention;
  return options;
}

jobs::ServiceLimits limits_of(const Config& config) {
  jobs::ServiceLimits limits;
  limits.queued_jobs = config.max_queued_jobs;
  limits.plans = config.plans;
  limits.estimate.workflows = workflow_profiles(config);
  limits.estimate.micro_usd_per_job_max = config.engines.caps.per_job_micro_usd;
  limits.estimate.gpu_pieces_at_once = config.gpu_pieces_per_segment;
  if (!config.webhook_keys.empty()) {
    limits.webhooks =
        config.webhooks_allow_private ? jobs::Webhooks::kAny : jobs::Webhooks::kPublic;
  }
  return limits;
}

}  // namespace

Result<media::MediaInfo> Inspector::inspect_image(const std::filesystem::path& file) {
  return decoder_.inspect(media::FileKind::kImage, file);
}

Result<media::MediaInfo> Inspector::inspect_clip(const std::filesystem::path& file) {
  return decoder_.inspect(media::FileKind::kClip, file);
}

Result<media::MediaInfo> Inspector::inspect_audio(const std::filesystem::path& file) {
  return decoder_.inspect(media::FileKind::kAudio, file);
}

Application::Application(Role role, const Config& config, RenderStack& stack,
                         std::unique_ptr<io::SqlStore> store,
                         std::unique_ptr<jobs::ObjectStore> storage,
                         std::unique_ptr<engines::EngineRegistry> engines, Clock& clock, Log& log)
    : role_(role),
      log_(log),
      store_(std::move(store)),
      storage_(std::move(storage)),
      inspector_(*stack.decoder),
      process_health_(log),
      metrics_(*store_),
      health_(*store_, *store_, *storage_, process_health_, clock),
      engines_(std::move(engines)),
      facts_(facts_of(config, stack, ids_)),
      spans_(open_spans(config, facts_.worker_id, collector_, ids_, log)),
      gpu_admission_(
          draws() ? open_gpu_admission({config, stack, *store_, *engines_, metrics_, clock, log},
                                       facts_.worker_id)
                  : nullptr),
      worker_({*store_, *store_, *storage_, stack.renderer(), engines_->engine_chain(),
               config.catalogue.presets, metrics_, clock, log, process_health_,
               gpu_admission_.get(), stack.decoder.get(), spans_.get()},
              *store_, worker_options(config, store_->sole_owner(), facts_), facts_),
      orphaned_prompts_(engines_->comfyui_servers(), *store_, clock, log),
      redis_notifier_(open_notifier(config, facts_.worker_id, clock, log)),
      pool_(worker_, {}, redis_notifier_.get()),
      notifiers_(pool_, redis_notifier_.get()),
      sender_(*store_, web_, metrics_, clock, log, webhook_options(config)),
      eraser_(*store_, *store_, *storage_, metrics_, log),
      gc_(*store_, *storage_, eraser_, metrics_, clock, log, gc_options(config)),
      previewer_(*store_, *storage_, stack.renderer(), clock),
      service_({*store_,
                *store_,
                *store_,
                *storage_,
                inspector_,
                stack.renderer(),
                config.catalogue,
                notifiers_,
                metrics_,
                health_,
                eraser_,
                ids_,
                clock,
                log,
                store_->promises(),
                store_->profiles(),
                engines_->engine_chain(),
                store_->keys(),
                previewer_,
                spans_.get()},
               limits_of(config)) {
  metrics_.watch_process(process_health_);
  metrics_.watch_decoders([&decoder = *stack.decoder] { return decoder.deaths(); });
  if (redis_notifier_) listen(config, clock);
  if (draws()) metrics_.watch_pools([this] { return worker_.pool_states(); });
}

void Application::listen(const Config& config, Clock& clock) {
  if (draws()) {
    redis_listener_ = std::make_unique<io::RedisListener>(
        *config.redis, io::WakeupOptions{}, facts_.worker_id, [this] { pool_.notify(); }, clock,
        log_);
    pool_.tell([this](bool free) { redis_listener_->listen(free); });
  }
  metrics_.watch_notifier([this] { return notifier_info(); });
  health_.add_helper("redis", [this] {
    const bool listening = !redis_listener_ || redis_listener_->state().connected;
    return listening && redis_notifier_->state().connected;
  });
}

observe::NotifierInfo Application::notifier_info() const {
  const auto link = [](const char* name, const io::LinkState& state) {
    return observe::LinkFacts{name, state.connected, state.connects, state.failures};
  };
  const io::RedisNotifier::Counts counts = redis_notifier_->counts();
  observe::NotifierInfo facts;
  facts.links.push_back(link("notifier", redis_notifier_->state()));
  facts.sent = counts.sent;
  facts.dropped = counts.dropped;
  if (redis_listener_) {
    facts.links.push_back(link("listener", redis_listener_->state()));
    facts.received = redis_listener_->received();
  }
  return facts;
}

Application::~Application() { stop(); }

void Application::repeat(std::chrono::milliseconds pause, std::function<bool()> step) {
  periodic_tasks_.push_back(std::make_unique<PeriodicTask>(std::move(step), pause));
}

Status Application::start() {
  if (Status freed = free_leases_of_the_dead(*store_, facts_.worker_id); !freed) return freed;
  if (draws()) {
    if (Status known = store_->upsert_worker(facts_); !known) return known;
    if (gpu_admission_) gpu_admission_->start();
    if (spans_) {
      span_task_ = std::make_unique<PeriodicTask>([this] { return spans_->step(); }, kSpanPause);
    }
    pool_.start();
    working_ = true;
    if (!engines_->comfyui_servers().empty()) {
      repeat(kOrphansPause, [this] {
        orphaned_prompts_.look();
        return false;
      });
    }
  }
  health_.look();
  repeat(kLookPause, [this] {
    health_.look();
    return false;
  });
  if (tells_and_collects()) {
    for (int i = 0; i < kSenders; ++i) repeat(kSenderPause, [this] { return sender_.step(); });
    repeat(kGcPause, [this] { return gc_.step(); });
  }
  return ok_status();
}

void Application::stop() {
  health_.set_leaving();
  sender_.stop();
  periodic_tasks_.clear();
  if (!std::exchange(working_, false)) return;
  pool_.stop();
  if (spans_) {
    spans_->stop();
    span_task_.reset();
    spans_->flush();
  }
  if (gpu_admission_) gpu_admission_->stop();
  const Status removed = store_->remove_worker(facts_.worker_id);
  if (!removed) log_.warning("worker_not_removed", {{"reason", removed.failure().detail}});
}

}  // namespace pytoon::app
