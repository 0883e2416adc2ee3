#include "server/jobs/task_rules.h"

#include <algorithm>

namespace pytoon::jobs {
namespace {

constexpr int kShareOfClip = 2;  // one in so many frames

bool has(const std::vector<Task>& tasks, const Task& task) {
  return std::find(tasks.begin(), tasks.end(), task) != tasks.end();
}

bool undecided(const Segment& segment) {
  return segment.status != SegmentStatus::kDone && !segment.footage;
}

}  // namespace

std::vector<Task> tasks_to_add(const std::vector<Segment>& segments,
                               const std::vector<Task>& open) {
  std::vector<Task> add;
  if (has(open, {TaskKind::kPrepare})) return add;
  const bool decided = footage_decided(segments);
  for (const Segment& segment : segments) {
    const Task task{decided ? TaskKind::kRender : TaskKind::kFootage, segment.index};
    const bool wanted = decided ? segment.status != SegmentStatus::kDone : undecided(segment);
    if (wanted && !has(open, task)) add.push_back(task);
  }
  if (add.empty() && open.empty()) add.push_back({TaskKind::kFinish});
  return add;
}

JobStatus status_with(const std::vector<Task>& open) {
  return has(open, {TaskKind::kFinish}) ? JobStatus::kAssembling : JobStatus::kRenderingSegments;
}

bool footage_decided(const std::vector<Segment>& segments) {
  return std::none_of(segments.begin(), segments.end(), undecided);
}

int count_open(const std::vector<Segment>& segments) {
  return static_cast<int>(
      std::count_if(segments.begin(), segments.end(),
                    [](const Segment& segment) { return segment.status != SegmentStatus::kDone; }));
}

int frames_of_footage(const Segment& segment, double share, int fps) {
  const double frames = segment.duration_seconds * fps / kShareOfClip;
  return static_cast<int>(frames * std::clamp(share, 0.0, 1.0));
}

int frames_of_drawing(const Segment& segment, int frames) {
  return segment.footage == plan::SourceKind::kClip ? frames - frames / kShareOfClip : frames;
}

int progress_pct(const std::vector<Segment>& segments, int frames, int fps) {
  int drawn = frames;
  for (const Segment& segment : segments) {
    if (segment.status == SegmentStatus::kDone) {
      drawn += segment.duration_seconds * fps;
    } else if (segment.footage == plan::SourceKind::kClip) {
      drawn += frames_of_footage(segment, 1, fps);
    }
  }
  return percents_of(segments, drawn, fps);
}

int percents_of(const std::vector<Segment>& segments, int frames, int fps) {
  int all = 0;
  for (const Segment& segment : segments) all += segment.duration_seconds * fps;
  return all == 0 ? 0 : kPctWhenDrawn * std::min(frames, all) / all;
}

CrashVerdict after_crashes(int before, int now) {
  if (now < kCrashesBeforeCard) return CrashVerdict::kGoOn;
  if (before < kCrashesBeforeCard) return CrashVerdict::kQuarantine;
  return now < kCrashesBeforeFailure ? CrashVerdict::kGoOn : CrashVerdict::kFail;
}

int crashes_after_death(int crashes, const DeathsAlone& deaths) {
  constexpr int kInRowToBlame = 3;
  constexpr int kInAllToBlame = 12;
  const int limit = crashes < kCrashesBeforeCard ? kCrashesBeforeCard : kCrashesBeforeFailure;
  const bool blamed = deaths.in_row >= kInRowToBlame || deaths.all >= kInAllToBlame;
  return std::min(crashes + 1, blamed ? limit : limit - 1);
}

bool is_poison_suspect(const Job& job) { return job.crashes >= kCrashesBeforeCard - 1; }

int crashes_after_success(int crashes) {
  return crashes >= kCrashesBeforeCard ? kCrashesBeforeCard : 0;
}

Segment anew(const Segment& segment) {
  Segment fresh;
  fresh.index = segment.index;
  fresh.duration_seconds = segment.duration_seconds;
  fresh.footage = segment.footage;
  fresh.footage_key = segment.footage_key;
  fresh.footage_sha256 = segment.footage_sha256;
  fresh.engine_used = segment.engine_used;
  return fresh;
}

Segment as_card(const Segment& segment) {
  Segment card;
  card.index = segment.index;
  card.duration_seconds = segment.duration_seconds;
  card.footage = plan::SourceKind::kCard;
  card.engine_used = "template";
  return card;
}

Segment for_retry(const Segment& segment) {
  if (segment.status == SegmentStatus::kDone) return segment;
  Segment fresh;
  fresh.index = segment.index;
  fresh.duration_seconds = segment.duration_seconds;
  return fresh;
}

}  // namespace pytoon::jobs
