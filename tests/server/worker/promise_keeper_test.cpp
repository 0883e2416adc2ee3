#include "server/worker/promise_keeper.h"

#include <gtest/gtest.h>

#include <sstream>

#include "gpu/cuda/cuda_device.h"
#include "server/jobs/admission/memory_ledger.h"
#include "tests/gpu/cuda/host_cuda_api.h"
#include "tests/server/jobs/samples.h"

namespace pytoon::worker {
namespace {

using jobs::admission::Bytes;
using jobs::admission::Granted;
using jobs::admission::kGiB;
using jobs::admission::kMiB;
using jobs::admission::Lane;
using jobs::admission::Promise;
using jobs::admission::Sample;
using jobs::admission::Wish;
using std::chrono::milliseconds;

constexpr Bytes kCache = 16 * kMiB;

class PromiseKeeperTest : public testing::Test {
 protected:
  PromiseKeeperTest() {
    card_ = gpu::cuda::make_device_on(gpu::cuda::make_host_cuda_api(gpu_), std::nullopt).value();
    keeper_of_promises_ = std::make_unique<PromiseKeeper>(
        ledger_, log_, "worker-1",
        PromiseKeeper::Card{card_.get(), "GPU-A", static_cast<std::uint64_t>(kCache)});
    Sample sample;
    sample.at = clock_.now();
    sample.total = 24 * kGiB;
    sample.free = 23 * kGiB;
    EXPECT_TRUE(ledger_.publish("GPU-A", sample));
  }
  Promise give(Bytes bytes, std::function<void()> lost = nullptr, Lane lane = Lane::kRender) {
    Wish wish;
    wish.gpu = "GPU-A";
    wish.task = "task-" + std::to_string(++tasks_);
    wish.lane = lane;
    wish.bytes = bytes;
    wish.segments_max = 4;
    Result<Granted> granted = keeper().promise(wish, std::move(lost));
    EXPECT_TRUE(granted);
    return std::get<Promise>(*granted);
  }
  PromiseKeeper& keeper() { return *keeper_of_promises_; }
  Bytes budget() { return static_cast<Bytes>(card_->memory_use()->budget_bytes.value()); }

  testing_support::HandClock clock_;
  std::ostringstream lines_;
  Log log_{clock_, lines_};
  const std::shared_ptr<gpu::cuda::HostGpu> gpu_ = std::make_shared<gpu::cuda::HostGpu>();
  std::unique_ptr<gpu::Device> card_;
  jobs::admission::MemoryLedger ledger_{clock_, {}};
  std::unique_ptr<PromiseKeeper> keeper_of_promises_;
  int tasks_ = 0;
};

TEST_F(PromiseKeeperTest, TheDevicesBudgetIsTheSumOfPromisesAndTheCache) {
  EXPECT_EQ(budget(), kCache);
  const Promise one = give(100 * kMiB);
  const Promise two = give(50 * kMiB);
  give(5 * kGiB, nullptr, Lane::kGenerate);  // ComfyUI's, not ours to take
  EXPECT_EQ(budget(), kCache + 150 * kMiB);
  EXPECT_EQ(keeper().live().size(), 3U);
  keeper().release(one);
  EXPECT_EQ(budget(), kCache + 50 * kMiB);
  keeper().release(two);
  EXPECT_EQ(budget(), kCache);
}

TEST_F(PromiseKeeperTest, WhatIsTakenIsHeldByThePromisesBeyondTheCache) {
  const Promise one = give(300 * kMiB);
  const Promise two = give(100 * kMiB);
  auto image = card_->upload(gpu::RgbaImage({4096, 8192}, {1, 2, 3, 255}));
  ASSERT_TRUE(image) << image.failure().detail;
  const auto taken = static_cast<Bytes>(card_->reserved_bytes());
  const auto held = keeper().held();
  ASSERT_EQ(held.size(), 2U);
  EXPECT_EQ(held[0].epoch, one.epoch);
  EXPECT_NEAR(double(held[0].bytes), 3 * double(held[1].bytes), double(kMiB));
  EXPECT_NEAR(double(held[0].bytes + held[1].bytes), double(taken - kCache), double(kMiB));
}

TEST_F(PromiseKeeperTest, ALeaseThatRanOutIsToldOnceAndTakenOffTheBudget) {
  int lost = 0;
  give(100 * kMiB, [&lost] { ++lost; });
  clock_.advance(milliseconds(10'000));
  keeper().renew();
  clock_.advance(milliseconds(10'000));
  keeper().renew();
  EXPECT_EQ(lost, 0);
  clock_.advance(milliseconds(15'001));
  keeper().renew();
  keeper().renew();
  EXPECT_EQ(lost, 1);
  EXPECT_TRUE(keeper().live().empty());
}

}  // namespace
}  // namespace pytoon::worker
