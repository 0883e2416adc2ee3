// A studio for tests of whole images: real fonts, real device, real files in a folder of its own.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>

#include "gpu/cpu/cpu_device.h"
#include "pipeline/media/decoder/local_decoder.h"
#include "pipeline/media/image/image_file.h"
#include "pipeline/media/media.h"
#include "pipeline/plan/planner.h"
#include "pipeline/render/open_clips.h"
#include "pipeline/render/scene_builder.h"
#include "pipeline/render/scene_renderer.h"
#include "tests/support/source_dir.h"

namespace pytoon::render {

// A finished frame on the host.
struct HostFrame {
  std::vector<std::uint8_t> bytes = std::vector<std::uint8_t>(1080UL * 1920 * 3 / 2);
  gpu::HostNv12View view() {
    return {{1080, 1920}, bytes.data(), 1080, bytes.data() + 1080UL * 1920, 1080};
  }
  int luma(int x, int y) const {
    return bytes[static_cast<std::size_t>(y) * 1080 + static_cast<std::size_t>(x)];
  }
};

class FrameTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "pytoon-picture-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    auto media = media::MediaRuntime::start(folder_ / "cache", log_);
    ASSERT_TRUE(media) << media.failure().detail;
    media_ = std::move(*media);
    auto fonts = media::FontLibrary::open(
        {{}, support::source_dir() / "config/fonts.yaml", folder_ / "cache" / "fonts"});
    ASSERT_TRUE(fonts) << fonts.failure().detail;
    fonts_ = std::move(*fonts);
    device_ = gpu::make_cpu_device();
    catalogue_.presets = *spec::read_presets(support::source_dir() / "config/presets.yaml");
    catalogue_.platforms = *spec::read_platforms(support::source_dir() / "config/platforms.yaml");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // A job over one image.
  RenderJob job_of(spec::JobRequest request, const gpu::RgbaImage& picture) {
    const auto path = folder_ / "picture.png";
    EXPECT_TRUE(media::write_png(picture, path));
    request.image_uris = {"storage://picture"};
    RenderJob job;
    job.spec = *plan::make_render_spec(request, catalogue_, 1);
    job.inputs.images = {{path, "hash"}};
    job.footage.assign(job.spec.segments.size(), plan::SourceKind::kImages);
    return job;
  }

  // Of the whole video, with nothing left of another one.
  Result<std::shared_ptr<const Scene>> build(const RenderJob& job) {
    ImageCache cache(0);
    return build_scene(job, {0, timeline_of(job).frames}, {*device_, *fonts_, cache, decoder_});
  }
  std::shared_ptr<const Scene> scene_of(const RenderJob& job) {
    auto scene = build(job);
    EXPECT_TRUE(scene) << scene.failure().detail;
    return *scene;
  }

  HostFrame compose(const Scene& scene, int frame) {
    gpu::Composition composition;
    OpenClips clips(*device_, decoder_, {});
    EXPECT_TRUE(scene.evaluate(frame, clips, composition));
    return compose(composition);
  }
  HostFrame compose(const gpu::Composition& composition) {
    HostFrame out;
    EXPECT_TRUE(device_->make_compositor()->compose(composition, out.view()));
    return out;
  }

  SystemClock clock_;
  Log log_{clock_, std::cerr, LogLevel::kWarning};
  std::filesystem::path folder_;
  std::unique_ptr<media::MediaRuntime> media_;
  std::unique_ptr<media::FontLibrary> fonts_;
  std::unique_ptr<gpu::Device> device_;
  media::LocalDecoder decoder_;
  plan::Catalogue catalogue_;
};

}  // namespace pytoon::render
