#include "pipeline/media/segment_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "base/files.h"
#include "base/hash.h"
#include "pipeline/media/video_probe.h"
#include "tests/pipeline/media/media_fixture.h"

namespace pytoon::media {
namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class SegmentWriter : public MediaTest {};

class Recorder final : public MovingImage {
 public:
  Status draw(int index, const gpu::Nv12Target& target) override {
    drawn.push_back(index);
    return MovingImage::draw(index, target);
  }
  std::vector<int> drawn;
};

TEST_F(SegmentWriter, WhatIsWrittenIsWhatTheHeaderPromises) {
  MovingImage picture;
  const SegmentOrder wanted = order("s.mp4", 31, {270, 480});
  ASSERT_TRUE(write_segment(picture, wanted));
  const auto facts = probe_video(wanted.output);
  ASSERT_TRUE(facts) << facts.failure().detail;
  EXPECT_EQ(facts->codec, "h264");
  EXPECT_EQ(facts->profile, "High");
  EXPECT_EQ(facts->pixel_format, "yuv420p");
  EXPECT_EQ(facts->color_space, "bt709");
  EXPECT_EQ(facts->size, (gpu::Size{270, 480}));
  EXPECT_EQ(facts->rate_num, 30);
  EXPECT_EQ(facts->rate_den, 1);
  EXPECT_EQ(facts->frames, 31);
  EXPECT_NEAR(facts->duration_seconds, 31.0 / 30, 1e-6);
  EXPECT_EQ(facts->bytes, static_cast<std::int64_t>(fs::file_size(wanted.output)));
  EXPECT_TRUE(facts->moov_before_mdat);
  EXPECT_FALSE(facts->has_audio);
  EXPECT_THAT(files(), ElementsAre("s.mp4"));
  EXPECT_EQ(log_lines_.str(), "");
}

TEST_F(SegmentWriter, EveryPresetOfX264KeepsTheContract) {
  for (const char* preset : {"ultrafast", "superfast", "veryfast", "faster", "fast", "medium",
                             "slow", "slower", "veryslow"}) {
    EncoderSettings encoder;
    encoder.preset = preset;
    const auto facts = probe_video(segment("s.mp4", 7, 0, encoder));
    ASSERT_TRUE(facts) << preset << ": " << facts.failure().detail;
    EXPECT_EQ(facts->profile, "High") << preset;
    EXPECT_EQ(facts->frames, 7) << preset;
  }
}

TEST_F(SegmentWriter, TimesAreExactAndStartAtZero) {
  for (const int frames : {1, 2, 3, 31, 75}) {
    const fs::path path = segment("s.mp4", frames);
    PacketTimes times = packet_times(path, 30);
    std::vector<std::int64_t> expected(static_cast<std::size_t>(frames));
    // Without an edit list a demuxer shifts decoding by what the offsets tell: one frame of
    // reordering, or none in a short segment.
    std::iota(expected.begin(), expected.end(), frames > 3 ? -1 : 0);
    EXPECT_EQ(times.decoded, expected) << frames;
    std::iota(expected.begin(), expected.end(), 0);
    std::ranges::sort(times.shown);
    EXPECT_EQ(times.shown, expected) << frames;
    const Fraction duration = movie_duration(path);
    EXPECT_EQ(duration.numerator * 30, static_cast<std::uint64_t>(frames) * duration.denominator)
        << frames;
  }
}

TEST_F(SegmentWriter, FramesComeInOrderAndProgressIsReported) {
  Recorder picture;
  std::vector<int> progress;
  SegmentOrder wanted = order("s.mp4", 9);
  wanted.on_progress = [&](int done) { progress.push_back(done); };
  ASSERT_TRUE(write_segment(picture, wanted));
  EXPECT_THAT(picture.drawn, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(progress, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST_F(SegmentWriter, SameFramesGiveTheSameBytes) {
  const std::string first = *sha256_file(segment("a.mp4", 60));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(*sha256_file(segment("b.mp4", 60)), first);
  EXPECT_NE(*sha256_file(segment("c.mp4", 60, 1)), first);
}

TEST_F(SegmentWriter, NothingTellsTheVersionOfALibrary) {
  const std::string bytes = *read_file(segment("s.mp4", 5));
  EXPECT_EQ(bytes.find("x264"), std::string::npos);
  EXPECT_EQ(bytes.find("Lav"), std::string::npos);
}

TEST_F(SegmentWriter, ParallelSegmentsAreTheSerialOnes) {
  std::array<std::string, 4> serial;
  for (int i = 0; i < 4; ++i) {
    serial.at(static_cast<std::size_t>(i)) =
        *sha256_file(segment("serial" + std::to_string(i), 40 + i, i));
  }
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([this, i] { segment("parallel" + std::to_string(i), 40 + i, i); });
    }
  }
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(*sha256_file(folder_ / ("parallel" + std::to_string(i))),
              serial.at(static_cast<std::size_t>(i)));
  }
}

// Draws in batches, as a GPU does.
class Batched final : public MovingImage {
 public:
  explicit Batched(int frames, int cancel_at = -1, CancelToken cancel = {})
      : frames_(frames), cancel_at_(cancel_at), cancel_(std::move(cancel)) {}
  int batch_frames() const override { return frames_; }
  Status draw_batch(int first, std::span<const gpu::Nv12Target> targets) override {
    calls.emplace_back(first, targets.size());
    if (first >= cancel_at_ && cancel_at_ >= 0) cancel_.cancel();
    return MovingImage::draw_batch(first, targets);
  }
  std::vector<std::pair<int, std::size_t>> calls;

