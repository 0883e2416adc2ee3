// A jobs::Service in memory, with handles to make it slow, throw or change.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "server/jobs/service.h"

namespace pytoon::http::testing_support {

class FakeService final : public jobs::Service {
 public:
  nlohmann::ordered_json presets() const override;
  nlohmann::ordered_json platforms() const override;
  Result<jobs::Asset> keep_asset(const jobs::Caller& caller, const jobs::Upload& upload) override;
  Result<jobs::Submitted> submit(const jobs::Caller& caller, const nlohmann::json& body,
                                 const std::string& idempotency_key) override;
  Result<jobs::JobEstimate> estimate(const jobs::Caller& caller,
                                     const nlohmann::json& body) override;
  Result<std::string> preview(const jobs::Caller& caller, const nlohmann::json& body,
                              const jobs::PreviewMoments& moments) override;
  std::chrono::seconds retry_after() override { return std::chrono::seconds(retry_seconds); }
  Result<jobs::Job> job(const jobs::Caller& caller, const std::string& id) override;
  Result<std::map<std::string, std::int64_t>> versions(
      const std::vector<std::string>& ids) override;
  Result<jobs::JobPage> list(const jobs::Caller& caller, const jobs::ListQuery& query) override;
  Result<std::vector<jobs::Segment>> segments(const jobs::Caller& caller,
                                              const std::string& id) override;
  Result<jobs::Artifact> output(const jobs::Caller& caller, const std::string& id) override;
  Result<jobs::Artifact> thumbnail(const jobs::Caller& caller, const std::string& id) override;
  Result<jobs::Usage> usage(const jobs::Caller& caller) override;
  Result<jobs::Artifact> metadata(const jobs::Caller& caller, const std::string& id) override;
  Result<std::vector<jobs::Delivery>> deliveries(const jobs::Caller& caller,
                                                 const jobs::DeliveryQuery& query) override;
  Result<jobs::Asset> asset(const jobs::Caller& caller, const std::string& key) override;
  Result<jobs::Artifact> asset_file(const jobs::Caller& caller, const std::string& key) override;
  Result<jobs::Job> cancel(const jobs::Caller& caller, const std::string& id) override;
  Result<jobs::Job> retry(const jobs::Caller& caller, const std::string& id) override;
  Result<jobs::Job> redeliver(const jobs::Caller& caller, const std::string& id) override;
  Status delete_job(const jobs::Caller& caller, const std::string& id) override;
  Status delete_asset(const jobs::Caller& caller, const std::string& key) override;
  Result<jobs::Job> force_fail(const jobs::Caller& caller, const std::string& id,
                               const std::string& error) override;
  Result<jobs::Capacity> capacity(const jobs::Caller& caller) override;
  Status set_draining(const jobs::Caller& caller, bool draining) override;
  Result<jobs::Purged> purge_tenant(const jobs::Caller& caller, const std::string& tenant) override;
  Result<std::vector<jobs::ApiKey>> api_keys(const jobs::Caller& caller) override;
  Result<jobs::NewKey> create_key(const jobs::Caller& caller, const jobs::KeyOrder& order) override;
  Result<jobs::NewKey> rotate_key(const jobs::Caller& caller, const std::string& id,
                                  std::chrono::seconds grace) override;
  Result<jobs::ApiKey> revoke_key(const jobs::Caller& caller, const std::string& id) override;
  Readiness readiness() override;

  struct Kept {
    std::string client_name;
    std::string sha256;
  };
  Kept last_upload();  // of those that were taken

  void put(jobs::Job job);
  void change(const std::string& id, const std::function<void(jobs::Job&)>& edit);  // + version
  void remove(const std::string& id);

  // Called at the start of every job(), versions(), keep_asset() and output(); may throw or wait.
  std::function<void()> on_job;
  std::function<void()> on_versions;
  std::function<void()> on_upload;
  std::function<void()> on_output;
  std::function<void()> on_preview;
  std::atomic<bool> away{false};  // job() is kUnavailable
  std::optional<Failure> submit_failure;
  Readiness ready;
  std::atomic<bool> fleet_draining{false};
  jobs::Artifact artifact;
  jobs::Artifact asset_artifact;
  jobs::DeliveryQuery last_delivery_query;
  std::atomic<int> uploads{0};
  std::atomic<int> looks{0};  // versions()
  std::atomic<int> submissions{0};
  std::atomic<int> retry_seconds{37};
  std::string last_deleted_asset;
  std::string last_purged;
  std::optional<jobs::KeyOrder> last_key_order;
  std::chrono::seconds last_grace{0};

 private:
  Result<jobs::Job> turn(const jobs::Caller& caller, const std::string& id, jobs::JobStatus to,
                         const std::string& error);

  std::mutex mutex_;
  Kept last_upload_;
  std::map<std::string, jobs::Job> jobs_;
  std::map<std::string, std::string> ids_by_key_;
};

// A queued job of the tenant, with three segments.
jobs::Job sample_job(const std::string& id, const std::string& tenant = "acme");
jobs::ApiKey sample_api_key();  // "key_1"

}  // namespace pytoon::http::testing_support
