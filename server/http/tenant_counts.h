// How many of something each tenant has at once: uploads, connections.
//
// Thread rule: any thread; a slot belongs to one owner and must not outlive the counts.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace pytoon::http {

class TenantCounts {
 public:
  // Counts while it lives.
  class Slot {
   public:
    Slot(TenantCounts& counts, std::string tenant) : counts_(&counts), tenant_(std::move(tenant)) {}
    ~Slot() {
      if (counts_ != nullptr) counts_->release(tenant_);
    }
    Slot(Slot&& other) noexcept
        : counts_(std::exchange(other.counts_, nullptr)), tenant_(std::move(other.tenant_)) {}
    Slot& operator=(Slot&& other) noexcept {
      std::swap(counts_, other.counts_);
      std::swap(tenant_, other.tenant_);
      return *this;
    }

   private:
    TenantCounts* counts_;
    std::string tenant_;
  };

  // nullopt when the tenant has as many as it may.
  std::optional<Slot> take(const std::string& tenant, int most) {
    const std::lock_guard lock(mutex_);
    int& count = counts_[tenant];
    if (count >= most) return std::nullopt;
    ++count;
    return Slot(*this, tenant);
  }

 private:
  void release(const std::string& tenant) {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(tenant);
    if (--found->second == 0) counts_.erase(found);
  }

  std::mutex mutex_;
  std::map<std::string, int> counts_;  // none is 0 for long; guarded by mutex_
};

}  // namespace pytoon::http
