#include <nlohmann/json.hpp>

#include "server/worker/job_encoder.h"

#include "tests/server/worker/run_fixture.h"

namespace pytoon::worker {
using jobs::JobStatus;
using plan::SourceKind;

const std::vector<render::Encoder> kBoth{{"h264_nvenc", "", true}, {"libx264", "", false}};
const std::vector<render::Encoder> kAbsent{{"h264_nvenc", "no such chip", true},
                                           {"libx264", "", false}};
const std::vector<render::Encoder> kNoGpu{{"h264_nvenc", "no GPU", false}, {"libx264", "", false}};

TEST(EncoderDecision, GoesOnWithWhatItBeganWith) {
  EXPECT_EQ(decide_encoder(kBoth, "").encoder, "h264_nvenc");
  EXPECT_EQ(decide_encoder(kBoth, "libx264").encoder, "libx264");
  EXPECT_EQ(decide_encoder(kBoth, "libx264").degraded(), "");
  EXPECT_EQ(decide_encoder(kNoGpu, "h264_nvenc").degraded(),
            "h264_nvenc gave way to libx264: no GPU");
  EXPECT_EQ(decide_encoder(kNoGpu, "").degraded(), "");
}

TEST(EncoderDecision, AGpuWithoutMemoryGivesWayToTheCpu) {
  const std::vector<render::Encoder> gpu{{"cuda+libx264", "", true}, {"libx264", "", false}};
  const auto full = decide_after(failure(FailureKind::kOutOfMemory, "no 12 MiB for a texture"), gpu,
                                 "cuda+libx264");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->degraded(),
            "cuda+libx264 gave way to libx264: vram_exhausted: no 12 MiB for a texture");
  const auto refused = decide_after(
      failure(FailureKind::kOutOfMemory, "vram_exhausted: needs 6.1 GiB"), gpu, "cuda+libx264");
  EXPECT_EQ(refused->reason, "vram_exhausted: needs 6.1 GiB");
  EXPECT_FALSE(decide_after(failure(FailureKind::kOutOfMemory, "host"), gpu, "libx264"));
  // Without a GPU it is the host's memory.
  EXPECT_FALSE(
      decide_after(failure(FailureKind::kOutOfMemory, "host"), {{"libx264", "", false}}, ""));
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

TEST_F(JobEncoder, ACardThatRunsOutOfMemoryMovesTheJobToTheCpuAndSaysSo) {
  renderer_.encoder_list = {{"cuda+libx264", "", true}, {"libx264", "", false}};
  renderer_.on_encode = [](int i, const std::string& encoder) {
    if (i != 1 || encoder != "cuda+libx264") return ok_status();
    return Status(failure(FailureKind::kOutOfMemory, "the account has no room for 8 MiB"));
  };
  submit(order("a"));
  finish(*worker());
  const jobs::Job job = *store_->job("a");
  EXPECT_EQ(job.status, JobStatus::kDone);
  EXPECT_EQ(job.encoder, "libx264");
  EXPECT_TRUE(job.fallback_used);
  EXPECT_EQ(job.fallback_reason, "vram_exhausted: the account has no room for 8 MiB");
  EXPECT_EQ(metrics_.fallbacks["cpu_compositor"], 1);
}

TEST_F(JobEncoder, TheBestEncoderMakesTheWholeJob) {
  renderer_.encoder_list = kBoth;
  submit(order("a"));
  finish(*worker());
  EXPECT_EQ(metadata()["made_with"]["encoder"], "h264_nvenc");
  EXPECT_TRUE(metadata()["degraded"].is_null());
  EXPECT_TRUE(metrics_.switches.empty());
  EXPECT_EQ(renderer_.calls(), 3);
}

TEST_F(JobEncoder, WithoutAGpuNothingIsDegraded) {
  renderer_.encoder_list = kNoGpu;
  submit(order("a"));
  finish(*worker());
  EXPECT_EQ(metadata()["made_with"]["encoder"], "libx264");
  EXPECT_TRUE(metadata()["degraded"].is_null());
  EXPECT_TRUE(metrics_.switches.empty());
}

TEST_F(JobEncoder, AnEncoderThatOughtToBeThereIsMissedAloud) {
  renderer_.encoder_list = kAbsent;
  submit(order("a"));
  finish(*worker());
  EXPECT_EQ(metadata()["degraded"], "h264_nvenc gave way to libx264: no such chip");
  EXPECT_EQ(metrics_.switches["h264_nvenc to libx264"], 1);
  EXPECT_EQ(logged("encoder_degraded"), 1);
  EXPECT_EQ(job("a").degraded, "h264_nvenc gave way to libx264: no such chip");
}

TEST_F(JobEncoder, AFailureMidwaySwitchesAllSegmentsOnce) {
  renderer_.encoder_list = kBoth;
  break_nvenc(2);
  submit(order("a", 4));
  finish(*worker());
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

TEST_F(JobEncoder, WorkersThatFailTogetherSwitchOnce) {
  renderer_.encoder_list = kBoth;
  submit(order("a"));
  const auto one = worker("one");
  const auto two = worker("two");
  ASSERT_TRUE(step(*one));
  renderer_.on_encode = [&](int index, const std::string& encoder) {
    if (encoder != "h264_nvenc") return ok_status();
    if (index == 0) {
      EXPECT_TRUE(step(*two));
    }
    return Status(failure(FailureKind::kEncoder, "chip on fire"));
  };
  finish(*one);
  EXPECT_EQ(job("a").status, JobStatus::kDone) << job("a").error;
  EXPECT_EQ(metrics_.switches["h264_nvenc to libx264"], 1);
  EXPECT_EQ(renderer_.calls(), 5);
}

TEST_F(JobEncoder, TheNextWorkerStaysWithTheSwitch) {
  renderer_.encoder_list = kBoth;
  break_nvenc(0);
  submit(order("a", 4));
  finish_segments(*worker("dead"), "a", 2);
  renderer_.on_encode = {};  // NVENC is well again
  finish(*take_over());
  EXPECT_EQ(metadata()["degraded"], "h264_nvenc gave way to libx264: chip on fire");
  EXPECT_EQ(metadata()["made_with"]["encoder"], "libx264");
  EXPECT_EQ(metrics_.switches["h264_nvenc to libx264"], 1);
  EXPECT_EQ(renderer_.calls(1), 1);  // kept
}

TEST_F(JobEncoder, AJobWhoseEncoderNoWorkerHasGoesOverToTheLast) {
  renderer_.encoder_list = kBoth;
  submit(order("a", 4));
  finish_segments(*worker("dead"), "a", 2);
  renderer_.encoder_list = kNoGpu;
  const auto subject = worker("next");
  for (int i = 0; i < 2000 && !is_terminal(job("a").status); ++i) {
    renew_leases(*subject);
    if (!step(*subject)) clock_.advance(milliseconds(250));
  }
  EXPECT_EQ(job("a").status, JobStatus::kDone) << job("a").error;
  EXPECT_FALSE(metadata()["degraded"].is_null());
  EXPECT_EQ(metadata()["made_with"]["encoder"], "libx264");
  EXPECT_EQ(metrics_.switches["h264_nvenc to libx264"], 1);
  EXPECT_EQ(renderer_.calls(0), 2);
  EXPECT_EQ(renderer_.calls(3), 1);
}

TEST_F(JobEncoder, AJobBegunWithX264GoesOnWithItWhereNvencIs) {
  renderer_.encoder_list = kNoGpu;
  submit(order("a", 4));
  finish_segments(*worker("dead"), "a", 2);
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
  finish(*worker());
  EXPECT_EQ(job("a").status, JobStatus::kFailed);
  EXPECT_EQ(metrics_.switches["h264_nvenc to libx264"], 1);
}

}  // namespace pytoon::worker
