// The reader and the sampler over a fake libnvidia-ml.so.1, which this program's run path finds.
#include "gpu/nvml/nvml.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/clock.h"
#include "base/files.h"
namespace pytoon::gpu {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t kMib = std::uint64_t{1} << 20;

// Stands still until it is told.
class ManualClock final : public Clock {
 public:
  WallTime now() const override { return WallTime(now_.time_since_epoch()); }
  SteadyTime steady_now() const override { return SteadyTime(now_.time_since_epoch()); }
  void sleep_for(std::chrono::milliseconds duration) override { advance(duration); }
  void advance(std::chrono::milliseconds by) { now_ += by; }

 private:
  WallTime now_{std::chrono::hours(1)};
};

class Nvml : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("pytoon_nvml_" + std::to_string(::getpid()));
    fs::create_directories(folder_ / "taken");
    ::setenv("PYTOON_FAKE_NVML", folder_.c_str(), 1);
    write("gpus", "GPU-a 81920 reserved=600 encoder=2\nGPU-b 24576\n");
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(write_file_atomically(folder_ / name, text));
  }
  static std::vector<GpuReading> read() {
    auto reader = open_nvml();
    EXPECT_TRUE(reader) << reader.failure().detail;
    auto gpus = (*reader)->read();
    EXPECT_TRUE(gpus);
    return gpus ? *gpus : std::vector<GpuReading>{};
  }

  fs::path folder_;
};

TEST_F(Nvml, TellsMemoryProgramsAndEncoderSessions) {
  write("taken/one", "GPU-a 100 595\nGPU-b 100 10\n");
  write("taken/comfyui", "GPU-a 200 18000\nGPU-a 300 -\n");
  const auto gpus = read();
  ASSERT_EQ(gpus.size(), 2U);
  EXPECT_EQ(gpus[0].uuid, "GPU-a");
  EXPECT_EQ(gpus[0].name, "Fake GPU");
  EXPECT_EQ(gpus[0].total_bytes, 81920 * kMib);
  EXPECT_EQ(gpus[0].reserved_bytes, 600 * kMib);
  EXPECT_EQ(gpus[0].free_bytes, (81920 - 600 - 595 - 18000) * kMib);
  EXPECT_EQ(gpus[0].encoder_sessions, 2);
  ASSERT_EQ(gpus[0].processes.size(), 3U);
  int unknown = 0;
  for (const GpuProcess& process : gpus[0].processes) {
    unknown += process.used_bytes ? 0 : 1;
    if (process.pid == 200) {
      EXPECT_EQ(process.used_bytes, 18000 * kMib);
    }
  }
  EXPECT_EQ(unknown, 1);
  EXPECT_FALSE(gpus[1].encoder_sessions);
  EXPECT_EQ(gpus[1].free_bytes, (24576 - 10) * kMib);
  EXPECT_EQ(promisable_bytes(gpus[1]), (24576 - 10 - 512) * kMib);
}

TEST_F(Nvml, MorePrograms) {
  std::string lines;
  for (int pid = 1; pid <= 70; ++pid) lines += "GPU-b " + std::to_string(pid) + " 1\n";
  write("taken/many", lines);
  EXPECT_EQ(read()[1].processes.size(), 70U);
}

TEST_F(Nvml, ADividedCardIsItsInstances) {
  write("gpus", "GPU-a 81920\nMIG-1 20000 mig_of=GPU-a\nMIG-2 40000 mig_of=GPU-a\nGPU-b 24576\n");
  write("taken/one", "MIG-2 7 1000\n");
  const auto gpus = read();
  ASSERT_EQ(gpus.size(), 3U);
  EXPECT_EQ(gpus[0].uuid, "MIG-1");
  EXPECT_EQ(gpus[0].parent_uuid, "GPU-a");
  EXPECT_EQ(gpus[1].free_bytes, 39000 * kMib);
  EXPECT_EQ(gpus[2].uuid, "GPU-b");
  EXPECT_EQ(gpus[2].parent_uuid, "");
}

