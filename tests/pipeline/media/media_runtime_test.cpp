#include "pipeline/media/media.h"

#include <gmock/gmock.h>
#include <gst/gst.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "pipeline/media/gst/ffmpeg.h"
#include "tests/pipeline/media/media_fixture.h"

namespace pytoon::media {
namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class Runtime : public MediaTest {};

TEST_F(Runtime, OnlyOurPluginsAreThere) {
  for (const char* ours : {"queue", "h264parse", "pytooncompositorsrc", "pytoonavenc",
                           "pytoonmp4mux", "pytoonpacketsrc"}) {
    GstElementFactory* factory = gst_element_factory_find(ours);
    EXPECT_NE(factory, nullptr) << ours;
    if (factory != nullptr) gst_object_unref(factory);
  }
  EXPECT_EQ(gst_element_factory_find("x264enc"), nullptr);
  EXPECT_EQ(gst_element_factory_find("mp4mux"), nullptr);
}

TEST_F(Runtime, WarningsOfTheLibrariesGoToOurLog) {
  GST_WARNING("a %s", "gst warning");
  GST_INFO("gst info");
  av_log(nullptr, AV_LOG_ERROR, "an %s error\n", "av");
  av_log(nullptr, AV_LOG_INFO, "av info\n");
  const std::string lines = log_lines_.str();
  EXPECT_THAT(lines, HasSubstr("a gst warning"));
  EXPECT_THAT(lines, HasSubstr("\"message\":\"an av error\""));
  EXPECT_THAT(lines, HasSubstr("\"level\":\"error\""));
  EXPECT_EQ(lines.find("info"), std::string::npos);

  runtime_.reset();
  GST_WARNING("nobody listens");
  av_log(nullptr, AV_LOG_ERROR, "nobody listens\n");
  EXPECT_EQ(log_lines_.str(), lines);
}

TEST_F(Runtime, CanBeStartedAgain) {
  runtime_.reset();
  auto again = MediaRuntime::start(folder_ / "cache", log_);
  ASSERT_TRUE(again) << again.failure().detail;
  runtime_ = std::move(*again);
  segment("s.mp4", 2);
}

TEST_F(Runtime, AMissingPluginIsNamedWithItsPackage) {
  fs::create_directory(folder_ / "plugins");
  ::setenv("GST_PLUGIN_SYSTEM_PATH", (folder_ / "plugins").c_str(), 1);
  const auto started = MediaRuntime::start(folder_ / "cache", log_);
  ::unsetenv("GST_PLUGIN_SYSTEM_PATH");
  ASSERT_FALSE(started);
  EXPECT_EQ(started.failure().kind, FailureKind::kMedia);
  EXPECT_THAT(started.failure().detail, HasSubstr("libgstreamer1.0-0"));
}

TEST_F(Runtime, ACacheFolderThatCantBeMadeIsSaid) {
  const auto started = MediaRuntime::start("/dev/null/cache", log_);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.failure().kind, FailureKind::kIo);
}

// A stranger's damaged file is no error of this program.
TEST_F(Runtime, ChatterAboutAFileIsNoError) {
  const CodecPtr decoder(avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_MP3)));
  const CodecPtr encoder(avcodec_alloc_context3(avcodec_find_encoder(AV_CODEC_ID_AAC)));
  av_log(decoder.get(), AV_LOG_ERROR, "Header missing\n");
  EXPECT_THAT(log_lines_.str(), HasSubstr("Header missing"));
  EXPECT_THAT(log_lines_.str(), Not(HasSubstr("\"error\"")));
  av_log(encoder.get(), AV_LOG_ERROR, "Too many bits\n");
  EXPECT_THAT(log_lines_.str(), HasSubstr("\"error\""));
}

TEST_F(Runtime, TheProductionEncoderWorksAndAnUnknownOneSaysSo) {
  const Status works = probe_encoder("libx264");
  EXPECT_TRUE(works) << works.failure().detail;
  const Status unknown = probe_encoder("h264_none");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.failure().kind, FailureKind::kMedia);
  EXPECT_THAT(unknown.failure().detail, HasSubstr("h264_none"));
}

// Each child has a GStreamer of its own, and all fill the same empty cache.
TEST(RuntimeStart, ManyProcessesMayStartAtOnce) {
  std::string folder = (fs::temp_directory_path() / "pytoon-media-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  std::vector<pid_t> children;
  for (int i = 0; i < 6; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      const SystemClock clock;
      std::ostringstream lines;
      Log log(clock, lines);
      const auto started = MediaRuntime::start(fs::path(folder) / "deep" / "cache", log);
      ::_exit(started && lines.str().empty() ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  fs::remove_all(folder);
}

}  // namespace pytoon::media
