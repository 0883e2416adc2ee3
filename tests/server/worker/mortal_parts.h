// Parts of a process that can die at any instant: before or after any call to its store or its
// storage. Once dead, every further call of this process throws too.
#pragma once

#include <stdexcept>
#include <string>

#include "server/jobs/job_store.h"
#include "server/jobs/object_store.h"

namespace pytoon::testing_support {

class Doom {
 public:
  explicit Doom(int moments_left) : moments_left_(moments_left) {}

  template <typename Call>
  auto around(const Call& call) {
    pass();
    auto result = call();
    pass();
    return result;
  }
  bool met() const { return moments_left_ < 0; }

 private:
  void pass() {
    if (--moments_left_ < 0) throw std::runtime_error("the process is dead");
  }
  int moments_left_;
};

class MortalStorage final : public jobs::ObjectStore {
 public:
  MortalStorage(jobs::ObjectStore& real, Doom& doom) : real_(real), doom_(doom) {}
  std::filesystem::path staging(const std::string& name) override {
    return doom_.around([&] { return real_.staging(name); });
  }
  Status put(const std::filesystem::path& file, const std::string& key) override {
    return doom_.around([&] { return real_.put(file, key); });
  }
  Result<std::filesystem::path> local(const std::string& key) override {
    return doom_.around([&] { return real_.local(key); });
  }
  bool exists(const std::string& key) override {
    return doom_.around([&] { return real_.exists(key); });
  }
  Status link(const std::string& target, const std::string& key) override {
    return doom_.around([&] { return real_.link(target, key); });
  }
  Status remove(const std::string& key) override {
    return doom_.around([&] { return real_.remove(key); });
  }
  Status writable() override {
    return doom_.around([&] { return real_.writable(); });
  }

 private:
  jobs::ObjectStore& real_;
  Doom& doom_;
};

class MortalStore final : public jobs::JobStore {
 public:
  MortalStore(jobs::JobStore& real, Doom& doom) : real_(real), doom_(doom) {}
  Result<jobs::Job> job(const std::string& id) override {
    return doom_.around([&] { return real_.job(id); });
  }
  Result<std::vector<jobs::Segment>> segments(const std::string& id) override {
    return doom_.around([&] { return real_.segments(id); });
  }
  Result<jobs::JobPage> list(const std::optional<std::string>& tenant,
                             const jobs::ListQuery& query) override {
    return doom_.around([&] { return real_.list(tenant, query); });
  }
  Result<std::int64_t> queued() override {
    return doom_.around([&] { return real_.queued(); });
  }
  Result<std::optional<jobs::Receipt>> receipt(const std::string& tenant,
                                               const std::string& key) override {
    return doom_.around([&] { return real_.receipt(tenant, key); });
  }
  Result<jobs::AssetRecord> asset(const std::string& tenant, const std::string& key) override {
    return doom_.around([&] { return real_.asset(tenant, key); });
  }
  Status probe() override {
    return doom_.around([&] { return real_.probe(); });
  }
  Result<jobs::Submitted> create(const jobs::NewJob& job, std::int64_t queued_max) override {
    return doom_.around([&] { return real_.create(job, queued_max); });
  }
  Status keep_asset(const jobs::AssetRecord& asset) override {
    return doom_.around([&] { return real_.keep_asset(asset); });
  }
  Result<std::optional<jobs::Claim>> lease_next(const std::string& holder,
                                                std::chrono::milliseconds duration) override {
    return doom_.around([&] { return real_.lease_next(holder, duration); });
  }
  Status renew(const jobs::Lease& lease, std::chrono::milliseconds duration) override {
    return doom_.around([&] { return real_.renew(lease, duration); });
  }
  Status check(const jobs::Lease& lease) override {
    return doom_.around([&] { return real_.check(lease); });
  }
  Status release(const jobs::Lease& lease, jobs::Ending ending,
                 std::chrono::milliseconds delay) override {
    return doom_.around([&] { return real_.release(lease, ending, delay); });
  }
  Status expire_leases_except(const std::string& holder) override {
    return doom_.around([&] { return real_.expire_leases_except(holder); });
  }
  Status move(const jobs::Lease& lease, const Move& move) override {
    return doom_.around([&] { return real_.move(lease, move); });
  }
  Status put_segment(const jobs::Lease& lease, const jobs::Segment& segment) override {
    return doom_.around([&] { return real_.put_segment(lease, segment); });
  }
  Status put_progress(const jobs::Lease& lease, int pct) override {
    return doom_.around([&] { return real_.put_progress(lease, pct); });
  }
  Status note_fallback(const jobs::Lease& lease, const std::string& reason) override {
    return doom_.around([&] { return real_.note_fallback(lease, reason); });
  }

 private:
  jobs::JobStore& real_;
  Doom& doom_;
};

}  // namespace pytoon::testing_support
