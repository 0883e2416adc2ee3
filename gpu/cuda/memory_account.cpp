#include "gpu/cuda/memory_account.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "gpu/memory_layout.h"

namespace pytoon::gpu::cuda {
namespace {

Failure over_budget(const MemoryUse& use, std::uint64_t bytes, const char* what) {
  const std::string whose =
      use.owner.empty() ? "this device's budget" : "the budget of " + use.owner;
  return failure(FailureKind::kOutOfMemory,
                 std::string("no GPU memory for ") + what + ": " + mib_text(bytes) + " wanted, " +
                     mib_text(use.used_bytes) + " of " + whose + " of " +
                     mib_text(*use.budget_bytes) +
                     " in use; render fewer segments at once or use smaller images");
}

}  // namespace

std::string mib_text(std::uint64_t bytes) {
  constexpr std::uint64_t kMib = 1024 * 1024;
  return std::to_string((bytes + kMib - 1) / kMib) + " MiB";
}

MemoryAccountPtr MemoryAccount::make_root(std::optional<std::uint64_t> budget_bytes) {
  return std::make_shared<MemoryAccount>(Key{}, "", budget_bytes, nullptr);
}

MemoryAccountPtr MemoryAccount::open(const MemoryAccountPtr& beside, std::string owner,
                                     std::optional<std::uint64_t> budget_bytes) {
  const MemoryAccountPtr& root = beside->is_root() ? beside : beside->root_;
  auto account = std::make_shared<MemoryAccount>(Key{}, std::move(owner), budget_bytes, root);
  const std::lock_guard lock(root->mutex_);
  std::erase_if(root->owners_, [](const auto& known) { return known.expired(); });
  root->owners_.push_back(account);
  return account;
}

Status MemoryAccount::take(std::uint64_t bytes, const char* what) {
  const std::uint64_t counted = counted_bytes(bytes);
  const std::lock_guard lock(mutex_);
  const bool fits =
      !budget_bytes_ || (used_bytes_ <= *budget_bytes_ && counted <= *budget_bytes_ - used_bytes_);
  if (!fits) return over_budget({owner_, used_bytes_, peak_bytes_, budget_bytes_}, bytes, what);
  if (root_ != nullptr) {
    const Status taken = root_->take(bytes, what);
    if (!taken) return taken;
  }
  used_bytes_ += counted;
  peak_bytes_ = std::max(peak_bytes_, used_bytes_);
  return ok_status();
}

void MemoryAccount::give_back(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  CHECK(counted_bytes(bytes) <= used_bytes_, "only what was taken is given back");
  used_bytes_ -= counted_bytes(bytes);
  if (root_ != nullptr) root_->give_back(bytes);
}

void MemoryAccount::set_budget(std::optional<std::uint64_t> bytes) {
  const std::lock_guard lock(mutex_);
  budget_bytes_ = bytes;
}

MemoryUse MemoryAccount::use() const {
  const std::lock_guard lock(mutex_);
  return {owner_, used_bytes_, peak_bytes_, budget_bytes_};
}

std::vector<MemoryUse> MemoryAccount::all_accounts() const {
  const MemoryAccount& root = root_ == nullptr ? *this : *root_;
  std::vector<MemoryAccountPtr> held;
  {
    const std::lock_guard lock(root.mutex_);
    for (const auto& known : root.owners_) {
      if (MemoryAccountPtr account = known.lock()) held.push_back(std::move(account));
    }
  }
  std::vector<MemoryUse> uses;
  uses.reserve(held.size());
  for (const MemoryAccountPtr& account : held) uses.push_back(account->use());
  return uses;
}

}  // namespace pytoon::gpu::cuda
