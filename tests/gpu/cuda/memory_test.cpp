#include "gpu/cuda/memory.h"

#include <gtest/gtest.h>

#include "tests/gpu/cuda/host_cuda_api.h"

namespace pytoon::gpu::cuda {
namespace {

class MemoryTest : public ::testing::Test {
 protected:
  const std::shared_ptr<HostGpu> host_ = std::make_shared<HostGpu>();
  CudaContextPtr context_ = std::make_shared<CudaContext>(make_host_cuda_api(host_));
  const MemoryAccountPtr account_ = MemoryAccount::make_root(4096);
};

TEST(MemoryAccount, CountsWholeUnitsUpToTheBudget) {
  const auto account = MemoryAccount::make_root(2048);
  EXPECT_TRUE(account->take(1, "x"));
  EXPECT_TRUE(account->take(1024, "x"));
  EXPECT_EQ(account->use().used_bytes, 1536U);
  EXPECT_FALSE(account->take(513, "x"));
  EXPECT_TRUE(account->take(512, "x"));
  EXPECT_FALSE(account->take(1, "x"));
  account->give_back(1024);
  EXPECT_EQ(account->use().used_bytes, 1024U);
  EXPECT_EQ(account->use().peak_bytes, 2048U);
  EXPECT_EQ(account->use().budget_bytes, 2048U);
  EXPECT_FALSE(account->take(std::uint64_t{1} << 62, "x"));
}

TEST(MemoryAccount, ABudgetMayShrinkBelowWhatIsUsed) {
  const auto account = MemoryAccount::make_root(std::nullopt);
  EXPECT_TRUE(account->take(4096, "x"));
  account->set_budget(1024);
  EXPECT_FALSE(account->take(1, "x"));
  account->give_back(3584);
  EXPECT_TRUE(account->take(512, "x"));
  EXPECT_FALSE(account->take(1, "x"));
}

TEST(MemoryAccount, BothBudgetsHold) {
  const auto device = MemoryAccount::make_root(4096);
  const auto one = MemoryAccount::open(device, "one", 3072);
  const auto two = MemoryAccount::open(one, "two", std::nullopt);
  EXPECT_TRUE(one->take(2048, "x"));
  EXPECT_FALSE(one->take(2048, "x"));  // its own
  const Status device_is_full = two->take(2560, "x");
  ASSERT_FALSE(device_is_full);
  EXPECT_NE(device_is_full.failure().detail.find("this device's"), std::string::npos);
  EXPECT_EQ(two->use().used_bytes, 0U);
  EXPECT_TRUE(two->take(2048, "x"));
  EXPECT_EQ(device->use().used_bytes, 4096U);
  one->give_back(2048);
  EXPECT_EQ(device->use().used_bytes, 2048U);
  EXPECT_EQ(device->use().peak_bytes, 4096U);
}

TEST(MemoryAccountDeathTest, TakesBackOnlyWhatItGave) {
  const auto account = MemoryAccount::make_root(2048);
  EXPECT_DEATH(account->give_back(1), "taken");
}

TEST_F(MemoryTest, BlocksGoWithTheirOwner) {
  {
    auto block = allocate(context_, account_, 1000, "a test");
    ASSERT_TRUE(block);
    EXPECT_EQ(account_->use().used_bytes, 1024U);
    Block moved = std::move(*block);
    EXPECT_EQ(moved.bytes(), 1000U);
    EXPECT_EQ(block->data(), nullptr);
    auto pinned = allocate_pinned(context_, 10);
    auto stream = OwnedStream::make(context_);
    ASSERT_TRUE(pinned && stream);
    EXPECT_EQ(host_->device_memory.size() + host_->pinned_memory.size(), 2U);
    EXPECT_EQ(host_->streams, 1);
  }
  EXPECT_TRUE(host_->clean());
  EXPECT_EQ(account_->use().used_bytes, 0U);
}

TEST_F(MemoryTest, ABlockOutlivesEveryoneElse) {
  auto block = allocate(context_, account_, 1000, "a test");
  context_.reset();
  block->data()[999] = 7;
  block->release();
  EXPECT_TRUE(host_->clean());
}

TEST_F(MemoryTest, TheBudgetRefusesBeforeTheCardIsAsked) {
  const auto block = allocate(context_, account_, 5000, "a test");
  ASSERT_FALSE(block);
  EXPECT_EQ(block.failure().kind, FailureKind::kOutOfMemory);
  EXPECT_NE(block.failure().detail.find("a test"), std::string::npos);
  EXPECT_NE(block.failure().detail.find("budget"), std::string::npos);
  EXPECT_EQ(host_->calls, 0);
}

TEST_F(MemoryTest, AFullCardGivesThePromiseBack) {
  host_->memory_bytes = 2000;
  const auto block = allocate(context_, account_, 3000, "a test");
  ASSERT_FALSE(block);
  EXPECT_EQ(block.failure().kind, FailureKind::kOutOfMemory);
  EXPECT_EQ(account_->use().used_bytes, 0U);
  EXPECT_TRUE(allocate(context_, account_, 2000, "a test"));
}

}  // namespace
}  // namespace pytoon::gpu::cuda
