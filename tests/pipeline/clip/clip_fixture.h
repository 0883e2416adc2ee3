// Clips in a folder of a test's own, played as for a job: in confined processes.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "pipeline/media/decoder/child_decoder.h"
#include "pipeline/media/decoder/clip_images.h"
#include "tests/pipeline/clip/clip_files.h"

namespace pytoon::media {

// A clip that is played in a confined process, as for a job.
struct PlayedClip {
  std::shared_ptr<const ClipIndex> clip;
  std::unique_ptr<ClipPlayer> player;

  Result<gpu::Nv12Frame> frame(std::size_t index) const { return player->frame(index); }
  Result<gpu::RgbaImage> cutout(std::size_t index) const { return player->cutout(index); }
  // The frame shown at n / per_second seconds; after the end the last.
  Result<gpu::Nv12Frame> frame_at(std::int64_t n, int per_second) const {
    return frame(clip->times.held(n, per_second));
  }
};

class ClipTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  std::filesystem::path clip(const std::string& name, int frames, const std::string& rate,
                             const std::string& options = kH264, gpu::Size size = {160, 96}) const {
    return make_clip(folder_, name, frames, rate, options, size);
  }
  void ffmpeg(const std::string& words) const { run_ffmpeg(folder_, words); }
  std::filesystem::path path(const std::string& name) const { return folder_ / name; }

  // Shared by the tests of a program.
  static ChildDecoder& decoder();
  static std::shared_ptr<const ClipIndex> index(const std::filesystem::path& file);
  static std::unique_ptr<PlayedClip> source(const std::filesystem::path& file,
                                            CancelToken cancel = {});
  // As large as `shown`.
  static PlayedClip play(const std::shared_ptr<const ClipIndex>& clip, gpu::Size shown) {
    return {clip, decoder().open_clip({clip, shown, {}})};
  }
  static Result<gpu::RgbaImage> first_frame(const std::shared_ptr<const ClipIndex>& clip) {
    return image_of_clip(decoder(), clip, 0);
  }
  // The number of the frame shown at n / 30 s.
  static int code_at(const PlayedClip& source, std::int64_t n);

  std::filesystem::path folder_;
};

}  // namespace pytoon::media
