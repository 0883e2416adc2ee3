#include "server/http/byte_budget.h"

#include <utility>

namespace pytoon::http {

ByteBudget::Share::~Share() {
  if (budget_) budget_->taken_ -= bytes_;
}

ByteBudget::Share::Share(Share&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

ByteBudget::Share& ByteBudget::Share::operator=(Share&& other) noexcept {
  std::swap(budget_, other.budget_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

bool ByteBudget::Share::take(ByteBudget& budget, std::uint64_t bytes) {
  std::uint64_t taken = budget.taken_;
  do {
    if (bytes > budget.bytes_max_ - taken) return false;
  } while (!budget.taken_.compare_exchange_weak(taken, taken + bytes));
  budget_ = &budget;
  bytes_ += bytes;
  return true;
}

ByteBudget& TenantBudgets::of(const std::string& tenant) {
  const std::lock_guard lock(mutex_);
  return budgets_.try_emplace(tenant, bytes_max_).first->second;
}

}  // namespace pytoon::http
