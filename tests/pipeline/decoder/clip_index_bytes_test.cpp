#include "pipeline/media/decoder/clip_index_bytes.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <random>

namespace pytoon::media {
namespace {

// Where the numbers lie.
enum Place : std::size_t {
  kContainer = 0,
  kStoredWidth = 1,
  kUprightWidth = 3,
  kAlpha = 5,
  kTickNum = 9,
  kTickDen = 10,
  kEnd = 11,
  kFrames = 12,
  kStarts = 13,
};

ClipIndex some_index() {
  ClipIndex index;
  index.container = ClipContainer::kMatroska;
  index.stored = {640, 360};
  index.upright = {360, 640};
  index.has_alpha = true;
  index.rotation = {true, false, true};
  index.times = {1, 1000, {0, 33, 67, 100}, 133};
  index.first_shown = -7;
  index.key_frames = {{-7, -40}, {60, 26}};
  return index;
}

std::string with(std::size_t place, std::int64_t number) {
  std::string bytes = to_bytes(some_index());
  std::memcpy(bytes.data() + place * sizeof(number), &number, sizeof(number));
  return bytes;
}

TEST(ClipIndexBytes, WhatIsSaidComesOut) {
  const ClipIndex said = some_index();
  const auto heard = clip_index_from(to_bytes(said));
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->container, said.container);
  EXPECT_EQ(heard->stored, said.stored);
  EXPECT_EQ(heard->upright, said.upright);
  EXPECT_TRUE(heard->has_alpha);
  EXPECT_EQ(heard->rotation, said.rotation);
  EXPECT_EQ(heard->times.tick_den, 1000);
  EXPECT_EQ(heard->times.starts, said.times.starts);
  EXPECT_EQ(heard->times.end, 133);
  EXPECT_EQ(heard->first_shown, -7);
  ASSERT_EQ(heard->key_frames.size(), 2U);
  EXPECT_EQ(heard->key_frames[1].shown, 60);
  EXPECT_EQ(heard->key_frames[1].decoded, 26);
}

// A decoder that a file has taken over may say anything.
TEST(ClipIndexBytes, WhatNoClipHasIsRefused) {
  constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
  const std::pair<std::size_t, std::int64_t> lies[] = {
      {kContainer, 5},      {kContainer, -1},       {kStoredWidth, 0}, {kStoredWidth, 4097},
      {kUprightWidth, -9},  {kUprightWidth, kHuge}, {kAlpha, 2},       {kTickNum, 0},
      {kTickDen, 0},        {kTickDen, kHuge},      {kEnd, 100},       {kEnd, 200'000},
      {kEnd, kHuge},        {kFrames, 0},           {kFrames, 5},      {kFrames, kHuge},
      {kStarts, 1},         {kStarts + 1, 0},       {kStarts + 2, 33}, {kStarts + 3, 133},
      {kStarts + 4, kHuge}, {kStarts + 5, 0},       {kStarts + 5, 3},  {kStarts + 5, kHuge}};
  for (const auto& [place, number] : lies) {
    EXPECT_FALSE(clip_index_from(with(place, number))) << place << ": " << number;
  }
  const std::string whole = to_bytes(some_index());
  for (std::size_t bytes = 0; bytes < whole.size(); bytes += 3) {
    EXPECT_FALSE(clip_index_from(whole.substr(0, bytes))) << bytes;
  }
}

TEST(ClipIndexBytes, AnyBytesAreSafe) {
  std::mt19937_64 random(1);
  const std::string whole = to_bytes(some_index());
  for (int turn = 0; turn < 20'000; ++turn) {
    std::string bytes = whole;
    for (int flips = 1 + turn % 3; flips > 0; --flips) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    const auto index = clip_index_from(bytes);
    if (!index) continue;
    const std::size_t shown = index->times.looped_until(240, 120, 60);
    EXPECT_LT(shown, index->times.starts.size());
  }
}

}  // namespace
}  // namespace pytoon::media
