// Clips played in a confined process: the same frames, byte for byte, as played here, in any order
// and by many at once; nothing is left when a player has gone.
#include "pipeline/media/decoder/confined_clip.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>
#include <thread>

#include "pipeline/media/decoder/local_decoder.h"
#include "tests/pipeline/clip/clip_files.h"
#include "tests/pipeline/decoder/decoder_fixture.h"
#include "tests/support/eventually.h"

namespace pytoon::media {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

std::string bytes_of(const gpu::Nv12Frame& frame) {
  std::string bytes;
  const auto width = static_cast<std::size_t>(frame.size.width);
  for (int y = 0; y < frame.size.height; ++y) {
    const std::uint8_t* const row =
        frame.luma + static_cast<std::size_t>(y) * frame.luma_pitch_bytes;
    bytes.append(row, row + width);
  }
  for (int y = 0; y < frame.size.height / 2; ++y) {
    const std::uint8_t* const row =
        frame.chroma + static_cast<std::size_t>(y) * frame.chroma_pitch_bytes;
    bytes.append(row, row + width);
  }
  return bytes;
}

class ConfinedClipTest : public DecoderTest {
 protected:
  std::shared_ptr<const ClipIndex> index(const fs::path& file) {
    auto made = decoder_.read_clip_index(file);
    EXPECT_TRUE(made) << file << ": " << made.failure().detail;
    return *made;
  }

  void same_index(const ClipIndex& here, const ClipIndex& there) {
    EXPECT_EQ(there.path, here.path);
    EXPECT_EQ(there.format, here.format);
    EXPECT_EQ(there.codec, here.codec);
    EXPECT_EQ(there.stored, here.stored);
    EXPECT_EQ(there.upright, here.upright);
    EXPECT_EQ(there.has_alpha, here.has_alpha);
    EXPECT_EQ(there.rotation, here.rotation);
    EXPECT_EQ(there.times.tick_num, here.times.tick_num);
    EXPECT_EQ(there.times.tick_den, here.times.tick_den);
    EXPECT_EQ(there.times.starts, here.times.starts);
    EXPECT_EQ(there.times.end, here.times.end);
    EXPECT_EQ(there.first_shown, here.first_shown);
    ASSERT_EQ(there.key_frames.size(), here.key_frames.size());
  }

  void same_frame(ClipPlayer& here, ClipPlayer& there, bool alpha, std::size_t i) {
    if (alpha) {
      const auto a = here.cutout(i);
      const auto b = there.cutout(i);
      ASSERT_TRUE(a && b) << (a ? b.failure().detail : a.failure().detail);
      ASSERT_EQ(b->size, a->size);
      ASSERT_TRUE(b->pixels == a->pixels) << i;
      return;
    }
    const auto a = here.frame(i);
    const auto b = there.frame(i);
    ASSERT_TRUE(a && b) << (a ? b.failure().detail : a.failure().detail);
    ASSERT_EQ(b->size, a->size);
    ASSERT_TRUE(bytes_of(*b) == bytes_of(*a)) << i;
  }

  // Forward, back, and at random; as large as it is and scaled down.
  void same_frames(const fs::path& file) {
    SCOPED_TRACE(file.filename().string());
    const auto here = local_.read_clip_index(file);
    const auto there = decoder_.read_clip_index(file);
    ASSERT_TRUE(here && there) << (here ? there.failure().detail : here.failure().detail);
    same_index(**here, **there);
    const std::size_t count = (*here)->times.starts.size();
    std::mt19937 random(3);
    const gpu::Size upright = (*here)->upright;
    for (const gpu::Size shown : {upright, gpu::Size{upright.width / 2, upright.height / 2}}) {
      const auto a = local_.open_clip({*here, shown, {}});
      const auto b = decoder_.open_clip({*there, shown, {}});
      for (std::size_t i = 0; i < count; ++i) same_frame(*a, *b, (*here)->has_alpha, i);
      for (int i = 0; i < 6; ++i) same_frame(*a, *b, (*here)->has_alpha, random() % count);
    }
  }

