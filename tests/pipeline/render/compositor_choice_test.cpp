// A GPU's renderer and the CPU's as one, on the CUDA device whose memory is the host's.
#include "pipeline/render/compositor_choice.h"

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "tests/pipeline/render/host_card_fixture.h"

namespace pytoon::render {
namespace {

class CompositorChoiceTest : public HostCardTest {
 protected:
  void SetUp() override {
    HostCardTest::SetUp();
    on_gpu_ = std::make_unique<SceneRenderer>(*card_, *fonts_, media::EncoderChoice{});
    on_cpu_ = std::make_unique<SceneRenderer>(*device_, *fonts_, media::EncoderChoice{});
    choice_ = std::make_unique<CompositorChoice>(*on_gpu_, *on_cpu_);
    spec::JobRequest request;
    request.preset_id = "overlay_classic";
    request.target_duration_seconds = 1;
    job_ = job_of(request, gpu::RgbaImage({90, 160}, {200, 60, 20, 255}));
    job_.spec.output = {90, 160, 10};
  }
  RenderJob with(const std::string& encoder) {
    RenderJob job = job_;
    job.encoder = encoder;
    return job;
  }
  Status render(const RenderJob& job) {
    return choice_->render_segment(job, 0, folder_ / "segment.mp4", CancelToken(), {});
  }

  std::unique_ptr<SceneRenderer> on_gpu_;
  std::unique_ptr<SceneRenderer> on_cpu_;
  std::unique_ptr<CompositorChoice> choice_;
  RenderJob job_;
};

TEST_F(CompositorChoiceTest, NamesSayWhoComposes) {
  std::vector<std::string> names;
  for (const Encoder& encoder : choice_->encoders()) names.push_back(encoder.name);
  EXPECT_EQ(names, (std::vector<std::string>{"cuda+libx264", "libx264"}));
  EXPECT_TRUE(choice_->encoders()[0].expected);  // to do without it is worth a word
  EXPECT_EQ(choice_->facts(with("cuda+libx264"))["device"], "cuda");
  EXPECT_EQ(choice_->facts(with("cuda+libx264"))["encoder"], "libx264");
  EXPECT_EQ(choice_->facts(with(""))["device"], "cuda");
  EXPECT_EQ(choice_->facts(with("libx264"))["device"], "cpu");
  EXPECT_TRUE(choice_->machine_for(with("cuda+libx264"), 1).composes_on_cuda);
  EXPECT_FALSE(choice_->machine_for(with("libx264"), 1).composes_on_cuda);
}

// A segment of a job that went over to the CPU is the same as one of a machine without a GPU.
TEST_F(CompositorChoiceTest, KeysAreThoseOfTheRendererThatDraws) {
  const std::string on_gpu = *choice_->content_key(with("cuda+libx264"), 0);
  const std::string on_cpu = *choice_->content_key(with("libx264"), 0);
  EXPECT_NE(on_gpu, on_cpu);
  EXPECT_EQ(on_gpu, *on_gpu_->content_key(with("libx264"), 0));
  EXPECT_EQ(on_cpu, *on_cpu_->content_key(with("libx264"), 0));
}

TEST_F(CompositorChoiceTest, WithoutMemoryOnTheCardTheCpuComposes) {
  card_->set_memory_budget(1 << 10);
  const Status full = render(with("cuda+libx264"));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.failure().kind, FailureKind::kOutOfMemory) << full.failure().detail;
  EXPECT_TRUE(render(with("libx264")));
  card_->set_memory_budget(std::nullopt);
  EXPECT_TRUE(render(with("cuda+libx264")));
  EXPECT_GT(card_->memory_use()->peak_bytes, 0U);
}

}  // namespace
}  // namespace pytoon::render
