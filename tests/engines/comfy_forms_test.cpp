// SaveVideo in its old form and its newer one.
#include "tests/engines/comfy_fixture.h"

namespace pytoon::engines {
namespace {

namespace fs = std::filesystem;

TEST_F(ComfyEngineTest, SaveVideoIsAskedInTheFormThatTheServerDescribes) {
  for (const bool newer : {false, true}) {
    comfy_.newer_save_video = newer;
    expect_good(generate());
    const auto& inputs = comfy_.graphs.back()["5"]["inputs"];
    EXPECT_EQ(inputs[newer ? "format.codec" : "codec"], "h264");
    EXPECT_EQ(inputs["format"], "mp4");
    EXPECT_FALSE(inputs.contains(newer ? "codec" : "format.codec"));
  }
}

// Restarted as another version while this process lives.
TEST_F(ComfyEngineTest, AServerThatRejectsIsAskedAgainForItsForm) {
  const auto made = engine();
  comfy_.newer_save_video = false;
  expect_good(made->generate(request(), watch_));
  fs::remove(request().output);
  comfy_.newer_save_video = true;
  EXPECT_FALSE(made->generate(request(), watch_));
  expect_good(made->generate(request(), watch_));
}

}  // namespace
}  // namespace pytoon::engines
