// A budget and a ledger of device memory: how many bytes one owner may hold, holds, and held at
// most. Taking more than the budget leaves is refused before the card is asked, so that a cost that
// was predicted too low fails here and not in a neighbour on the same card.
//
// Accounts form a tree of two levels: what is taken from an owner's account is taken from the whole
// device's too, and both budgets hold. Bytes count in units of the pool, gpu/memory_layout.h.
//
// Thread rule: any thread; never blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "gpu/device.h"

namespace pytoon::gpu::cuda {

// "12 MiB", rounded up.
std::string mib_text(std::uint64_t bytes);

class MemoryAccount;
using MemoryAccountPtr = std::shared_ptr<MemoryAccount>;

class MemoryAccount {
  struct Key {};  // of make_root() and open() alone

 public:
  // The whole device's.
  static MemoryAccountPtr make_root(std::optional<std::uint64_t> budget_bytes);
  // An owner's, beside the other accounts of the same device, whichever it is opened from.
  static MemoryAccountPtr open(const MemoryAccountPtr& beside, std::string owner,
                               std::optional<std::uint64_t> budget_bytes);

  // kOutOfMemory says whose budget lacks room, for what; nothing is taken then.
  Status take(std::uint64_t bytes, const char* what);
  // What was taken, or part of it.
  void give_back(std::uint64_t bytes);
  void set_budget(std::optional<std::uint64_t> bytes);
  MemoryUse use() const;
  // Of all accounts of the device that anybody holds, in the order of opening.
  std::vector<MemoryUse> all_accounts() const;
  bool is_root() const { return root_ == nullptr; }

  MemoryAccount(Key /*key*/, std::string owner, std::optional<std::uint64_t> budget_bytes,
                MemoryAccountPtr root)
      : owner_(std::move(owner)), root_(std::move(root)), budget_bytes_(budget_bytes) {}

 private:
  const std::string owner_;
  const MemoryAccountPtr root_;  // null for the root itself
  mutable std::mutex mutex_;     // an owner's is taken before the root's
  std::optional<std::uint64_t> budget_bytes_;
  std::uint64_t used_bytes_ = 0;
  std::uint64_t peak_bytes_ = 0;
  std::vector<std::weak_ptr<MemoryAccount>> owners_;  // of a root
};

}  // namespace pytoon::gpu::cuda
