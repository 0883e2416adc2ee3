// The words of doctor about cards, and its advice for a ComfyUI on one.
#include "server/app/gpu_report.h"

#include <gtest/gtest.h>

#include "tests/server/jobs/fake_renderer.h"
#include "tests/support/source_dir.h"

namespace pytoon::app {

using engines::ComfyServer;
using jobs::admission::kGiB;
using jobs::admission::kMiB;

namespace {

constexpr std::uint64_t kMib = std::uint64_t{1} << 20;

gpu::GpuReading card() {
  gpu::GpuReading gpu;
  gpu.uuid = "GPU-1";
  gpu.name = "Model 4000";
  gpu.total_bytes = 24576 * kMib;
  gpu.free_bytes = 20480 * kMib;
  gpu.reserved_bytes = 600 * kMib;
  gpu.processes = {{7, 500 * kMib}, {8, 2048 * kMib}, {9, std::nullopt}};
  gpu.encoder_sessions = 2;
  return gpu;
}

LargestSegment largest(std::uint64_t pool_mib, std::uint64_t encoder_mib) {
  LargestSegment made;
  made.preset = "overlay_glow";
  made.cost.pool.textures = pool_mib * kMib;
  made.cost.encoder_bytes = encoder_mib * kMib;
  return made;
}

ComfyServer::Memory comfyui(std::vector<std::string> arguments, bool dynamic_vram = true) {
  ComfyServer::Memory memory;
  memory.cuda = true;
  memory.total_bytes = 24 * kGiB;
  memory.free_bytes = 3 * kGiB;
  memory.reserved_bytes = 18 * kGiB;
  memory.dynamic_vram = dynamic_vram;
  memory.version = "0.3.60";
  memory.arguments = std::move(arguments);
  return memory;
}

const HeadroomAdvice kAdvice{3 * kGiB, "why"};

}  // namespace

TEST(GpuReport, TellsACardAndWhoIsOnIt) {
  EXPECT_EQ(describe(card(), 7),
            "GPU-1 (Model 4000): 20.0 GiB of 24.0 GiB free, 600 MiB the driver's own; on it: this "
            "process 500 MiB, pid 8 2.0 GiB, pid 9 that can't be told; encoder sessions open: 2; "
            "less a headroom of 512 MiB, tasks could be promised 19.5 GiB");
}

TEST(GpuReport, TellsAnInstanceOfADividedCard) {
  gpu::GpuReading gpu = card();
  gpu.uuid = "MIG-1";
  gpu.parent_uuid = "GPU-1";
  gpu.encoder_sessions.reset();
  gpu.processes.clear();
  const std::string text = describe(gpu, 7);
  EXPECT_NE(text.find(", a MIG instance of GPU-1: "), std::string::npos) << text;
  EXPECT_NE(text.find("its encoder sessions can't be told"), std::string::npos);
  EXPECT_NE(text.find("no program has a context on it"), std::string::npos);
}

TEST(GpuReport, ManyProgramsAreCounted) {
  gpu::GpuReading gpu = card();
  gpu.processes.assign(20, {8, kMib});
  EXPECT_NE(describe(gpu, 7).find("pid 8 1 MiB and 12 more;"), std::string::npos);
}

TEST(HeadroomAdvice, IsTheSumOfWhatOurSegmentsMayTake) {
  const HeadroomAdvice advice = advise_headroom(largest(320, 128), 3);
  EXPECT_EQ(advice.bytes, (3 * (320 + 128) + 540 + 512) * kMiB);
  EXPECT_EQ(advice.gib(), "2.4");  // 2.34, rounded up
  EXPECT_EQ(advice.reason,
            "3 segments at once of 448 MiB (the largest, of overlay_glow: images and frames 320 "
            "MiB, encoder and decoders 128 MiB), our CUDA context of 540 MiB and 512 MiB that are "
            "never promised");
  // As many as threads can use, a few where the card encodes, and one at least.
  LargestSegment pieces = largest(320, 128);
  pieces.cost.pieces = 2;
  EXPECT_EQ(advise_headroom(pieces, 16).bytes, (9 * (320 + 128) + 540 + 512) * kMiB);
  pieces.cost.encoder_sessions = 1;
  EXPECT_EQ(advise_headroom(pieces, 64).bytes, (4 * (320 + 128) + 540 + 512) * kMiB);
  EXPECT_EQ(advise_headroom(largest(320, 128), 0).bytes, (320 + 128 + 540 + 512) * kMiB);
  EXPECT_EQ(advise_headroom({}, 4).bytes, 0);
}

TEST(HeadroomAdvice, LooksAtEverySegmentOfEveryPreset) {
  plan::Catalogue catalogue;
  const auto config = support::source_dir() / "config";
  catalogue.presets = *spec::read_presets(config / "presets.yaml");
  catalogue.platforms = *spec::read_platforms(config / "platforms.yaml");
  testing_support::FakeRenderer renderer;
  int asked = 0;
  renderer.on_cost = [&asked](int index) -> Result<render::SegmentCost> {
    ++asked;
    render::SegmentCost cost;
    cost.encoder_bytes = index == 4 ? 2 : 1;
    return cost;
  };
  const LargestSegment found = largest_segment(catalogue, renderer, 4);
  EXPECT_EQ(found.cost.encoder_bytes, 2U);
  EXPECT_FALSE(found.preset.empty());
  EXPECT_EQ(asked, static_cast<int>(catalogue.presets.size()) * 5);
  renderer.on_cost = [](int) -> Result<render::SegmentCost> {
    return failure(FailureKind::kInvalid, "no captions");
  };
  EXPECT_EQ(largest_segment(catalogue, renderer, 4).preset, "");
}

TEST(ComfyFindings, AFlagThatIsMissingOrTooSmallIsNamedWithItsValue) {
  const auto missing = findings_of(comfyui({"main.py"}), kAdvice);
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_EQ(missing[0], "lacks --vram-headroom: start it with --vram-headroom 3.0 (why)");
  const auto small = findings_of(comfyui({"main.py", "--vram-headroom", "2.5"}), kAdvice);
  ASSERT_EQ(small.size(), 1U);
  EXPECT_EQ(small[0],
            "leaves less free than our segments may need: start it with --vram-headroom 3.0 (why)");
  EXPECT_EQ(findings_of(comfyui({"main.py", "--vram-headroom"}), kAdvice).size(), 1U);
  EXPECT_TRUE(findings_of(comfyui({"main.py", "--vram-headroom", "3"}), kAdvice).empty());
  EXPECT_TRUE(findings_of(comfyui({"main.py", "--vram-headroom=4.5"}), kAdvice).empty());
}

TEST(ComfyFindings, ABuildWithoutDynamicVramHasAnotherFlag) {
  const auto missing = findings_of(comfyui({"main.py", "--vram-headroom", "9"}, false), kAdvice);
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_EQ(missing[0], "lacks --reserve-vram: start it with --reserve-vram 3.0 (why)");
  EXPECT_TRUE(findings_of(comfyui({"main.py", "--reserve-vram", "3.0"}, false), kAdvice).empty());
}

TEST(ComfyFindings, FlagsThatKeepModelsAreWarnedOf) {
  const auto kept =
      findings_of(comfyui({"main.py", "--vram-headroom", "3", "--highvram"}), kAdvice);
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0],
            "is started with --highvram, which keeps models on the card: start it without");
}

TEST(ComfyFindings, OnTheCpuItMayDoAsItLikes) {
  ComfyServer::Memory memory = comfyui({"main.py", "--highvram"});
  memory.cuda = false;
  EXPECT_TRUE(findings_of(memory, kAdvice).empty());
  EXPECT_EQ(describe(memory), "ComfyUI 0.3.60, computes on the CPU: it takes no memory of a card");
  EXPECT_EQ(describe(comfyui({})),
            "ComfyUI 0.3.60, dynamic VRAM, 3.0 GiB of 24.0 GiB free on its card; torch keeps 18.0 "
            "GiB");
}

}  // namespace pytoon::app
