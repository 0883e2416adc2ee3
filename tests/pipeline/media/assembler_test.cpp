#include "pipeline/media/assembler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "base/files.h"
#include "base/hash.h"
#include "pipeline/media/video_probe.h"
#include "tests/pipeline/media/media_fixture.h"

namespace pytoon::media {
namespace fs = std::filesystem;
using testing::HasSubstr;

class Assembler : public MediaTest {
 protected:
  AssemblyOrder assembly(std::vector<fs::path> segments) const {
    AssemblyOrder order;
    order.format.size = {108, 192};
    order.segments = std::move(segments);
    order.output = folder_ / "out.mp4";
    return order;
  }
  // Asserts a failure and that it left nothing behind.
  Failure refused(const AssemblyOrder& order) const {
    const Status done = assemble(order);
    EXPECT_FALSE(done);
    for (const std::string& name : files()) {
      EXPECT_FALSE(name.starts_with(".tmp-") || name == "out.mp4") << name;
    }
    return done ? Failure{} : done.failure();
  }
};

TEST_F(Assembler, UnevenSegmentsGiveTheirFramesAndNothingElse) {
  std::vector<fs::path> segments;
  std::vector<std::string> expected;
  for (const int frames : {75, 65, 1, 31, 9, 1, 1, 2}) {
    const int seed = static_cast<int>(segments.size());
    segments.push_back(segment("s" + std::to_string(seed), frames, seed));
    const auto hashes = frame_hashes(segments.back());
    EXPECT_EQ(hashes.size(), static_cast<std::size_t>(frames));
    expected.insert(expected.end(), hashes.begin(), hashes.end());
  }
  const AssemblyOrder order = assembly(segments);
  const Status done = assemble(order);
  ASSERT_TRUE(done) << done.failure().detail;
  EXPECT_EQ(frame_hashes(order.output), expected);

  const auto facts = probe_video(order.output);
  ASSERT_TRUE(facts) << facts.failure().detail;
  EXPECT_EQ(facts->frames, 185);
  EXPECT_EQ(facts->rate_num, 30);
  EXPECT_EQ(facts->rate_den, 1);
  EXPECT_EQ(facts->profile, "High");
  EXPECT_EQ(facts->color_space, "bt709");
  EXPECT_TRUE(facts->moov_before_mdat);
  const Fraction duration = movie_duration(order.output);
  EXPECT_EQ(duration.numerator * 30, 185 * duration.denominator);

  PacketTimes times = packet_times(order.output, 30);
  std::vector<std::int64_t> whole(185);
  std::iota(whole.begin(), whole.end(), -1);
  EXPECT_EQ(times.decoded, whole);
  std::iota(whole.begin(), whole.end(), 0);
  std::ranges::sort(times.shown);
  EXPECT_EQ(times.shown, whole);
  EXPECT_EQ(log_lines_.str(), "");
}

// A rule of Instagram for reels, see docs/adr/0011.
TEST_F(Assembler, NoFileHasAnEditListAndTimesAreExact) {
  const fs::path part = segment("a", 40, 1);
  const AssemblyOrder order = assembly({part, segment("b", 1, 2), segment("c", 19, 3)});
  ASSERT_TRUE(assemble(order));
  for (const auto& [file, frames] : {std::pair(part, 40U), std::pair(order.output, 60U)}) {
    SCOPED_TRACE(file);
    EXPECT_TRUE(mp4_boxes(file, "edts").empty());
    EXPECT_TRUE(mp4_boxes(file, "elst").empty());
    const auto decoded = mp4_boxes(file, "stts");
    ASSERT_EQ(decoded.size(), 1U);
    EXPECT_EQ(decoded[0].number(4), 1U);  // one run: of all frames, each 512 ticks
    EXPECT_EQ(decoded[0].number(8), frames);
    EXPECT_EQ(decoded[0].number(12), 512U);
    const auto shown = mp4_boxes(file, "ctts");
    ASSERT_EQ(shown.size(), 1U);
    EXPECT_EQ(shown[0].number(0, 1), 1U);  // the version with offsets below zero
    EXPECT_EQ(shown[0].number(12), 0U);    // the first frame's
    const Fraction duration = movie_duration(file);
    EXPECT_EQ(duration.numerator * 30, frames * duration.denominator);
  }
}

// Segments of builds that wrote edit lists are in stores, and go into new videos.
// Two groups of B-frames at least: of shorter files ffmpeg reads wrong decoding times (it leaves
// the last two runs of the box ctts out).
TEST_F(Assembler, SegmentsWithAnEditListGoWithThoseWithout) {
  const AssemblyOrder order = assembly({segment("a", 20, 1), segment("b", 2, 2), segment("c", 12)});
  ASSERT_TRUE(assemble(order));
  const std::string wanted = *sha256_file(order.output);
  AssemblyOrder mixed = order;
  for (const std::size_t i : {0U, 2U}) {
    const fs::path old = folder_ / ("old" + std::to_string(i) + ".mp4");
    const std::string command = "ffmpeg -v error -i '" + order.segments[i].string() +
                                "' -c copy -movflags +faststart '" + old.string() + "'";
    ASSERT_EQ(std::system(command.c_str()), 0);
    ASSERT_EQ(mp4_boxes(old, "elst").size(), 1U);
    mixed.segments[i] = old;
  }
  const Status done = assemble(mixed);
  ASSERT_TRUE(done) << done.failure().detail;
  EXPECT_EQ(*sha256_file(order.output), wanted);
}

TEST_F(Assembler, TheSameSegmentsGiveTheSameBytes) {
  const AssemblyOrder order = assembly({segment("a", 20, 1), segment("b", 7, 2)});
  ASSERT_TRUE(assemble(order));
  const std::string first = *sha256_file(order.output);
  ASSERT_TRUE(assemble(order));
  EXPECT_EQ(*sha256_file(order.output), first);
}

TEST_F(Assembler, OneSegmentAssembledIsThatSegment) {
  const fs::path only = segment("a", 20);
  const AssemblyOrder order = assembly({only});
  ASSERT_TRUE(assemble(order));
  EXPECT_EQ(*sha256_file(order.output), *sha256_file(only));
}

TEST_F(Assembler, OtherParameterSetsAreRefusedByName) {
  const AssemblyOrder order =
      assembly({segment("a", 9), segment("b", 9, 0, {.reference_frames = 3})});
  const Failure failed = refused(order);
  EXPECT_EQ(failed.kind, FailureKind::kMedia);
  EXPECT_THAT(failed.detail, HasSubstr(order.segments[1].string()));
  EXPECT_THAT(failed.detail, HasSubstr("parameter sets"));
}

TEST_F(Assembler, AnotherSizeIsRefusedByName) {
  AssemblyOrder order = assembly({segment("a", 9)});
  order.format.size = {110, 192};
  EXPECT_EQ(refused(order).kind, FailureKind::kMedia);
}

TEST_F(Assembler, AMissingSegmentIsNotFound) {
  const AssemblyOrder order = assembly({segment("a", 9), folder_ / "none.mp4"});
  const Failure failed = refused(order);
  EXPECT_EQ(failed.kind, FailureKind::kNotFound);
  EXPECT_THAT(failed.detail, HasSubstr("none.mp4"));
}

TEST_F(Assembler, ATornSegmentIsRefusedByName) {
  const fs::path whole = segment("a", 40);
  const fs::path torn = segment("b", 40);
  fs::resize_file(torn, fs::file_size(torn) * 3 / 4);
  const Failure failed = refused(assembly({whole, torn}));
  EXPECT_EQ(failed.kind, FailureKind::kMedia);
  EXPECT_THAT(failed.detail, HasSubstr("b is damaged"));
}

TEST_F(Assembler, ASegmentThatLacksItsLastFrameIsRefused) {
  const fs::path path = segment("a", 40);
  fs::resize_file(path, static_cast<std::uintmax_t>(packet_times(path, 30).last_at));
  const Failure failed = refused(assembly({path}));
  EXPECT_EQ(failed.kind, FailureKind::kMedia);
  EXPECT_THAT(failed.detail, HasSubstr("39 of 40"));
}

TEST_F(Assembler, NoSegmentsAndOddFilesAreRefused) {
  EXPECT_EQ(refused(assembly({})).kind, FailureKind::kInvalid);
  ASSERT_TRUE(write_file_atomically(folder_ / "text", "not a film"));
  EXPECT_EQ(refused(assembly({folder_ / "text"})).kind, FailureKind::kMedia);
}

TEST_F(Assembler, ACancelledAssemblyLeavesNothing) {
  const AssemblyOrder order = assembly({segment("a", 9)});
  order.cancel.cancel();
  EXPECT_EQ(refused(order).kind, FailureKind::kCancelled);
}

TEST_F(Assembler, AFolderThatCantBeWrittenIsSaid) {
  AssemblyOrder order = assembly({segment("a", 9)});
  order.output = folder_ / "none" / "out.mp4";
  EXPECT_EQ(refused(order).kind, FailureKind::kNotFound);
}

}  // namespace pytoon::media
