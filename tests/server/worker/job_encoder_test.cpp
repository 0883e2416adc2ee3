#include "server/worker/job_encoder.h"

#include <atomic>
#include <thread>

#include "tests/server/worker/run_fixture.h"

namespace pytoon::worker {
using jobs::JobStatus;
using render::Footage;

const std::vector<render::Encoder> kBoth{{"h264_nvenc", "", true}, {"libx264", "", false}};
const std::vector<render::Encoder> kAbsent{{"h264_nvenc", "no such chip", true},
                                           {"libx264", "", false}};
const std::vector<render::Encoder> kNoGpu{{"h264_nvenc", "no GPU", false}, {"libx264", "", false}};

TEST(DegradedText, ReadsBack) {
  const EncoderDecision decision{"libx264", "h264_nvenc", "it failed: generic error: 20", true};
  const auto read = read_degraded(decision.degraded());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->encoder, "libx264");
  EXPECT_EQ(read->from, "h264_nvenc");
  EXPECT_EQ(read->reason, "it failed: generic error: 20");
  EXPECT_FALSE(read_degraded(""));
  EXPECT_FALSE(read_degraded("the disk gave way to rust"));
  EXPECT_EQ(EncoderDecision{}.degraded(), "");
}

class JobEncoder : public RunFixture {
 protected:
  nlohmann::json metadata() { return nlohmann::json::parse(read("jobs/a/metadata.json")); }
  // Segment `index` can't be encoded with NVENC, however often it is tried.
  void break_nvenc(int index) {
    renderer_.on_encode = [index](int i, const std::string& encoder) {
      if (i != index || encoder != "h264_nvenc") return ok_status();
      return Status(failure(FailureKind::kEncoder, "chip on fire"));
    };
  }
};

TEST_F(JobEncoder, TheBestEncoderMakesTheWholeJob) {
  renderer_.encoder_list = kBoth;
  submit(order("a"));
  finish(*lease());
  EXPECT_EQ(metadata()["made_with"]["encoder"], "h264_nvenc");
  EXPECT_TRUE(metadata()["degraded"].is_null());
  EXPECT_TRUE(metrics_.switches.empty());
  EXPECT_EQ(renderer_.calls(), 3);
}

TEST_F(JobEncoder, WithoutAGpuNothingIsDegraded) {
  renderer_.encoder_list = kNoGpu;
  submit(order("a"));
  finish(*lease());
  EXPECT_EQ(metadata()["made_with"]["encoder"], "libx264");
  EXPECT_TRUE(metadata()["degraded"].is_null());
  EXPECT_TRUE(metrics_.switches.empty());
}

TEST_F(JobEncoder, AnEncoderThatOughtToBeThereIsMissedAloud) {
  renderer_.encoder_list = kAbsent;
  submit(order("a"));
  finish(*lease());
  EXPECT_EQ(metadata()["degraded"], "h264_nvenc gave way to libx264: no such chip");
  EXPECT_EQ(metrics_.switches["h264_nvenc to libx264"], 1);
  EXPECT_EQ(logged("encoder_degraded"), 1);
  const auto kept_rows = *store_.segments("a");
  for (const auto& segment : kept_rows) EXPECT_EQ(segment.error, "");
}

TEST_F(JobEncoder, AFailureMidwaySwitchesAllSegmentsOnce) {
  renderer_.encoder_list = kBoth;
  break_nvenc(2);
  submit(order("a", 4));
  finish(*lease());
  ASSERT_EQ(job("a").status, JobStatus::kDone) << job("a").error;
  EXPECT_EQ(metadata()["degraded"], "h264_nvenc gave way to libx264: chip on fire");
  EXPECT_EQ(metadata()["made_with"]["encoder"], "libx264");
  EXPECT_EQ(metrics_.switches["h264_nvenc to libx264"], 1);
  EXPECT_EQ(logged("encoder_degraded"), 1);
  EXPECT_FALSE(job("a").fallback_used);  // the footage is what was asked for
  EXPECT_EQ(renderer_.calls(0), 2);
  EXPECT_EQ(renderer_.calls(2), 2);
  EXPECT_EQ(renderer_.calls(3), 1);
  EXPECT_EQ(files("segments").size(), 4U);  // the losers are gone
}

