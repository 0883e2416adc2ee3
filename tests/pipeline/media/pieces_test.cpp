#include "pipeline/media/pieces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace pytoon::media {
using testing::ElementsAre;

TEST(Pieces, AreAsFewAsMayBeAndNearlyEqual) {
  EncoderSettings settings;
  settings.piece_frames = 45;
  EXPECT_THAT(pieces_of(90, settings), ElementsAre(FrameRange{0, 45}, FrameRange{45, 90}));
  EXPECT_THAT(pieces_of(30, settings), ElementsAre(FrameRange{0, 30}));
  EXPECT_THAT(pieces_of(0, settings), ElementsAre());
  for (int frames = 1; frames <= 400; ++frames) {
    const auto pieces = pieces_of(frames, settings);
    ASSERT_EQ(pieces.size(), static_cast<std::size_t>((frames + 44) / 45));
    int next = 0;
    int shortest = 45;
    int longest = 0;
    for (const FrameRange& piece : pieces) {
      EXPECT_EQ(piece.first, next);
      next = piece.last;
      shortest = std::min(shortest, piece.count());
      longest = std::max(longest, piece.count());
    }
    EXPECT_EQ(next, frames);
    EXPECT_LE(longest - shortest, 1);
    EXPECT_LE(longest, 45);
  }
}

TEST(Pieces, AHardwareEncodersSegmentIsOne) {
  EXPECT_THAT(pieces_of(120, {.codec = kCodecNvenc}), ElementsAre(FrameRange{0, 120}));
}

TEST(Pieces, OneThatIsAloneTakesASecondCore) {
  EncoderSettings segment;
  EXPECT_EQ(settings_of_pieces(segment, 2).threads, 1);
  EXPECT_EQ(settings_of_pieces(segment, 1).threads, 2);
  segment.threads = 3;
  EXPECT_EQ(settings_of_pieces(segment, 1).threads, 3);
}

TEST(Pieces, TheLimitOfAPieceSpendsNoMoreThanTheRateLetsIn) {
  const EncoderSettings segment{.max_bitrate_kbps = 12000, .vbv_buffer_kbits = 12000};
  for (int frames = 1; frames <= 120; ++frames) {
    const EncoderSettings piece = with_limit(segment, {0, frames}, 30);
    const double seconds = frames / 30.0;
    EXPECT_LE(piece.vbv_buffer_kbits + piece.max_bitrate_kbps * seconds, 12000 * seconds + 1)
        << frames;
    EXPECT_LE(piece.vbv_buffer_kbits, 6000);
    EXPECT_GE(piece.max_bitrate_kbps, 5970) << frames;
  }
  EXPECT_EQ(without_limit(segment).max_bitrate_kbps, 0);
}

// 30 frames a second, 240 kbit/s: 1000 bytes a frame; the buffer holds 3000 bytes.
const EncoderSettings kSmall{.max_bitrate_kbps = 240, .vbv_buffer_kbits = 24};

bool kept(const std::vector<std::size_t>& sizes) { return within_limit(sizes, kSmall, 30); }

TEST(Pieces, WhatBreaksTheLimitIsSeen) {
  EXPECT_TRUE(kept({1000, 1000, 1000}));
  EXPECT_FALSE(kept({1000, 1000, 1001})) << "more than the rate in all";
  EXPECT_TRUE(kept({2500, 500, 0}));
  EXPECT_FALSE(kept({2501, 0, 0})) << "more than half of the buffer at the start";
  EXPECT_TRUE(kept({0, 500, 2500}));
  EXPECT_FALSE(kept({0, 0, 2501})) << "or at the end";
  EXPECT_TRUE(kept({0, 0, 0, 0, 2500, 2500, 0, 0}));
  EXPECT_FALSE(kept({0, 0, 0, 0, 2501, 2500, 0, 0})) << "more than the buffer in the middle";
}

// What within_limit() promises of each piece holds for any that are joined.
TEST(Pieces, JoinedPiecesKeepToTheLimitInEveryWindow) {
  std::mt19937 random(7);
  std::vector<std::size_t> stream;
  int taken = 0;
  for (int tries = 0; tries < 200'000 && taken < 300; ++tries) {
    std::vector<std::size_t> piece(1 + random() % 6);
    for (std::size_t& bytes : piece) bytes = random() % 10 == 0 ? random() % 4000 : random() % 1500;
    if (!kept(piece)) continue;
    ++taken;
    stream.insert(stream.end(), piece.begin(), piece.end());
  }
  ASSERT_EQ(taken, 300);
  std::size_t fullest = 0;
  for (std::size_t first = 0; first < stream.size(); ++first) {
    std::size_t bytes = 0;
    for (std::size_t last = first; last < stream.size(); ++last) {
      bytes += stream[last];
      const std::size_t let_in = (last - first + 1) * 1000;
      if (bytes > let_in) fullest = std::max(fullest, bytes - let_in);
    }
  }
  EXPECT_LE(fullest, 3000U);
  EXPECT_GT(fullest, 2000U) << "the pieces were too tame to prove anything";
}

}  // namespace pytoon::media