TEST_F(Nvml, ALostCardSaysSoAndTheOthersGoOn) {
  write("gpus", "GPU-a 81920 lost=1\nGPU-b 24576\n");
  const auto gpus = read();
  ASSERT_EQ(gpus.size(), 2U);
  EXPECT_NE(gpus[0].fault.find("GPU is lost"), std::string::npos);
  EXPECT_EQ(promisable_bytes(gpus[0]), 0U);
  EXPECT_EQ(gpus[1].fault, "");
}

TEST_F(Nvml, ADriverThatIsNotLoadedIsAReason) {
  fs::remove(folder_ / "gpus");
  const auto reader = open_nvml();
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.failure().kind, FailureKind::kUnavailable);
  EXPECT_NE(reader.failure().detail.find("Driver Not Loaded"), std::string::npos);
}

TEST_F(Nvml, AnswersMayLag) {
  auto reader = open_nvml();
  ASSERT_TRUE(reader);
  ASSERT_TRUE((*reader)->read());
  write("lag_ms", "60000");
  write("taken/one", "GPU-a 1 1000\n");
  EXPECT_TRUE((*(*reader)->read())[0].processes.empty());
  write("lag_ms", "0");
  EXPECT_EQ((*(*reader)->read())[0].processes.size(), 1U);
}

TEST_F(Nvml, TheSamplerFollowsWhatHappens) {
  ManualClock clock;
  GpuSampler sampler(*open_nvml(), clock);
  EXPECT_EQ(sampler.latest(), nullptr);
  ASSERT_TRUE(sampler.sample());
  const GpuSamplePtr before = sampler.fresh();
  ASSERT_NE(before, nullptr);
  EXPECT_EQ(before->source, "nvml");
  EXPECT_EQ(before->at, clock.now());
  write("taken/one", "GPU-a 1 1000\n");
  clock.advance(kSamplePeriod);
  ASSERT_TRUE(sampler.sample());
  EXPECT_EQ(before->find("GPU-a")->free_bytes - sampler.fresh()->find("GPU-a")->free_bytes,
            1000 * kMib);
  write("gpus", "GPU-b 24576\n");  // the card is taken out
  ASSERT_TRUE(sampler.sample());
  EXPECT_EQ(sampler.fresh()->find("GPU-a"), nullptr);
}

// A reader that fails on demand.
class Failing final : public GpuReader {
 public:
  explicit Failing(const bool& fails) : fails_(fails) {}
  std::string source() const override { return "test"; }
  Result<std::vector<GpuReading>> read() override {
    if (fails_) return failure(FailureKind::kUnavailable, "the driver is gone");
    return std::vector<GpuReading>(1);
  }

 private:
  const bool& fails_;
};

TEST(GpuSampler, AnOldSampleIsStaleAndAFailureKeepsIt) {
  ManualClock clock;
  bool fails = false;
  GpuSampler sampler(std::make_unique<Failing>(fails), clock);
  ASSERT_TRUE(sampler.sample());
  fails = true;
  clock.advance(std::chrono::milliseconds(1900));
  EXPECT_FALSE(sampler.sample());
  EXPECT_EQ(sampler.fault(), "the driver is gone");
  EXPECT_NE(sampler.fresh(), nullptr);
  clock.advance(std::chrono::milliseconds(200));
  EXPECT_EQ(sampler.fresh(), nullptr);
  EXPECT_NE(sampler.latest(), nullptr);
  fails = false;
  ASSERT_TRUE(sampler.sample());
  EXPECT_NE(sampler.fresh(), nullptr);
  EXPECT_EQ(sampler.fault(), "");
}

TEST(GpuSampler, SamplesByItself) {
  SystemClock clock;
  bool fails = false;
  GpuSampler sampler(std::make_unique<Failing>(fails), clock);
  sampler.start();
  for (int i = 0; i < 200 && !sampler.latest(); ++i) {
    clock.sleep_for(std::chrono::milliseconds(10));
  }
  const GpuSamplePtr first = sampler.latest();
  ASSERT_NE(first, nullptr);
  for (int i = 0; i < 200 && sampler.latest() == first; ++i) {
    clock.sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_NE(sampler.latest(), first);
  sampler.stop();
}

}  // namespace
}  // namespace pytoon::gpu
