#include "server/jobs/waiting.h"

#include <gtest/gtest.h>

namespace pytoon::jobs {
namespace {

WorkerInfo worker_with(int threads, int busy) {
  WorkerInfo worker;
  worker.worker_id = "w";
  worker.threads = threads;
  worker.encoders = {"libx264"};
  worker.engines = {"api"};
  worker.pools = {{"render", threads, busy, 0, 0}, {"audio", 1, 1, 0, 0}};
  return worker;
}

const std::optional<ReadyTask> kPreparing = ReadyTask{};

std::string queued(std::int64_t position, const std::vector<WorkerInfo>& workers) {
  Job job;
  job.queue_position = position;
  return waiting_text(job, kPreparing, workers);
}

std::string rendering(const std::string& encoder, const std::string& engine,
                      const std::vector<WorkerInfo>& workers) {
  Job job;
  job.status = JobStatus::kRenderingSegments;
  return waiting_text(job, ReadyTask{encoder, engine}, workers);
}

TEST(WaitingText, ATasksOwnWordsComeFirst) {
  Job job;
  job.status = JobStatus::kRenderingSegments;
  job.waiting_for = "needs 6.1 GiB on GPU-A";
  EXPECT_EQ(waiting_text(job, ReadyTask{"gone264", ""}, {}), "needs 6.1 GiB on GPU-A");
}

TEST(WaitingText, AQueuedJobWaitsForItsTurnOrAWorker) {
  EXPECT_EQ(queued(4, {worker_with(2, 2)}), "its turn: 3 jobs are ahead of it");
  EXPECT_EQ(queued(2, {worker_with(2, 0)}), "its turn: 1 job is ahead of it");
  EXPECT_EQ(queued(1, {worker_with(2, 0)}), "");
  EXPECT_EQ(queued(1, {worker_with(2, 2)}), "a render thread: all 2 are busy");
  EXPECT_EQ(queued(4, {}), "a worker: none is running");
  WorkerInfo leaving = worker_with(2, 0);
  leaving.draining = true;
  EXPECT_EQ(queued(1, {leaving}), "a worker: none is running");
}

TEST(WaitingText, ATaskWaitsForWhatNobodyHas) {
  EXPECT_EQ(rendering("h264_nvenc", "", {worker_with(2, 0)}),
            "the encoder h264_nvenc: no live worker has it");
  EXPECT_EQ(rendering("libx264", "", {worker_with(2, 0)}), "");
  EXPECT_EQ(rendering("", "local_comfyui", {worker_with(2, 0)}),
            "the engine local_comfyui: no live worker has it");
  EXPECT_EQ(rendering("", "api", {worker_with(2, 1)}), "");
}

TEST(WaitingText, ThreadsOfAllWorkersCount) {
  EXPECT_EQ(rendering("libx264", "", {worker_with(2, 2), worker_with(1, 1)}),
            "a render thread: all 3 are busy");
  EXPECT_EQ(rendering("libx264", "", {worker_with(2, 2), worker_with(2, 1)}), "");
  EXPECT_EQ(rendering("libx264", "", {worker_with(1, 1)}), "a render thread: the only one is busy");
}

TEST(WaitingText, WhatMovesOrHasEndedWaitsForNothing) {
  Job job;
  job.status = JobStatus::kRenderingSegments;
  EXPECT_EQ(waiting_text(job, std::nullopt, {}), "") << "somebody holds a task of it";
  job.status = JobStatus::kDone;
  EXPECT_EQ(waiting_text(job, ReadyTask{}, {}), "");
}

}  // namespace
}  // namespace pytoon::jobs
