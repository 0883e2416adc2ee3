// The audio of a job: made beside the segments, heard in the video, waited for, and let go of.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/server/worker/run_fixture.h"

namespace pytoon::worker {

class JobAudio : public RunFixture {
 protected:
  jobs::NewJob order_with_audio(const std::string& id) {
    jobs::NewJob order = this->order(id);
    keep_image("assets/acme/m.mp3", "music");
    keep_image("assets/acme/v.wav", "voice");
    order.job.spec.assets.music = "storage://assets/acme/m.mp3";
    order.job.spec.assets.voice = "storage://assets/acme/v.wav";
    return order;
  }
  std::string video(const std::string& id) { return read("jobs/" + id + "/output.mp4"); }
  nlohmann::json metadata(const std::string& id) {
    return nlohmann::json::parse(read("jobs/" + id + "/metadata.json"));
  }
  const std::string audio_ = "audio " + sha256_hex("music") + " " + sha256_hex("voice") + "\n";
};

TEST_F(JobAudio, IsInTheVideoAndItsMeasuresInTheMetadata) {
  submit(order_with_audio("a"));
  finish(*worker());
  EXPECT_EQ(job("a").status, jobs::JobStatus::kDone);
  EXPECT_TRUE(video("a").ends_with(audio_));
  const auto audio = metadata("a").at("audio");
  EXPECT_EQ(audio.at("integrated_lufs"), -14);
  EXPECT_EQ(audio.at("true_peak_dbtp"), -2);
  EXPECT_EQ(audio.at("loudness_range_lu"), 3);
  EXPECT_EQ(audio.at("gain_db"), 1.5);
  EXPECT_EQ(audio.at("ducked"), true);
  EXPECT_TRUE(audio.at("voice_mended").is_null());
}

TEST_F(JobAudio, AJobWithoutHasNone) {
  submit(order("a"));
  finish(*worker());
  EXPECT_EQ(video("a").find("audio"), std::string::npos);
  EXPECT_TRUE(metadata("a").at("audio").is_null());
}

TEST_F(JobAudio, NeverHoldsUpTheSegments) {
  submit(order_with_audio("a"));
  const auto subject = worker();
  while (step(*subject, "render")) {
  }
  EXPECT_EQ(done_segments("a"), 3);  // and only the audio is missing
  EXPECT_EQ(job("a").status, jobs::JobStatus::kRenderingSegments);
  EXPECT_TRUE(step(*subject, "audio"));
  finish(*subject);
  EXPECT_TRUE(video("a").ends_with(audio_));
  EXPECT_TRUE(files("audio").empty());  // nothing that only the making needed
}

TEST_F(JobAudio, ThatCantBeMadeLeavesASilentVideoThatSaysSo) {
  renderer_.on_audio = [](const CancelToken&) {
    return failure(FailureKind::kMedia, "the graph refused");
  };
  submit(order_with_audio("a"));
  finish(*worker());
  EXPECT_EQ(job("a").status, jobs::JobStatus::kDone);
  EXPECT_TRUE(job("a").fallback_used);
  EXPECT_NE(job("a").fallback_reason.find("the graph refused"), std::string::npos);
  EXPECT_EQ(metrics_.fallbacks["silent"], 1);
  EXPECT_EQ(video("a").find("audio"), std::string::npos);
  EXPECT_TRUE(metadata("a").at("audio").is_null());
}

TEST_F(JobAudio, IsMadeOnceMoreWhenTheDiskWasFull) {
  std::atomic<int> tries{0};
  renderer_.on_audio = [&](const CancelToken&) {
    return ++tries == 1 ? Status(failure(FailureKind::kStorageFull, "full")) : ok_status();
  };
  submit(order_with_audio("a"));
  finish(*worker());
  EXPECT_EQ(job("a").status, jobs::JobStatus::kDone);
  EXPECT_FALSE(job("a").fallback_used);
  EXPECT_EQ(tries, 2);
  EXPECT_TRUE(video("a").ends_with(audio_));
}

TEST_F(JobAudio, StopsWithTheWorkerAndTheNextMakesItAgain) {
  submit(order_with_audio("a"));
  const auto first = worker();
  ASSERT_TRUE(step(*first, "render"));
  renderer_.on_audio = [&](const CancelToken& cancel) {
    first->stop();
    EXPECT_TRUE(cancel.cancelled());
    return Status(failure(FailureKind::kCancelled, "cancelled"));
  };
  ASSERT_TRUE(step(*first, "audio"));
  renderer_.on_audio = nullptr;
  finish(*worker("next"));
  EXPECT_EQ(job("a").status, jobs::JobStatus::kDone);
  EXPECT_EQ(job("a").attempts, 0);
  EXPECT_TRUE(video("a").ends_with(audio_));
}

TEST_F(JobAudio, ThatBreaksBeforeAssemblyIsMadeAgain) {
  submit(order_with_audio("a"));
  const auto subject = worker();
  while (step(*subject) && job("a").status != jobs::JobStatus::kAssembling) {
  }
  overwrite(job("a").audio_key, "torn");
  finish(*subject);
  EXPECT_EQ(job("a").status, jobs::JobStatus::kDone);
  EXPECT_EQ(renderer_.calls(), 3);
  EXPECT_TRUE(video("a").ends_with(audio_));
}

TEST_F(JobAudio, LostMusicIsALostInput) {
  submit(order_with_audio("a"));
  overwrite("assets/acme/m.mp3", "other");
  finish(*worker());
  EXPECT_EQ(job("a").status, jobs::JobStatus::kFailed);
  EXPECT_NE(job("a").error.find("m.mp3"), std::string::npos);
}

}  // namespace pytoon::worker
