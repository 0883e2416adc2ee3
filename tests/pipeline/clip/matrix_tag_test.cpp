#include "pipeline/media/clip/matrix_tag.h"

#include "base/files.h"
#include "pipeline/media/clip/inspect_clip.h"
#include "tests/pipeline/clip/clip_fixture.h"

namespace pytoon::media {
namespace {

class MatrixTag : public ClipTest {
 protected:
  // Red, coded by BT.601 and, unless `options` say so, untagged, with audio and notes.
  std::filesystem::path red(const std::string& name, const std::string& options) const {
    ffmpeg(
        "-f lavfi -i color=c=0xC81E1E:s=544x960:r=30:d=1,format=gbrp -f lavfi -i "
        "sine=duration=1 -vf scale=out_color_matrix=bt601,format=yuv420p " +
        options + (name.ends_with(".webm") ? " -c:a libopus" : " -c:a aac") +
        " -shortest -metadata comment=whole-graph " +
        (name.ends_with(".mp4") || name.ends_with(".mov") ? "-movflags +use_metadata_tags {}/"
                                                          : "{}/") +
        name);
    return path(name);
  }

  static Status tag(const std::filesystem::path& file, UnsaidMatrix matrix) {
    const auto bytes = decoder().tagged_clip(file, matrix);
    if (!bytes) return bytes.failure();
    return *bytes ? write_file_atomically(file, **bytes) : ok_status();
  }
  static void expect_red(const std::filesystem::path& file) {
    const auto shown = first_frame(index(file));
    ASSERT_TRUE(shown) << shown.failure().detail;
    EXPECT_NEAR(shown->at(100, 100)[0], 200, 2) << file;
    EXPECT_NEAR(shown->at(100, 100)[1], 30, 2) << file;
    EXPECT_NEAR(shown->at(100, 100)[2], 30, 2) << file;
  }
};

TEST_F(MatrixTag, AnUntaggedClipOfAKnownMakerHasItsColours) {
  const std::pair<const char*, const char*> kinds[] = {
      {"h264.mp4", "-c:v libx264 -qp 4 -bf 2"},
      {"slices.mp4", "-c:v libx264 -qp 4 -x264-params slices=4"},
      {"hevc.mp4", "-c:v libx265 -x265-params log-level=none:qp=4 -tag:v hvc1"},
      {"pieces.mov", "-c:v libx264 -qp 4 -movflags frag_keyframe+empty_moov"},
      {"plain.mov", "-c:v libx264 -qp 4 -bf 3"},
      {"prores.mov", "-pix_fmt yuv422p10le -c:v prores_ks -qscale:v 2"},
      {"h264.mkv", "-c:v libx264 -qp 4 -bf 3 -g 12"},
      {"hevc.mkv", "-c:v libx265 -x265-params log-level=none:qp=4:bframes=3"},
      {"vp8.webm", "-c:v libvpx -crf 4 -b:v 8M -cpu-used 8 -deadline realtime"},
      {"vp9.webm", "-c:v libvpx-vp9 -crf 4 -b:v 0 -cpu-used 8 -deadline realtime"},
      {"vp9.mkv", "-c:v libvpx-vp9 -crf 4 -b:v 0 -cpu-used 8 -deadline realtime"},
      {"vp9.mp4", "-c:v libvpx-vp9 -crf 4 -b:v 0 -cpu-used 8 -deadline realtime"},
      {"av1.webm", "-c:v libaom-av1 -crf 8 -cpu-used 8 -usage realtime"},
      {"av1.mkv", "-c:v libaom-av1 -crf 8 -cpu-used 8 -usage realtime"}};
  for (const auto& [name, options] : kinds) {
    const auto file = red(name, options);
    const auto before = index(file);
    const Status tagged = tag(file, UnsaidMatrix::kBt601);
    ASSERT_TRUE(tagged) << name << ": " << tagged.failure().detail;
    expect_red(file);
    if (std::string(name).starts_with("vp8")) continue;  // which is BT.601 by itself (RFC 6386)
    EXPECT_EQ(index(file)->times.starts.size(), before->times.starts.size());
    EXPECT_NEAR(index(file)->times.seconds(), before->times.seconds(), 1e-3);
    const std::string bytes = *read_file(file);
    EXPECT_EQ(bytes.find("whole-graph"), std::string::npos) << name;
    EXPECT_EQ(bytes.find("mp4a"), std::string::npos);
    EXPECT_EQ(bytes.find("A_OPUS"), std::string::npos);
    EXPECT_EQ(bytes.find("A_AAC"), std::string::npos);
    ASSERT_TRUE(inspect_clip(file));
  }
}

TEST_F(MatrixTag, EveryPictureIsKept) {
  for (const char* name : {"clip.mp4", "clip.mov", "clip.mkv"}) {
    const auto file = clip(name, 40, "30", std::string(kH264));
    ASSERT_TRUE(tag(file, UnsaidMatrix::kBt601));
    const auto played = source(file);
    for (const std::int64_t i : {0, 1, 13, 39, 24}) EXPECT_EQ(code_at(*played, i), i) << name;
  }
}

TEST_F(MatrixTag, AlphaIsKept) {
  ffmpeg(
      "-f lavfi -i color=c=0xC81E1E@0.5:s=64x64:r=10:d=1,format=rgba -vf "
      "scale=out_color_matrix=bt601,format=yuva420p -c:v libvpx-vp9 -crf 4 -b:v 0 -auto-alt-ref 0 "
      "{}/clip.webm");
  ASSERT_TRUE(index(path("clip.webm"))->has_alpha);
  ASSERT_TRUE(tag(path("clip.webm"), UnsaidMatrix::kBt601));
  EXPECT_TRUE(index(path("clip.webm"))->has_alpha);
  const auto image = source(path("clip.webm"))->cutout(4);
  ASSERT_TRUE(image) << image.failure().detail;
  EXPECT_NEAR(image->at(30, 30)[0], 200, 3);
  EXPECT_NEAR(image->at(30, 30)[3], 128, 2);
}

TEST_F(MatrixTag, OthersStayAsTheyAre) {
  const auto tagged = red("tagged.mp4", "-c:v libx264 -qp 4 -colorspace smpte170m");
  const std::string bytes = *read_file(tagged);
  ASSERT_TRUE(tag(tagged, UnsaidMatrix::kBt601));
  EXPECT_TRUE(*read_file(tagged) == bytes);
  expect_red(tagged);
  const auto unknown = red("unknown.mp4", "-c:v libx264 -qp 4");
  const std::string others = *read_file(unknown);
  ASSERT_TRUE(tag(unknown, UnsaidMatrix::kBySize));
  EXPECT_TRUE(*read_file(unknown) == others);
}

TEST_F(MatrixTag, WhatIsNoClipIsLeftAlone) {
  ASSERT_TRUE(write_file_atomically(path("text.mp4"), "no clip"));
  EXPECT_FALSE(tag(path("text.mp4"), UnsaidMatrix::kBt601));
  EXPECT_EQ(*read_file(path("text.mp4")), "no clip");
}

}  // namespace
}  // namespace pytoon::media
