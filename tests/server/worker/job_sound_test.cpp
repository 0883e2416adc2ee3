// The sound of a job: made beside the segments, heard in the video, waited for, and let go of.
#include <gtest/gtest.h>

#include "tests/server/worker/run_fixture.h"

namespace pytoon::worker {

class JobSound : public RunFixture {
 protected:
  jobs::NewJob order_with_sound(const std::string& id) {
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
  const std::string sound_ = "sound " + sha256_hex("music") + " " + sha256_hex("voice") + "\n";
};

TEST_F(JobSound, IsInTheVideoAndItsMeasuresInTheMetadata) {
  submit(order_with_sound("a"));
  finish(*worker());
  EXPECT_EQ(job("a").status, jobs::JobStatus::kDone);
  EXPECT_TRUE(video("a").ends_with(sound_));
  const auto sound = metadata("a").at("sound");
  EXPECT_EQ(sound.at("integrated_lufs"), -14);
  EXPECT_EQ(sound.at("true_peak_dbtp"), -2);
  EXPECT_EQ(sound.at("loudness_range_lu"), 3);
  EXPECT_EQ(sound.at("gain_db"), 1.5);
  EXPECT_EQ(sound.at("ducked"), true);
}

TEST_F(JobSound, AJobWithoutHasNone) {
  submit(order("a"));
  finish(*worker());
  EXPECT_EQ(video("a").find("sound"), std::string::npos);
  EXPECT_TRUE(metadata("a").at("sound").is_null());
}

TEST_F(JobSound, NeverHoldsUpTheSegments) {
  submit(order_with_sound("a"));
  const auto hands = worker();
  while (step(*hands, "render")) {
  }
  EXPECT_EQ(done_segments("a"), 3);  // and only the sound is missing
  EXPECT_EQ(job("a").status, jobs::JobStatus::kRenderingSegments);
  EXPECT_TRUE(step(*hands, "audio"));
  finish(*hands);
  EXPECT_TRUE(video("a").ends_with(sound_));
  EXPECT_TRUE(files("sound").empty());  // nothing that only the making needed
}

TEST_F(JobSound, ThatCantBeMadeLeavesASilentVideoThatSaysSo) {
  renderer_.on_sound = [](const CancelToken&) {
    return failure(FailureKind::kMedia, "the graph refused");
  };
  submit(order_with_sound("a"));
  finish(*worker());
  EXPECT_EQ(job("a").status, jobs::JobStatus::kDone);
  EXPECT_TRUE(job("a").fallback_used);
  EXPECT_NE(job("a").fallback_reason.find("the graph refused"), std::string::npos);
  EXPECT_EQ(metrics_.fallbacks["silent"], 1);
  EXPECT_EQ(video("a").find("sound"), std::string::npos);
  EXPECT_TRUE(metadata("a").at("sound").is_null());
}

TEST_F(JobSound, IsMadeOnceMoreWhenTheDiskWasFull) {
  std::atomic<int> tries{0};
  renderer_.on_sound = [&](const CancelToken&) {
    return ++tries == 1 ? Status(failure(FailureKind::kStorageFull, "full")) : ok_status();
  };
  submit(order_with_sound("a"));
  finish(*worker());
  EXPECT_EQ(job("a").status, jobs::JobStatus::kDone);
  EXPECT_FALSE(job("a").fallback_used);
  EXPECT_EQ(tries, 2);
  EXPECT_TRUE(video("a").ends_with(sound_));
}

TEST_F(JobSound, StopsWithTheWorkerAndTheNextMakesItAgain) {
  submit(order_with_sound("a"));
  const auto first = worker();
  ASSERT_TRUE(step(*first, "render"));
  renderer_.on_sound = [&](const CancelToken& cancel) {
    first->stop();
    EXPECT_TRUE(cancel.cancelled());
    return Status(failure(FailureKind::kCancelled, "cancelled"));
  };
  ASSERT_TRUE(step(*first, "audio"));
  renderer_.on_sound = nullptr;
  finish(*worker("next"));
  EXPECT_EQ(job("a").status, jobs::JobStatus::kDone);
  EXPECT_EQ(job("a").attempts, 0);
  EXPECT_TRUE(video("a").ends_with(sound_));
}

TEST_F(JobSound, ThatBreaksBeforeAssemblyIsMadeAgain) {
  submit(order_with_sound("a"));
  const auto hands = worker();
  while (step(*hands) && job("a").status != jobs::JobStatus::kAssembling) {
  }
  overwrite(job("a").sound_key, "torn");
  finish(*hands);
  EXPECT_EQ(job("a").status, jobs::JobStatus::kDone);
  EXPECT_EQ(renderer_.calls(), 3);
  EXPECT_TRUE(video("a").ends_with(sound_));
}

TEST_F(JobSound, LostMusicIsALostInput) {
  submit(order_with_sound("a"));
  overwrite("assets/acme/m.mp3", "other");
  finish(*worker());
  EXPECT_EQ(job("a").status, jobs::JobStatus::kFailed);
  EXPECT_NE(job("a").error.find("m.mp3"), std::string::npos);
}

}  // namespace pytoon::worker
