#include "tests/pipeline/clip/clip_files.h"

#include <cstdlib>
#include <fstream>
#include <vector>

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

}  // namespace pytoon::media
