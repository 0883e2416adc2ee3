#include "pipeline/media/gst/h264_stream.h"

#include <gtest/gtest.h>

namespace pytoon::media {

const Bytes kSps{0x67, 100, 0, 40, 1, 2};
const Bytes kPps{0x68, 7, 8, 9};

Bytes join(std::initializer_list<Bytes> parts) {
  Bytes whole;
  for (const Bytes& part : parts) whole.insert(whole.end(), part.begin(), part.end());
  return whole;
}
const Bytes kLong{0, 0, 0, 1};
const Bytes kShort{0, 0, 1};

TEST(H264Stream, FindsParameterSetsBetweenStartCodes) {
  const auto sets = parameter_sets(join({kLong, kSps, kLong, kPps, kShort, {0x06, 5, 5, 5}}));
  ASSERT_TRUE(sets);
  EXPECT_EQ(sets->sps, std::vector<Bytes>{kSps});
  EXPECT_EQ(sets->pps, std::vector<Bytes>{kPps});
  EXPECT_EQ(parameter_sets(join({kLong, kSps})).failure().kind, FailureKind::kMedia);
  EXPECT_EQ(parameter_sets({}).failure().kind, FailureKind::kMedia);
}

TEST(H264Stream, TheRecordIsTheStandardsAndReadsBack) {
  const ParameterSets sets{{kSps}, {kPps}};
  const Bytes record = make_avcc(sets);
  EXPECT_EQ(
      record,
      join({{1, 100, 0, 40, 0xFF, 0xE1, 0, 6}, kSps, {1, 0, 4}, kPps, {0xFD, 0xF8, 0xF8, 0}}));
  EXPECT_EQ(*parse_avcc(record), sets);
}

TEST(H264Stream, ATornRecordIsRefusedAtEveryLength) {
  const Bytes record = make_avcc({{kSps}, {kPps}});
  const std::size_t without_extension = record.size() - 4;
  for (std::size_t size = 0; size < without_extension; ++size) {
    EXPECT_FALSE(parse_avcc(ByteSpan(record).first(size))) << size;
  }
  EXPECT_TRUE(parse_avcc(ByteSpan(record).first(without_extension)));
}

TEST(H264Stream, OnlySlicesGoIntoTheFile) {
  Bytes out{9, 9};
  const Bytes idr{0x65, 1, 0, 2};
  const Bytes slice{0x41, 3};
  slices_with_lengths(
      join(
          {kLong, {0x09, 0x10}, kLong, {0x06, 1, 2}, kLong, kSps, kShort, idr, {0}, kShort, slice}),
      out);
  EXPECT_EQ(out, join({{0, 0, 0, 4}, idr, {0, 0, 0, 2}, slice}));
  EXPECT_TRUE(starts_sequence(out));
}

TEST(H264Stream, OnlyAnIdrSliceStartsASequence) {
  EXPECT_FALSE(starts_sequence(Bytes{0, 0, 0, 2, 0x41, 0x65}));
  EXPECT_FALSE(starts_sequence(Bytes{0, 0, 0, 9, 0x65}));
  EXPECT_FALSE(starts_sequence(Bytes{0, 0}));
  EXPECT_FALSE(starts_sequence({}));
}

}  // namespace pytoon::media
