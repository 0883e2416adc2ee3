// Clips made for tests by the ffmpeg program. Each frame carries its number as a grid of 4 x 4
// light and dark cells, so that a decoded picture tells which frame it is and how it was turned.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "pipeline/media/clip/clip_source.h"

namespace pytoon::media {

// Bit i of a number is cell i, counted in rows from the top left.
constexpr int kCodeBits = 16;

void paint_code(int code, gpu::Size size, std::uint8_t* luma);
int read_code(const gpu::Nv12Frame& picture);

// Codings for make_clip().
inline constexpr const char* kH264 = "-c:v libx264 -preset ultrafast -bf 2 -g 12 -crf 20";
inline constexpr const char* kHevc =
    "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=12:bframes=3 -tag:v hvc1";

// Runs ffmpeg with words for a shell; {} is the folder.
void run_ffmpeg(const std::filesystem::path& folder, const std::string& words);
// A clip of numbered frames: `options` stand between ffmpeg's input and output. rate is the
// input's, such as "30000/1001"; numbers begin at `first`.
std::filesystem::path make_clip(const std::filesystem::path& folder, const std::string& name,
                                int frames, const std::string& rate,
                                const std::string& options = kH264, gpu::Size size = {160, 96},
                                int first = 0);

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

  static std::shared_ptr<const ClipIndex> index(const std::filesystem::path& file);
  static std::unique_ptr<ClipSource> source(const std::filesystem::path& file,
                                            CancelToken cancel = {});
  // The number of the frame shown at n / 30 s.
  static int code_at(ClipSource& source, std::int64_t n);

  std::filesystem::path folder_;
};

}  // namespace pytoon::media
