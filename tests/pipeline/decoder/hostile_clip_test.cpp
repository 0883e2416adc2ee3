// Clips that do at their sixth frame what an attacker would (hostile_host.cpp): the fault is the
// file's, is counted, and nobody else's clip hears of it.
#include <signal.h>

#include <memory>

#include "pipeline/media/decoder/child_decoder.h"
#include "tests/pipeline/clip/clip_files.h"
#include "tests/pipeline/decoder/decoder_fixture.h"
#include "tests/support/eventually.h"

namespace pytoon::media {
namespace {

using std::chrono::milliseconds;

class HostileClipTest : public DecoderTest {
 protected:
  HostileClipTest() { open(milliseconds(60'000)); }

  void open(milliseconds frame_wall) {
    ChildDecoder::Options impatient = hostile_host_options();
    impatient.waiting = 0;  // whoever is there is at work
    impatient.limits.frame_wall = frame_wall;
    impatient.limits.cpu = std::chrono::seconds(1);
    decoder_ = std::make_unique<ChildDecoder>(impatient);
  }
  std::unique_ptr<ClipPlayer> player(int width, const CancelToken& cancel = {}) {
    const auto file = make_clip(folder_.path(), "clip" + std::to_string(width) + ".mp4", 12, "30",
                                kH264, {width, 48});
    const auto clip = decoder_->read_clip_index(file);
    EXPECT_TRUE(clip) << clip.failure().detail;
    return decoder_->open_clip({*clip, (*clip)->upright, cancel});
  }
  // How often "clip" died of it.
  std::uint64_t deaths_of(const std::string& reason) const {
    for (const DecoderDeaths& deaths : decoder_->deaths()) {
      if (deaths.task == "clip" && deaths.reason == reason) return deaths.count;
    }
    return 0;
  }
  void kill_players() const {
    for (const int child : children_of(decoder_->host_pid())) ::kill(child, SIGKILL);
  }

  bool players_gone() const {
    return support::eventually([&] { return children_of(decoder_->host_pid()).empty(); },
                               milliseconds(20'000));
  }

  std::unique_ptr<ChildDecoder> decoder_;
};

TEST_F(HostileClipTest, WhateverOneDoesIsTheFilesFaultAndNobodyElses) {
  struct Attack {
    int width;
    const char* death;  // "": it answered
    FailureKind kind;
  };
  const Attack attacks[] = {
      {66, "crash", FailureKind::kMalformed}, {70, "cpu", FailureKind::kInvalid},
      {72, "", FailureKind::kInvalid},        {74, "forbidden", FailureKind::kMalformed},
      {76, "exit", FailureKind::kMalformed},  {78, "exit", FailureKind::kMalformed},
      {82, "", FailureKind::kMalformed},      {84, "", FailureKind::kMalformed},
      {86, "", FailureKind::kMalformed}};
  const auto innocent = player(64);
  ASSERT_TRUE(innocent->frame(0));
  const int host = decoder_->host_pid();
  for (const Attack& attack : attacks) {
    if (attack.width == 72 && !kThrowsBadAlloc) continue;
    SCOPED_TRACE(attack.width);
    const auto hostile = player(attack.width);
    for (std::size_t i = 0; i < 5; ++i) {
      const auto good = hostile->frame(i);
      ASSERT_TRUE(good) << good.failure().detail;
    }
    const std::uint64_t before = deaths_of(attack.death);
    const auto refused = hostile->frame(5);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.failure().kind, attack.kind) << refused.failure().detail;
    EXPECT_EQ(traits(refused.failure().kind).blame, Blame::kInput);
    EXPECT_NE(refused.failure().detail.find("could not be read safely"), std::string::npos);
    if (*attack.death != 0) {
      EXPECT_EQ(deaths_of(attack.death), before + 1);
    }
    // The others go on, and so does this one from another frame.
    const auto other = innocent->frame(static_cast<std::size_t>(attack.width) % 12);
    ASSERT_TRUE(other) << other.failure().detail;
    EXPECT_EQ(read_code(*other), attack.width % 12);
    EXPECT_TRUE(hostile->frame(7));
  }
  EXPECT_EQ(decoder_->host_pid(), host);
}

TEST_F(HostileClipTest, OneThatHangsIsEnded) {
  open(milliseconds(3'000));
  const auto innocent = player(64);
  const auto sleepy = player(68);
  ASSERT_TRUE(innocent->frame(0));
  ASSERT_TRUE(sleepy->frame(4));
  const auto refused = sleepy->frame(5);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.failure().kind, FailureKind::kInvalid) << refused.failure().detail;
  EXPECT_EQ(deaths_of("time"), 1U);
  EXPECT_TRUE(innocent->frame(1));
}

TEST_F(HostileClipTest, OneKilledFromOutsidePlaysOn) {
  const auto played = player(64);
  ASSERT_TRUE(played->frame(3));
  kill_players();
  ASSERT_TRUE(players_gone());
  const auto next = played->frame(4);
  ASSERT_TRUE(next) << next.failure().detail;
  EXPECT_EQ(read_code(*next), 4);
  EXPECT_EQ(deaths_of("killed"), 1U);
}

TEST_F(HostileClipTest, OneKilledTwiceIsTheMachinesFault) {
  const auto sleepy = player(68);
  const std::jthread killer([&] {
    for (std::uint64_t deaths = 0; deaths < 2; ++deaths) {
      (void)support::eventually(
          [&] {
            if (deaths_of("killed") > deaths) return true;
            kill_players();
            return false;
          },
          milliseconds(20'000));
    }
  });
  const auto refused = sleepy->frame(5);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.failure().kind, FailureKind::kUnavailable) << refused.failure().detail;
}

TEST_F(HostileClipTest, AHostThatDiedIsStartedAgain) {
  const auto played = player(64);
  ASSERT_TRUE(played->frame(3));
  const std::vector<int> players = children_of(decoder_->host_pid());
  ASSERT_EQ(players.size(), 1U);
  ::kill(decoder_->host_pid(), SIGKILL);
  ASSERT_TRUE(
      support::eventually([&] { return ::kill(players.front(), 0) != 0; }, milliseconds(20'000)));
  const auto next = played->frame(4);
  ASSERT_TRUE(next) << next.failure().detail;
  EXPECT_EQ(read_code(*next), 4);
  EXPECT_EQ(deaths_of("host"), 1U);
}

TEST_F(HostileClipTest, ACancelledOneIsEnded) {
  const CancelToken cancel;
  const auto sleepy = player(68, cancel);
  ASSERT_TRUE(sleepy->frame(2));
  const std::jthread canceller([&] { cancel.cancel(); });
  const auto refused = sleepy->frame(5);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.failure().kind, FailureKind::kCancelled);
  EXPECT_TRUE(players_gone());
  EXPECT_EQ(deaths_of("time"), 0U);
}

}  // namespace
}  // namespace pytoon::media
