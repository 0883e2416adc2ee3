#include "gpu/cuda/memory.h"

#include <gtest/gtest.h>

#include "tests/gpu/cuda/host_cuda_api.h"

namespace pytoon::gpu::cuda {
namespace {

class MemoryTest : public ::testing::Test {
 protected:
  const std::shared_ptr<HostGpu> host_ = std::make_shared<HostGpu>();
  CudaContextPtr context_ = std::make_shared<CudaContext>(make_host_cuda_api(host_), 4096);
};

TEST(Ledger, CountsWholeUnitsUpToTheBudget) {
  Ledger ledger(2048);
  EXPECT_TRUE(ledger.promise(1));
  EXPECT_TRUE(ledger.promise(1024));
  EXPECT_EQ(ledger.use().used_bytes, 1536U);
  EXPECT_FALSE(ledger.promise(513));
  EXPECT_TRUE(ledger.promise(512));
  EXPECT_FALSE(ledger.promise(1));
  ledger.give_back(1024);
  EXPECT_EQ(ledger.use().used_bytes, 1024U);
  EXPECT_EQ(ledger.use().peak_bytes, 2048U);
  EXPECT_EQ(ledger.use().budget_bytes, 2048U);
  EXPECT_FALSE(ledger.promise(std::uint64_t{1} << 62));
}

TEST(LedgerDeathTest, TakesBackOnlyWhatItGave) {
  Ledger ledger(2048);
  EXPECT_DEATH(ledger.give_back(1), "promised");
}

TEST_F(MemoryTest, BlocksGoWithTheirOwner) {
  {
    auto block = allocate(context_, 1000, "a test");
    ASSERT_TRUE(block);
    EXPECT_EQ(context_->ledger.use().used_bytes, 1024U);
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
  EXPECT_EQ(context_->ledger.use().used_bytes, 0U);
}

TEST_F(MemoryTest, ABlockOutlivesEveryoneElse) {
  auto block = allocate(context_, 1000, "a test");
  context_.reset();
  block->data()[999] = 7;
  block->release();
  EXPECT_TRUE(host_->clean());
}

TEST_F(MemoryTest, TheBudgetRefusesBeforeTheCardIsAsked) {
  const auto block = allocate(context_, 5000, "a test");
  ASSERT_FALSE(block);
  EXPECT_EQ(block.failure().kind, FailureKind::kOutOfMemory);
  EXPECT_NE(block.failure().detail.find("a test"), std::string::npos);
  EXPECT_NE(block.failure().detail.find("budget"), std::string::npos);
  EXPECT_EQ(host_->calls, 0);
}

TEST_F(MemoryTest, AFullCardGivesThePromiseBack) {
  host_->memory_bytes = 2000;
  const auto block = allocate(context_, 3000, "a test");
  ASSERT_FALSE(block);
  EXPECT_EQ(block.failure().kind, FailureKind::kOutOfMemory);
  EXPECT_EQ(context_->ledger.use().used_bytes, 0U);
  EXPECT_TRUE(allocate(context_, 2000, "a test"));
}

}  // namespace
}  // namespace pytoon::gpu::cuda
