// Pools by purpose: none starves another, engines are asked no more at once than they have slots,
// and what hangs is counted, replaced and handed back.
#include <condition_variable>

#include "engines/fake_engine.h"
#include "server/worker/worker_pool.h"
#include "tests/server/worker/run_fixture.h"
#include "tests/support/eventually.h"

namespace pytoon::worker {
namespace {

using jobs::JobStatus;

constexpr const char* kPlain = "product_hero_clean";
constexpr const char* kGenerated = "generated";

// Holds whoever comes until it is opened.
class Gate {
 public:
  ~Gate() { open(); }
  void wait() {
    std::unique_lock lock(mutex_);
    ++inside_;
    most_ = std::max(most_, inside_);
    changed_.wait_for(lock, std::chrono::seconds(60), [this] { return open_; });
    --inside_;
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  int inside() {
    const std::lock_guard lock(mutex_);
    return inside_;
  }
  int most() {
    const std::lock_guard lock(mutex_);
    return most_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int inside_ = 0;
  int most_ = 0;
};

// Real threads and real time; waits end on events and only give up after kPatience.
class WorkerPools : public RunFixture {
 protected:
  static constexpr std::chrono::seconds kPatience{20};

  void SetUp() override {
    RunFixture::SetUp();
    presets_[kGenerated].engines = {"comfyui", "api"};
    options_.worker_id = "worker";
    options_.back_off = milliseconds(1);
    ladder_options_.least = milliseconds(1);
  }
  void TearDown() override {
    gate_.open();
    if (threads_) threads_->stop();
  }

  using Supply = std::function<Result<plan::SegmentSource>(const engines::FootageRequest&,
                                                           const engines::Watch&)>;
  void have_engine(const std::string& name, int slots, Supply generate, bool remote = false) {
    engines::FakeEngine::Script script;
    script.remote = remote;
    script.capabilities.archetypes = {spec::Archetype::kProductHero, spec::Archetype::kOverlay,
                                      spec::Archetype::kMemeText};
    script.capabilities.image_to_video = true;
    script.capabilities.slots = slots;
    script.generate = std::move(generate);
    engines_.push_back(std::make_unique<engines::FakeEngine>(name, script));
  }
  static Result<plan::SegmentSource> a_clip(const engines::FootageRequest& request) {
    const std::string bytes = "clip " + request.key();
    EXPECT_TRUE(write_file_atomically(request.output, bytes));
    plan::SegmentSource supplied(plan::SourceKind::kClip);
    supplied.clip = plan::InputFile{request.output, sha256_hex(bytes)};
    return supplied;
  }
  Supply waiting_at(Gate& gate) {
    return [&gate](const engines::FootageRequest& request, const engines::Watch&) {
      gate.wait();
      return a_clip(request);
    };
  }
  void start(int render_threads = 2) {
    options_.render_threads = render_threads;
    for (auto& drawing : only_the_compositor()) engines_.push_back(std::move(drawing));
    ladder_of_all_ =
        std::make_unique<engines::EngineChain>(std::move(engines_), real_clock_, ladder_options_);
    const WorkerDependencies real{*store_,  *store_,  *storage_,   renderer_, *ladder_of_all_,
                                  presets_, metrics_, real_clock_, log_,      process_};
    worker_ = std::make_unique<Worker>(real, *store_, options_, jobs::WorkerInfo{});
    threads_ =
        std::make_unique<WorkerPool>(*worker_, PoolOptions{milliseconds(20), milliseconds(5)});
    threads_->start();
  }
  void submit_with(const std::string& id, const std::string& preset, int segments = 2,
                   bool music = false) {
    auto made = order(id, segments);
    made.job.spec.preset_id = preset;
    made.job.spec.brand_safe = false;
    if (music) {
      keep_image("assets/acme/music.mp3", "music");
      made.job.spec.assets.music = "storage://assets/acme/music.mp3";
    }
    submit(made);
  }
  // The store's time goes on while we wait.
  template <typename Condition>
  bool eventually(const Condition& condition) {
    return support::eventually(
        [&] {
          clock_.advance(milliseconds(1));
          return condition();
        },
        kPatience);
  }
  bool ends(const std::string& id) {
    return eventually([&] { return job(id).status == JobStatus::kDone; });
  }
  jobs::PoolState pool(const std::string& name) {
    for (const jobs::PoolState& state : worker_->pool_states()) {
      if (state.name == name) return state;
    }
    ADD_FAILURE() << "there is no pool " << name;
    return {};
  }

  SystemClock real_clock_;
  Gate gate_;
  std::vector<std::unique_ptr<engines::Engine>> engines_;
  engines::EngineChainOptions ladder_options_;
  std::unique_ptr<engines::EngineChain> ladder_of_all_;
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<WorkerPool> threads_;
};

TEST_F(WorkerPools, SlowGenerationsStopNeitherTheAudioNorTheFinishOfOtherJobs) {
  have_engine("comfyui", 4, waiting_at(gate_));
  submit_with("slow", kGenerated, 4);
  start();
  ASSERT_TRUE(eventually([&] { return gate_.inside() == 4; }));
  submit_with("quick", kPlain, 2, true);
  EXPECT_TRUE(ends("quick"));
  EXPECT_EQ(gate_.inside(), 4);
  EXPECT_EQ(pool("engine:comfyui").busy, 4);
  EXPECT_EQ(pool("engine:comfyui").breaker, "closed");
  EXPECT_EQ(pool("render").breaker, "");
  EXPECT_TRUE(eventually([&] { return pool("render").busy == 0; }));  // its end was seen first
  gate_.open();
  EXPECT_TRUE(ends("slow"));
}

TEST_F(WorkerPools, SlowAudioStopsNeitherDrawingNorEngines) {
  have_engine("comfyui", 1, [](const auto& request, const auto&) { return a_clip(request); });
  renderer_.on_audio = [this](const CancelToken&) {
    gate_.wait();
    return ok_status();
  };
  submit_with("loud", kPlain, 2, true);
  start();
  ASSERT_TRUE(eventually([&] { return gate_.inside() == 1; }));
  submit_with("generated", kGenerated, 2);
  EXPECT_TRUE(ends("generated"));
  gate_.open();
  EXPECT_TRUE(ends("loud"));
}

TEST_F(WorkerPools, AnEngineIsAskedNoMoreAtOnceThanItHasSlots) {
  have_engine("comfyui", 2, waiting_at(gate_));
  submit_with("a", kGenerated, 6);
  start();
  ASSERT_TRUE(eventually([&] { return gate_.inside() == 2; }));
  real_clock_.sleep_for(milliseconds(100));  // nobody else comes
  EXPECT_EQ(gate_.inside(), 2);
  // What no slot is free for is leased to nobody: another worker may take it.
  const jobs::LeaseRequest other{"other", {jobs::TaskKind::kFootage}, {}, {"comfyui"}};
  EXPECT_TRUE(*store_->lease_next(other, milliseconds(1)));
  gate_.open();
  EXPECT_TRUE(ends("a"));
  EXPECT_EQ(gate_.most(), 2);
}

TEST_F(WorkerPools, AnEngineThatGivesNothingHandsOnToTheSlotsOfTheNext) {
  Gate api_gate;
  have_engine("comfyui", 1, [](const auto&, const auto&) {
    return Result<plan::SegmentSource>(failure(FailureKind::kEngine, "gave nothing"));
  });
  have_engine("api", 1, waiting_at(api_gate), true);
  submit_with("a", kGenerated, 3);
  start();
  // The others are no longer comfyui's, and wait for the one slot of api.
  ASSERT_TRUE(eventually([&] {
    const auto rows = *store_->segments("a");
    return api_gate.inside() == 1 && std::all_of(rows.begin(), rows.end(), [](const auto& row) {
             return row.engine_next == "api";
           });
  }));
  EXPECT_TRUE(eventually([&] { return pool("engine:comfyui").busy == 0; }));  // as above
  api_gate.open();
  ASSERT_TRUE(ends("a"));
  EXPECT_EQ(api_gate.most(), 1);
  EXPECT_EQ(job("a").attempts, 0);
  EXPECT_TRUE(job("a").fallback_used);
  EXPECT_EQ(job("a").fallback_reason, "comfyui: gave nothing");
  threads_->stop();
  EXPECT_EQ(logged("lease_lost"), 0);
}

// A healthy run warns of nothing: a lease is not lost because its task has just ended.
TEST_F(WorkerPools, AThousandQuietRendersLoseNoLease) {
  for (int i = 0; i < 50; ++i) submit_with("job" + std::to_string(i), kPlain, 20, i % 5 == 0);
  start(4);
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(ends("job" + std::to_string(i))) << i;
  EXPECT_EQ(renderer_.calls(), 1000);
  threads_->stop();
  EXPECT_EQ(metrics_.lost, 0);
  EXPECT_EQ(logged("lease_lost"), 0);
  EXPECT_EQ(lines_.str().find("\"level\":\"warning\""), std::string::npos);
}

// Engines may think for minutes: a job that crashed before need not wait for them.
TEST_F(WorkerPools, ASuspectDoesNotWaitForTheEnginesOfOthers) {
  have_engine("comfyui", 1, waiting_at(gate_));
  submit_with("slow", kGenerated, 1);
  start();
  ASSERT_TRUE(eventually([&] { return gate_.inside() == 1; }));
  worker_->set_draining(true);
  submit_with("suspect", kPlain, 1);
  ASSERT_TRUE(step(*worker("first")));  // prepares it
  crash_twice("suspect");
  worker_->set_draining(false);
  EXPECT_TRUE(ends("suspect"));
  EXPECT_EQ(gate_.inside(), 1);
  gate_.open();
  EXPECT_TRUE(ends("slow"));
}

// ---- what hangs

TEST_F(WorkerPools, ALostThreadIsCountedReplacedAndItsTaskDoneByAnother) {
  options_.stuck_after = milliseconds(100);
  std::atomic<bool> hang{true};
  std::atomic<bool> meet{false};
  std::atomic<int> together{0};
  renderer_.on_render = [&](int, plan::SourceKind, const CancelToken&) {
    if (hang.exchange(false)) {
      gate_.wait();  // deaf to its cancel
    } else if (meet) {
      ++together;
      EXPECT_TRUE(eventually([&] { return together == 3; }));
    }
    return ok_status();
  };
  submit_with("a", kPlain, 3);
  start(3);
  ASSERT_TRUE(eventually([&] { return pool("render").lost == 1; }));
  EXPECT_TRUE(ends("a"));
  EXPECT_EQ(job("a").attempts, 1);
  EXPECT_TRUE(process_.usable()) << "one of three";
  // All three places are taken by threads that work.
  meet = true;
  submit_with("b", kPlain, 3);
  EXPECT_TRUE(ends("b"));
  gate_.open();
  EXPECT_TRUE(eventually([&] { return pool("render").lost == 0; }));
  threads_->stop();
  EXPECT_EQ(logged("thread_abandoned"), 1);
}

TEST_F(WorkerPools, WhenHalfOfAPoolIsLostTheProcessIsUnusable) {
  options_.stuck_after = milliseconds(50);
  renderer_.on_render = [&](int, plan::SourceKind, const CancelToken&) {
    gate_.wait();
    return ok_status();
  };
  submit_with("a", kPlain, 1);
  start(2);
  ASSERT_TRUE(eventually([&] { return !process_.usable(); }));
  EXPECT_EQ(process_.reason(), "1 of 2 threads of the pool render hang");
  gate_.open();
}

TEST_F(WorkerPools, AnEngineThatIgnoresItsLimitsIsGivenUp) {
  options_.stuck_after = milliseconds(50);
  ladder_options_.health = milliseconds(100);
  ladder_options_.generate = milliseconds(200);
  std::atomic<bool> hang{true};
  have_engine("comfyui", 3, [&](const auto& request, const auto&) {
    if (hang.exchange(false)) gate_.wait();
    return a_clip(request);
  });
  submit_with("a", kGenerated, 2);
  start();
  EXPECT_TRUE(eventually([&] { return pool("engine:comfyui").lost == 1; }));
  EXPECT_TRUE(ends("a"));
  EXPECT_TRUE(process_.usable()) << "one of three";
  gate_.open();
  threads_->stop();
  EXPECT_GE(logged("task_stuck"), 1);
}

}  // namespace
}  // namespace pytoon::worker
