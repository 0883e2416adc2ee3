// Files as an attacker writes them, small to send and dear to decode: each gets an honest answer,
// and this process, which stands for the server, grows by nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

#include "base/clock.h"
#include "pipeline/media/decoder/child_decoder.h"
#include "tests/pipeline/clip/box_bytes.h"
#include "tests/pipeline/decoder/decoder_fixture.h"

namespace pytoon::media {
namespace {

namespace fs = std::filesystem;

// A PNG of the chunks `png` that lines of Python make with chunk(type, data), and its end.
void write_png(const fs::path& file, const std::string& lines) {
  const std::string script =
      "import zlib, struct\n"
      "def chunk(t, d):\n"
      " return struct.pack('>I', len(d)) + t + d + struct.pack('>I', zlib.crc32(t + d))\n" +
      lines + "open('" + file.string() +
      "', 'wb').write(b'\\x89PNG\\r\\n\\x1a\\n' + png + chunk(b'IEND', b''))\n";
  ASSERT_EQ(std::system(("python3 - <<'END'\n" + script + "END").c_str()), 0);
}

// A file of 8 KB that claims fifty million samples, in a place where demuxers look for none.
std::string bomb(const std::string& hidden_in) {
  const std::string table = box("stsz", number(0) + number(1) + number(50'000'000));
  const std::string head =
      box("hdlr", number(0) + number(0) + "soun" + std::string(13, '\0')) +
      box("mdhd", number(0) + number(0) + number(0) + number(48'000) + number(480'000) + number(0));
  const std::string minf =
      box("minf", hidden_in.empty() ? box("stbl", table) : box(hidden_in, table));
  return box("ftyp", "M4A " + number(0)) +
         box("moov", box("mvhd", std::string(100, '\0')) + box("trak", box("mdia", head + minf))) +
         box("mdat", std::string(7000, '\0'));
}

// One of 5 KB whose sound lasts a tick a sample and lies in forty chunks of two billion samples: a
// demuxer makes pieces of them, which are 2 GB.
std::string chunk_bomb() {
  constexpr std::uint32_t kChunks = 40;
  std::string places;
  for (std::uint32_t i = 0; i < kChunks; ++i) places += number(40);
  const std::string coding =
      box("sowt", std::string(7, '\0') + '\1' + std::string(9, '\0') + '\2' + std::string(1, '\0') +
                      '\x10' + number(0) + number(48'000U << 16));
  const std::string tables =
      box("stsd", number(0) + number(1) + coding) +
      box("stts", number(0) + number(1) + number(1000) + number(1)) +
      box("stsc", number(0) + number(1) + number(1) + number(0x7fffffff) + number(1)) +
      box("stsz", number(0) + number(2) + number(1000)) +
      box("stco", number(0) + number(kChunks) + places);
  const std::string head = box("mdhd", number(0) + number(0) + number(0) + number(48'000) +
                                           number(480'000) + number(0)) +
                           box("hdlr", number(0) + number(0) + "soun" + std::string(13, '\0'));
  return box("ftyp", "qt  " + number(0)) + box("mdat", std::string(4096, '\0')) +
         box("moov", box("mvhd", std::string(100, '\0')) +
                         box("trak", box("mdia", head + box("minf", box("stbl", tables)))));
}

std::uint64_t peak_kb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6));
  }
  return 0;
}

class HostileFiles : public DecoderTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(decoder_.inspect(FileKind::kAudio, make("a.wav", "-f lavfi -i sine=d=1")));
    before_kb_ = peak_kb();
  }
  void TearDown() override { EXPECT_LT(peak_kb(), before_kb_ + 16 * 1024) << "kB"; }

