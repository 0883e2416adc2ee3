// Bytes of bodies held in memory by all requests together: a cap on what a crowd of clients that
// send slowly can make us hold.
//
// Thread rule: any thread for the budget; a share belongs to one request.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace pytoon::http {

class ByteBudget {
 public:
  explicit ByteBudget(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  // What one request holds; given back when it goes.
  class Share {
   public:
    Share() = default;
    ~Share();
    Share(Share&& other) noexcept;
    Share& operator=(Share&& other) noexcept;

    // False, and nothing taken, when the budget is spent.
    [[nodiscard]] bool take(ByteBudget& budget, std::uint64_t bytes);

   private:
    ByteBudget* budget_ = nullptr;
    std::uint64_t bytes_ = 0;
  };

 private:
  const std::uint64_t bytes_max_;
  std::atomic<std::uint64_t> taken_{0};
};

// A budget for each tenant, so that none can spend what is for all.
class TenantBudgets {
 public:
  explicit TenantBudgets(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  // Good as long as this is.
  ByteBudget& of(const std::string& tenant);

 private:
  const std::uint64_t bytes_max_;
  std::mutex mutex_;
  std::map<std::string, ByteBudget> budgets_;
};

}  // namespace pytoon::http
