#include "tests/pipeline/media/media_fixture.h"

#include <algorithm>
#include <set>

#include "base/files.h"
#include "base/hash.h"
#include "pipeline/media/gst/ffmpeg.h"
#include "pipeline/media/gst/video_reader.h"

namespace pytoon::media {
namespace fs = std::filesystem;

Status MovingImage::draw(int index, const gpu::Nv12Target& target) {
  const auto& view = std::get<gpu::HostNv12View>(target);
  for (int y = 0; y < view.size.height; ++y) {
    std::uint8_t* row = view.luma + static_cast<std::size_t>(y) * view.luma_pitch_bytes;
    for (int x = 0; x < view.size.width; ++x) {
      const int wave = ((x + 2 * y + 3 * index + seed_ * 31) / 8 * 37) % 200;
      row[x] = static_cast<std::uint8_t>(16 + wave + (x * y + index) % 16);
    }
  }
  for (int y = 0; y < view.size.height / 2; ++y) {
    std::uint8_t* row = view.chroma + static_cast<std::size_t>(y) * view.chroma_pitch_bytes;
    for (int x = 0; x < view.size.width; ++x) {
      row[x] = static_cast<std::uint8_t>(64 + (x / 2 + y + index + seed_) % 128);
    }
  }
  return ok_status();
}

void MediaTest::SetUp() {
  std::string name = (fs::temp_directory_path() / "pytoon-media-XXXXXX").string();
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  folder_ = name;
  // Shared with the other tests that run at the same time, as workers share theirs.
  auto runtime = MediaRuntime::start(fs::temp_directory_path() / "pytoon-media-test-cache", log_);
  ASSERT_TRUE(runtime) << runtime.failure().detail;
  runtime_ = std::move(*runtime);
}

void MediaTest::TearDown() {
  runtime_.reset();
  fs::remove_all(folder_);
}

SegmentOrder MediaTest::order(const std::string& name, int frames, gpu::Size size) const {
  SegmentOrder order;
  order.format.size = size;
  order.frame_count = frames;
  order.output = folder_ / name;
  return order;
}

fs::path MediaTest::segment(const std::string& name, int frames, int seed,
                            const EncoderSettings& encoder) const {
  MovingImage picture(seed);
  SegmentOrder wanted = order(name, frames);
  wanted.encoder = encoder;
  const Status written = write_segment(picture, wanted);
  EXPECT_TRUE(written) << written.failure().detail;
  return wanted.output;
}

std::vector<std::string> MediaTest::files() const {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder_))
    names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

std::vector<std::string> frame_hashes(const fs::path& video) {
  std::vector<std::string> hashes;
  auto reader = VideoReader::open(video);
  EXPECT_TRUE(reader) << reader.failure().detail;
  while (reader) {
    const auto frame = (*reader)->next();
    EXPECT_TRUE(frame) << frame.failure().detail;
    if (!frame || *frame == nullptr) break;
    const AVFrame& picture = **frame;
    Sha256 hash;
    for (int plane = 0; plane < 3; ++plane) {
      const int shift = plane == 0 ? 0 : 1;
      for (int y = 0; y < picture.height >> shift; ++y) {
        const std::uint8_t* row = picture.data[plane] + y * picture.linesize[plane];
        hash.update(
            {reinterpret_cast<const char*>(row), static_cast<std::size_t>(picture.width >> shift)});
      }
    }
    hashes.push_back(hash.hex());
  }
  return hashes;
}

PacketTimes packet_times(const fs::path& video, int frames_per_second) {
  PacketTimes times;
  const Result<InputPtr> input = open_mp4(video);
  EXPECT_TRUE(input) << input.failure().detail;
  const PacketPtr packet = make_packet();
  const AVRational unit = (*input)->streams[0]->time_base;
  const std::int64_t ticks = unit.den / frames_per_second / unit.num;
  while (av_read_frame(input->get(), packet.get()) >= 0) {
    EXPECT_EQ(packet->pts % ticks, 0);
    EXPECT_EQ(packet->dts % ticks, 0);
    times.shown.push_back(packet->pts / ticks);
    times.decoded.push_back(packet->dts / ticks);
    times.last_at = packet->pos;
    av_packet_unref(packet.get());
  }
  return times;
}

int peak_kbps(const fs::path& video, int frames_per_second) {
  const Result<InputPtr> input = open_mp4(video);
  EXPECT_TRUE(input) << input.failure().detail;
  const PacketPtr packet = make_packet();
  std::vector<std::int64_t> sizes;
  std::int64_t window = 0;
  std::int64_t most = 0;
  while (av_read_frame(input->get(), packet.get()) >= 0) {
    const auto second = static_cast<std::size_t>(frames_per_second);
    if (sizes.size() >= second) window -= sizes[sizes.size() - second];
    window += packet->size;
    most = std::max(most, window);
    sizes.push_back(packet->size);
    av_packet_unref(packet.get());
  }
  return static_cast<int>(most * 8 / 1000);
}

Fraction movie_duration(const fs::path& video) {
  const std::string bytes = *read_file(video);
  const std::size_t at = bytes.find("mvhd");
  if (at == std::string::npos) return {};
  const auto number = [&](std::size_t offset) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      value = value << 8 | static_cast<std::uint8_t>(bytes.at(at + offset + i));
    }
    return value;
  };
  EXPECT_EQ(number(4), 0U) << "version 0 header expected";
  return {number(20), number(16)};
}

std::uint64_t Mp4Box::number(std::size_t offset, std::size_t bytes) const {
  std::uint64_t value = 0;
  for (const char c : content.substr(offset, bytes))
    value = value << 8 | static_cast<std::uint8_t>(c);
  return value;
}

namespace {

void add_boxes(const std::string& bytes, std::vector<Mp4Box>& found) {
  const std::set<std::string> holders{"moov", "trak", "mdia", "minf", "stbl", "edts"};
  const Mp4Box all{"", bytes};
  for (std::size_t at = 0; at + 8 <= bytes.size();) {
    const auto size = static_cast<std::size_t>(all.number(at));
    ASSERT_TRUE(size >= 8 && at + size <= bytes.size()) << "a box that doesn't fit";
    Mp4Box box{bytes.substr(at + 4, 4), bytes.substr(at + 8, size - 8)};
    at += size;
    if (box.type == "mdat") box.content.clear();
    found.push_back(box);
    if (holders.contains(box.type)) add_boxes(box.content, found);
  }
}

}  // namespace

std::vector<Mp4Box> mp4_boxes(const fs::path& video) {
  std::vector<Mp4Box> found;
  add_boxes(*read_file(video), found);
  return found;
}

std::vector<Mp4Box> mp4_boxes(const fs::path& video, const std::string& type) {
  std::vector<Mp4Box> found = mp4_boxes(video);
  std::erase_if(found, [&](const Mp4Box& box) { return box.type != type; });
  return found;
}

}  // namespace pytoon::media
