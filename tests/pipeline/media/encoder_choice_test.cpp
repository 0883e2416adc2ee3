#include "pipeline/media/encoder_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/pipeline/media/media_fixture.h"
#include "tests/pipeline/media/nvidia/fake_cuda_device.h"

namespace pytoon::media {
using Codec = EncoderPreference::Codec;
using testing::HasSubstr;
using testing::IsEmpty;

class Choice : public MediaTest {
 protected:
  void SetUp() override {
    MediaTest::SetUp();
    fake_nvenc_reset({1000, 0, -1});
  }
  EncoderChoice choose(gpu::Device& device, Codec codec = Codec::kAuto) {
    auto choice = choose_encoder({.codec = codec}, device, folder_ / "cache");
    EXPECT_TRUE(choice) << choice.failure().detail;
    EXPECT_EQ(choice->options.size(), 2U);
    EXPECT_EQ(choice->options[0].settings.codec, "h264_nvenc");
    EXPECT_EQ(choice->options[1].settings.codec, "libx264");
    EXPECT_EQ(choice->options[1].unavailable, "");
    return std::move(*choice);
  }
  void fails_with(int open_status) { fake_nvenc_reset({1000, open_status, -1}); }

  testing_support::FakeCudaDevice cuda_;
};

TEST_F(Choice, NvencIsTakenWhereItEncodes) {
  const EncoderChoice choice = choose(cuda_);
  EXPECT_EQ(choice.options[0].unavailable, "");
  EXPECT_TRUE(choice.cuda);
  EXPECT_EQ(fake_nvenc_frames(), 8);
  EXPECT_EQ(fake_nvenc_open(), 0);
  EXPECT_EQ(cuda_.crossings(), 0U);
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "cache"));
  EXPECT_EQ(log_lines_.str(), "");
}

TEST_F(Choice, ACardWithoutNvencIsX264sAndTheReasonIsKept) {
  fails_with(2);  // NV_ENC_ERR_UNSUPPORTED_DEVICE
  const EncoderChoice choice = choose(cuda_);
  EXPECT_THAT(choice.options[0].unavailable, HasSubstr("unsupported device"));
  EXPECT_TRUE(choice.options[0].expected);
  EXPECT_FALSE(choice.cuda);
}

TEST_F(Choice, AnEncoderThatOpensButDoesNotEncodeIsNotTrusted) {
  fake_nvenc_reset({1000, 0, 3});
  EXPECT_NE(choose(cuda_).options[0].unavailable, "");
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "cache"));
}

TEST_F(Choice, WithoutACudaDeviceNothingIsMissed) {
  const auto cpu = gpu::make_cpu_device();
  const EncoderChoice choice = choose(*cpu);
  EXPECT_THAT(choice.options[0].unavailable, HasSubstr("CUDA device"));
  EXPECT_FALSE(choice.options[0].expected);
  EXPECT_EQ(fake_nvenc_opened(), 0);
}

TEST_F(Choice, X264AloneTriesNothing) {
  const EncoderChoice choice = choose(cuda_, Codec::kX264);
  EXPECT_NE(choice.options[0].unavailable, "");
  EXPECT_FALSE(choice.options[0].expected);
  EXPECT_EQ(fake_nvenc_opened(), 0);
}

TEST_F(Choice, NvencOrNothingIsRefusedWithTheReason) {
  fails_with(2);
  const auto choice = choose_encoder({.codec = Codec::kNvenc}, cuda_, folder_);
  ASSERT_FALSE(choice);
  EXPECT_EQ(choice.failure().kind, FailureKind::kUnavailable);
  EXPECT_THAT(choice.failure().detail, HasSubstr("unsupported device"));
}

}  // namespace pytoon::media
