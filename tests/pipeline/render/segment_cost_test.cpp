// The predicted cost of a segment against what the device's account counted while it was rendered,
// on the CUDA device whose memory is the host's.

#include "pipeline/render/segment_cost.h"

#include "pipeline/render/machine_on_card.h"
#include "tests/pipeline/clip/clip_files.h"
#include "tests/pipeline/render/host_card_fixture.h"

namespace pytoon::render {
namespace {

enum class Alpha { kNone, kCutOut };

class SegmentCostTest : public HostCardTest {
 protected:
  plan::InputFile picture(gpu::Size size, Alpha alpha = Alpha::kNone) {
    gpu::RgbaImage image(size, {200, 120, 40, 255});
    if (alpha == Alpha::kCutOut) {
      for (int y = 0; y < size.height; ++y) {
        for (int x = 0; x < size.width / 4; ++x) image.at(x, y)[3] = 0;
      }
    }
    // A PNG has an alpha channel whether it is needed or not, a JPEG never.
    const std::string name =
        "picture" + std::to_string(++made_) + (alpha == Alpha::kNone ? ".jpeg" : ".png");
    EXPECT_TRUE(alpha == Alpha::kNone ? media::write_jpeg(image, folder_ / name)
                                      : media::write_png(image, folder_ / name));
    return {folder_ / name, name};
  }
  plan::InputFile clip(gpu::Size size, const std::string& options = media::kH264) {
    const std::string name = "clip" + std::to_string(++made_) + ".mp4";
    return {media::make_clip(folder_, name, 40, "30", options, size), name};
  }

  RenderJob job_of(const std::string& preset, int seconds, std::vector<plan::InputFile> images,
                   std::vector<plan::InputFile> clips = {}) {
    spec::JobRequest request;
    request.preset_id = preset;
    request.target_duration_seconds = seconds;
    request.captions = spec::Captions{"One hook", {"two words", "and a longer third one"}, "buy"};
    for (const auto& file : images) request.image_uris.push_back("storage://" + file.sha256);
    for (const auto& file : clips) request.clip_uris.push_back("storage://" + file.sha256);
    RenderJob job;
    job.spec = *plan::make_render_spec(request, catalogue_, 1);
    job.spec.output = {270, 480, 10};  // few frames: each is drawn by loops on the host
    job.inputs.images = std::move(images);
    job.inputs.clips = std::move(clips);
    job.footage.assign(job.spec.segments.size(), plan::SourceKind::kImages);
    return job;
  }

  // What the account counted at most, of one segment rendered with nothing cached.
  std::uint64_t measured(const RenderJob& job, int index,
                         std::optional<std::uint64_t> budget = std::nullopt) {
    const auto account = card_->open_account("segment", budget);
    SceneRenderer renderer(*account, *fonts_, {});
    const Status done =
        renderer.render_segment(job, index, folder_ / "segment.mp4", CancelToken(), {});
    EXPECT_TRUE(done) << done.failure().detail;
    return account->memory_use()->peak_bytes;
  }
  SegmentCost predicted(const RenderJob& job, int index) {
    SceneRenderer renderer(*card_, *fonts_, {});
    const auto cost = renderer.cost(job, index, renderer.machine_for(job, 1));
    EXPECT_TRUE(cost) << cost.failure().detail;
    return *cost;
  }

  std::vector<std::string> presets() const {
    std::vector<std::string> names;
    for (const auto& [id, preset] : catalogue_.presets) names.push_back(id);
    return names;
  }

  // Never under, at most a tenth over; to the byte where all is known.
  void expect_close(const RenderJob& job, bool exact, const std::string& what) {
    for (int index = 0; index < static_cast<int>(job.spec.segments.size()); ++index) {
      const std::uint64_t told = predicted(job, index).pool_bytes();
      const std::uint64_t taken = measured(job, index);
      EXPECT_GE(told, taken) << what << ", segment " << index;
      EXPECT_LE(told, taken + taken / 10) << what << ", segment " << index;
      EXPECT_TRUE(!exact || told == taken)
          << what << ", segment " << index << ": told " << told << ", taken " << taken;
    }
  }