  ChildDecoder decoder_{hostile_host_options()};
  LocalDecoder local_;
};

TEST_F(ConfinedClipTest, FramesOfEveryKindAreTheSame) {
  const std::string film = "-f lavfi -i testsrc=s=162x96:r=12:d=1.5 -pix_fmt yuv420p ";
  same_frames(make("a.mp4", film + "-c:v libx264 -g 6 -bf 2"));
  same_frames(make("b.mp4", film + "-c:v libx265 -x265-params log-level=none:keyint=6"));
  same_frames(make("a.mov", film + "-c:v libx264"));
  same_frames(make("a.webm", film + "-c:v libvpx-vp9 -cpu-used 8"));
  same_frames(make("b.webm", film + "-c:v libaom-av1 -cpu-used 8"));
  same_frames(make("a.mkv", film + "-c:v libx264"));
  same_frames(make("b.mov", film + "-vf format=yuv422p10 -c:v prores_ks"));
  same_frames(make("a.gif", film + "-r 10 -pix_fmt rgb8"));
  same_frames(make("a.png", film + "-r 10 -pix_fmt rgb24 -f apng"));
  same_frames(make("a.webp", film + "-r 10 -c:v libwebp_anim"));
}

TEST_F(ConfinedClipTest, ConversionsAreTheSame) {
  const std::string film = "-f lavfi -i testsrc=s=162x96:r=12:d=1 ";
  same_frames(make("full.mp4", film + "-vf format=yuvj420p -c:v libx264"));
  same_frames(make("444.mp4", film + "-vf format=yuv444p -c:v libx264"));
  same_frames(make("hdr.mp4", film +
                                  "-vf format=yuv420p10 -c:v libx265 -x265-params log-level=none "
                                  "-color_primaries bt2020 -color_trc smpte2084 -colorspace "
                                  "bt2020nc"));
  same_frames(make("fields.mp4", film + "-vf tinterlace=4,format=yuv420p -c:v libx264 -flags "
                                        "+ilme+ildct -field_order tt"));
  const fs::path flat = make("flat.mp4", film + "-vf format=yuv420p -c:v libx264");
  same_frames(make("turned.mp4", "-i '" + flat.string() + "' -c copy -metadata:s:v rotate=90"));
}

TEST_F(ConfinedClipTest, CutoutsAreTheSame) {
  const std::string film =
      "-f lavfi -i \"testsrc=s=64x48:r=8:d=1,format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':"
      "a='if(lt(X,32),255,0)'\" -vf ";
  same_frames(make("a.mov", film + "format=yuva444p10le -c:v prores_ks -profile:v 4444"));
  same_frames(make("a.webm", film + "format=yuva420p -c:v libvpx-vp9 -cpu-used 8 -auto-alt-ref 0"));
  same_frames(make("b.webm", film + "format=yuva420p -c:v libvpx -auto-alt-ref 0"));
  same_frames(make("a.png", film + "format=rgba -f apng"));
  same_frames(make("a.webp", film + "format=bgra -c:v libwebp_anim -lossless 1"));
  same_frames(make("a.gif", film + "'split[a][b];[a]palettegen=reserve_transparent=1[p];[b][p]"
                                   "paletteuse'"));
}

// As segments do, each at its own time.
TEST_F(ConfinedClipTest, ManyPlayTheSameClipAtOnce) {
  const auto clip = index(make_clip(folder_.path(), "clip.mp4", 120, "30"));
  std::vector<std::jthread> threads;
  std::atomic<int> wrong = 0;
  for (unsigned t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      const auto player = decoder_.open_clip({clip, clip->upright, {}});
      std::mt19937 random(t);
      for (std::size_t i = 0; i < 30; ++i) {
        const std::size_t wanted = i < 15 ? t * 15 + i : random() % 120;
        const auto frame = player->frame(wanted);
        if (!frame || read_code(*frame) != static_cast<int>(wanted)) ++wrong;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(wrong, 0);
}

// Their number is bounded by who draws, not by the places of uploads.
TEST_F(ConfinedClipTest, PlayersHoldUpNoUpload) {
  ChildDecoder::Options one = hostile_host_options();
  one.processes = 1;
  ChildDecoder decoder(one);
  const auto clip = index(make_clip(folder_.path(), "clip.mp4", 6, "30"));
  std::vector<std::unique_ptr<ClipPlayer>> players;
  for (int i = 0; i < 4; ++i) {
    players.push_back(decoder.open_clip({clip, clip->upright, {}}));
    ASSERT_TRUE(players.back()->frame(3));
  }
  EXPECT_TRUE(decoder.inspect(FileKind::kClip, clip->path));
}

std::size_t descriptors_of(int pid) {
  std::error_code error;
  const fs::directory_iterator all("/proc/" + std::to_string(pid) + "/fd", error);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST_F(ConfinedClipTest, NothingIsLeftOfAPlayerThatIsGone) {
  ChildDecoder::Options none_waits = hostile_host_options();
  none_waits.waiting = 0;
  ChildDecoder decoder(none_waits);
  const auto clip = index(make_clip(folder_.path(), "clip.mp4", 12, "30"));
  ASSERT_TRUE(decoder.inspect(FileKind::kClip, clip->path));
  const int host = decoder.host_pid();
  const auto all_gone = [&] { return children_of(host).empty(); };
  ASSERT_TRUE(support::eventually(all_gone, milliseconds(20'000)));
  const std::size_t ours = descriptors_of(::getpid());
  const std::size_t hosts = descriptors_of(host);
  for (int i = 0; i < 20; ++i) {
    const auto player = decoder.open_clip({clip, clip->upright, {}});
    const auto frame = player->frame(4);
    ASSERT_TRUE(frame) << frame.failure().detail;
    if (i % 2 == 0) {
      ASSERT_TRUE(player->cutout(2));  // begins anew
    }
    EXPECT_GT(descriptors_of(::getpid()), ours);
  }
  EXPECT_EQ(descriptors_of(::getpid()), ours);
  EXPECT_TRUE(support::eventually(all_gone, milliseconds(20'000)));
  EXPECT_TRUE(
      support::eventually([&] { return descriptors_of(host) == hosts; }, milliseconds(20'000)));
  EXPECT_TRUE(decoder.deaths().empty());
}

// Frames lie in memory that the decoder shares: it can be neither shortened nor made longer under
// who draws from it, and outlives the player with the frames.
TEST_F(ConfinedClipTest, SharedMemoryKeepsItsSize) {
  const auto memory = ClipMemory::make("an index", 100'000);
  ASSERT_TRUE(memory) << memory.failure().detail;
  for (const off_t bytes : {off_t{0}, off_t{1} << 24}) {
    EXPECT_NE(::ftruncate((*memory)->descriptor(), bytes), 0);
    EXPECT_EQ(errno, EPERM);
  }
  char read[8];
  ASSERT_EQ(::pread((*memory)->descriptor(), read, sizeof(read), 0), 8);
  EXPECT_EQ(std::memcmp(read, "an index", sizeof(read)), 0);
}

TEST_F(ConfinedClipTest, FramesOutliveTheirPlayer) {
  const auto clip = index(make_clip(folder_.path(), "clip.mp4", 12, "30"));
  std::vector<gpu::Nv12Frame> kept;
  {
    const auto player = decoder_.open_clip({clip, clip->upright, {}});
    for (std::size_t i = 0; i < 12; ++i) kept.push_back(*player->frame(i));
  }
  for (int i = 0; i < 12; ++i) EXPECT_EQ(read_code(kept[static_cast<std::size_t>(i)]), i);
}

}  // namespace
}  // namespace pytoon::media
