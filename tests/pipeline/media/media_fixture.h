// What the tests of the media room share: a started MediaRuntime, a folder of their own, frames to
// encode, and independent ways to look at what was written.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "pipeline/media/media.h"
#include "pipeline/media/segment_writer.h"

namespace pytoon::media {

// A picture that moves and has detail; `seed` makes another film of it.
class MovingImage : public FrameSource {
 public:
  explicit MovingImage(int seed = 0) : seed_(seed) {}
  Status draw(int index, const gpu::Nv12Target& target) override;

 private:
  int seed_;
};

class MediaTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  SegmentOrder order(const std::string& name, int frames, gpu::Size size = {108, 192}) const;
  // Writes a segment and returns its path.
  std::filesystem::path segment(const std::string& name, int frames, int seed = 0,
                                const EncoderSettings& encoder = {}) const;
  std::vector<std::string> files() const;  // names in the folder

  SystemClock clock_;
  std::ostringstream log_lines_;
  Log log_{clock_, log_lines_};
  std::unique_ptr<MediaRuntime> runtime_;
  std::filesystem::path folder_;
};

// A hash of each decoded frame's samples.
std::vector<std::string> frame_hashes(const std::filesystem::path& video);

struct PacketTimes {
  std::vector<std::int64_t> shown;    // frames
  std::vector<std::int64_t> decoded;  // frames
  std::int64_t last_at = 0;           // where the last packet's bytes start in the file
};
PacketTimes packet_times(const std::filesystem::path& video, int frames_per_second);

// The most that a second of a video holds, over all windows of as many frames, in decoding order.
int peak_kbps(const std::filesystem::path& video, int frames_per_second);

// Duration of the whole from the movie header, as a fraction; a reader of our own.
struct Fraction {
  std::uint64_t numerator = 0;
  std::uint64_t denominator = 1;
};
Fraction movie_duration(const std::filesystem::path& video);

// All boxes of an MP4, each before those it holds; a reader of our own.
struct Mp4Box {
  std::string type;
  std::string content;  // "" for mdat

  std::uint64_t number(std::size_t offset, std::size_t bytes = 4) const;
};
std::vector<Mp4Box> mp4_boxes(const std::filesystem::path& video);
// Those of one type.
std::vector<Mp4Box> mp4_boxes(const std::filesystem::path& video, const std::string& type);

}  // namespace pytoon::media
