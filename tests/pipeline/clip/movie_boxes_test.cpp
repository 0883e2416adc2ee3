// Indexes that claim what their file can't hold, as a hostile uploader writes them: refused before
// a demuxer makes room for their claims, wherever in the file they stand.
#include "pipeline/media/clip/movie_boxes.h"

#include <gtest/gtest.h>

#include <string>

#include "base/files.h"
#include "tests/pipeline/clip/box_bytes.h"
#include "tests/support/temporary_folder.h"

namespace pytoon::media {
namespace {

constexpr std::uint32_t kClaimed = 50'000'000;

std::string one_size_for_all(std::uint32_t bytes, std::uint32_t samples) {
  return box("stsz", number(0) + number(bytes) + number(samples));
}

std::string times(std::uint32_t samples, std::uint32_t ticks) {
  return box("stts", number(0) + number(1) + number(samples) + number(ticks));
}

// So many chunks, each of which is said to hold so many samples.
std::string chunks(std::uint32_t count, std::uint32_t samples) {
  std::string places;
  for (std::uint32_t i = 0; i < count; ++i) places += number(40);
  return box("stsc", number(0) + number(1) + number(1) + number(samples) + number(1)) +
         box("stco", number(0) + number(count) + places);
}

std::string coding(const std::string& codec, const std::string& more = "") {
  return box("stsd", number(0) + number(1) + box(codec, std::string(28, '\0') + more));
}

// A track of as many edits, each of which plays all of it.
std::string edits(std::uint32_t count, const std::string& track, std::uint32_t from = 0) {
  std::string list;
  for (std::uint32_t i = 0; i < count; ++i)
    list += number(kClaimed) + number(from) + number(1 << 16);
  return box("edts", box("elst", number(0) + number(count) + list)) + track;
}

class MovieBoxes : public testing::Test {
 protected:
  // A whole file with this in a track.
  Status sound(const std::string& track, const std::string& beside = "") {
    return check_audio_boxes(file(track, beside));
  }
  Result<std::string> clip(const std::string& track, const std::string& beside = "") {
    return check_movie_boxes(file(track, beside));
  }

 private:
  std::filesystem::path file(const std::string& track, const std::string& beside) {
    const std::filesystem::path path = folder_.path() / "file.mp4";
    const std::string bytes = box("ftyp", "isom" + number(0)) +
                              box("moov", box("mvhd", std::string(100, '\0')) +
                                              box("trak", box("mdia", box("minf", track)))) +
                              beside + box("mdat", std::string(4096, '\0'));
    EXPECT_TRUE(write_file_atomically(path, bytes));
    return path;
  }

  const support::TemporaryFolder folder_{"pytoon-boxes"};
};

void expect_hollow(const Status& answer) {
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.failure().kind, FailureKind::kInvalid);
  EXPECT_NE(answer.failure().detail.find("more samples than the file has bytes"), std::string::npos)
      << answer.failure().detail;
}

void expect_excessive(const Status& answer) {
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.failure().kind, FailureKind::kInvalid);
  EXPECT_NE(answer.failure().detail.find("more entries than"), std::string::npos)
      << answer.failure().detail;
}

TEST_F(MovieBoxes, TablesOfWhatTheFileHoldsAreTaken) {
  const std::string track =
      box("stbl", coding("mp4a") + times(4096, 1024) + one_size_for_all(1, 4096));
  EXPECT_TRUE(sound(track));
  EXPECT_TRUE(clip(track));
}

TEST_F(MovieBoxes, SizesThatNeedMoreThanTheFileAreRefused) {
  for (const std::uint32_t samples : {4096U, kClaimed}) {
    const std::string track = box("stbl", coding("mp4a") + one_size_for_all(2, samples));
    expect_hollow(sound(track));
    const auto answer = clip(track);
    expect_hollow(answer ? ok_status() : Status(answer.failure()));
  }
  const std::string once = box("stbl", one_size_for_all(1, 3000));
  EXPECT_TRUE(sound(once));
  expect_hollow(sound(once + once));
  // No entries for the sizes that it says to have.
  expect_hollow(sound(box("stbl", one_size_for_all(0, kClaimed))));
}

