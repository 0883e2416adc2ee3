// A job that is prepared while its card is full: who composes it.
#include <atomic>
#include <thread>

#include "tests/server/worker/gpu_admission_fixture.h"
#include "tests/server/worker/run_fixture.h"

namespace pytoon::worker {
namespace {

class FullCardTest : public RunFixture {
 protected:
  void SetUp() override {
    RunFixture::SetUp();
    renderer_.encoder_list = {{"cuda+libx264", "", true}, {"libx264", "", false}};
    renderer_.on_cost = [](int) {
      render::SegmentCost cost;
      cost.pool.textures = std::uint64_t{512} << 20;
      cost.expected = milliseconds(2000);  // 14 s on a core
      return Result<render::SegmentCost>(cost);
    };
  }

  std::unique_ptr<GpuAdmission> on_card(double free_gib, GpuAdmission::Options options = {}) {
    card_.reading.uuid = kCard;
    card_.reading.total_bytes = std::uint64_t{24} << 30;
    card_.reading.free_bytes = static_cast<std::uint64_t>(free_gib * kGiB);
    PromiseKeeper::Card own;
    own.gpu = kCard;
    GpuAdmission::Parts parts{store_->promises(),
                              store_->profiles(),
                              store_->generations(),
                              metrics_,
                              clock_,
                              log_,
                              "worker",
                              std::make_unique<ScriptedReader>(card_),
                              own,
                              {}};
    auto admission = std::make_unique<GpuAdmission>(std::move(parts), options);
    admission->tick();
    return admission;
  }

  // The job's row once it is prepared, on a card with so much free, by workers of so many threads.
  jobs::Job prepared(double free_gib, int threads) {
    const auto admission = on_card(free_gib);
    jobs::WorkerInfo facts;
    facts.worker_id = "worker";
    facts.threads = threads;
    EXPECT_TRUE(store_->upsert_worker(facts));
    WorkerDependencies deps = parts();
    deps.gpu_admission = admission.get();
    Options options = options_;
    options.worker_id = "worker";
    Worker worker(deps, *store_, options, facts);
    submit(order("a"));
    EXPECT_TRUE(step(worker));
    return job("a");
  }

  // How many of a job's five segments are drawn at the same time by a worker of so many threads.
  int drawn_at_once(int threads) {
    GpuAdmission::Options on_card_options;
    on_card_options.render_threads = threads;
    const auto admission = on_card(20, on_card_options);
    WorkerDependencies deps = parts();
    deps.gpu_admission = admission.get();
    Options options = options_;
    options.worker_id = "worker";
    options.render_threads = threads;
    Worker worker(deps, *store_, options, {});
    submit(order("a", 5));
    EXPECT_TRUE(step(worker));
    std::atomic<int> inside = 0;
    const int expected = std::min(threads, 5);
    renderer_.on_render = [&](int, plan::SourceKind, const CancelToken&) {
      ++inside;
      support::eventually([&] { return inside >= expected; }, milliseconds(5000));
      return ok_status();
    };
    std::vector<std::thread> drawing;
    for (int i = 0; i < threads; ++i) {
      drawing.emplace_back([&worker] { worker.step(0); });
    }
    for (std::thread& thread : drawing) thread.join();
    return renderer_.most_running();
  }

  Card card_;
};

TEST_F(FullCardTest, SixteenThreadsHaveAllPiecesOfAJobInWorkAtOnce) {
  renderer_.on_cost = [](int) {
    render::SegmentCost cost;
    cost.pool.textures = std::uint64_t{512} << 20;
    cost.pieces = 2;
    return Result<render::SegmentCost>(cost);
  };
  EXPECT_EQ(drawn_at_once(16), 5) << "of two pieces each";
}

TEST_F(FullCardTest, TwoThreadsHaveTwoSegments) { EXPECT_EQ(drawn_at_once(2), 2); }

TEST_F(FullCardTest, IdleCoresComposeItAndItSaysWhy) {
  const jobs::Job job = prepared(0.7, 8);
  EXPECT_EQ(job.encoder, "libx264");
  EXPECT_EQ(job.degraded.find("cuda+libx264 gave way to libx264: vram_exhausted: goes to the CPU "
                              "compositor: needs 512 MiB on GPU-0a; 717 MiB free"),
            0U)
      << job.degraded;
  EXPECT_TRUE(job.fallback_used);
  EXPECT_EQ(logged("encoder_degraded"), 1);
}

TEST_F(FullCardTest, WithoutIdleCoresItWaitsForTheCard) {
  EXPECT_EQ(prepared(0.7, 1).encoder, "cuda+libx264");
}

TEST_F(FullCardTest, OneWithRoomComposesIt) {
  const jobs::Job job = prepared(20, 8);
  EXPECT_EQ(job.encoder, "cuda+libx264");
  EXPECT_EQ(job.degraded, "");
  EXPECT_FALSE(job.fallback_used);
}

}  // namespace
}  // namespace pytoon::worker