  ChildDecoder decoder_{hostile_host_options()};
  std::uint64_t before_kb_ = 0;
};

TEST_F(HostileFiles, SmallMoviesThatClaimMillionsOfSamples) {
  for (const char* const hidden : {"", "dinf", "udta"}) {
    for (const FileKind kind : {FileKind::kAudio, FileKind::kClip}) {
      const auto info = decoder_.inspect(kind, write("bomb.m4a", bomb(hidden)));
      ASSERT_FALSE(info) << hidden;
      EXPECT_EQ(traits(info.failure().kind).blame, Blame::kInput) << info.failure().detail;
      EXPECT_NE(info.failure().detail.find("more samples than"), std::string::npos)
          << hidden << ": " << info.failure().detail;
    }
    EXPECT_FALSE(decoder_.read_audio(folder_.path() / "bomb.m4a", 48'000, {}));
  }
}

TEST_F(HostileFiles, ASmallMovieThatClaimsBillionsOfSamplesInAChunk) {
  for (const FileKind kind : {FileKind::kAudio, FileKind::kClip}) {
    const auto info = decoder_.inspect(kind, write("bomb.mov", chunk_bomb()));
    ASSERT_FALSE(info);
    EXPECT_NE(info.failure().detail.find("more entries than"), std::string::npos)
        << info.failure().detail;
  }
  EXPECT_FALSE(decoder_.read_audio(folder_.path() / "bomb.mov", 48'000, {}));
}

// Text that unpacks to gigabytes, and a canvas as large as may be in a picture of another size.
TEST_F(HostileFiles, AnimationsThatUnpackBeyondAllBounds) {
  const fs::path file = folder_.path() / "animated.png";
  write_png(
      file,
      "def frame(n): return chunk(b'fcTL', struct.pack('>IIIIIHHBB', n, 16, 16, 0, 0, 1, 10, 0, "
      "0))\n"
      "text = chunk(b'zTXt', b'k\\0\\0' + zlib.compress(b'x' * 50000000, 9))\n"
      "head = chunk(b'IHDR', struct.pack('>IIBBBBB', 16, 16, 8, 2, 0, 0, 0))\n"
      "rows = zlib.compress(b'\\0' * 16 * 49)\n"
      "frames = frame(0) + chunk(b'IDAT', rows) + frame(1) + chunk(b'fdAT', b'\\0\\0\\0\\2' + "
      "rows)\n"
      "png = head + text * 40 + chunk(b'acTL', struct.pack('>II', 2, 0)) + text * 40 + frames\n");
  const auto info = decoder_.inspect(FileKind::kClip, file);
  ASSERT_TRUE(info) << info.failure().detail;
  EXPECT_EQ(info->format, "apng");
}

TEST_F(HostileFiles, APngOfThousandsOfCompressedTexts) {
  const fs::path file = folder_.path() / "texts.png";
  write_png(file,
            "text = chunk(b'zTXt', b'k\\0\\0' + zlib.compress(b'x' * 7000000, 9))\n"
            "head = chunk(b'IHDR', struct.pack('>IIBBBBB', 8, 8, 8, 2, 0, 0, 0))\n"
            "pixels = chunk(b'IDAT', zlib.compress(b'\\0' * 8 * 25))\n"
            "png = head + text * 500 + pixels\n");
  ASSERT_GT(fs::file_size(file), 3'000'000U);
  const SystemClock clock;
  const SteadyTime began = clock.steady_now();
  EXPECT_TRUE(decoder_.inspect(FileKind::kImage, file));
  EXPECT_TRUE(decoder_.image_header(file));
  EXPECT_LT(clock.steady_now() - began, std::chrono::seconds(2));
}

TEST_F(HostileFiles, AnImageBeyondAllSizes) {
  const fs::path wide = make("wide.png", "-f lavfi -i color=s=5000x8:d=0.04 -frames:v 1");
  const auto info = decoder_.inspect(FileKind::kImage, wide);
  ASSERT_FALSE(info);
  EXPECT_EQ(info.failure().kind, FailureKind::kInvalid);
  EXPECT_FALSE(decoder_.read_image(wide));
}

}  // namespace
}  // namespace pytoon::media
