// What follows what: which tasks a job needs next, what a crash leads to, how far it has come.
// Pure; the store asks inside the transaction of the write.
#pragma once

#include <vector>

#include "server/jobs/task_store.h"

namespace pytoon::jobs {

// A piece of work of one job.
struct Task {
  TaskKind kind = TaskKind::kPrepare;
  int segment = -1;  // of kFootage and kRender
  bool operator==(const Task&) const = default;
};

// The tasks to add to those that the job has (`open`, ready or held):
//   while it is being prepared: none;
//   else footage for each segment that is not DONE and whose footage is undecided;
//   when none is undecided, rendering of each segment that is not DONE;
//   when all are DONE and nothing is open, finishing.
// Audio is no part of it: who finds out that audio is needed adds that task.
std::vector<Task> tasks_to_add(const std::vector<Segment>& segments, const std::vector<Task>& open);

// Where a prepared job stands: ASSEMBLING once all that is left is to finish it.
JobStatus status_with(const std::vector<Task>& open);

bool footage_decided(const std::vector<Segment>& segments);  // of all that are not DONE
int count_open(const std::vector<Segment>& segments);        // not DONE

inline constexpr int kPctWhenDrawn = 95;  // of a job's progress; the rest is assembling
// 0 to that: the share of frames drawn. A clip that an engine made is half of
// its segment's frames, drawing over it the other half. `frames` are those of the segments under
// way, as the two functions below count them.
int progress_pct(const std::vector<Segment>& segments, int frames, int fps);
int percents_of(const std::vector<Segment>& segments, int frames,
                int fps);                                              // of these frames alone
int frames_of_footage(const Segment& segment, double share, int fps);  // of the clip, 0..1
int frames_of_drawing(const Segment& segment, int frames);             // `frames` drawn

enum class CrashVerdict { kGoOn, kQuarantine, kFail };
// For a job whose crashes in a row grew from `before` to `now`.
CrashVerdict after_crashes(int before, int now);
// Deaths of workers that did nothing but one and the same task; 0: it was not alone.
struct DeathsAlone {
  int all = 0;
  int in_row = 0;  // with no worker dying of other work between them
};
// The crashes in a row of a job whose worker died. Nobody knows of what: a signal, the power, a
// neighbour. So a death makes the job a suspect at most, whose tasks compute alone from then on. It
// is blamed when one of them dies alone three times while nobody else does; where workers die of
// other things too, that is the likelier cause, and it takes many more.
int crashes_after_death(int crashes, const DeathsAlone& deaths);
// Such a job's tasks compute alone.
bool is_poison_suspect(const Job& job);
// A piece of work ended well: the row is over. A quarantined job stays one.
int crashes_after_success(int crashes);

// The segment as card footage, to be rendered anew.
Segment as_card(const Segment& segment);
// The segment to be rendered anew from the footage it has.
Segment anew(const Segment& segment);
// As a retry finds it: a finished one stays, of the others all decisions are forgotten.
Segment for_retry(const Segment& segment);

}  // namespace pytoon::jobs
