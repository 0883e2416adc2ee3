// A scene of one segment: the same pixels as in the whole video, from its own files alone, made of
// what many jobs share.

#include <array>

#include "pipeline/plan/dependencies.h"
#include "tests/pipeline/render/frame_fixture.h"

namespace pytoon::render {
namespace {

using Kind = ImageCache::Kind;
constexpr std::uint64_t kAmple = std::uint64_t{256} << 20;

class SegmentScene : public FrameTest {
 protected:
  // An image that is unlike that of any other number.
  plan::InputFile picture(int number, gpu::Size size = {270, 480}) {
    gpu::RgbaImage image(size, {40, 40, 40, 255});
    for (int y = 0; y < size.height; ++y) {
      for (int x = 0; x < size.width; ++x) {
        std::uint8_t* p = image.at(x, y);
        p[0] = static_cast<std::uint8_t>(x * (number + 3));
        p[1] = static_cast<std::uint8_t>(y + 31 * number);
        p[2] = static_cast<std::uint8_t>(x ^ y);
      }
    }
    const auto path = folder_ / ("picture" + std::to_string(number) + ".png");
    EXPECT_TRUE(media::write_png(image, path));
    return {path, "hash" + std::to_string(number)};
  }

  // A job over `images` images, numbered from `first`, with a caption over every second segment.
  RenderJob job_over(const std::string& preset, int seconds, int images, int first = 0) {
    spec::JobRequest request;
    request.preset_id = preset;
    request.target_duration_seconds = seconds;
    request.captions = spec::Captions{"One hook", {"two"}, "three"};
    RenderJob job;
    for (int i = 0; i < images; ++i) {
      request.image_uris.push_back("storage://" + std::to_string(first + i));
      job.inputs.images.push_back(picture(first + i));
    }
    job.spec = *plan::make_render_spec(request, catalogue_, 1);
    job.footage.assign(job.spec.segments.size(), plan::SourceKind::kImages);
    return job;
  }

  std::shared_ptr<const Scene> segment_of(const RenderJob& job, int index, ImageCache& cache) {
    const plan::FrameSpan frames = timeline_of(job).segments.at(static_cast<std::size_t>(index));
    auto scene = build_scene(job, frames, {*device_, *fonts_, cache, decoder_});
    EXPECT_TRUE(scene) << scene.failure().detail;
    return *scene;
  }

