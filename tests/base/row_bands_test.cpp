#include "base/row_bands.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace pytoon {
namespace {

TEST(RowBands, CoverEveryRowOnce) {
  for (const int rows : {0, 1, 63, 64, 127, 128, 1000, 1920, 4096}) {
    std::vector<int> seen(static_cast<std::size_t>(rows));
    in_row_bands(rows, [&](int first, int last) {
      for (int y = first; y < last; ++y) ++seen[static_cast<std::size_t>(y)];
    });
    EXPECT_EQ(std::ranges::count(seen, 1), rows);
  }
}

TEST(RowBands, GiveTheCallerWhatTheyThrow) {
  EXPECT_THROW(in_row_bands(1000,
                            [](int, int last) {
                              if (last == 1000) throw std::runtime_error("the last band");
                            }),
               std::runtime_error);
}

}  // namespace
}  // namespace pytoon