 private:
  const int frames_;
  const int cancel_at_;
  CancelToken cancel_;
};

TEST_F(SegmentWriter, BatchesAreDrawnInOrderToTheSameBytes) {
  MovingImage single;
  ASSERT_TRUE(write_segment(single, order("single.mp4", 21)));
  for (const int frames : {4, 16}) {
    Batched batched(frames);
    SegmentOrder wanted = order("batched.mp4", 21);
    std::vector<int> progress;
    wanted.on_progress = [&](int done) { progress.push_back(done); };
    ASSERT_TRUE(write_segment(batched, wanted));
    ASSERT_EQ(batched.calls.size(), static_cast<std::size_t>((21 + frames - 1) / frames));
    int next = 0;
    for (const auto& [first, count] : batched.calls) {
      EXPECT_EQ(first, next);
      next += static_cast<int>(count);
    }
    EXPECT_EQ(next, 21);
    EXPECT_EQ(progress.size(), 21U);
    EXPECT_EQ(progress.back(), 21);
    EXPECT_EQ(*read_file(folder_ / "batched.mp4"), *read_file(folder_ / "single.mp4"));
  }
}

TEST_F(SegmentWriter, CancellingStopsWithinABatch) {
  SegmentOrder wanted = order("cancelled.mp4", 300);
  Batched batched(8, 16, wanted.cancel);
  const Status written = write_segment(batched, wanted);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.failure().kind, FailureKind::kCancelled);
  EXPECT_EQ(batched.calls.back().first, 16);
  EXPECT_TRUE(files().empty());
}

TEST_F(SegmentWriter, CancellingStopsWithinAFrameAndLeavesNoFile) {
  class CancelsItself final : public MovingImage {
   public:
    explicit CancelsItself(CancelToken cancel) : cancel_(std::move(cancel)) {}
    Status draw(int index, const gpu::Nv12Target& target) override {
      last = index;
      if (index == 20) cancel_.cancel();
      return MovingImage::draw(index, target);
    }
    int last = -1;

   private:
    CancelToken cancel_;
  };
  const SegmentOrder wanted = order("s.mp4", 1000);
  CancelsItself picture(wanted.cancel);
  const Status written = write_segment(picture, wanted);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.failure().kind, FailureKind::kCancelled);
  EXPECT_EQ(picture.last, 20);
  EXPECT_THAT(files(), IsEmpty());
  EXPECT_EQ(log_lines_.str(), "");
}

TEST_F(SegmentWriter, AFailureOfDrawComesBackUnchanged) {
  class Fails final : public MovingImage {
   public:
    Status draw(int index, const gpu::Nv12Target& target) override {
      if (index < 7) return MovingImage::draw(index, target);
      return Failure{FailureKind::kEngine, "the clip ended early", {{"/scenes/2", "too short"}}};
    }
  } picture;
  const Status written = write_segment(picture, order("s.mp4", 30));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.failure().kind, FailureKind::kEngine);
  EXPECT_EQ(written.failure().detail, "the clip ended early");
  ASSERT_EQ(written.failure().faults.size(), 1U);
  EXPECT_EQ(written.failure().faults[0].pointer, "/scenes/2");
  EXPECT_THAT(files(), IsEmpty());
  EXPECT_EQ(log_lines_.str(), "");
}

