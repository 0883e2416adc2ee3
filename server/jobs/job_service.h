// The service itself: validate, plan, refuse what can't be made, commit, notify the workers. A job
// that was answered with success is in the store.
//
// Order of refusals of submit(): scope, used idempotency key, draining, fields, preset, webhook,
// URIs, text that can't be drawn, storage, queue limit. estimate() has the same order, without
// keys.
#pragma once

#include "base/ids.h"
#include "base/log.h"
#include "pipeline/plan/planner.h"
#include "pipeline/render/renderer.h"
#include "server/jobs/asset_keeper.h"
#include "server/jobs/eraser.h"
#include "server/jobs/eta_estimator.h"
#include "server/jobs/job_estimator.h"
#include "server/jobs/job_trace.h"
#include "server/jobs/key_registry.h"
#include "server/jobs/ports.h"

namespace pytoon::jobs {

// All must outlive the service.
struct ServiceParts {
  JobStore& store;
  Outbox& outbox;
  WorkerRegistry& fleet;
  ObjectStore& storage;
  MediaInspector& inspector;
  render::Renderer& renderer;
  const plan::Catalogue& catalogue;
  WorkNotifier& notifier;
  JobMetrics& metrics;
  HealthSource& health;
  Eraser& eraser;
  IdSource& ids;
  const Clock& clock;
  Log& log;
  admission::PromiseLedger& promises;
  admission::ProfileStore& profiles;
  engines::EngineChain& engine_chain;
  KeyStore& keys;
  FramePreviewer& previewer;
  SpanSink* spans = nullptr;  // null: nobody asks for spans
};

// Where a job may have its end told.
enum class Webhooks {
  kNone,    // nowhere: there is no secret to sign with
  kPublic,  // to public addresses only
  kAny,     // also to private ones: for development
};

struct ServiceLimits {
  std::int64_t queued_jobs = QueueLimits{}.all;  // of all tenants
  TenantPlans plans;
  Webhooks webhooks = Webhooks::kNone;
  EstimateOptions estimate = {};
};

class JobService final : public Service {
 public:
  JobService(const ServiceParts& parts, ServiceLimits limits)
      : parts_(parts),
        limits_(limits),
        assets_(parts.store, parts.storage, parts.inspector),
        eta_(parts.store, parts.clock),
        estimator_({parts.store, parts.fleet, parts.promises, parts.profiles, parts.renderer,
                    parts.engine_chain, parts.catalogue.presets},
                   limits_.estimate),
        keys_(parts.keys, parts.ids, parts.clock, parts.log) {}

  nlohmann::ordered_json presets() const override;
  nlohmann::ordered_json platforms() const override;
  Result<Asset> keep_asset(const Caller& caller, const Upload& upload) override;
  Result<Submitted> submit(const Caller& caller, const nlohmann::json& body,
                           const std::string& idempotency_key) override;
  Result<JobEstimate> estimate(const Caller& caller, const nlohmann::json& body) override;
  Result<std::string> preview(const Caller& caller, const nlohmann::json& body,
                              const PreviewMoments& moments) override;
  std::chrono::seconds retry_after() override;
  Result<Job> job(const Caller& caller, const std::string& id) override;
  Result<std::map<std::string, std::int64_t>> versions(
      const std::vector<std::string>& ids) override {
    return parts_.store.versions(ids);
  }
  Result<JobPage> list(const Caller& caller, const ListQuery& query) override;
  Result<std::vector<Segment>> segments(const Caller& caller, const std::string& id) override;
  Result<Artifact> output(const Caller& caller, const std::string& id) override;
  Result<Artifact> thumbnail(const Caller& caller, const std::string& id) override;
  Result<Usage> usage(const Caller& caller) override;
  Result<Artifact> metadata(const Caller& caller, const std::string& id) override;
  Result<std::vector<Delivery>> deliveries(const Caller& caller,
                                           const DeliveryQuery& query) override;
  Result<Asset> asset(const Caller& caller, const std::string& key) override;
  Result<Artifact> asset_file(const Caller& caller, const std::string& key) override;
  Result<Job> cancel(const Caller& caller, const std::string& id) override;
  Result<Job> retry(const Caller& caller, const std::string& id) override;
  Result<Job> redeliver(const Caller& caller, const std::string& id) override;
  Status delete_job(const Caller& caller, const std::string& id) override;
  Status delete_asset(const Caller& caller, const std::string& key) override;
  Result<Job> force_fail(const Caller& caller, const std::string& id,
                         const std::string& error) override;
  Result<Capacity> capacity(const Caller& caller) override;
  Status set_draining(const Caller& caller, bool draining) override;
  Result<Purged> purge_tenant(const Caller& caller, const std::string& tenant) override;
  Result<std::vector<ApiKey>> api_keys(const Caller& caller) override;
  Result<NewKey> create_key(const Caller& caller, const KeyOrder& order) override;
  Result<NewKey> rotate_key(const Caller& caller, const std::string& id,
                            std::chrono::seconds grace) override;
  Result<ApiKey> revoke_key(const Caller& caller, const std::string& id) override;
  Readiness readiness() override { return parts_.health.readiness(); }

 private:
  struct Planned {
    spec::JobRequest request;
    NewJob order;
  };
  Result<Planned> plan(const Caller& caller, const nlohmann::json& body);
  // plan(), unless no new jobs are taken now.
  Result<Planned> plan_now(const Caller& caller, const nlohmann::json& body);
  QueueLimits queue_of(const Caller& caller) const;
  // kTooLarge when the upload would not fit into what the tenant's plan gives it.
  Status room_for(const Caller& caller, const Upload& upload) const;
  Status check_webhook(const std::string& url) const;
  // kNotFound for another tenant's, as for none.
  Result<Job> find(const Caller& caller, const std::string& id);
  void remove_files(const Job& job);
  // Of a job that ended by a request, not by a worker.
  void tell_job_span(const Job& job, const std::string& error);
  Result<Artifact> artifact(const Caller& caller, const std::string& id, const std::string& file,
                            const std::string& content_type);

  const ServiceParts parts_;
  const ServiceLimits limits_;
  AssetKeeper assets_;
  EtaEstimator eta_;
  JobEstimator estimator_;
  KeyRegistry keys_;
};

}  // namespace pytoon::jobs
