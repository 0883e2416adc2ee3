// Every level's kernels against the baseline's, on random rows of every short length, compared past
// their ends.
#include "gpu/cpu/kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

#include "gpu/cpu/levels.h"

namespace pytoon::gpu {
namespace {

std::size_t size(int count) { return static_cast<std::size_t>(count); }

constexpr int kSpare = 40;  // bytes past the end that no kernel may write

struct Rows {
  explicit Rows(std::uint32_t seed, int count) : engine(seed) {
    const auto bytes = 2 * size(count) + kSpare;
    for (auto* row : {&a, &b, &c, &d}) {
      row->resize(bytes);
      for (std::uint8_t& v : *row) v = static_cast<std::uint8_t>(engine());
    }
    rgba.resize(12 * size(count));
    for (std::uint8_t& v : rgba) v = static_cast<std::uint8_t>(engine());
    wide.resize(2 * size(count + 8));
    for (std::int16_t& v : wide) v = static_cast<std::int16_t>(pick(-2040, 18360));
    over.resize(size(count) + 1);
    for (std::int16_t& v : over) v = static_cast<std::int16_t>(pick(-64, 304));
    for (int i = 0; i < count; ++i) {
      first.push_back(pick(0, count + 4));
      const Weights w = catmull_rom(engine() & 0xFFFF);
      weights.insert(weights.end(), w.tap, w.tap + 4);
    }
  }
  int pick(int low, int high) {
    return low + static_cast<int>(engine() % static_cast<std::uint32_t>(high - low + 1));
  }

  std::mt19937 engine;
  std::vector<std::uint8_t> a, b, c, d, rgba;
  std::vector<std::int16_t> wide;  // in 1/64
  std::vector<std::int16_t> over;  // code values, overshooting
  std::vector<std::int32_t> first;
  std::vector<std::int16_t> weights;
};

template <typename Body>
void expect_levels_agree(Body body) {
  for (const Level& level : runnable_levels()) {
    for (int count = 1; count <= 70; ++count) {
      const Rows rows(static_cast<std::uint32_t>(count), count);
      ASSERT_EQ(body(*level.kernels, rows, count), body(baseline_kernels(), rows, count))
          << level.name << ", count " << count;
    }
  }
}

TEST(Kernels, LumaRow) {
  expect_levels_agree([](const Kernels& k, const Rows& rows, int count) {
    std::vector<std::uint8_t> out(size(count) + kSpare, 7);
    k.luma_row(rows.rgba.data(), out.data(), count);
    return out;
  });
}

TEST(Kernels, SumsToChroma) {
  expect_levels_agree([](const Kernels& k, const Rows& rows, int count) {
    std::vector<std::uint16_t> r(2 * size(count) + kSpare, 7);
    std::vector<std::uint16_t> g = r;
    std::vector<std::uint16_t> b = r;
    const std::uint8_t* top = rows.rgba.data();
    k.sum_rows(top, top + 4 * size(count), r.data(), g.data(), b.data(), 2 * count);
    std::vector<std::uint8_t> out(2 * size(count) + kSpare, 7);
    k.chroma_row(r.data() + 1, g.data() + 1, b.data() + 1, out.data(), count);
    return std::tuple{r, g, b, out};
  });
}

TEST(Kernels, FilterRows) {
  expect_levels_agree([](const Kernels& k, const Rows& rows, int count) {
    std::vector<std::int16_t> out(size(count) + kSpare, 7);
    const std::uint8_t* four[4] = {rows.a.data(), rows.b.data(), rows.c.data(), rows.d.data()};
    k.filter_rows(four, rows.weights.data(), out.data(), count);
    return out;
  });
}

TEST(Kernels, FilterColumns) {
  expect_levels_agree([](const Kernels& k, const Rows& rows, int count) {
    std::vector<std::int16_t> out(size(count) + kSpare, 7);
    k.filter_columns(rows.wide.data(), rows.first.data(), rows.weights.data(), out.data(), count);
    return out;
  });
}

TEST(Kernels, FilterPairs) {
  expect_levels_agree([](const Kernels& k, const Rows& rows, int count) {
    std::vector<std::int16_t> out(2 * size(count) + kSpare, 7);
    k.filter_pairs(rows.wide.data(), rows.first.data(), rows.weights.data(), out.data(), count);
    return out;
  });
}

TEST(Kernels, Hold) {
  expect_levels_agree([](const Kernels& k, const Rows& rows, int count) {
    std::vector<std::uint8_t> out(size(count) + kSpare, 7);
    k.hold(rows.over.data(), out.data(), count, kLumaRange);
    return out;
  });
}

TEST(Kernels, Settle) {
  expect_levels_agree([](const Kernels& k, const Rows& rows, int count) {
    std::vector<std::uint8_t> colour(size(count) + kSpare, 7);
    std::vector<std::uint8_t> alpha = colour;
    k.settle(rows.over.data(), rows.over.data() + 1, colour.data(), alpha.data(), count,
             kChromaRange);
    return std::pair{colour, alpha};
  });
}

TEST(Kernels, Blend) {
  expect_levels_agree([](const Kernels& k, const Rows& rows, int count) {
    std::vector<std::uint8_t> out = rows.a;
    k.blend(out.data(), rows.b.data(), rows.c.data(), count);
    return out;
  });
}

TEST(Kernels, BlendFaded) {
  expect_levels_agree([](const Kernels& k, const Rows& rows, int count) {
    std::vector<std::uint8_t> out = rows.a;
    k.blend_faded(out.data(), rows.b.data(), rows.c.data(), count, 3 * count);
    return out;
  });
}

TEST(Kernels, Lerp) {
  expect_levels_agree([](const Kernels& k, const Rows& rows, int count) {
    std::vector<std::uint8_t> out = rows.a;
    k.lerp(out.data(), rows.b.data(), count, 3 * count);
    return out;
  });
}

TEST(Kernels, LeaveTheirSpareBytesAlone) {
  const Rows rows(9, 33);
  for (const Level& level : runnable_levels()) {
    std::vector<std::int16_t> out(33 + kSpare, 7);
    level.kernels->filter_columns(rows.wide.data(), rows.first.data(), rows.weights.data(),
                                  out.data(), 33);
    EXPECT_EQ(std::count(out.begin() + 33, out.end(), 7), kSpare) << level.name;
  }
}

}  // namespace
}  // namespace pytoon::gpu