TEST_F(SegmentWriter, AnExceptionInDrawBecomesAFailure) {
  class Throws final : public FrameSource {
   public:
    Status draw(int, const gpu::Nv12Target&) override { throw std::runtime_error("boom"); }
  } picture;
  const Status written = write_segment(picture, order("s.mp4", 30));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.failure().kind, FailureKind::kInternal);
  EXPECT_NE(written.failure().detail.find("boom"), std::string::npos);
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(SegmentWriter, AnOldFileStaysWhenANewOneFails) {
  const std::string before = *sha256_file(segment("s.mp4", 3));
  SegmentOrder wanted = order("s.mp4", 3);
  wanted.cancel.cancel();
  Recorder picture;
  EXPECT_EQ(write_segment(picture, wanted).failure().kind, FailureKind::kCancelled);
  EXPECT_THAT(picture.drawn, IsEmpty());
  EXPECT_EQ(*sha256_file(wanted.output), before);
}

TEST_F(SegmentWriter, AFolderThatCantBeWrittenIsSaid) {
  MovingImage picture;
  EXPECT_EQ(write_segment(picture, order("none/s.mp4", 3)).failure().kind, FailureKind::kNotFound);
  ASSERT_TRUE(write_file_atomically(folder_ / "file", "x"));
  EXPECT_EQ(write_segment(picture, order("file/s.mp4", 3)).failure().kind, FailureKind::kIo);
}

TEST_F(SegmentWriter, OrdersOutOfContractAreRefused) {
  MovingImage picture;
  const auto kind = [&](const SegmentOrder& wanted) {
    return write_segment(picture, wanted).failure().kind;
  };
  EXPECT_EQ(kind(order("s.mp4", 0)), FailureKind::kInvalid);
  EXPECT_EQ(kind(order("s.mp4", 3, {107, 192})), FailureKind::kInvalid);
  EXPECT_EQ(kind(order("s.mp4", 3, {2160, 3840})), FailureKind::kInvalid);
  SegmentOrder wanted = order("s.mp4", 3);
  wanted.encoder.codec = "h264_none";
  EXPECT_EQ(kind(wanted), FailureKind::kMedia);
  wanted.encoder = {.preset = "no such preset"};
  EXPECT_EQ(kind(wanted), FailureKind::kMedia);
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(SegmentWriter, EverySettingIsInTheFingerprint) {
  const std::string base = EncoderSettings{}.fingerprint();
  EXPECT_NE(base.find("avcodec="), std::string::npos);
  EXPECT_EQ(base, EncoderSettings{}.fingerprint());
  const EncoderSettings changed[] = {
      {.codec = "other"},       {.preset = "fast"},  {.crf = 21},     {.max_bitrate_kbps = 900},
      {.vbv_buffer_kbits = 90}, {.gop_frames = 30},  {.b_frames = 0}, {.reference_frames = 1},
      {.threads = 2},           {.piece_frames = 30}};
  for (const EncoderSettings& settings : changed) EXPECT_NE(settings.fingerprint(), base);
}

TEST_F(SegmentWriter, WithoutBFramesDecodingStartsAtZero) {
  const PacketTimes times = packet_times(segment("s.mp4", 5, 0, {.b_frames = 0}), 30);
  EXPECT_THAT(times.decoded, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(times.shown, ElementsAre(0, 1, 2, 3, 4));
}

// A buffer of a second may be emptied within one in which the limit flows in as well.
TEST_F(SegmentWriter, NoSecondHoldsMoreThanLimitAndBuffer) {
  const EncoderSettings capped{.max_bitrate_kbps = 80, .vbv_buffer_kbits = 80};
  EXPECT_GT(peak_kbps(segment("free.mp4", 90), 30), 170);
  EXPECT_LE(peak_kbps(segment("capped.mp4", 90, 0, capped), 30), 160);
}

TEST_F(SegmentWriter, MemoryDoesNotGrowWithLength) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer keeps freed memory, or notes of it";
#endif
  const auto resident_kib = [] {
    std::ifstream statm("/proc/self/statm");
    long total = 0;
    long resident = 0;
    statm >> total >> resident;
    return resident * 4;
  };
  std::vector<long> seen;
  MovingImage picture;
  SegmentOrder wanted = order("s.mp4", 2500, {128, 128});
  wanted.on_progress = [&](int done) {
    if (done == 500 || done == 2500) seen.push_back(resident_kib());
  };
  ASSERT_TRUE(write_segment(picture, wanted));
  ASSERT_EQ(seen.size(), 2U);
  // Frames that leak would be 46 MiB.
  EXPECT_LT(seen[1] - seen[0], 12 * 1024);
}

}  // namespace pytoon::media
