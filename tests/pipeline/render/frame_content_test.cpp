// What is really drawn: colours, captions inside the safe zone, the product untouched.

#include "pipeline/media/video_probe.h"
#include "pipeline/render/caption_layout.h"
#include "pipeline/render/layout.h"
#include "tests/pipeline/render/frame_fixture.h"

namespace pytoon::render {
namespace {

constexpr int kPatchesX = 4;
constexpr int kPatchesY = 6;

std::vector<gpu::Rgba> chart_colours() {
  return {{0, 0, 0, 255},       {255, 255, 255, 255}, {128, 128, 128, 255}, {64, 64, 64, 255},
          {192, 192, 192, 255}, {255, 0, 0, 255},     {0, 255, 0, 255},     {0, 0, 255, 255},
          {255, 255, 0, 255},   {0, 255, 255, 255},   {255, 0, 255, 255},   {200, 150, 120, 255},
          {30, 60, 90, 255},    {90, 60, 30, 255},    {60, 90, 30, 255},    {220, 180, 40, 255},
          {180, 40, 60, 255},   {40, 120, 180, 255},  {240, 240, 230, 255}, {16, 16, 16, 255},
          {235, 235, 235, 255}, {120, 0, 80, 255},    {0, 120, 90, 255},    {90, 0, 120, 255}};
}

gpu::RgbaImage chart() {
  gpu::RgbaImage image({1080, 1920});
  const auto colours = chart_colours();
  for (int y = 0; y < 1920; ++y) {
    for (int x = 0; x < 1080; ++x) {
      const int patch = y / (1920 / kPatchesY) * kPatchesX + x / (1080 / kPatchesX);
      const gpu::Rgba& c = colours[static_cast<std::size_t>(patch)];
      std::uint8_t* p = image.at(x, y);
      p[0] = c.r;
      p[1] = c.g;
      p[2] = c.b;
      p[3] = 255;
    }
  }
  return image;
}

// A black stripe over the whole width.
void draw_over_stripe(gpu::RgbaImage& image, int y) {
  for (int row = y; row < y + 16; ++row) {
    for (int x = 0; x < image.size.width; ++x) std::fill_n(image.at(x, row), 3, std::uint8_t{0});
  }
}

class FrameContent : public FrameTest {
 protected:
  static spec::JobRequest request(const std::string& preset) {
    spec::JobRequest wish;
    wish.preset_id = preset;
    wish.target_duration_seconds = 3;
    return wish;
  }
};

TEST_F(FrameContent, AColourChartComesOutOfTheDecodedVideoUnchanged) {
  RenderJob job = job_of(request("product_hero_clean"), chart());
  job.spec.style.motion_profile = spec::MotionProfile::kMinimal;
  SceneRenderer renderer(*device_, *fonts_, {});
  const auto video = folder_ / "chart.mp4";
  ASSERT_TRUE(renderer.render_segment(job, 0, video, CancelToken(), {}));
  const auto colours = chart_colours();
  for (const int frame : {0, 45, 89}) {
    const auto picture = media::decode_frame(video, frame);
    ASSERT_TRUE(picture);
    for (std::size_t i = 0; i < colours.size(); ++i) {
      const int x = static_cast<int>(i) % kPatchesX * 270 + 135;
      const int y = static_cast<int>(i) / kPatchesX * 320 + 160;
      const std::uint8_t* p = picture->at(x, y);
      EXPECT_NEAR(p[0], colours[i].r, 2) << "patch " << i << " frame " << frame;
      EXPECT_NEAR(p[1], colours[i].g, 2) << "patch " << i << " frame " << frame;
      EXPECT_NEAR(p[2], colours[i].b, 2) << "patch " << i << " frame " << frame;
    }
  }
}

// Words of the hard set: length, lines, scripts, emoji, one long word.
const std::vector<std::string>& hard_set() {
  static const std::vector<std::string> set{
      "A serum that works overnight and smells of cedar and rain ok",
      "First line\nSecond line\nThird line",
      "عطر الصباح الجديد من القلب إلى القلب",
      "हर सुबह की नई शुरुआत, प्यार से बनी",
      "กลิ่นหอมยามเช้าที่ทำด้วยมือทุกขวด",
      "每天清晨的第一缕阳光，手工制作的香气",
      "Made by family 👨‍👩‍👧‍👦 with love 👍🏽 and fire 🔥",
      "Donaudampfschifffahrtsgesellschaftskapit"};
  return set;
}

TEST_F(FrameContent, HardCaptionsStayInsideEveryPlatformsSafeZone) {
  for (const auto& [id, preset] : catalogue_.presets) {
    for (const std::string platform : {"universal", "reels", "tiktok", "shorts"}) {
      spec::JobRequest wish = request(id);
      wish.platform = platform;
      wish.captions = spec::Captions{"", hard_set(), ""};
      const RenderJob job = job_of(wish, gpu::RgbaImage({64, 64}, {90, 90, 90, 255}));
      const auto sheet = lay_out_captions(job.spec, *fonts_);
      ASSERT_TRUE(sheet) << id << " " << platform << ": " << sheet.failure().detail;
      const spec::SafeZone& zone = job.spec.constraints.safe_zones;
      for (std::size_t i = 0; i < sheet->captions.size(); ++i) {
        const gpu::Rect& ink = sheet->captions[i].ink;
        EXPECT_GE(ink.x, std::max(zone.left, 120)) << id << " " << i;
        EXPECT_LE(ink.x + ink.width, 1080 - std::max(zone.right, 120)) << id << " " << i;
        EXPECT_GE(ink.y, std::max(zone.top, 120)) << id << " " << i;
        EXPECT_LE(ink.y + ink.height, 1920 - std::max(zone.bottom, 120)) << id << " " << i;
        EXPECT_GT(ink.height, 20);
      }
    }
  }
}

TEST_F(FrameContent, TheBaselineIsTheSameForEveryOneLineCaption) {
  spec::JobRequest wish = request("product_hero_clean");
  wish.captions = spec::Captions{"nnn", {"Ágyjpq", "..."}, "漢字"};
  const RenderJob job = job_of(wish, gpu::RgbaImage({64, 64}, {90, 90, 90, 255}));
  media::TextStyle style = text_style(job.spec);
  const auto sheet = lay_out_captions(job.spec, *fonts_);
  ASSERT_TRUE(sheet);
  style.size_px = sheet->size_px;
  std::vector<int> baselines;
  for (std::size_t i = 0; i < sheet->captions.size(); ++i) {
    const auto text = fonts_->draw(job.spec.captions_plan.timings[i].text, style, {800, 900});
    ASSERT_TRUE(text);
    baselines.push_back(sheet->captions[i].place.y + text->first_baseline_px);
  }
  for (const int baseline : baselines) EXPECT_EQ(baseline, baselines[0]);
}

TEST_F(FrameContent, CaptionsAreReadableOnAWhiteAndOnAPatternedGround) {
  gpu::RgbaImage ground({540, 960}, {255, 255, 255, 255});
  for (int y = 0; y < 960; y += 64) draw_over_stripe(ground, y);
  for (const std::string id : {"product_hero_clean", "overlay_classic", "meme_smooth"}) {
    spec::JobRequest wish = request(id);
    wish.captions = spec::Captions{"Readable everywhere", {}, ""};
    const RenderJob job = job_of(wish, ground);
    const auto scene = scene_of(job);
    const auto sheet = lay_out_captions(job.spec, *fonts_);
    ASSERT_TRUE(sheet);
    // The ground under the text, seen through a hole: the plate's pixels just outside the glyphs.
    const HostFrame picture = compose(*scene, 45);
    const gpu::Rect& ink = sheet->captions[0].ink;
    const int beside = picture.luma(ink.x - 6, ink.y + ink.height / 2);
    EXPECT_LT(beside, 16 + 219 * 119 / 255 + 2) << id;
  }
}

TEST_F(FrameContent, TheProductIsComposedSharpUnstretchedAndUncovered) {
  gpu::RgbaImage product({300, 600}, {0, 0, 0, 0});
  for (int y = 50; y < 550; ++y) {
    for (int x = 50; x < 250; ++x) {
      const std::uint8_t value = (x / 50 + y / 50) % 2 == 0 ? 230 : 30;
      std::fill_n(product.at(x, y), 3, value);
      product.at(x, y)[3] = 255;
    }
  }
  spec::JobRequest wish = request("overlay_classic");
  wish.captions = spec::Captions{"One line", {}, ""};
  const RenderJob job = job_of(wish, product);
  const auto sheet = lay_out_captions(job.spec, *fonts_);
  ASSERT_TRUE(sheet);
  const gpu::Rect place =
      place_product({200, 500}, product_zone(job.spec, sheet->reserved.height), {});
  EXPECT_LE(place.y + place.height, sheet->reserved.y);
  const HostFrame picture = compose(*scene_of(job), 30);
  for (int row = 0; row < 10; ++row) {
    for (int column = 0; column < 4; ++column) {
      const int x = place.x + place.width * (2 * column + 1) / 8;
      const int y = place.y + place.height * (2 * row + 1) / 20;
      const int code = ((column + 1) + (row + 1)) % 2 == 0 ? 230 : 30;
      EXPECT_NEAR(picture.luma(x, y), 16 + code * 219 / 255, 3) << row << "," << column;
    }
  }
}

TEST_F(FrameContent, FootageOnlyIsTheBackgroundAlone) {
  gpu::RgbaImage product({300, 600}, {0, 0, 0, 0});
  for (int y = 50; y < 550; ++y) {
    for (int x = 50; x < 250; ++x) {
      std::fill_n(product.at(x, y), 3, static_cast<std::uint8_t>(x / 10 % 2 == 0 ? 230 : 30));
      product.at(x, y)[3] = 255;
    }
  }
  spec::JobRequest wish = request("overlay_classic");
  wish.captions = spec::Captions{"One line", {}, ""};
  wish.footage_only = true;
  RenderJob job = job_of(wish, product);
  const HostFrame picture = compose(*scene_of(job), 30);
  const gpu::Rect place = place_product({200, 500}, product_zone(job.spec, 0), {});
  const int middle = place.y + place.height / 2;
  // Stripes of the product would differ by 170; what is left of them in the blur does not.
  for (int column = 0; column + 1 < 4; ++column) {
    const int x = place.x + place.width * (2 * column + 1) / 8;
    EXPECT_NEAR(picture.luma(x, middle), picture.luma(x + place.width / 4, middle), 40);
  }
  job.inputs.logo = plan::InputFile{job.inputs.images[0].path, "logo"};
  EXPECT_EQ(compose(*scene_of(job), 30).bytes, picture.bytes);
  job.spec.footage_only = false;
  EXPECT_NE(compose(*scene_of(job), 30).bytes, picture.bytes);
}

TEST_F(FrameContent, ACardIsDrawnEvenWhenTheImageIsBroken) {
  RenderJob job = job_of(request("product_hero_clean"), chart());
  job.inputs.images[0].path = folder_ / "gone.png";
  EXPECT_FALSE(build(job));
  job.footage.assign(job.footage.size(), plan::SourceKind::kCard);
  const HostFrame picture = compose(*scene_of(job), 0);
  EXPECT_NEAR(picture.luma(540, 300), 16 + (0.2126 * 26 + 0.7152 * 26 + 0.0722 * 46) * 219 / 255,
              2);
}

}  // namespace
}  // namespace pytoon::render
