#include "pipeline/media/decoder/decoder_wire.h"

#include <gtest/gtest.h>

namespace pytoon::media {
namespace {

TEST(DecoderWire, WhatIsSaidComesOut) {
  DecoderRequest request;
  request.task = DecoderTask::kSamples;
  request.samples_max = 48'000;
  request.cpu_seconds = 7;
  const auto heard = request_from(to_text(request));
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->task, DecoderTask::kSamples);
  EXPECT_EQ(heard->samples_max, 48'000U);
  EXPECT_EQ(heard->cpu_seconds, 7U);
  DecoderAnswer answer;
  answer.info.format = "png";
  answer.info.size = {3, 4};
  answer.samples = 9;
  const DecoderPacket packet = packet_from(to_text(answer));
  ASSERT_TRUE(packet.answer && *packet.answer);
  EXPECT_EQ((*packet.answer)->info.size, (gpu::Size{3, 4}));
  EXPECT_EQ((*packet.answer)->samples, 9U);
  const DecoderPacket end = packet_from(to_text(DecoderEnd{11, 5}));
  ASSERT_TRUE(end.end);
  EXPECT_EQ(end.end->signal, 11);
}

// A decoder that a file has taken over may say anything.
TEST(DecoderWire, WhatCanNotBeIsNotBelieved) {
  for (const char* const text :
       {"", "[]", "{}", "[[[[", "{\"failure\":1,\"detail\":2}", "{\"end\":\"x\"}",
        "{\"format\":\"png\",\"codec\":\"\",\"width\":\"wide\"}"}) {
    const DecoderPacket packet = packet_from(text);
    EXPECT_FALSE(packet.answer || packet.end) << text;
  }
  const DecoderPacket lost =
      packet_from(R"({"failure":"device-lost","detail":"the card is gone"})");
  ASSERT_TRUE(lost.answer && !*lost.answer);
  EXPECT_EQ(lost.answer->failure().kind, FailureKind::kMalformed);
  const DecoderPacket huge =
      packet_from(R"({"format":"png","codec":"","width":2000000000,"height":-5,"has_alpha":false,)"
                  R"("seconds":1e300,"channels":1,"sample_rate":1,"samples":0,"data_bytes":0})");
  ASSERT_TRUE(huge.answer && *huge.answer);
  EXPECT_LE((*huge.answer)->info.size.width, 1 << 16);
  EXPECT_EQ((*huge.answer)->info.size.height, 0);
  EXPECT_LE((*huge.answer)->info.duration_seconds, 1e6);
}

}  // namespace
}  // namespace pytoon::media
