// Cancellation and deadline that ride along to everything slow. Copies share one flag.
//
// Thread rule: any thread may cancel or ask. Asking is one relaxed load, cheap enough per frame.
#pragma once

#include <atomic>
#include <memory>

#include "base/result.h"

namespace pytoon {

class CancelToken {
 public:
  CancelToken() : flag_(std::make_shared<std::atomic<bool>>(false)) {}

  void cancel() const { flag_->store(true, std::memory_order_relaxed); }
  bool cancelled() const { return flag_->load(std::memory_order_relaxed); }

 private:
  std::shared_ptr<std::atomic<bool>> flag_;
};

}  // namespace pytoon
