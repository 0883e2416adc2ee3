// Whole images with clips in them: the right frame of the right clip at the right place and time.
#include "pipeline/media/video_probe.h"
#include "pipeline/render/caption_layout.h"
#include "pipeline/render/layout.h"
#include "tests/pipeline/clip/clip_files.h"
#include "tests/pipeline/render/frame_fixture.h"

namespace pytoon::render {
namespace {

constexpr gpu::Size kPortrait{108, 192};
constexpr gpu::Rect kWhole{0, 0, 1080, 1920};

// The number painted into a part of a frame.
int read_code_in(const HostFrame& frame, const gpu::Rect& part) {
  gpu::Nv12Frame picture;
  picture.size = {part.width, part.height};
  picture.luma = frame.bytes.data() + static_cast<std::size_t>(part.y) * 1080 +
                 static_cast<std::size_t>(part.x);
  picture.luma_pitch_bytes = 1080;
  return media::read_code(picture);
}

class ClipImage : public FrameTest {
 protected:
  // A clip of frames numbered from `first`.
  std::filesystem::path clip(const std::string& name, int frames, const std::string& rate = "30",
                             int first = 0, gpu::Size size = kPortrait) const {
    return media::make_clip(folder_, name, frames, rate, media::kH264, size, first);
  }

  RenderJob job_over(const std::string& preset, int seconds,
                     const std::vector<std::filesystem::path>& clips) {
    spec::JobRequest request;
    request.preset_id = preset;
    request.target_duration_seconds = seconds;
    for (const auto& file : clips) request.clip_uris.push_back("storage://" + file.string());
    RenderJob job;
    job.spec = *plan::make_render_spec(request, catalogue_, 1);
    for (const auto& file : clips) job.inputs.clips.push_back({file, file.string()});
    job.footage.assign(job.spec.segments.size(), plan::SourceKind::kImages);
    return job;
  }

