#include "tests/pipeline/clip/clip_fixture.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <vector>

#include "pipeline/media/gst/ffmpeg.h"

namespace pytoon::media {
namespace {

constexpr int kCells = 4;
constexpr int kLight = 200;
constexpr int kDark = 50;

}  // namespace

void paint_code(int code, gpu::Size size, std::uint8_t* luma) {
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      const int cell = y * kCells / size.height * kCells + x * kCells / size.width;
      *luma++ = static_cast<std::uint8_t>((code >> cell & 1) != 0 ? kLight : kDark);
    }
  }
}

int read_code(const gpu::Nv12Frame& picture) {
  int code = 0;
  for (int cell = 0; cell < kCodeBits; ++cell) {
    const int x = (2 * (cell % kCells) + 1) * picture.size.width / (2 * kCells);
    const int y = (2 * (cell / kCells) + 1) * picture.size.height / (2 * kCells);
    const auto at =
        static_cast<std::size_t>(y) * picture.luma_pitch_bytes + static_cast<std::size_t>(x);
    if (picture.luma[at] > (kLight + kDark) / 2) code |= 1 << cell;
  }
  return code;
}

void run_ffmpeg(const std::filesystem::path& folder, const std::string& words) {
  std::string command = "ffmpeg -nostdin -v error -y " + words;
  for (std::size_t at = command.find("{}"); at != std::string::npos; at = command.find("{}")) {
    command.replace(at, 2, folder.string());
  }
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

std::filesystem::path make_clip(const std::filesystem::path& folder, const std::string& name,
                                int frames, const std::string& rate, const std::string& options,
                                gpu::Size size, int first) {
  {
    std::ofstream raw(folder / "frames.raw", std::ios::binary);
    const auto pixels =
        static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height);
    std::vector<std::uint8_t> luma(pixels);
    const std::string chroma(pixels * 2, '\x80');
    for (int i = 0; i < frames; ++i) {
      paint_code(first + i, size, luma.data());
      raw.write(reinterpret_cast<const char*>(luma.data()), static_cast<std::streamsize>(pixels));
      raw.write(chroma.data(), static_cast<std::streamsize>(chroma.size()));
    }
  }
  const std::string sized = std::to_string(size.width) + "x" + std::to_string(size.height);
  const std::string format =
      options.find("-pix_fmt") == std::string::npos ? " -pix_fmt yuv420p" : "";
  run_ffmpeg(folder, "-f rawvideo -pix_fmt yuv444p -s " + sized + " -r " + rate +
                         " -i {}/frames.raw " + options + format + " {}/" + name);
  return folder / name;
}

void ClipTest::SetUp() {
  std::string name = (std::filesystem::temp_directory_path() / "pytoon-clip-XXXXXX").string();
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  folder_ = name;
  av_log_set_level(AV_LOG_QUIET);  // damaged clips are the point
}

void ClipTest::TearDown() { std::filesystem::remove_all(folder_); }

std::shared_ptr<const ClipIndex> ClipTest::index(const std::filesystem::path& file) {
  auto made = index_clip(file);
  EXPECT_TRUE(made) << made.failure().detail;
  return *made;
}

std::unique_ptr<ClipSource> ClipTest::source(const std::filesystem::path& file,
                                             CancelToken cancel) {
  const std::shared_ptr<const ClipIndex> made = index(file);
  return std::make_unique<ClipSource>(
      ClipOrder{made, made->upright, std::nullopt, std::move(cancel)});
}

int ClipTest::code_at(ClipSource& source, std::int64_t n) {
  const Result<gpu::Nv12Frame> picture = source.frame_at(n, 30);
  EXPECT_TRUE(picture) << picture.failure().detail;
  return picture ? read_code(*picture) : -1;
}

}  // namespace pytoon::media
