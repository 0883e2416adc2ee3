#include "gpu/cuda/memory.h"

#include <gtest/gtest.h>

#include "tests/gpu/cuda/host_runtime.h"

namespace pytoon::gpu::cuda {
namespace {

class MemoryTest : public ::testing::Test {
 protected:
  const std::shared_ptr<HostMachine> host_ = std::make_shared<HostMachine>();
  MachinePtr machine_ = std::make_shared<Machine>(make_host_runtime(host_), 4096);
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
    auto block = allocate(machine_, 1000, "a test");
    ASSERT_TRUE(block);
    EXPECT_EQ(machine_->ledger.use().used_bytes, 1024U);
    Block moved = std::move(*block);
    EXPECT_EQ(moved.bytes(), 1000U);
    EXPECT_EQ(block->data(), nullptr);
    auto pinned = allocate_pinned(machine_, 10);
    auto stream = OwnedStream::make(machine_);
    ASSERT_TRUE(pinned && stream);
    EXPECT_EQ(host_->device_memory.size() + host_->pinned_memory.size(), 2U);
    EXPECT_EQ(host_->streams, 1);
  }
  EXPECT_TRUE(host_->clean());
  EXPECT_EQ(machine_->ledger.use().used_bytes, 0U);
}

TEST_F(MemoryTest, ABlockOutlivesEveryoneElse) {
  auto block = allocate(machine_, 1000, "a test");
  machine_.reset();
  block->data()[999] = 7;
  block->release();
  EXPECT_TRUE(host_->clean());
}

TEST_F(MemoryTest, TheBudgetRefusesBeforeTheCardIsAsked) {
  const auto block = allocate(machine_, 5000, "a test");
  ASSERT_FALSE(block);
  EXPECT_EQ(block.failure().kind, FailureKind::kOutOfMemory);
  EXPECT_NE(block.failure().detail.find("a test"), std::string::npos);
  EXPECT_NE(block.failure().detail.find("budget"), std::string::npos);
  EXPECT_EQ(host_->calls, 0);
}

TEST_F(MemoryTest, AFullCardGivesThePromiseBack) {
  host_->memory_bytes = 2000;
  const auto block = allocate(machine_, 3000, "a test");
  ASSERT_FALSE(block);
  EXPECT_EQ(block.failure().kind, FailureKind::kOutOfMemory);
  EXPECT_EQ(machine_->ledger.use().used_bytes, 0U);
  EXPECT_TRUE(allocate(machine_, 2000, "a test"));
}

}  // namespace
}  // namespace pytoon::gpu::cuda
