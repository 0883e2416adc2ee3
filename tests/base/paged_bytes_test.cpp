#include "base/paged_bytes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace pytoon {
namespace {

const std::size_t kSizes[] = {1, 4096, kPagedBytesMin - 1, kPagedBytesMin, 8 << 20};

TEST(PagedBytes, AreZeroWhereSomethingLayBefore) {
  for (const std::size_t size : kSizes) {
    for (int turn = 0; turn < 3; ++turn) {
      PagedBytes bytes(size);
      EXPECT_EQ(std::ranges::count(bytes, 0), static_cast<std::ptrdiff_t>(size));
      std::ranges::fill(bytes, std::uint8_t{0xa5});
    }
  }
}

TEST(PagedBytes, KeepWhatTheyHoldWhenTheyGrowIntoPages) {
  PagedBytes bytes;
  for (std::size_t i = 0; i < 2 * kPagedBytesMin; ++i) {
    bytes.push_back(static_cast<std::uint8_t>(i * 31));
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    ASSERT_EQ(bytes[i], static_cast<std::uint8_t>(i * 31)) << i;
  }
  EXPECT_EQ(PagedBytes(bytes), bytes);
}

TEST(PagedBytes, ThatNoMachineHasAreBadAlloc) {
  if (!kMapsPages) GTEST_SKIP() << "AddressSanitizer ends a process that asks its heap for that";
  const auto most = static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max());
  EXPECT_THROW(PagedBytes(most - 4096), std::bad_alloc);
}

}  // namespace
}  // namespace pytoon