  // Without what the plan says the segment does not need.
  static RenderJob reduced(RenderJob job, int index) {
    const plan::Timeline timeline = timeline_of(job);
    const plan::Dependencies drawn = plan::drawn_from(job.spec, timeline, index);
    const plan::Dependencies decided = plan::decided_by(timeline, index);
    for (std::size_t i = 0; i < job.inputs.images.size(); ++i) {
      const int image = static_cast<int>(i);
      if (!drawn.images.contains(image)) job.inputs.images[i].path.clear();
      if (!decided.images.contains(image)) job.inputs.images[i].sha256.clear();
    }
    return job;
  }
};

TEST_F(SegmentScene, ShowsWhatTheWholeVideoShowsThere) {
  for (const std::string preset : {"product_hero_clean", "overlay_glow", "meme_smooth"}) {
    const RenderJob job = job_over(preset, 15, 4);
    const auto whole = scene_of(job);
    ImageCache cache(kAmple);
    for (int index = 0; index < 5; ++index) {
      const RenderJob own = reduced(job, index);
      const auto scene = segment_of(own, index, cache);
      for (const int into : {0, 3, 5, 89}) {
        const int frame = index * 90 + into;
        EXPECT_EQ(compose(*scene, frame).bytes, compose(*whole, frame).bytes)
            << preset << " frame " << frame;
      }
    }
  }
}

TEST_F(SegmentScene, TellsItsContentKeyFromItsOwnFilesAlone) {
  const RenderJob job = job_over("overlay_classic", 30, 10);
  SceneRenderer renderer(*device_, *fonts_, {});
  const auto keys = renderer.content_keys(job);
  ASSERT_TRUE(keys);
  for (int index = 0; index < 10; ++index) {
    EXPECT_EQ(*renderer.content_key(reduced(job, index), index),
              keys->at(static_cast<std::size_t>(index)));
  }
}

// What one key names is the same to the byte, whichever job draws it.
TEST_F(SegmentScene, AnotherCaptionElsewhereLeavesKeyAndPixels) {
  SceneRenderer renderer(*device_, *fonts_, {});
  for (const std::string preset : {"product_hero_clean", "overlay_glow", "meme_smooth"}) {
    const RenderJob job = job_over(preset, 15, 2);
    RenderJob other = job;
    other.spec.captions_plan.timings[2].text = "theer";
    const auto keys = *renderer.content_keys(job);
    const auto others = *renderer.content_keys(other);
    ImageCache cache(kAmple);
    ImageCache fresh(kAmple);
    for (int index = 0; index < 5; ++index) {
      const auto place = static_cast<std::size_t>(index);
      const int frame = index * 90 + 7;
      const bool same = compose(*segment_of(job, index, cache), frame).bytes ==
                        compose(*segment_of(other, index, fresh), frame).bytes;
      EXPECT_EQ(keys[place] == others[place], index < 3) << preset << " " << index;
      EXPECT_EQ(same, index < 3 || (index == 3 && frame < 300)) << preset << " " << index;
    }
  }
}

// Segments in turn, as leases are dealt: the first of every tenant's job, the second of every ...
TEST_F(SegmentScene, TenJobsOfTenTenantsDecodeEachImageOnce) {
  constexpr int kJobs = 10;
  constexpr int kImages = 3;
  std::vector<RenderJob> jobs;
  for (int i = 0; i < kJobs; ++i) {
    const std::array presets{"product_hero_clean", "overlay_glow", "meme_smooth"};
    jobs.push_back(job_over(presets.at(static_cast<std::size_t>(i % 3)), 9, kImages, i * kImages));
  }
  ImageCache cache(kAmple);
  for (int index = 0; index < 3; ++index) {
    for (const RenderJob& job : jobs) segment_of(job, index, cache);
  }
  EXPECT_EQ(cache.stats().built(Kind::kDecoded), std::uint64_t{kJobs * kImages});
  EXPECT_EQ(cache.stats().evictions, 0U);
  EXPECT_EQ(cache.stats().built(Kind::kCaptions), 3U) << "one a preset: they say the same words";
}

TEST_F(SegmentScene, ASmallCacheIsKeptToAndChangesNoPixel) {
  std::vector<RenderJob> jobs;
  for (int i = 0; i < 3; ++i) jobs.push_back(job_over("overlay_glow", 9, 3, i * 3));
  ImageCache ample(kAmple);
  ImageCache small(std::uint64_t{9} << 20);
  for (int index = 0; index < 3; ++index) {
    for (const RenderJob& job : jobs) {
      const auto scene = segment_of(job, index, small);
      const auto expected = segment_of(job, index, ample);
      EXPECT_EQ(compose(*scene, index * 90 + 2).bytes, compose(*expected, index * 90 + 2).bytes);
      EXPECT_LE(small.stats().bytes, small.stats().bytes_max);
    }
  }
  EXPECT_LE(small.stats().peak_bytes, small.stats().bytes_max);
  EXPECT_GT(small.stats().evictions, 0U);
  EXPECT_GT(ample.stats().peak_bytes, small.stats().bytes_max) << "the small one must be too small";
}

TEST_F(SegmentScene, EqualAssetsOfTwoJobsAreOne) {
  const RenderJob job = job_over("product_hero_clean", 6, 2);
  RenderJob other = job;
  other.spec.seed = 99;
  for (plan::InputFile& image : other.inputs.images) image.path = folder_ / "elsewhere.png";
  ImageCache cache(kAmple);
  segment_of(job, 0, cache);
  segment_of(job, 1, cache);
  segment_of(other, 1, cache);
  EXPECT_EQ(cache.stats().built(Kind::kDecoded), 2U);
}

TEST_F(SegmentScene, GoesWithWhatItHeld) {
  const RenderJob job = job_over("product_hero_clean", 15, 5);
  ImageCache cache(0);  // keeps nothing: what lives is the scene's
  const auto scene = segment_of(job, 2, cache);
  gpu::Composition composition;
  OpenClips clips(*device_, decoder_, {});
  ASSERT_TRUE(scene->evaluate(182, clips, composition));
  EXPECT_EQ(composition.base.size() + composition.incoming.size(), 2U);
  const std::weak_ptr<const gpu::Texture> texture = composition.base[0].texture;
  composition = {};
  EXPECT_FALSE(texture.expired());
  const_cast<std::shared_ptr<const Scene>&>(scene).reset();
  EXPECT_TRUE(texture.expired());
}

TEST_F(SegmentScene, OfTheRendererSharesItsCacheWithTheNext) {
  const RenderJob job = job_over("meme_smooth", 4, 1);
  SceneRenderer renderer(*device_, *fonts_, {});
  for (int index = 0; index < 2; ++index) {
    const auto file = folder_ / ("segment" + std::to_string(index) + ".mp4");
    ASSERT_TRUE(renderer.render_segment(job, index, file, CancelToken(), {}));
  }
  EXPECT_EQ(renderer.cache_stats().built(Kind::kDecoded), 1U);
  EXPECT_GT(renderer.cache_stats().hits, 0U);
}

// The frame is a value: half of it in both directions shows the same design at half its size.
TEST_F(SegmentScene, OfHalfTheSizeIsTheSameImageSmaller) {
  for (const std::string preset : {"product_hero_clean", "overlay_glow", "meme_smooth"}) {
    RenderJob job = job_over(preset, 3, 1);
    const HostFrame whole = compose(*scene_of(job), 45);
    job.spec.output = {540, 960, 30};
    const auto scene = scene_of(job);
    gpu::Composition composition;
    OpenClips clips(*device_, decoder_, {});
    ASSERT_TRUE(scene->evaluate(45, clips, composition));
    std::vector<std::uint8_t> bytes(540UL * 960 * 3 / 2);
    const gpu::HostNv12View view{{540, 960}, bytes.data(), 540, bytes.data() + 540UL * 960, 540};
    ASSERT_TRUE(device_->make_compositor()->compose(composition, view));
    double difference = 0;
    for (int y = 0; y < 960; ++y) {
      for (int x = 0; x < 540; ++x) {
        const int mean = (whole.luma(2 * x, 2 * y) + whole.luma(2 * x + 1, 2 * y) +
                          whole.luma(2 * x, 2 * y + 1) + whole.luma(2 * x + 1, 2 * y + 1) + 2) /
                         4;
        difference += std::abs(mean - bytes[static_cast<std::size_t>(y * 540 + x)]);
      }
    }
    EXPECT_LT(difference / (540 * 960), 4) << preset;
  }
}

// As a confined decoder's end is told: the file's fault, and no crash of who draws.
class BreakingDecoder final : public media::FileDecoder {
 public:
  Result<media::MediaInfo> inspect(media::FileKind, const std::filesystem::path&) override {
    return broken();
  }
  Result<media::MediaInfo> image_header(const std::filesystem::path&) override { return broken(); }
  Result<gpu::RgbaImage> read_image(const std::filesystem::path&) override { return broken(); }
  Result<media::Pcm> read_audio(const std::filesystem::path&, std::size_t,
                                const CancelToken&) override {
    return broken();
  }
  Result<std::shared_ptr<const media::ClipIndex>> read_clip_index(
      const std::filesystem::path&) override {
    return broken();
  }
  Result<std::optional<std::string>> tagged_clip(const std::filesystem::path&,
                                                 media::UnsaidMatrix) override {
    return broken();
  }
  std::unique_ptr<media::ClipPlayer> open_clip(const media::ClipOrder&) override {
    return nullptr;  // who knows no index opens none
  }

 private:
  static Failure broken() {
    return failure(FailureKind::kMalformed, "the file could not be read safely");
  }
};

TEST_F(SegmentScene, AFileThatBreaksItsDecoderIsAtFault) {
  const RenderJob job = job_over("product_hero_clean", 6, 1);
  SceneRenderer::Options options;
  options.decoder = std::make_shared<BreakingDecoder>();
  SceneRenderer renderer(*device_, *fonts_, {}, options);
  BreakingDecoder decoder;
  ImageCache cache(kAmple);
  const auto scene =
      build_scene(job, timeline_of(job).segments.front(), {*device_, *fonts_, cache, decoder});
  ASSERT_FALSE(scene);
  EXPECT_EQ(scene.failure().kind, FailureKind::kMalformed);
  EXPECT_EQ(traits(scene.failure().kind).blame, Blame::kInput);
  RenderJob with_music = job;
  with_music.inputs.music = plan::InputFile{folder_ / "music.mp3", "music"};
  const auto audio = renderer.prepare_audio(with_music, folder_ / "audio.mp4", {});
  ASSERT_FALSE(audio);
  EXPECT_EQ(audio.failure().kind, FailureKind::kMalformed);
}

}  // namespace
}  // namespace pytoon::render
