#include "pipeline/media/clip/matroska_elements.h"

#include "base/files.h"
#include "pipeline/media/clip/inspect_clip.h"
#include "tests/pipeline/clip/clip_fixture.h"

namespace pytoon::media {
namespace {

using namespace std::string_literals;

// An element with a size of eight bytes.
std::string element(const std::string& id, const std::string& content) {
  std::string size(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) {
    size[7 - i] = static_cast<char>(std::uint64_t{content.size()} >> (8 * i));
  }
  size[0] = '\x01';
  return id + size + content;
}

// One of two bytes, and none in it.
std::string repeated(const std::string& id, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += id + "\x80";
  return all;
}

const std::string kDocument = element("\x1A\x45\xDF\xA3", element("\x42\x82", "webm"));
const std::string kTracks = element("\x16\x54\xAE\x6B", element("\xAE", element("\x86", "V_VP9")));
const std::string kCluster = element("\x1F\x43\xB6\x75", element("\xE7", "\1"));
const std::string kSegmentId = "\x18\x53\x80\x67";
const std::string kUnknownSize = "\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF";

class MatroskaElements : public ClipTest {
 protected:
  Result<std::string> check(const std::string& bytes) const {
    EXPECT_TRUE(write_file_atomically(path("file"), bytes));
    return check_matroska_elements(path("file"));
  }
  Result<std::string> check_segment(const std::string& content) const {
    return check(kDocument + element(kSegmentId, content));
  }
  void expect(FailureKind kind, const std::string& content) const {
    const auto checked = check_segment(content);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.failure().kind, kind) << checked.failure().detail;
  }
};

TEST_F(MatroskaElements, NamesWhatIsSound) {
  EXPECT_EQ(*check_segment(kTracks + kCluster), "webm");
  EXPECT_EQ(*check(element("\x1A\x45\xDF\xA3", element("\x42\x82", "matroska\0"s)) +
                   element(kSegmentId, kTracks + kCluster)),
            "mkv");
  const std::string open_cluster = "\x1F\x43\xB6\x75" + kUnknownSize + element("\xE7", "\1");
  EXPECT_TRUE(check(kDocument + kSegmentId + kUnknownSize + kTracks + open_cluster + open_cluster +
                    kCluster));
  EXPECT_TRUE(check_segment(kTracks + element("\xEC", std::string(5000, 'x')) + kCluster));
  EXPECT_TRUE(check(kDocument + element(kSegmentId, kTracks + kCluster) + "notes behind it"));
}

TEST_F(MatroskaElements, OtherDocumentsAreAnotherType) {
  const auto checked = check(element("\x1A\x45\xDF\xA3", element("\x42\x82", "other")));
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.failure().kind, FailureKind::kUnsupportedType);
}

TEST_F(MatroskaElements, WhatDoesNotFitIsDamaged) {
  expect(FailureKind::kMalformed, kTracks);
  expect(FailureKind::kMalformed, kCluster);
  expect(FailureKind::kMalformed, kTracks + kCluster + "\x1F\x43\xB6\x75");
  expect(FailureKind::kMalformed, kTracks + kCluster + "\x1F\x43\xB6\x75\x8F");
  expect(FailureKind::kMalformed, kTracks + kCluster + std::string(12, '\0'));
  // Longer than what holds it, and of a size that nobody knows.
  expect(FailureKind::kMalformed, kTracks + element("\x1F\x43\xB6\x75", "\xA3\x88two") + kCluster);
  expect(FailureKind::kMalformed, kTracks + kCluster + "\x12\x54\xC3\x67" + kUnknownSize);
}

// Each takes a demuxer a record of some hundred bytes, or a comparison with all others.
TEST_F(MatroskaElements, MoreThanAnyClipNeedsIsRefused) {
  const std::pair<std::string, std::string> kinds[] = {
      {"\x16\x54\xAE\x6B", repeated("\xAE", 40)},
      {"\x1C\x53\xBB\x6B", repeated("\xBB", 40'000)},
      {"\x12\x54\xC3\x67", repeated("\x73\x73", 2000)},
      {"\x10\x43\xA7\x70", element("\x45\xB9", repeated("\xB6", 2000))},
      {"\x19\x41\xA4\x69", repeated("\x61\xA7", 100)},
      {"\x1F\x43\xB6\x75", repeated("\xA3", 500'000)}};
  for (const auto& [id, content] : kinds) {
    expect(FailureKind::kInvalid, kTracks + kCluster + element(id, content));
  }
}

TEST_F(MatroskaElements, NestedWithoutEndIsRefused) {
  std::string tag = element("\x67\xC8", "");
  for (int i = 0; i < 40; ++i) tag = element("\x67\xC8", tag);
  expect(FailureKind::kInvalid,
         kTracks + kCluster + element("\x12\x54\xC3\x67", element("\x73\x73", tag)));
}

TEST_F(MatroskaElements, BlocksThatUnpackAndEncryptedOnesAreRefused) {
  const auto coded = [](const std::string& how) {
    return element("\x16\x54\xAE\x6B",
                   element("\xAE", element("\x6D\x80", element("\x62\x40", how)))) +
           kCluster;
  };
  expect(FailureKind::kInvalid, coded(element("\x50\x34", element("\x42\x54", "\0"s))));
  expect(FailureKind::kInvalid, coded(element("\x50\x35", "")));
  EXPECT_TRUE(check_segment(coded(element("\x50\x34", element("\x42\x54", "\3")))));
}

TEST_F(MatroskaElements, ASeekTableLeadsToElementsOnly) {
  const auto table = [](char where) {
    return element("\x11\x4D\x9B\x74", element("\x4D\xBB", element("\x53\xAC", {where})));
  };
  const auto length = static_cast<char>(table(0).size());
  EXPECT_TRUE(check_segment(table(length) + kTracks + kCluster));
  expect(FailureKind::kMalformed, table(static_cast<char>(length + 1)) + kTracks + kCluster);
}

TEST_F(MatroskaElements, FlippedBitsNeverDoHarm) {
  clip("a.webm", 12, "30", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8");
  ffmpeg("-i {}/a.webm -f lavfi -i sine=duration=0.4 -c:v copy -c:a libopus {}/b.webm");
  const std::string whole = *read_file(path("b.webm"));
  int sound = 0;
  for (unsigned seed = 0; seed < 150; ++seed) {
    std::string bytes = whole;
    // Most of what counts stands at the beginning.
    const std::size_t range = seed % 3 == 0 ? bytes.size() : 600;
    bytes[seed * 7919 % range] ^= static_cast<char>(1U << seed % 8);
    ASSERT_TRUE(write_file_atomically(path("file"), bytes));
    const auto facts = inspect_clip(path("file"));
    sound += facts ? 1 : 0;
    if (!facts) {
      EXPECT_NE(facts.failure().kind, FailureKind::kInternal) << facts.failure().detail;
    }
  }
  EXPECT_LT(sound, 150);
  EXPECT_GT(sound, 0);
}

}  // namespace
}  // namespace pytoon::media
