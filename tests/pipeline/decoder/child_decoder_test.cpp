#include "pipeline/media/decoder/child_decoder.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "pipeline/media/decoder/local_decoder.h"
#include "tests/pipeline/decoder/decoder_fixture.h"
#include "tests/pipeline/image/heif_file.h"
#include "tests/support/eventually.h"
#include "tests/support/source_dir.h"

namespace pytoon::media {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

fs::path example(const std::string& name) { return support::source_dir() / "examples" / name; }

class ChildDecoderTest : public DecoderTest {
 protected:
  void same_info(FileKind kind, const fs::path& file) {
    const auto here = local_.inspect(kind, file);
    const auto there = decoder_.inspect(kind, file);
    ASSERT_TRUE(here) << file << here.failure().detail;
    ASSERT_TRUE(there) << file << there.failure().detail;
    EXPECT_EQ(there->format, here->format);
    EXPECT_EQ(there->codec, here->codec);
    EXPECT_EQ(there->size, here->size);
    EXPECT_EQ(there->has_alpha, here->has_alpha);
    EXPECT_DOUBLE_EQ(there->duration_seconds, here->duration_seconds);
    EXPECT_EQ(there->channels, here->channels);
    EXPECT_EQ(there->sample_rate, here->sample_rate);
  }
  // As many times as nothing but its decoders' being killed goes on, from another thread.
  Result<MediaInfo> while_killed(ChildDecoder& decoder, const std::string& what, int times) {
    std::jthread killer([&] {
      for (int i = 0; i < times; ++i) {
        std::vector<int> found;
        const bool there = support::eventually(
            [&] {
              found = decoder.host_pid() > 0 ? children_of(decoder.host_pid()) : found;
              return !found.empty();
            },
            milliseconds(20'000));
        if (!there) return;
        ::kill(found.front(), SIGKILL);
        (void)support::eventually([&] { return children_of(decoder.host_pid()) != found; },
                                  milliseconds(20'000));
      }
    });
    return decoder.inspect(FileKind::kImage, write("attempt", what));
  }

  ChildDecoder decoder_{hostile_host_options()};
  LocalDecoder local_;
};

TEST_F(ChildDecoderTest, EveryFormatIsDecodedAsHere) {
  const std::string picture = "-f lavfi -i testsrc=s=64x48:d=0.04 -frames:v 1";
  same_info(FileKind::kImage, make("a.png", picture));
  same_info(FileKind::kImage, make("a.jpg", picture));
  same_info(FileKind::kImage, make("a.webp", picture));
  const std::string sound = "-f lavfi -i sine=d=1";
  for (const char* const name : {"a.wav", "a.mp3", "a.m4a", "a.flac", "a.ogg", "a.opus", "a.aac",
                                 "a.aiff", "a.caf", "a.webm"}) {
    same_info(FileKind::kAudio, make(name, sound));
  }
  const std::string film = "-f lavfi -i testsrc=s=128x96:d=1 -pix_fmt yuv420p ";
  same_info(FileKind::kClip, make("a.mp4", film + "-c:v libx264"));
  same_info(FileKind::kClip, make("b.mp4", film + "-c:v libx265 -x265-params log-level=none"));
  same_info(FileKind::kClip, make("a.mov", film + "-c:v libx264"));
  same_info(FileKind::kClip, make("b.webm", film + "-c:v libvpx-vp9 -cpu-used 8"));
  same_info(FileKind::kClip, make("c.webm", film + "-c:v libaom-av1 -cpu-used 8"));
  same_info(FileKind::kClip, make("a.mkv", film + "-c:v libx264"));
  same_info(FileKind::kClip, make("b.mov", film + "-vf format=yuv422p10 -c:v prores_ks"));
  same_info(FileKind::kClip, make("a.gif", film + "-r 10 -pix_fmt rgb8"));
  same_info(FileKind::kClip, make("b.png", film + "-r 10 -pix_fmt rgb24 -f apng"));
  same_info(FileKind::kClip, make("b.webp", film + "-r 10 -c:v libwebp_anim"));
  for (const char* const name : {"product_front.jpg", "product_cutout.png", "logo.png"}) {
    same_info(FileKind::kImage, example(name));
  }
  EXPECT_TRUE(decoder_.deaths().empty());
}

// Their decoders start threads.
TEST_F(ChildDecoderTest, HeicAndAvifAreDecodedAsHere) {
  for (const bool avif : {false, true}) {
    const gpu::RgbaImage photo = *local_.read_image(example("product_front.jpg"));
    const fs::path file = write(avif ? "a.avif" : "a.heic", heif_file(photo, {.avif = avif}));
    same_info(FileKind::kImage, file);
    const auto here = local_.read_image(file);
    const auto there = decoder_.read_image(file);
    ASSERT_TRUE(here && there) << (there ? here.failure().detail : there.failure().detail);
    EXPECT_TRUE(there->pixels == here->pixels);
  }
  EXPECT_TRUE(decoder_.deaths().empty());
}

TEST_F(ChildDecoderTest, PixelsAndHeadsAreTheSame) {
  for (const char* const name : {"product_front.jpg", "product_cutout.png", "logo.png"}) {
    const auto here = local_.read_image(example(name));
    const auto there = decoder_.read_image(example(name));
    ASSERT_TRUE(here && there) << name;
    EXPECT_EQ(there->size, here->size);
    EXPECT_TRUE(there->pixels == here->pixels) << name;
    const auto head = decoder_.image_header(example(name));
    ASSERT_TRUE(head) << name;
    EXPECT_EQ(head->size, here->size);
  }
}

TEST_F(ChildDecoderTest, SamplesAreTheSame) {
  for (const std::size_t most : {std::size_t{1'000}, std::size_t{48'000} * 600}) {
    const auto here = local_.read_audio(example("evening.mp3"), most, {});
    const auto there = decoder_.read_audio(example("evening.mp3"), most, {});
    ASSERT_TRUE(here && there);
    EXPECT_TRUE(there->channels == here->channels);
  }
}

TEST_F(ChildDecoderTest, RefusesAsInspectingHereDoes) {
  const auto clip = decoder_.inspect(FileKind::kClip, example("product_front.jpg"));
  ASSERT_FALSE(clip);
  EXPECT_EQ(clip.failure().kind, FailureKind::kUnsupportedType) << clip.failure().detail;
  const auto nothing = decoder_.inspect(FileKind::kImage, folder_.path() / "nothing.png");
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.failure().kind, FailureKind::kNotFound);
  EXPECT_NE(nothing.failure().detail.find("nothing.png"), std::string::npos);
}

TEST_F(ChildDecoderTest, WhatTakesTooMuchMemoryIsRefused) {
  if (!kThrowsBadAlloc) GTEST_SKIP() << "AddressSanitizer ends what gets no memory";
  const auto image = decoder_.inspect(FileKind::kImage, write("a", "memory"));
  ASSERT_FALSE(image);
  EXPECT_EQ(image.failure().kind, FailureKind::kInvalid);
  EXPECT_NE(image.failure().detail.find("could not be read safely"), std::string::npos);
}

TEST_F(ChildDecoderTest, WhatTakesTooMuchTimeIsEnded) {
  ChildDecoder::Options impatient = hostile_host_options();
  impatient.waiting = 0;
  impatient.limits.wall = milliseconds(300);
  impatient.limits.cpu = std::chrono::seconds(1);
  ChildDecoder sleepy(impatient);
  EXPECT_EQ(attempt(sleepy, "sleep"), "died: time");
  const int host = sleepy.host_pid();
  EXPECT_TRUE(support::eventually([&] { return children_of(host).empty(); }, milliseconds(20'000)));
  impatient.limits.wall = milliseconds(60'000);
  ChildDecoder busy(impatient);
  EXPECT_EQ(attempt(busy, "spin"), "died: cpu");
  EXPECT_EQ(busy.inspect(FileKind::kImage, write("a", "spin")).failure().kind,
            FailureKind::kInvalid);
}

// However many uploads there are, who asks for a job has the cores first.
TEST_F(ChildDecoderTest, AnInspectionYieldsTheCores) {
  ChildDecoder::Options brief = hostile_host_options();
  brief.waiting = 0;
  brief.limits.wall = milliseconds(3'000);
  ChildDecoder busy(brief);
  const std::jthread inspection([&] { (void)attempt(busy, "spin"); });
  const int own = ::getpriority(PRIO_PROCESS, 0);
  EXPECT_TRUE(support::eventually(
      [&] {
        const std::vector<int> children =
            busy.host_pid() > 0 ? children_of(busy.host_pid()) : std::vector<int>();
        return !children.empty() &&
               ::getpriority(PRIO_PROCESS, static_cast<id_t>(children.front())) ==
                   std::min(own + 5, 19);
      },
      milliseconds(20'000)));
}

TEST_F(ChildDecoderTest, OneThatDiesTakesNobodyAlong) {
  for (const char* const how : {"segv", "abort"}) {
    EXPECT_EQ(attempt(decoder_, how), "died: crash") << how;
  }
  EXPECT_EQ(attempt(decoder_, "exit"), "died: exit");
  const int host = decoder_.host_pid();
  EXPECT_EQ(decoder_.inspect(FileKind::kImage, write("a", "segv")).failure().kind,
            FailureKind::kMalformed);
  EXPECT_TRUE(decoder_.inspect(FileKind::kImage, example("logo.png")));
  EXPECT_EQ(decoder_.host_pid(), host);
}

TEST_F(ChildDecoderTest, OneThatBabblesIsEnded) {
  const auto image = decoder_.inspect(FileKind::kImage, write("a", "babble"));
  ASSERT_FALSE(image);
  EXPECT_EQ(image.failure().kind, FailureKind::kMalformed);
}

// What a decoder says of its data is not believed.
TEST_F(ChildDecoderTest, OneThatLiesOfItsDataGainsNothing) {
  const std::string picture = "-f lavfi -i testsrc=d=0.04:s=";
  for (const char* const size : {"7x8", "9x8"}) {
    const auto image =
        decoder_.read_image(make(std::string(size) + ".png", picture + size + " -frames:v 1"));
    ASSERT_FALSE(image) << size;
    EXPECT_EQ(image.failure().kind, FailureKind::kMalformed) << image.failure().detail;
  }
}

TEST_F(ChildDecoderTest, OneKilledFromOutsideIsNotTheFilesFault) {
  ChildDecoder::Options patient = hostile_host_options();
  patient.waiting = 0;  // whoever is there is at work
  patient.limits.wall = milliseconds(3'000);
  ChildDecoder decoder(patient);
  const auto twice = while_killed(decoder, "sleep", 2);
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.failure().kind, FailureKind::kUnavailable) << twice.failure().detail;
  const auto once = while_killed(decoder, "sleep", 1);
  ASSERT_FALSE(once);
  EXPECT_EQ(once.failure().kind, FailureKind::kInvalid) << "the second one sleeps for too long";
}

TEST_F(ChildDecoderTest, AHostThatDiedIsStartedAgain) {
  ASSERT_TRUE(decoder_.inspect(FileKind::kImage, example("logo.png")));
  const int host = decoder_.host_pid();
  ::kill(host, SIGKILL);
  const auto again = decoder_.inspect(FileKind::kImage, example("logo.png"));
  ASSERT_TRUE(again) << again.failure().detail;
  EXPECT_NE(decoder_.host_pid(), host);
}

TEST_F(ChildDecoderTest, AHostEndsWithItsServer) {
  int host = 0;
  {
    ChildDecoder short_lived(hostile_host_options());
    ASSERT_TRUE(short_lived.inspect(FileKind::kImage, example("logo.png")));
    host = short_lived.host_pid();
    ASSERT_GT(host, 0);
  }
  EXPECT_NE(::kill(host, 0), 0);
}

TEST_F(ChildDecoderTest, WithoutAProgramNothingIsDecoded) {
  ChildDecoder::Options missing;
  missing.program = "/nowhere/pytoon";
  ChildDecoder decoder(missing);
  EXPECT_EQ(decoder.inspect(FileKind::kImage, example("logo.png")).failure().kind,
            FailureKind::kUnavailable);
  missing.program = "/bin/true";
  ChildDecoder mute(missing);
  EXPECT_EQ(mute.inspect(FileKind::kImage, example("logo.png")).failure().kind,
            FailureKind::kUnavailable);
}

TEST_F(ChildDecoderTest, SomeWaitAndAreReplaced) {
  ChildDecoder::Options waiting = hostile_host_options();
  waiting.waiting = 3;
  ChildDecoder decoder(waiting);
  for (int turn = 0; turn < 5; ++turn) {
    ASSERT_TRUE(decoder.inspect(FileKind::kImage, example("logo.png")));
    const int host = decoder.host_pid();
    EXPECT_TRUE(
        support::eventually([&] { return children_of(host).size() == 3; }, milliseconds(20'000)));
    for (const int child : children_of(host)) ::kill(child, SIGKILL);
  }
}

TEST_F(ChildDecoderTest, ACancelledOneIsEnded) {
  const CancelToken cancel;
  cancel.cancel();
  const auto audio = decoder_.read_audio(example("evening.mp3"), 48'000, cancel);
  ASSERT_FALSE(audio);
  EXPECT_EQ(audio.failure().kind, FailureKind::kCancelled);
}

TEST_F(ChildDecoderTest, ManyAtOnce) {
  ChildDecoder::Options two = hostile_host_options();
  two.processes = 2;
  ChildDecoder decoder(two);
  std::vector<std::jthread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int turn = 0; turn < 5; ++turn) {
        if (decoder.inspect(FileKind::kImage, example("logo.png"))) ++good;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(good, 40);
}

TEST_F(ChildDecoderTest, ItKnowsNoSecretOfOurs) {
  ASSERT_EQ(::setenv("API_KEY", "a secret", 1), 0);
  ASSERT_TRUE(decoder_.inspect(FileKind::kImage, example("logo.png")));
  ::unsetenv("API_KEY");
  std::ifstream environment("/proc/" + std::to_string(decoder_.host_pid()) + "/environ");
  const std::string all{std::istreambuf_iterator<char>(environment),
                        std::istreambuf_iterator<char>()};
  EXPECT_NE(all.find("LC_ALL"), std::string::npos);
  EXPECT_EQ(all.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace pytoon::media