TEST_F(MovieBoxes, FragmentsThatNeedMoreThanTheFileAreRefused) {
  const auto fragment = [](std::uint32_t samples) {
    return box("moof", box("traf", box("trun", number(0) + number(samples))));
  };
  expect_hollow(sound(box("stbl", coding("mp4a")), fragment(kClaimed)));
  // It has the bytes, but nobody needs so many.
  constexpr std::uint32_t kMany = 13'000'000;
  const std::string data = box("mdat", std::string(kMany, '\0'));
  expect_excessive(sound(box("stbl", coding("mp4a")), fragment(kMany) + data));
}

TEST_F(MovieBoxes, TablesAreFoundWhereADemuxerFindsThem) {
  const std::string table = one_size_for_all(1, kClaimed);
  const std::string list = box("hdlr", std::string(24, '\0'));
  for (const std::string& hidden :
       {box("dinf", table), box("udta", table), box("udta", box("meta", list + table)),
        box("meta", number(0) + list + box("ilst", table)), coding("mp4a", table),
        coding("mp4a", box("wave", table)), box("tref", table),
        box("free", box("mvhd", "") + table)}) {
    SCOPED_TRACE(hidden.substr(4, 4));
    expect_hollow(sound(hidden));
    const auto answer = clip(hidden);
    expect_hollow(answer ? ok_status() : Status(answer.failure()));
  }
  // Behind a box that ends beyond what holds it: a demuxer goes on behind the holder.
  expect_hollow(sound(box("dinf", number(1 << 20) + "url ") + box("stbl", table)));
}

TEST_F(MovieBoxes, PlainDataNamedLikeATableIsNone) {
  EXPECT_TRUE(sound(box("free", one_size_for_all(1, kClaimed) + "left over"),
                    box("uuid", one_size_for_all(1, kClaimed))));
}

// Of sound whose samples last one tick each a demuxer cuts chunks into pieces, and keeps a record
// of each: 60 chunks of two billion samples would take it 2 GB.
TEST_F(MovieBoxes, ChunksOfMoreSamplesThanMayBeAreRefused) {
  for (const char* const codec : {"sowt", "mp4a"}) {
    const std::string track = coding(codec) + times(1000, 1) + one_size_for_all(2, 1000);
    expect_excessive(sound(box("stbl", track + chunks(20, 0x7fffffff))));
    const auto answer = clip(box("stbl", track + chunks(20, 0x7fffffff)));
    expect_excessive(answer ? ok_status() : Status(answer.failure()));
    EXPECT_TRUE(sound(box("stbl", track + chunks(20, 50))));
  }
  // In many tracks, of which each is within the bounds.
  const std::string one = box("trak", box("mdia", box("minf", box("stbl", chunks(4, 0x7fffffff)))));
  EXPECT_TRUE(sound("", box("moov", one)));
  expect_excessive(sound("", box("moov", one + one + one)));
}

// Each edit is a copy of what it plays.
TEST_F(MovieBoxes, EditsOfMoreSamplesThanMayBeAreRefused) {
  constexpr std::uint32_t kMany = 1'000'000;
  const std::string data = box("mdat", std::string(kMany, '\0'));
  const std::string track =
      box("stbl", coding("mp4a") + times(kMany, 2) + one_size_for_all(1, kMany));
  EXPECT_TRUE(sound(edits(4, track), data));
  expect_excessive(sound(edits(60, track), data));
  EXPECT_TRUE(sound(edits(60, track, 0xffffffff), data)) << "they only wait";
}

// 15 minutes of it have 40,000,000 samples, which a demuxer takes by the chunk.
TEST_F(MovieBoxes, UncompressedSoundMayHaveASampleAByte) {
  constexpr std::uint32_t kMany = 13'000'000;
  const std::string data = box("mdat", std::string(2UL * kMany, '\0'));
  EXPECT_TRUE(
      sound(box("stbl", coding("sowt") + times(kMany, 1) + one_size_for_all(2, kMany)), data));
  for (const std::string& track :
       {box("stbl", coding("mp4a") + times(kMany, 1) + one_size_for_all(2, kMany)),
        box("stbl", coding("sowt") + times(kMany, 2) + one_size_for_all(2, kMany))}) {
    const Status answer = sound(track, data);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.failure().kind, FailureKind::kInvalid) << answer.failure().detail;
  }
}

}  // namespace
}  // namespace pytoon::media