  int made_ = 0;
};

TEST_F(SegmentCostTest, OfOpaquePicturesIsExactInEveryPresetAndLength) {
  for (const std::string& preset : presets()) {
    for (const int seconds : {1, 3, 7}) {
      const RenderJob job =
          job_of(preset, seconds, {picture({301, 517}), picture({640, 199}), picture({64, 900})});
      expect_close(job, true, preset + " of " + std::to_string(seconds) + " s");
    }
  }
}

TEST_F(SegmentCostTest, OfCutOutsAndMasksAllowsForAnyShape) {
  for (const std::string preset : {"overlay_glow", "overlay_bold", "meme_smooth"}) {
    for (const gpu::Size size : {gpu::Size{333, 333}, gpu::Size{700, 150}, gpu::Size{99, 801}}) {
      RenderJob job = job_of(preset, 3, {picture(size, Alpha::kCutOut)});
      expect_close(job, false, preset + ", cut out");
      job.inputs.mask = picture(size);
      expect_close(job, false, preset + ", masked");
    }
  }
}

TEST_F(SegmentCostTest, OfTheLogoFollowsItsShape) {
  for (const gpu::Size size : {gpu::Size{401, 133}, gpu::Size{97, 301}}) {
    for (const Alpha alpha : {Alpha::kNone, Alpha::kCutOut}) {
      RenderJob job = job_of("overlay_classic", 3, {picture({301, 517})});
      const std::uint64_t without = predicted(job, 0).pool_bytes();
      job.inputs.logo = picture(size, alpha);
      expect_close(job, true, "logo");
      EXPECT_GT(predicted(job, 0).pool_bytes(), without);
    }
  }
}

TEST_F(SegmentCostTest, OfTheFullSizeIsExact) {
  RenderJob job = job_of("overlay_glow", 2, {picture({1501, 917})});
  job.inputs.logo = picture({401, 133}, Alpha::kCutOut);
  job.spec.output = {};
  expect_close(job, true, "1080x1920");
}

// As the sum of an engine's clip and the job's own product over it, at both sides of a transition.
TEST_F(SegmentCostTest, OfMadeFootageCountsTheClipAndWhatIsInFrontOfIt) {
  for (const std::string preset : {"overlay_glow", "product_hero_clean"}) {
    RenderJob job = job_of(preset, 6, {}, {clip({98, 642}), clip({320, 180})});
    for (plan::SegmentSource& made : job.footage) {
      made = {plan::SourceKind::kClip, clip({288, 512})};
    }
    job.footage[1] = plan::SourceKind::kCard;
    expect_close(job, true, preset);
    job.footage[1] = {plan::SourceKind::kClip, clip({1280, 720})};
    expect_close(job, true, preset);
  }
}

// Before its files are here a segment is never told to be smaller than it is.
TEST_F(SegmentCostTest, WithoutFilesIsTheLargestThatItMayBe) {
  for (const std::string& preset : presets()) {
    const RenderJob job = job_of(preset, 3, {picture({301, 517})}, {clip({1024, 300})});
    RenderJob absent = job;
    for (plan::InputFile& file : absent.inputs.images) file.path.clear();
    for (plan::InputFile& file : absent.inputs.clips) file.path.clear();
    EXPECT_GE(predicted(absent, 0).pool_bytes(), predicted(job, 0).pool_bytes()) << preset;
  }
}

// Without a file, an upload's size as it was found then tells as much.
TEST_F(SegmentCostTest, OfFilesThatAreKnownIsAsIfTheyWereHere) {
  for (const std::string& preset : presets()) {
    const RenderJob job = job_of(preset, 6, {picture({301, 517})}, {clip({1024, 300})});
    RenderJob absent = job;
    absent.inputs.images[0].path.clear();
    absent.inputs.clips[0].path.clear();
    absent.inputs.known[job.inputs.images[0].sha256].size = {301, 517};
    absent.inputs.known[job.inputs.clips[0].sha256].size = {1024, 300};
    for (int index = 0; index < 2; ++index) {
      EXPECT_EQ(predicted(absent, index).pool_bytes(), predicted(job, index).pool_bytes())
          << preset << ", segment " << index;
    }
  }
}

// A process without a card tells the same as one that has it.
TEST_F(SegmentCostTest, IsToldFromAfar) {
  const RenderJob job = job_of("overlay_glow", 3, {picture({301, 517})}, {clip({162, 98})});
  SceneRenderer there(*card_, *fonts_, {});
  SceneRenderer here(*device_, *fonts_, {});
  ASSERT_FALSE(here.machine_for(job, 1).composes_on_cuda);
  const RenderMachine machine = machine_on_card(here, job, 0, 1);
  EXPECT_TRUE(machine.composes_on_cuda);
  EXPECT_TRUE(machine.decodes_clips);
  EXPECT_EQ(machine.batch_frames, card_->batch_frames());
  EXPECT_EQ(machine.compositors, 1);
  EXPECT_EQ(here.cost(job, 0, machine)->vram_bytes(),
            there.cost(job, 0, there.machine_for(job, 1))->vram_bytes());
}

// What the promise is for: a budget of just that is enough, and of less is not.
TEST_F(SegmentCostTest, IsTheLeastBudgetThatASegmentIsRenderedIn) {
  const RenderJob job = job_of("product_hero_clean", 3, {picture({301, 517})});
  const std::uint64_t told = predicted(job, 0).pool_bytes();
  EXPECT_EQ(measured(job, 0, told), told);
  const auto account = card_->open_account("less", told - 512);
  SceneRenderer renderer(*account, *fonts_, {});
  const Status done = renderer.render_segment(job, 0, folder_ / "segment.mp4", CancelToken(), {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.failure().kind, FailureKind::kOutOfMemory);
}

TEST_F(SegmentCostTest, GrowsWithCompositorsByWhatEachHolds) {
  const RenderJob job = job_of("overlay_glow", 3, {picture({301, 517})}, {clip({162, 98})});
  SceneRenderer renderer(*card_, *fonts_, {});
  RenderMachine machine = renderer.machine_for(job, 1);
  const SegmentCost one = *renderer.cost(job, 0, machine);
  machine.compositors = 4;
  const SegmentCost four = *renderer.cost(job, 0, machine);
  EXPECT_EQ(four.pool.frames, 4 * one.pool.frames);
  EXPECT_EQ(four.pool.layers, 4 * one.pool.layers);
  EXPECT_EQ(four.pool.textures, one.pool.textures);
  EXPECT_LT(four.expected, one.expected);
}

TEST_F(SegmentCostTest, OfACardsEncoderNeedsNoFramesOnTheirWayToTheHost) {
  const RenderJob job = job_of("overlay_glow", 3, {}, {clip({162, 98})});
  SceneRenderer renderer(*card_, *fonts_, {});
  RenderMachine machine = renderer.machine_for(job, 2);
  machine.encoder.codec = media::kCodecNvenc;
  machine.has_context = false;
  const SegmentCost cost = *renderer.cost(job, 0, machine);
  EXPECT_EQ(cost.encoder_sessions, 2);
  EXPECT_GE(cost.encoder_bytes, 2 * machine.driver.encoder_session_bytes);
  EXPECT_EQ(cost.context_bytes, machine.driver.context_bytes);
  EXPECT_GE(cost.decoder_bytes, 2 * machine.driver.decoder_bytes);
  EXPECT_GE(cost.vram_bytes(),
            cost.pool_bytes() + cost.encoder_bytes + cost.decoder_bytes + cost.context_bytes);
  machine.encoder = {};
  EXPECT_GT(renderer.cost(job, 0, machine)->pool_bytes(), cost.pool_bytes());
}

TEST_F(SegmentCostTest, OnTheProcessorTakesNothingOfACard) {
  const RenderJob job = job_of("overlay_glow", 3, {picture({301, 517})});
  SceneRenderer renderer(*device_, *fonts_, {});
  const SegmentCost cost = *renderer.cost(job, 0, renderer.machine_for(job, 1));
  EXPECT_EQ(cost.vram_bytes(), 0U);
  EXPECT_GT(cost.expected.count(), 0);
}

TEST_F(SegmentCostTest, OfClipsIsExactWhateverTheirSize) {
  for (const std::string& preset : presets()) {
    const RenderJob job = job_of(preset, 6, {picture({301, 517})},
                                 {clip({162, 98}), clip({98, 642}), clip({1024, 300})});
    expect_close(job, true, preset + ", clips");
  }
}

}  // namespace
}  // namespace pytoon::render