TEST_F(JobEncoder, ThreadsThatFailTogetherSwitchOnce) {
  renderer_.encoder_list = kBoth;
  std::atomic<int> there{0};
  renderer_.on_encode = [&](int, const std::string& encoder) {
    if (encoder != "h264_nvenc") return ok_status();
    ++there;
    while (there < 3) std::this_thread::yield();
    return Status(failure(FailureKind::kEncoder, "chip on fire"));
  };
  submit(order("a"));
  const auto run = lease();
  while (run->has_work() && renderer_.calls() == 0 &&
         job("a").status < JobStatus::kRenderingSegments) {
    run->step();
  }
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) threads.emplace_back([&] { run->step(); });
  }
  finish(*run);
  EXPECT_EQ(job("a").status, JobStatus::kDone) << job("a").error;
  EXPECT_EQ(metrics_.switches["h264_nvenc to libx264"], 1);
  EXPECT_EQ(renderer_.calls(), 6);
}

TEST_F(JobEncoder, TheNextLeaseStaysWithTheSwitch) {
  renderer_.encoder_list = kBoth;
  break_nvenc(0);
  submit(order("a", 4));
  finish_segments(*lease("dead"), "a", 2);
  renderer_.on_encode = {};  // NVENC is well again
  finish(*take_over());
  EXPECT_EQ(metadata()["degraded"], "h264_nvenc gave way to libx264: chip on fire");
  EXPECT_EQ(metadata()["made_with"]["encoder"], "libx264");
  EXPECT_EQ(metrics_.switches["h264_nvenc to libx264"], 1);
  EXPECT_EQ(renderer_.calls(1), 1);  // kept over the lease
}

TEST_F(JobEncoder, AJobBegunWithAnEncoderThatIsNotHereSwitches) {
  renderer_.encoder_list = kBoth;
  submit(order("a", 4));
  finish_segments(*lease("dead"), "a", 2);
  renderer_.encoder_list = kNoGpu;
  finish(*take_over());
  EXPECT_EQ(job("a").status, JobStatus::kDone) << job("a").error;
  EXPECT_EQ(metadata()["degraded"], "h264_nvenc gave way to libx264: no GPU");
  EXPECT_EQ(metrics_.switches["h264_nvenc to libx264"], 1);
  EXPECT_EQ(renderer_.calls(0), 2);
  EXPECT_EQ(renderer_.calls(3), 1);
}

TEST_F(JobEncoder, AJobBegunWithX264GoesOnWithItWhereNvencIs) {
  renderer_.encoder_list = kNoGpu;
  submit(order("a", 4));
  finish_segments(*lease("dead"), "a", 2);
  renderer_.encoder_list = kBoth;
  finish(*take_over());
  EXPECT_EQ(metadata()["made_with"]["encoder"], "libx264");
  EXPECT_TRUE(metadata()["degraded"].is_null());
  for (int i = 0; i < 4; ++i) EXPECT_EQ(renderer_.calls(i), 1) << i;
}

TEST_F(JobEncoder, AFailureOfTheLastEncoderIsASegmentsFailure) {
  renderer_.encoder_list = kBoth;
  renderer_.on_encode = [](int index, const std::string&) {
    if (index != 1) return ok_status();
    return Status(failure(FailureKind::kEncoder, "nothing works"));
  };
  submit(order("a"));
  finish(*lease());
  EXPECT_EQ(job("a").status, JobStatus::kFailed);
  EXPECT_EQ(metrics_.switches["h264_nvenc to libx264"], 1);
}

}  // namespace pytoon::worker
