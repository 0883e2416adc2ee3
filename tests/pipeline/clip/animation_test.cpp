// Animated GIF, APNG and WebP as clips.
#include "pipeline/media/clip/animation.h"

#include "base/files.h"
#include "pipeline/media/clip/inspect_clip.h"
#include "tests/pipeline/clip/clip_fixture.h"
#include "tests/support/source_dir.h"

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

class Animations : public ClipTest {
 protected:
  void expect_refused(const std::string& bytes, const std::string& words) const {
    ASSERT_TRUE(write_file_atomically(path("hostile"), bytes));
    const auto facts = inspect_clip(path("hostile"));
    ASSERT_FALSE(facts);
    EXPECT_EQ(facts.failure().kind, FailureKind::kInvalid) << facts.failure().detail;
    EXPECT_NE(facts.failure().detail.find(words), std::string::npos) << facts.failure().detail;
  }
  static std::vector<std::int64_t> milliseconds_of(const ClipTimes& times) {
    std::vector<std::int64_t> all;
    for (const std::int64_t start : times.starts) all.push_back(start / 1000);
    all.push_back(times.end / 1000);
    return all;
  }
};

// What tools of our time make, with delays of 200, 100, 0, 500 and 50 ms.
TEST_F(Animations, OfOtherToolsKeepTheirTimes) {
  const std::vector<std::int64_t> expected{0, 200, 300, 400, 900, 950};
  for (const char* name :
       {"gifsicle.gif", "imagemagick.gif", "img2webp.webp", "gif2webp.webp", "apngasm.png"}) {
    const auto file = support::source_dir() / "tests/field/animations" / name;
    const auto facts = inspect_clip(file);
    ASSERT_TRUE(facts) << name << ": " << facts.failure().detail;
    const auto clip = index(file);
    EXPECT_EQ(milliseconds_of(clip->times), expected) << name;
    const auto played = source(file);
    for (int i = 0; i < 5; ++i) {
      const auto picture = played->frame(static_cast<std::size_t>(i));
      ASSERT_TRUE(picture) << name;
      EXPECT_EQ(read_code(*picture), 0x1111 << i % 4) << name << " " << i;
    }
  }
}

// 30 frames a second are told as a thirtieth each: they don't drift.
TEST_F(Animations, TimesAddUpExactly) {
  const auto made = index(clip("a.png", 90, "30", "-pix_fmt gray -f apng", {16, 16}));
  EXPECT_EQ(made->times.starts[60], 2'000'000);
  EXPECT_EQ(made->times.end, 3'000'000);
}

std::string little_endian_16(unsigned value) {
  return {static_cast<char>(value & 255U), static_cast<char>(value >> 8U)};
}

// Frames of one pixel, of some twenty bytes each, on a canvas.
std::string many_frames_gif(unsigned edge, int frames, unsigned delay) {
  using namespace std::string_literals;
  std::string gif = "GIF89a" + little_endian_16(edge) + little_endian_16(edge) + "\x80\0\0"s +
                    "\0\0\0\xff\xff\xff"s;
  for (int i = 0; i < frames; ++i) {
    gif += "\x21\xF9\x04\x04"s + little_endian_16(delay) + "\0\0"s;
    gif += "\x2C\0\0\0\0\1\0\1\0\0\2\2\x44\1\0"s;
  }
  return gif + "\x3B";
}

TEST_F(Animations, FramesWithoutDelayAreShownATenthOfASecond) {
  ASSERT_TRUE(write_file_atomically(path("a.gif"), many_frames_gif(16, 10, 0)));
  const auto facts = inspect_clip(path("a.gif"));
  ASSERT_TRUE(facts) << facts.failure().detail;
  EXPECT_DOUBLE_EQ(facts->duration_seconds, 1);
}

TEST_F(Animations, BombsAreRefusedUndecoded) {
  expect_refused(many_frames_gif(16, 1'000'000, 2), "more frames than a clip may have");
  expect_refused(many_frames_gif(65'535, 2, 10), "65535x65535 px");
  expect_refused(many_frames_gif(4096, 200, 10), "send it as MP4 or WebM");
  expect_refused(many_frames_gif(16, 2, 65'535), "longer than 120 s");
  ASSERT_TRUE(write_file_atomically(path("large.gif"), many_frames_gif(16, 2, 10)));
  std::filesystem::resize_file(path("large.gif"), (64 << 20) + 1);
  const auto facts = inspect_clip(path("large.gif"));
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.failure().kind, FailureKind::kTooLarge) << facts.failure().detail;
}

std::string chunk(const std::string& type, const std::string& content) {
  std::string all(4, '\0');
  for (std::size_t i = 0; i < 4; ++i) {
    all[3 - i] = static_cast<char>(content.size() >> (8 * i));
  }
  return all + type + content + "CRC.";
}

// Text that a decoder would unpack is no part of the picture.
TEST_F(Animations, TextInAnApngIsNotRead) {
  std::string bytes = *read_file(clip("a.png", 3, "10", "-pix_fmt gray -f apng"));
  bytes.insert(bytes.find("acTL") - 4, chunk("zTXt", "a\0\0not zlib") + chunk("iCCP", "x"));
  ASSERT_TRUE(write_file_atomically(path("b.png"), bytes));
  const auto animation = read_animation(path("b.png"), ClipContainer::kApng);
  ASSERT_TRUE(animation) << animation.failure().detail;
  EXPECT_EQ(animation->bytes.find("zTXt"), std::string::npos);
  EXPECT_TRUE(inspect_clip(path("b.png")));
}

TEST_F(Animations, FlippedBitsNeverDoHarm) {
  int sound = 0;
  for (const AnimatedKind& kind : kAnimatedKinds) {
    const std::string whole = *read_file(clip("file", 6, "10", kind.options, {32, 32}));
    for (unsigned seed = 0; seed < 120; ++seed) {
      std::string bytes = whole;
      const std::size_t range =
          seed % 2 == 0 ? bytes.size() : std::min<std::size_t>(200, bytes.size());
      bytes[seed * 7919 % range] ^= static_cast<char>(1U << seed % 8);
      ASSERT_TRUE(write_file_atomically(path("flipped"), bytes));
      const auto facts = inspect_clip(path("flipped"));
      sound += facts ? 1 : 0;
      if (!facts) {
        EXPECT_NE(facts.failure().kind, FailureKind::kInternal) << facts.failure().detail;
      }
    }
  }
  EXPECT_LT(sound, 340);
  EXPECT_GT(sound, 0);
}

}  // namespace
}  // namespace pytoon::media
