#include <random>

#include "base/files.h"
#include "pipeline/media/clip/clip_source.h"
#include "pipeline/media/clip/inspect_clip.h"
#include "tests/pipeline/clip/clip_fixture.h"
#include "tests/support/source_dir.h"

namespace pytoon::media {
namespace {

class DamagedClip : public ClipTest {
 protected:
  // Inspects and plays bytes that may be anything, here, where a sanitizer sees it. True when both
  // found nothing wrong.
  bool survives(const std::string& bytes) {
    const auto file = path("damaged.mp4");
    EXPECT_TRUE(write_file_atomically(file, bytes));
    const auto facts = inspect_clip(file);
    if (!facts) {
      EXPECT_NE(facts.failure().kind, FailureKind::kInternal) << facts.failure().detail;
      EXPECT_FALSE(facts.failure().detail.empty());
    }
    const auto made = index_clip(file);
    if (!made) return false;
    ClipSource played({*made, {64, 64}, {}});
    const std::size_t count = (*made)->times.starts.size();
    for (const std::size_t i : {std::size_t{0}, count / 2, count - 1, std::size_t{0}}) {
      const auto picture = played.frame(i);
      if (!picture) return false;
    }
    return facts.ok();
  }
};

TEST_F(DamagedClip, CutOffAnywhereIsRefused) {
  for (const std::string options : {"-movflags faststart", "-movflags frag_keyframe+empty_moov"}) {
    const std::string whole =
        *read_file(clip("clip.mp4", 30, "30", std::string(kH264) + " " + options));
    EXPECT_TRUE(survives(whole));
    for (std::size_t part = 1; part < 16; ++part) {
      const std::string cut = whole.substr(0, whole.size() * part / 16);
      const auto file = path("cut.mp4");
      ASSERT_TRUE(write_file_atomically(file, cut));
      const auto facts = inspect_clip(file);
      // A fragmented file may be cut between two fragments.
      if (facts) {
        EXPECT_EQ(options.find("faststart"), std::string::npos);
        continue;
      }
      EXPECT_TRUE(facts.failure().kind == FailureKind::kMalformed ||
                  facts.failure().kind == FailureKind::kUnsupportedType)
          << facts.failure().detail;
    }
  }
}

TEST_F(DamagedClip, TwoHundredFlippedBitsNeverDoHarm) {
  const std::string h264 = *read_file(clip("clip.mp4", 24, "30"));
  const std::string hevc = *read_file(clip("clip.mov", 24, "30", kHevc));
  int whole = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    std::string bytes = seed % 2 == 0 ? h264 : hevc;
    for (unsigned flips = 1 + seed % 4; flips > 0; --flips) {
      bytes[random() % bytes.size()] ^= static_cast<char>(1U << random() % 8);
    }
    whole += survives(bytes) ? 1 : 0;
  }
  EXPECT_LT(whole, 190);  // most are noticed
  EXPECT_GT(whole, 0);    // some hit what nobody reads
}

TEST_F(DamagedClip, AnIndexThatClaimsBillionsOfFramesIsRefusedAtOnce) {
  std::string bytes = *read_file(clip("clip.mp4", 24, "30"));
  const std::size_t at = bytes.find("stsz");
  ASSERT_NE(at, std::string::npos);
  bytes.replace(at + 8, 8, std::string("\x00\x00\x00\x01\x7f\xff\xff\xff", 8));
  ASSERT_TRUE(write_file_atomically(path("bomb.mp4"), bytes));
  const auto facts = inspect_clip(path("bomb.mp4"));
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.failure().kind, FailureKind::kInvalid) << facts.failure().detail;
}

TEST_F(DamagedClip, DamagedPicturesAreMalformed) {
  std::string bytes =
      *read_file(clip("clip.mp4", 24, "30", std::string(kH264) + " -movflags faststart"));
  const std::size_t data = bytes.find("mdat");
  for (std::size_t i = data + 1500; i < data + 3500 && i < bytes.size(); ++i) bytes[i] = '\x55';
  ASSERT_TRUE(write_file_atomically(path("noise.mp4"), bytes));
  const auto facts = inspect_clip(path("noise.mp4"));
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.failure().kind, FailureKind::kMalformed);
  EXPECT_NE(facts.failure().detail.find("damaged"), std::string::npos);
}

// A decoder that hides damage would show smeared pictures without a word.
TEST_F(DamagedClip, NoiseInOneOfManySlicesIsMalformed) {
  const std::string options = std::string(kH264) + " -x264-params slices=4 -movflags faststart";
  const std::string whole = *read_file(clip("clip.mp4", 24, "30", options, {320, 480}));
  ASSERT_TRUE(survives(whole));
  const std::size_t data = whole.find("mdat");
  int refused = 0;
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    std::string bytes = whole;
    const std::size_t at = data + 1000 + random() % (bytes.size() - data - 1200);
    for (std::size_t i = at; i < at + 64; ++i) bytes[i] ^= static_cast<char>(random());
    refused += survives(bytes) ? 0 : 1;
  }
  EXPECT_GE(refused, 17);
}

// Its first frame alone is damaged, which two threads give out before they know.
TEST_F(DamagedClip, NoiseInTheFirstFrameIsMalformed) {
  const std::string whole =
      *read_file(support::source_dir() / "tests/field/comfyui_savevideo_slices.mp4");
  ASSERT_TRUE(survives(whole));
  const std::size_t data = whole.find("mdat");
  for (const std::size_t at : {900U, 1500U, 2000U}) {
    std::string bytes = whole;
    for (std::size_t i = 0; i < 60; ++i) bytes[data + at + 7 * i] ^= '\x5A';
    ASSERT_TRUE(write_file_atomically(path("damaged.mp4"), bytes));
    const auto facts = inspect_clip(path("damaged.mp4"));
    ASSERT_FALSE(facts) << at;
    EXPECT_EQ(facts.failure().kind, FailureKind::kMalformed) << facts.failure().detail;
  }
}

}  // namespace
}  // namespace pytoon::media