  // One side of a transition alone.
  HostFrame side(const Scene& scene, int frame, bool incoming) {
    gpu::Composition composition;
    OpenClips clips(*device_, decoder_, {});
    EXPECT_TRUE(scene.evaluate(frame, clips, composition));
    if (incoming) composition.base = composition.incoming;
    composition.incoming.clear();
    composition.mix_256 = 0;
    return compose(composition);
  }
};

TEST_F(ClipImage, AClipFillsTheFrameAndPlaysInItsOwnTime) {
  const auto scene = scene_of(job_over("product_hero_clean", 3, {clip("a.mp4", 80, "25")}));
  for (const int frame : {0, 1, 2, 29, 30, 61, 89}) {
    EXPECT_EQ(read_code_in(compose(*scene, frame), kWhole), frame * 25 / 30);
  }
}

TEST_F(ClipImage, ALandscapeClipIsCroppedNotStretched) {
  const auto scene =
      scene_of(job_over("meme_fast", 3, {clip("a.mp4", 5, "30", 0xabcd, {320, 96})}));
  // Of 320 x 96 px the frame shows the middle 54: within the second and third column.
  const HostFrame frame = compose(*scene, 0);
  for (int row = 0; row < 4; ++row) {
    for (int column = 1; column < 3; ++column) {
      const int x = column == 1 ? 270 : 810;
      const bool light = (0xabcd >> (row * 4 + column) & 1) != 0;
      EXPECT_EQ(frame.luma(x, row * 480 + 240) > 125, light) << row << ", " << column;
    }
  }
}

TEST_F(ClipImage, AShortClipLoopsAndItsSegmentsContinueIt) {
  const auto scene = scene_of(job_over("product_hero_clean", 6, {clip("a.mp4", 40)}));
  for (const int frame : {0, 39, 40, 89, 90, 91, 100, 179}) {
    EXPECT_EQ(read_code_in(compose(*scene, frame), kWhole), frame % 40) << frame;
  }
}

TEST_F(ClipImage, ACrossfadeBorrowsTheFramesThatFollow) {
  const auto scene = scene_of(
      job_over("product_hero_clean", 9, {clip("a.mp4", 200), clip("b.mp4", 90, "30", 1000)}));
  for (int frame = 90; frame < 95; ++frame) {
    EXPECT_EQ(read_code_in(side(*scene, frame, false), kWhole), frame);
    EXPECT_EQ(read_code_in(side(*scene, frame, true), kWhole), 1000 + frame - 90);
    // b has no more than its segment takes: its last frame stands.
    EXPECT_EQ(read_code_in(side(*scene, frame + 90, false), kWhole), 1089);
    // a goes on where it was left.
    EXPECT_EQ(read_code_in(side(*scene, frame + 90, true), kWhole), frame);
  }
}

TEST_F(ClipImage, AnOverlaysClipStandsSharpOnItsOwnBlurredFirstFrame) {
  RenderJob job = job_over("overlay_classic", 3, {clip("a.mp4", 90)});
  const auto scene = scene_of(job);
  const gpu::Rect place = place_product(kPortrait, product_zone(job.spec, 0), {});
  EXPECT_LE(place.width, 648);
  for (const int frame : {0, 1, 44, 89}) {
    EXPECT_EQ(read_code_in(compose(*scene, frame), place), frame);
  }
}

// Its left half is white, its right half is not there.
TEST_F(ClipImage, TheSceneShowsThroughAClipWithAlpha) {
  media::run_ffmpeg(folder_,
                    "-f lavfi -i \"color=white:s=200x200:r=30:d=0.5,format=rgba,"
                    "geq=r=255:g=255:b=255:a='if(lt(X,100),255,0)'\" "
                    "-vf format=yuva444p10le -c:v prores_ks -profile:v 4444 {}/half.mov");
  const auto hero = scene_of(job_over("product_hero_clean", 3, {folder_ / "half.mov"}));
  const HostFrame filled = compose(*hero, 40);
  EXPECT_GE(filled.luma(300, 960), 230);
  EXPECT_NEAR(filled.luma(800, 960), 16 + 27 * 219 / 255, 2);  // #1a1a2e
  RenderJob job = job_over("overlay_classic", 3, {folder_ / "half.mov"});
  const HostFrame over = compose(*scene_of(job), 40);
  const gpu::Rect place = place_product({200, 200}, product_zone(job.spec, 0), {});
  const int row = place.y + place.height / 2;
  EXPECT_GE(over.luma(place.x + place.width / 4, row), 230);
  const int through = over.luma(place.x + place.width * 3 / 4, row);
  EXPECT_LT(through, 150);
  EXPECT_NEAR(through, over.luma(place.x + place.width + 40, row), 12);  // as beside it
}

TEST_F(ClipImage, AnAnimationPlaysInItsOwnTime) {
  const auto file = media::make_clip(folder_, "a.gif", 12, "10", "-pix_fmt gray", kPortrait);
  const auto scene = scene_of(job_over("product_hero_clean", 3, {file}));
  for (const int frame : {0, 2, 3, 35, 36, 80}) {
    EXPECT_EQ(read_code_in(compose(*scene, frame), kWhole), frame / 3 % 12);
  }
}

TEST_F(ClipImage, WhatAnEngineMadeFillsTheFrameOfItsSegmentAlone) {
  spec::JobRequest request;
  request.preset_id = "product_hero_clean";
  request.target_duration_seconds = 6;
  RenderJob job = job_of(request, gpu::RgbaImage({200, 300}, {0, 0, 0, 255}));
  job.footage[1] = {plan::SourceKind::kClip,
                    plan::InputFile{clip("made.mp4", 90, "24", 300), "made"}};
  const auto scene = scene_of(job);
  EXPECT_EQ(read_code_in(compose(*scene, 50), kWhole), 0);
  for (const int frame : {95, 120, 179}) {
    EXPECT_EQ(read_code_in(compose(*scene, frame), kWhole), 300 + (frame - 90) * 24 / 30);
  }
}

TEST_F(ClipImage, AnOverlaysProductStaysItsOwnBeforeWhatAnEngineMade) {
  spec::JobRequest request;
  request.preset_id = "overlay_classic";
  request.target_duration_seconds = 3;
  const gpu::RgbaImage product({400, 400}, {255, 255, 255, 255});
  RenderJob job = job_of(request, product);
  job.footage[0] = {plan::SourceKind::kClip,
                    plan::InputFile{clip("made.mp4", 90, "30", 0x0400), "made"}};
  const auto scene = scene_of(job);
  const HostFrame frame = compose(*scene, 0);
  const gpu::Rect place = place_product(product.size, product_zone(job.spec, 0), {});
  EXPECT_GE(frame.luma(place.x + place.width / 2, place.y + place.height / 2), 230);
  EXPECT_LT(frame.luma(40, 40), 125);
  EXPECT_GT(frame.luma(600, 1380), 125);  // cell 10 is light, whatever stands above it
}

TEST_F(ClipImage, TextIsReadableOverAClipThatTurnsWhite) {
  // Dark at first, white from the middle on.
  media::run_ffmpeg(folder_,
                    "-f lavfi -i color=black:s=108x192:r=30:d=1.5 -f lavfi -i "
                    "color=white:s=108x192:r=30:d=1.5 -filter_complex '[0][1]concat=n=2' "
                    "-pix_fmt yuv420p {}/turns.mp4");
  RenderJob job = job_over("product_hero_clean", 3, {folder_ / "turns.mp4"});
  spec::JobRequest request;
  request.preset_id = "product_hero_clean";
  request.target_duration_seconds = 3;
  request.captions = spec::Captions{"Fresh", {}, ""};
  job.spec.captions_plan = plan::make_render_spec(request, catalogue_, 1)->captions_plan;
  const auto scene = scene_of(job);
  const auto sheet = lay_out_captions(job.spec, *fonts_);
  const gpu::Rect ink = sheet->captions.at(0).ink;
  // 4.5:1 against white text is a luminance of 0.183, code 0.465 (WCAG 2.1).
  const int row = ink.y + ink.height / 2;
  EXPECT_LE(compose(*scene, 80).luma(ink.x - 40, row), 16 + 219 * 0.465);
  EXPECT_GE(compose(*scene, 80).luma(20, 300), 230);
}

TEST_F(ClipImage, ABrokenClipIsMalformedAndItsCardIsStillDrawn) {
  const auto file = clip("a.mp4", 30);
  std::filesystem::resize_file(file, 400);
  RenderJob job = job_over("product_hero_clean", 3, {file});
  const auto scene = build(job);
  ASSERT_FALSE(scene);
  EXPECT_EQ(scene.failure().kind, FailureKind::kMalformed);
  job.footage[0] = plan::SourceKind::kCard;
  EXPECT_TRUE(build(job));
}

TEST_F(ClipImage, AVideoShowsTheRightFrames) {
  const RenderJob job = job_over("product_hero_clean", 4, {clip("a.mp4", 100, "24")});
  SceneRenderer renderer(*device_, *fonts_, {});
  const auto file = folder_ / "segment.mp4";
  const Status done = renderer.render_segment(job, 1, file, {}, [](int) {});
  ASSERT_TRUE(done) << done.failure().detail;
  EXPECT_EQ(media::probe_video(file)->frames, 30);
  for (const int frame : {0, 1, 13, 29}) {
    const auto picture = media::decode_frame(file, frame);
    ASSERT_TRUE(picture);
    int code = 0;
    for (int cell = 0; cell < media::kCodeBits; ++cell) {
      if (picture->at(cell % 4 * 270 + 135, cell / 4 * 480 + 240)[0] > 125) code |= 1 << cell;
    }
    EXPECT_EQ(code, (90 + frame) * 24 / 30);
  }
}

TEST_F(ClipImage, CancelIsHeardWhileAClipIsDecoded) {
  const RenderJob job = job_over("product_hero_clean", 3, {clip("a.mp4", 90)});
  SceneRenderer renderer(*device_, *fonts_, {});
  const CancelToken cancel;
  const Status done =
      renderer.render_segment(job, 0, folder_ / "segment.mp4", cancel, [&cancel](int frames) {
        if (frames == 5) cancel.cancel();
      });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.failure().kind, FailureKind::kCancelled);
}

}  // namespace
}  // namespace pytoon::render
