// Animated GIF, APNG and WebP as clips.
#include "pipeline/media/clip/animation.h"

#include "base/files.h"
#include "pipeline/media/clip/inspect_clip.h"
#include "tests/pipeline/clip/clip_fixture.h"

namespace pytoon::media {
namespace {

struct AnimatedKind {
  const char* name;
  const char* options;
};

constexpr AnimatedKind kAnimatedKinds[] = {
    {"gif", "-pix_fmt gray -f gif"},
    {"apng", "-pix_fmt gray -f apng"},
    {"webp", "-pix_fmt bgra -c:v libwebp_anim -lossless 1 -f webp"}};

class AnimatedClip : public ClipTest, public testing::WithParamInterface<AnimatedKind> {
 protected:
  static void expect_refused(const std::filesystem::path& file, FailureKind kind,
                             const std::string& words) {
    const auto facts = inspect_clip(file);
    ASSERT_FALSE(facts) << file;
    EXPECT_EQ(facts.failure().kind, kind) << facts.failure().detail;
    EXPECT_NE(facts.failure().detail.find(words), std::string::npos) << facts.failure().detail;
  }
};

TEST_P(AnimatedClip, ShowsEveryFrameAtItsTime) {
  const auto file = clip("file", 24, "10", GetParam().options);
  const auto facts = inspect_clip(file);
  ASSERT_TRUE(facts) << facts.failure().detail;
  EXPECT_EQ(facts->format, GetParam().name);
  EXPECT_EQ(facts->codec, GetParam().name);
  EXPECT_EQ(facts->size, (gpu::Size{160, 96}));
  EXPECT_NEAR(facts->duration_seconds, 2.4, 0.0001);
  const auto played = source(file);
  for (int n = 0; n < 72; ++n) EXPECT_EQ(code_at(*played, n), n / 3);
  for (const int n : {30, 3, 71, 0}) EXPECT_EQ(code_at(*played, n), n / 3);
}

TEST_P(AnimatedClip, CutOffAnywhereIsRefused) {
  const std::string whole = *read_file(clip("file", 12, "10", GetParam().options));
  for (std::size_t part = 1; part < 16; ++part) {
    ASSERT_TRUE(write_file_atomically(path("cut"), whole.substr(0, whole.size() * part / 16)));
    expect_refused(path("cut"), FailureKind::kMalformed, "cut off or damaged");
  }
}

TEST_P(AnimatedClip, TooLongIsSaid) {
  expect_refused(clip("file", 13, "1/10", GetParam().options), FailureKind::kInvalid,
                 "longer than 120 s");
}

TEST_P(AnimatedClip, ASinglePictureIsNone) {
  const auto facts = inspect_clip(clip("file", 1, "10", GetParam().options));
  ASSERT_FALSE(facts);
  EXPECT_TRUE(facts.failure().kind == FailureKind::kInvalid ||
              facts.failure().kind == FailureKind::kUnsupportedType)
      << facts.failure().detail;
}

INSTANTIATE_TEST_SUITE_P(All, AnimatedClip, testing::ValuesIn(kAnimatedKinds),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace pytoon::media
