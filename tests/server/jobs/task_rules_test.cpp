#include "server/jobs/task_rules.h"

#include <gtest/gtest.h>

#include "server/jobs/lease_order.h"

namespace pytoon::jobs {

namespace {

std::vector<Segment> segments_of(const std::string& letters) {
  std::vector<Segment> segments;
  for (const char letter : letters) {  // u: undecided, d: decided, D: DONE
    Segment segment;
    segment.index = static_cast<int>(segments.size());
    segment.duration_seconds = 3;
    if (letter != 'u') segment.footage = plan::SourceKind::kImages;
    if (letter == 'D') segment.status = SegmentStatus::kDone;
    segments.push_back(segment);
  }
  return segments;
}

using Tasks = std::vector<Task>;

}  // namespace

TEST(TaskRules, OneThingFollowsTheOther) {
  EXPECT_EQ(tasks_to_add(segments_of("uu"), {{TaskKind::kPrepare}}), Tasks{});
  EXPECT_EQ(tasks_to_add(segments_of("udD"), {}), (Tasks{{TaskKind::kFootage, 0}}));
  EXPECT_EQ(tasks_to_add(segments_of("ud"), {{TaskKind::kFootage, 0}}), Tasks{});
  EXPECT_EQ(tasks_to_add(segments_of("dDd"), {{TaskKind::kAudio}}),
            (Tasks{{TaskKind::kRender, 0}, {TaskKind::kRender, 2}}));
  EXPECT_EQ(tasks_to_add(segments_of("dd"), {{TaskKind::kRender, 1}}),
            (Tasks{{TaskKind::kRender, 0}}));
  EXPECT_EQ(tasks_to_add(segments_of("DD"), {{TaskKind::kAudio}}), Tasks{});
  EXPECT_EQ(tasks_to_add(segments_of("DD"), {}), (Tasks{{TaskKind::kFinish}}));
  EXPECT_EQ(tasks_to_add(segments_of("DD"), {{TaskKind::kFinish}}), Tasks{});
  EXPECT_EQ(status_with({{TaskKind::kRender, 0}}), JobStatus::kRenderingSegments);
  EXPECT_EQ(status_with({{TaskKind::kFinish}}), JobStatus::kAssembling);
}

TEST(TaskRules, ProgressIsTheShareOfFrames) {
  EXPECT_EQ(progress_pct(segments_of("dd"), 0, 30), 0);
  EXPECT_EQ(progress_pct(segments_of("dD"), 0, 30), 47);
  EXPECT_EQ(progress_pct(segments_of("dD"), 45, 30), 71);
  EXPECT_EQ(progress_pct(segments_of("DD"), 0, 30), 95);
  EXPECT_EQ(progress_pct(segments_of("DD"), 500, 30), 95);
  EXPECT_EQ(progress_pct({}, 5, 30), 0);
}

TEST(TaskRules, AnEnginesClipIsHalfOfItsSegment) {
  std::vector<Segment> segments = segments_of("uu");
  EXPECT_EQ(frames_of_footage(segments[0], 0.5, 30), 22);
  EXPECT_EQ(frames_of_footage(segments[0], 7, 30), 45);
  EXPECT_EQ(frames_of_footage(segments[0], -1, 30), 0);
  EXPECT_EQ(progress_pct(segments, 45, 30), 23);
  segments[0].footage = plan::SourceKind::kClip;
  EXPECT_EQ(progress_pct(segments, 0, 30), 23) << "the clip is there, nothing drawn";
  EXPECT_EQ(frames_of_drawing(segments[0], 90), 45);
  EXPECT_EQ(frames_of_drawing(segments_of("d")[0], 90), 90);
  EXPECT_EQ(progress_pct(segments, 45, 30), 47);
  segments[0].status = SegmentStatus::kDone;
  EXPECT_EQ(progress_pct(segments, 0, 30), 47);
}

TEST(TaskRules, OnlyWhatDiedAloneAgainAndAgainIsBlamed) {
  int crashes = 0;
  for (int i = 0; i < 20; ++i) crashes = crashes_after_death(crashes, {});
  EXPECT_EQ(crashes, kCrashesBeforeCard - 1) << "however often its neighbours take it with them";
  Job job;
  job.crashes = crashes;
  EXPECT_TRUE(is_poison_suspect(job));
  EXPECT_EQ(crashes_after_death(crashes, {2, 2}), crashes) << "twice may be the power";
  EXPECT_EQ(crashes_after_death(crashes, {3, 3}), kCrashesBeforeCard);
  EXPECT_EQ(crashes_after_death(crashes, {11, 1}), crashes) << "others die as well";
  EXPECT_EQ(crashes_after_death(crashes, {12, 1}), kCrashesBeforeCard) << "but not for ever";
  crashes = kCrashesBeforeCard;
  for (int i = 0; i < 20; ++i) crashes = crashes_after_death(crashes, {});
  EXPECT_EQ(crashes, kCrashesBeforeFailure - 1);
  EXPECT_EQ(crashes_after_death(crashes, {2, 2}), crashes);
  EXPECT_EQ(crashes_after_death(crashes, {3, 3}), kCrashesBeforeFailure);
}

TEST(TaskRules, TheThirdCrashQuarantinesTheSixthFails) {
  EXPECT_EQ(after_crashes(1, 2), CrashVerdict::kGoOn);
  EXPECT_EQ(after_crashes(2, 3), CrashVerdict::kQuarantine);
  EXPECT_EQ(after_crashes(3, 4), CrashVerdict::kGoOn);
  EXPECT_EQ(after_crashes(5, 6), CrashVerdict::kFail);
  EXPECT_EQ(crashes_after_success(2), 0);
  EXPECT_EQ(crashes_after_success(5), kCrashesBeforeCard);
}

// Tenant, priority, seq, held, lead.
TEST(LeaseOrder, FairnessBetweenTenantsThenPriorityThenAge) {
  std::vector<Candidate> candidates{
      {{TaskKind::kRender, "x264"}, "busy", 5, 1, 3, 0},
      {{TaskKind::kPrepare, ""}, "idle", 5, 9, 0, 0},
      {{TaskKind::kPrepare, ""}, "old", 5, 2, 0, 0},
      {{TaskKind::kPrepare, ""}, "old", 6, 10, 0, 0},
      {{TaskKind::kFinish, ""}, "old", 5, 2, 0, 0},
      {{TaskKind::kRender, "x264"}, "ahead", 9, 1, 0, 3000},
      {{TaskKind::kRender, "x264"}, "more ahead", 9, 1, 0, 4000},
  };
  sort_by_turn(candidates);
  std::string order;
  for (const Candidate& candidate : candidates) order += candidate.tenant[0];
  EXPECT_EQ(order, "oooiamb");
  EXPECT_EQ(candidates[0].priority, 6);
  EXPECT_EQ(candidates[1].slot.kind, TaskKind::kFinish);
}

TEST(LeaseOrder, WorkIsMillisecondsOfVideo) {
  EXPECT_EQ(work_of(TaskKind::kRender, 3), 3000);
  EXPECT_GT(work_of(TaskKind::kPrepare, 0), 0);
}

TEST(LeaseOrder, AHandHasASlotForEachEncoder) {
  const LeaseRequest request{
      "w", {TaskKind::kPrepare, TaskKind::kRender, TaskKind::kPrepare}, {"nvenc", "x264"}};
  EXPECT_EQ(slots_of(request), (std::vector<Slot>{{TaskKind::kPrepare, ""},
                                                  {TaskKind::kRender, "nvenc"},
                                                  {TaskKind::kRender, "x264"}}));
}

}  // namespace pytoon::jobs
