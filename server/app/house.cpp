#include "server/app/house.h"

#include <unistd.h>

#include <array>
#include <utility>

#include "pipeline/media/clip/inspect_clip.h"
#include "pipeline/media/image/image_file.h"
#include "pipeline/media/sound/sound_file.h"

namespace pytoon::app {
namespace {

constexpr int kSenders = 4;  // a slow receiver holds up one of them
constexpr std::chrono::seconds kSenderPause{1};
constexpr std::chrono::minutes kSweeperPause{1};

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

jobs::WorkerFacts facts_of(const Config& config, const Studio& studio, IdSource& ids) {
  jobs::WorkerFacts facts;
  facts.holder = ids.next();
  facts.host = host_name();
  facts.pid = ::getpid();
  facts.threads = config.worker_concurrency;
  facts.device = studio.device->description();
  facts.device_kind = studio.device->kind();
  return facts;
}

// No other process can lease from our store.
bool is_sole_owner(Role role, const Config& config) {
  return role == Role::kRender || (role == Role::kServe && !is_postgres(config));
}

worker::Options worker_options(Role role, const Config& config, const jobs::WorkerFacts& facts) {
  worker::Options options;
  options.holder = facts.holder;
  options.lease = config.lease;
  options.job_time = config.engines.job_time;
  options.last_logo = "assets/brand_logo.png";
  options.sole_owner = is_sole_owner(role, config);
  options.render_threads = config.worker_concurrency;
  options.audio_threads = config.audio_threads;
  return options;
}

std::unique_ptr<io::RedisBell> redis_bell(const Config& config, Clock& clock, Log& log) {
  if (!config.redis) return nullptr;
  return std::make_unique<io::RedisBell>(*config.redis, io::DoorbellOptions{}, clock, log);
}

jobs::WebhookOptions webhook_options(const Config& config) {
  jobs::WebhookOptions options;
  options.keys = config.webhook_keys;
  options.reach = config.webhooks_allow_private ? Reach::kAny : Reach::kPublic;
  options.schedule = config.webhook_schedule;
  return options;
}

jobs::SweeperOptions sweeper_options(const Config& config) {
  jobs::SweeperOptions options;
  options.retention = std::chrono::hours(24) * config.retention_days;
  return options;
}

jobs::ServiceLimits limits_of(const Config& config) {
  jobs::ServiceLimits limits;
  limits.queued_max = config.max_queued_jobs;
  if (!config.webhook_keys.empty()) {
    limits.webhooks =
        config.webhooks_allow_private ? jobs::Webhooks::kAny : jobs::Webhooks::kPublic;
  }
  return limits;
}

}  // namespace

Result<jobs::PictureFacts> Inspector::inspect_picture(const std::filesystem::path& file) {
  Result<media::ImageFacts> facts = media::inspect_image(file);
  if (!facts) return facts.failure();
  return jobs::PictureFacts{facts->format, facts->size.width, facts->size.height, facts->has_alpha};
}

Result<jobs::ClipFacts> Inspector::inspect_clip(const std::filesystem::path& file) {
  const Result<media::ClipFacts> facts = media::inspect_clip(file);
  if (!facts) return facts.failure();
  return jobs::ClipFacts{facts->format, facts->size.width, facts->size.height,
                         facts->duration_seconds};
}

Result<jobs::AudioFacts> Inspector::inspect_audio(const std::filesystem::path& file) {
  const Result<media::SoundFacts> facts = media::inspect_sound(file);
  if (!facts) return facts.failure();
  return jobs::AudioFacts{facts->format, facts->duration_seconds, facts->channels,
                          facts->sample_rate};
}

House::House(Role role, const Config& config, Studio& studio, std::unique_ptr<io::SqlStore> store,
             std::unique_ptr<jobs::ObjectStore> storage,
             std::unique_ptr<engines::EngineRoom> engines, Clock& clock, Log& log)
    : role_(role),
      log_(log),
      store_(std::move(store)),
      storage_(std::move(storage)),
      metrics_(*store_),
      health_(*store_, *store_, *storage_),
      engines_(std::move(engines)),
      facts_(facts_of(config, studio, ids_)),
      worker_({*store_, *store_, *storage_, *studio.renderer, engines_->ladder(),
               config.catalogue.presets, metrics_, clock, log},
              *store_, worker_options(role, config, facts_), facts_),
      redis_bell_(redis_bell(config, clock, log)),
      pool_(worker_, {}, redis_bell_.get()),
      bells_(pool_, redis_bell_.get()),
      sender_(*store_, web_, metrics_, clock, log, webhook_options(config)),
      sweeper_(*store_, *store_, *storage_, clock, log, sweeper_options(config)),
      service_({*store_, *store_, *store_, *storage_, inspector_, *studio.renderer,
                config.catalogue, bells_, metrics_, health_, ids_, clock, log},
               limits_of(config)) {
  if (redis_bell_) listen(config, clock);
  if (draws()) metrics_.watch_pools([this] { return worker_.pool_states(); });
}

void House::listen(const Config& config, Clock& clock) {
  if (draws()) {
    redis_listener_ = std::make_unique<io::RedisListener>(
        *config.redis, io::DoorbellOptions{}, facts_.holder, [this] { pool_.ring(); }, clock, log_);
    pool_.tell([this](bool free) { redis_listener_->listen(free); });
  }
  metrics_.watch_doorbell([this] { return doorbell(); });
  health_.add_helper("redis", [this] {
    const bool heard = !redis_listener_ || redis_listener_->state().connected;
    return heard && redis_bell_->state().connected;
  });
}

observe::DoorbellFacts House::doorbell() const {
  const auto link = [](const char* name, const io::LinkState& state) {
    return observe::LinkFacts{name, state.connected, state.connects, state.failures};
  };
  const io::RedisBell::Counts counts = redis_bell_->counts();
  observe::DoorbellFacts facts;
  facts.links.push_back(link("bell", redis_bell_->state()));
  facts.sent = counts.sent;
  facts.dropped = counts.dropped;
  if (redis_listener_) {
    facts.links.push_back(link("listener", redis_listener_->state()));
    facts.heard = redis_listener_->heard();
  }
  return facts;
}

House::~House() { stop(); }

Status House::start() {
  // Whoever else holds a lease in a store of our own is dead.
  if (role_ == Role::kServe) {
    if (Status freed = store_->expire_leases_except(facts_.holder); !freed) return freed;
    if (const auto reaped = store_->reap(); !reaped) return reaped.failure();
  }
  if (draws()) {
    if (Status known = store_->put_worker(facts_); !known) return known;
    pool_.start();
    working_ = true;
  }
  if (keeps_house()) {
    for (int i = 0; i < kSenders; ++i) {
      chores_.push_back(std::make_unique<Chore>([this] { return sender_.step(); }, kSenderPause));
    }
    chores_.push_back(std::make_unique<Chore>([this] { return sweeper_.step(); }, kSweeperPause));
  }
  return ok_status();
}

void House::stop() {
  health_.set_leaving();
  sender_.stop();
  chores_.clear();
  if (!std::exchange(working_, false)) return;
  pool_.stop();
  const Status removed = store_->remove_worker(facts_.holder);
  if (!removed) log_.warning("worker_not_removed", {{"reason", removed.failure().detail}});
}

}  // namespace pytoon::app
