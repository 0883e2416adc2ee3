#include "server/jobs/job.h"

#include "server/jobs/name_table.h"
#include "server/jobs/task_store.h"

namespace pytoon::jobs {
namespace {

constexpr std::array kJobNames{
    Name<JobStatus>{JobStatus::kQueued, "QUEUED"},
    Name<JobStatus>{JobStatus::kPlanning, "PLANNING"},
    Name<JobStatus>{JobStatus::kRenderingSegments, "RENDERING_SEGMENTS"},
    Name<JobStatus>{JobStatus::kAssembling, "ASSEMBLING"},
    Name<JobStatus>{JobStatus::kDone, "DONE"},
    Name<JobStatus>{JobStatus::kFailed, "FAILED"},
    Name<JobStatus>{JobStatus::kCancelled, "CANCELLED"},
};

constexpr std::array kSegmentNames{
    Name<SegmentStatus>{SegmentStatus::kPending, "PENDING"},
    Name<SegmentStatus>{SegmentStatus::kRunning, "RUNNING"},
    Name<SegmentStatus>{SegmentStatus::kDone, "DONE"},
    Name<SegmentStatus>{SegmentStatus::kFailed, "FAILED"},
};

constexpr std::array kTaskKindNames{
    Name<TaskKind>{TaskKind::kPrepare, "prepare"}, Name<TaskKind>{TaskKind::kFootage, "footage"},
    Name<TaskKind>{TaskKind::kAudio, "audio"},     Name<TaskKind>{TaskKind::kRender, "render"},
    Name<TaskKind>{TaskKind::kFinish, "finish"},
};

}  // namespace

std::string_view name_of(JobStatus status) { return name_in(kJobNames, status); }
std::string_view name_of(SegmentStatus status) { return name_in(kSegmentNames, status); }

std::string_view name_of(TaskKind kind) { return name_in(kTaskKindNames, kind); }

std::optional<JobStatus> job_status_from_name(std::string_view name) {
  return value_in(kJobNames, name);
}

std::optional<SegmentStatus> segment_status_from_name(std::string_view name) {
  return value_in(kSegmentNames, name);
}

std::optional<TaskKind> task_kind_from_name(std::string_view name) {
  return value_in(kTaskKindNames, name);
}

bool is_terminal(JobStatus status) {
  return status == JobStatus::kDone || status == JobStatus::kFailed ||
         status == JobStatus::kCancelled;
}

std::string job_file_key(const std::string& job_id, const std::string& file) {
  return "jobs/" + job_id + "/" + file;
}

std::string output_folder_of(const std::string& job_id, int run, std::int64_t epoch) {
  return "outputs/" + job_id + "/" + std::to_string(run) + "." + std::to_string(epoch);
}

std::string output_key(const Job& job, const std::string& file) {
  return job.output_folder.empty() ? job_file_key(job.id, file) : job.output_folder + "/" + file;
}

std::string segment_link_key(const std::string& job_id, int index) {
  return job_file_key(job_id, segment_file(index));
}

std::string segment_file(int index) {
  const std::string digits = std::to_string(index);
  const std::string zeros(digits.size() < 3 ? 3 - digits.size() : 0, '0');
  return "segments/seg_" + zeros + digits + ".mp4";
}

}  // namespace pytoon::jobs
