// Admission control at run time: a scripted card, a ComfyUI that says what it takes, ticks by hand.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <future>

#include "base/curl_client.h"
#include "server/jobs/admission/memory_ledger.h"
#include "server/worker/gpu_admission.h"
#include "tests/server/worker/quiet_parts.h"
#include "tests/support/eventually.h"
#include "tests/support/fake_comfyui_server.h"

namespace pytoon::worker {

using engines::PromptEnd;
using engines::PromptTurn;
using engines::PromptWish;
using engines::Watch;
using jobs::admission::Bytes;
using jobs::admission::kGiB;
using jobs::admission::kMiB;
using jobs::admission::Lane;
using jobs::admission::Observation;
using jobs::admission::Profile;
using jobs::admission::Promise;
using std::chrono::milliseconds;

inline constexpr const char* kCard = "GPU-0a";
inline constexpr milliseconds kPatience{10'000};

// Shared by the test and the reader that the admission owns.
struct Card {
  std::mutex mutex;
  gpu::GpuReading reading;
  bool gone = false;
  std::uint64_t grows = 0;  // taken between one reading and the next
};

class ScriptedReader final : public gpu::GpuReader {
 public:
  explicit ScriptedReader(Card& card) : card_(card) {}
  std::string source() const override { return "script"; }
  Result<std::vector<gpu::GpuReading>> read() override {
    const std::lock_guard lock(card_.mutex);
    if (card_.gone) return failure(FailureKind::kUnavailable, "the driver is gone");
    const std::vector<gpu::GpuReading> read{card_.reading};
    card_.reading.free_bytes -= card_.grows;
    return read;
  }

 private:
  Card& card_;
};

class Profiles final : public jobs::admission::ProfileStore {
 public:
  Result<Profile> profile(const Profile& prior) override {
    const auto known = known_.find(prior.workflow);
    return known == known_.end() ? prior : known->second;
  }
  Result<Profile> learn(const Profile& prior, const Observation& seen,
                        const jobs::admission::ProfileOptions& options) override {
    observed.push_back(seen);
    return known_[prior.workflow] = jobs::admission::learned(*profile(prior), seen, options);
  }
  std::vector<Observation> observed;

 private:
  std::map<std::string, Profile> known_;
};

// What the database says of the fleet.
class Generations final : public jobs::admission::GenerationQueue {
 public:
  Result<std::vector<jobs::admission::QueuedGeneration>> generations(const std::string& engine,
                                                                     int) override {
    ++asked;
    if (engine != "comfyui") return std::vector<jobs::admission::QueuedGeneration>{};
    return queued;
  }
  std::vector<jobs::admission::QueuedGeneration> queued;
  std::atomic<int> asked{0};
};

class GpuAdmissionTest : public testing::Test {
 protected:
  GpuAdmissionTest() {
    card_.reading.uuid = kCard;
    card_.reading.total_bytes = std::uint64_t{24} << 30;
    options_.render_patience = milliseconds(50);
    options_.controller.room_interval = milliseconds(0);
    set(0, 0);
  }

  void make() {
    PromiseKeeper::Card own;
    own.gpu = kCard;
    GpuAdmission::Parts parts{ledger_, profiles_,  generations_, metrics_, clock_,
                              log_,    "worker-1", nullptr,      own,      {&server_}};
    parts.reader = std::make_unique<ScriptedReader>(card_);
    admission_ = std::make_unique<GpuAdmission>(std::move(parts), options_);
  }
  void open() {
    make();
    admission_->tick();
  }
  // What ComfyUI and others take, besides ComfyUI's context.
  void set(double comfyui_gib, double foreign_gib) {
    const std::lock_guard lock(card_.mutex);
    const auto taken = static_cast<std::uint64_t>((comfyui_gib + foreign_gib + 0.75) * kGiB);
    card_.reading.free_bytes = card_.reading.total_bytes - taken;
    comfy_.vram.free = static_cast<std::int64_t>(card_.reading.free_bytes);
    comfy_.vram.reserved = static_cast<std::int64_t>(comfyui_gib * kGiB);
  }
  PromptWish wish(const std::string& model = "wan", double weights = 8, double tiled = 2,
                  double full = 5) {
    PromptWish made;
    made.task = model + "-" + std::to_string(++tasks_);
    made.engine = "comfyui";
    made.workflow = model;
    made.prior = {model,
                  static_cast<Bytes>(weights * kGiB),
                  static_cast<Bytes>(full * kGiB),
                  static_cast<Bytes>(tiled * kGiB),
                  milliseconds(10'000),
                  milliseconds(60'000)};
    made.endpoints = {server_.base().origin};
    made.waiting_since = clock_.now();
    return made;
  }
  using Turn = Result<std::unique_ptr<PromptTurn>>;
  std::future<Turn> ask(PromptWish wanted, Watch watch = {}) {
    watch.waiting = [this](const std::string& why) {
      const std::lock_guard lock(card_.mutex);
      why_ = why;
    };
    return std::async(std::launch::async, [this, wanted = std::move(wanted), watch] {
      return admission_->prompts().wait_turn(wanted, watch);
    });
  }
  std::string why() {
    const std::lock_guard lock(card_.mutex);
    return why_;
  }
  bool ready(std::future<Turn>& turn) {
    return turn.wait_for(milliseconds(0)) == std::future_status::ready;
  }
  template <typename Condition>
  void becomes(const Condition& holds) {
    EXPECT_TRUE(support::eventually(holds, kPatience)) << why();
  }
  // Ticks until it has its turn.
  Turn ticked(std::future<Turn>& turn) {
    const bool came = support::eventually(
        [&] {
          admission_->tick();
          return ready(turn);
        },
        kPatience);
    EXPECT_TRUE(came) << why();
    if (!came) return failure(FailureKind::kTimeout, "the test waited in vain");
    return turn.get();
  }
  std::vector<Promise> promises() { return ledger_.state(kCard)->promises; }

  SystemClock clock_;
  std::ostringstream lines_;
  Log log_{clock_, lines_};
  testing_support::RecordingMetrics metrics_;
  Card card_;
  Profiles profiles_;
  Generations generations_;
  jobs::admission::MemoryLedger ledger_{clock_, {}};
  support::FakeComfyServer comfy_;
  CurlClient http_;
  engines::ComfyServer server_{
      http_, clock_, parse_web_address(comfy_.url()).value(), EgressScope::kPrivate, {}};
  GpuAdmission::Options options_;
  std::unique_ptr<GpuAdmission> admission_;
  std::string why_;
  int tasks_ = 0;
};

}  // namespace pytoon::worker
