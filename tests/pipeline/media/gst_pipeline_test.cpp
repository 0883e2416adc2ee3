#include "pipeline/media/gst/gst_pipeline.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/clock.h"
#include "tests/pipeline/media/media_fixture.h"

namespace pytoon::media {

class GstPipelineTest : public MediaTest {
 protected:
  // Buffers without end, which nobody looks at a cancel token for.
  static Status endless(GstPipelineRun& pipeline) {
    const Result<GstElement*> source = pipeline.add("fakesrc");
    if (!source) return source.failure();
    const Result<GstElement*> sink = pipeline.add("fakesink");
    if (!sink) return sink.failure();
    g_object_set(*source, "num-buffers", -1, nullptr);
    return pipeline.link({*source, *sink});
  }
};

TEST_F(GstPipelineTest, ACancelledPipelineIsNotWaitedForWithoutLimit) {
  GstPipelineRun pipeline;
  ASSERT_TRUE(endless(pipeline));
  const CancelToken cancel;
  std::thread user([&] {
    SystemClock clock;
    clock.sleep_for(std::chrono::milliseconds(100));
    cancel.cancel();
  });
  const Status done = pipeline.run(cancel);
  user.join();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.failure().kind, FailureKind::kCancelled);
}

TEST_F(GstPipelineTest, AnEndIsSeenAlthoughSomebodyCancels) {
  GstPipelineRun pipeline;
  const Result<GstElement*> source = pipeline.add("fakesrc");
  const Result<GstElement*> sink = pipeline.add("fakesink");
  ASSERT_TRUE(source && sink && pipeline.link({*source, *sink}));
  g_object_set(*source, "num-buffers", 3, nullptr);
  const CancelToken cancel;
  cancel.cancel();
  EXPECT_TRUE(pipeline.run(cancel));
}

}  // namespace pytoon::media
