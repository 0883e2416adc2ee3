#include "pipeline/media/gst/mp4_writer.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace pytoon::media {

const ParameterSets kSets{{{0x67, 100, 0, 40, 1, 2}}, {{0x68, 7, 8, 9}}};

// Linux gives a device on which every write finds the disk full.
TEST(Mp4Writer, AFullDiskHasItsOwnKind) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  auto writer = Mp4Writer::create("/dev/full");
  ASSERT_TRUE(writer) << writer.failure().detail;
  const auto track = (*writer)->add_video({}, kSets);
  ASSERT_TRUE(track);
  const Bytes unit(100'000, 1);
  Status written = ok_status();
  for (int i = 0; i < 100 && written; ++i) {
    written = (*writer)->write(*track, {.bytes = unit, .show_at = i, .decode_at = i, .key = true});
  }
  if (written) written = (*writer)->finish();
  ASSERT_FALSE(written);
  EXPECT_EQ(written.failure().kind, FailureKind::kStorageFull);
}

TEST(Mp4Writer, AFileWithoutSamplesIsRefused) {
  auto writer = Mp4Writer::create("/dev/null");
  ASSERT_TRUE(writer);
  EXPECT_EQ((*writer)->finish().failure().kind, FailureKind::kMedia);
}

TEST(Mp4Writer, DecodingTimesThatDontRiseAreRefused) {
  auto writer = Mp4Writer::create("/dev/null");
  ASSERT_TRUE(writer);
  ASSERT_TRUE((*writer)->add_video({}, kSets));
  const Bytes unit(10, 1);
  ASSERT_TRUE((*writer)->write(0, {.bytes = unit, .show_at = 0, .decode_at = 0, .key = true}));
  EXPECT_EQ((*writer)->write(0, {.bytes = unit, .show_at = 1, .decode_at = 0}).failure().kind,
            FailureKind::kMedia);
}

// It would need an edit list.
TEST(Mp4Writer, ATrackThatDoesNotBeginAtZeroIsRefused) {
  for (const std::int64_t begins : {-1, 1}) {
    auto writer = Mp4Writer::create("/dev/null");
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->add_video({}, kSets));
    const Bytes unit(10, 1);
    const Status written =
        (*writer)->write(0, {.bytes = unit, .show_at = begins, .decode_at = begins, .key = true});
    ASSERT_FALSE(written);
    EXPECT_EQ(written.failure().kind, FailureKind::kMedia);
  }
}

}  // namespace pytoon::media
