// Segments of several pieces: one stream, whoever encoded what and when.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <random>
#include <thread>

#include "base/hash.h"
#include "pipeline/media/gst/h264_stream.h"
#include "pipeline/media/gst/video_reader.h"
#include "pipeline/media/pieces.h"
#include "pipeline/media/video_probe.h"
#include "tests/pipeline/media/media_fixture.h"

namespace pytoon::media {
namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

// A number of threads, pieces dealt out at random and begun in random order.
class Shuffled final : public PieceExecutor {
 public:
  Shuffled(int threads, unsigned seed) : threads_(threads), random_(seed) {}
  Status run(const PieceWork& work) override {
    std::vector<int> pieces(work.frames.size());
    std::iota(pieces.begin(), pieces.end(), 0);
    std::ranges::shuffle(pieces, random_);
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    Status first = ok_status();
    std::vector<std::jthread> threads;
    for (int i = 0; i < threads_; ++i) {
      threads.emplace_back([&] {
        for (std::size_t at = next++; at < pieces.size(); at = next++) {
          const Status done = work.encode(pieces[at], work.cancel);
          const std::lock_guard lock(mutex);
          if (!done && first) first = done;
        }
      });
    }
    threads.clear();
    return first;
  }

 private:
  const int threads_;
  std::mt19937 random_;
};

class JoinedPieces : public MediaTest {
 protected:
  Status write(const SegmentOrder& wanted, PieceExecutor& executor) const {
    return write_segment([](const CancelToken&) { return std::make_shared<MovingImage>(); }, wanted,
                         executor);
  }
};

TEST_F(JoinedPieces, AreTheSameBytesOnAnyNumberOfThreadsAndInAnyOrder) {
  const std::string alone = *sha256_file(segment("alone.mp4", 200));
  for (const int threads : {1, 2, 3, 8}) {
    for (unsigned seed = 0; seed < 3; ++seed) {
      Shuffled executor(threads, seed);
      const SegmentOrder wanted = order("shuffled.mp4", 200);
      ASSERT_TRUE(write(wanted, executor));
      EXPECT_EQ(*sha256_file(wanted.output), alone) << threads << " threads, seed " << seed;
    }
  }
}

// The picture moves up and down, which is where x264's threads bind each other; one piece is over
// the cap and is encoded anew, on one thread.
TEST_F(JoinedPieces, AreTheSameBytesWithThreadsWithinAPiece) {
  SegmentOrder wanted = order("threads.mp4", 90);
  wanted.encoder.threads = 3;
  wanted.encoder.max_bitrate_kbps = 60;
  wanted.encoder.vbv_buffer_kbits = 60;
  std::string first;
  for (unsigned seed = 0; seed < 5; ++seed) {
    Shuffled executor(2, seed);
    ASSERT_TRUE(write(wanted, executor));
    if (first.empty()) first = *sha256_file(wanted.output);
    EXPECT_EQ(*sha256_file(wanted.output), first) << "seed " << seed;
  }
}

TEST_F(JoinedPieces, AreOneStreamWithExactTimes) {
  const fs::path path = segment("s.mp4", 200);  // five pieces of 40
  const auto facts = probe_video(path);
  ASSERT_TRUE(facts) << facts.failure().detail;
  EXPECT_EQ(facts->frames, 200);
  EXPECT_NEAR(facts->duration_seconds, 200 / 30.0, 1e-6);
  PacketTimes times = packet_times(path, 30);
  std::vector<std::int64_t> expected(200);
  std::iota(expected.begin(), expected.end(), -1);
  EXPECT_EQ(times.decoded, expected);
  std::iota(expected.begin(), expected.end(), 0);
  std::ranges::sort(times.shown);
  EXPECT_EQ(times.shown, expected);
  EXPECT_EQ(frame_hashes(path).size(), 200U);
  EXPECT_EQ(log_lines_.str(), "");
}

// The slices of a packet in MP4 form, as their NAL unit types.
std::vector<int> unit_types(const AVPacket& packet) {
  std::vector<int> types;
  for (int at = 0; at + 4 < packet.size;) {
    const std::uint8_t* unit = packet.data + at;
    types.push_back(unit[4] & 31);
    at += 4 + (unit[0] << 24 | unit[1] << 16 | unit[2] << 8 | unit[3]);
  }
  return types;
}

// Parameter sets once, in the header; each piece begins with an IDR frame.
TEST_F(JoinedPieces, EachBeginsASequenceAndNoneRepeatsTheParameterSets) {
  const fs::path path = segment("s.mp4", 90);
  const Result<InputPtr> input = open_mp4(path);
  ASSERT_TRUE(input);
  const PacketPtr packet = make_packet();
  std::vector<int> keys;
  for (int index = 0; av_read_frame(input->get(), packet.get()) >= 0; ++index) {
    const bool key = (packet->flags & AV_PKT_FLAG_KEY) != 0;
    if (key) keys.push_back(index);
    EXPECT_THAT(unit_types(*packet), testing::Each(key ? 5 : 1)) << index;
    av_packet_unref(packet.get());
  }
  EXPECT_THAT(keys, ElementsAre(0, 45));
}

TEST_F(JoinedPieces, AreClosed) {
  const fs::path path = segment("s.mp4", 90);
  const std::vector<std::string> whole = frame_hashes(path);
  SegmentOrder later = order("later.mp4", 45);
  class Later final : public MovingImage {
   public:
    Status draw(int index, const gpu::Nv12Target& target) override {
      return MovingImage::draw(index + 45, target);
    }
  } image;
  ASSERT_TRUE(write_segment(image, later));
  EXPECT_EQ(frame_hashes(later.output), std::vector(whole.begin() + 45, whole.end()));
}

TEST_F(JoinedPieces, WhatBreaksTheCapIsEncodedAnewWithALimit) {
  const EncoderSettings capped{.max_bitrate_kbps = 80, .vbv_buffer_kbits = 80};
  std::atomic<int> drawn{0};
  class Counts final : public MovingImage {
   public:
    explicit Counts(std::atomic<int>& drawn) : drawn_(drawn) {}
    Status draw(int index, const gpu::Nv12Target& target) override {
      ++drawn_;
      return MovingImage::draw(index, target);
    }

   private:
    std::atomic<int>& drawn_;
  } image(drawn);
  SegmentOrder wanted = order("capped.mp4", 180);
  wanted.encoder = capped;
  std::vector<int> progress;
  wanted.on_progress = [&](int done) { progress.push_back(done); };
  ASSERT_TRUE(write_segment(image, wanted));
  EXPECT_EQ(drawn, 360);
  EXPECT_EQ(progress.size(), 180U);
  EXPECT_EQ(progress.back(), 180);
  // All of it at the rate, give or take the file's index; any second with the buffer beside it.
  EXPECT_LE(fs::file_size(wanted.output) * 8, 80'000U * 6 + 8 * 4000);
  EXPECT_LE(peak_kbps(wanted.output, 30), 160);
  drawn = 0;
  ASSERT_TRUE(write_segment(image, order("free.mp4", 180)));
  EXPECT_EQ(drawn, 180);
}

TEST_F(JoinedPieces, AFailedPieceFailsItsSegmentAndLeavesNoFile) {
  class Fails final : public MovingImage {
   public:
    Status draw(int index, const gpu::Nv12Target& target) override {
      if (index < 60) return MovingImage::draw(index, target);
      return failure(FailureKind::kMalformed, "the image ends");
    }
  };
  Shuffled executor(2, 1);
  const Status written = write_segment([](const CancelToken&) { return std::make_shared<Fails>(); },
                                       order("s.mp4", 90), executor);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.failure().kind, FailureKind::kMalformed);
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(JoinedPieces, AMakerThatThrowsIsAFailure) {
  PiecesInTurn in_turn;
  const Status written = write_segment(
      [](const CancelToken&) -> std::shared_ptr<FrameSource> { throw std::runtime_error("boom"); },
      order("s.mp4", 90), in_turn);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.failure().kind, FailureKind::kInternal);
}

}  // namespace pytoon::media
