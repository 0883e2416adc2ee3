#include "tests/pipeline/clip/clip_fixture.h"

#include <unistd.h>

#include "pipeline/media/gst/ffmpeg.h"
#include "tests/pipeline/decoder/hostile_host_options.h"

namespace pytoon::media {

void ClipTest::SetUp() {
  std::string name = (std::filesystem::temp_directory_path() / "pytoon-clip-XXXXXX").string();
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  folder_ = name;
  av_log_set_level(AV_LOG_QUIET);  // damaged clips are the point
}

void ClipTest::TearDown() { std::filesystem::remove_all(folder_); }

ChildDecoder& ClipTest::decoder() {
  static ChildDecoder shared(hostile_host_options());
  return shared;
}

std::shared_ptr<const ClipIndex> ClipTest::index(const std::filesystem::path& file) {
  auto made = decoder().read_clip_index(file);
  EXPECT_TRUE(made) << made.failure().detail;
  return *made;
}

std::unique_ptr<PlayedClip> ClipTest::source(const std::filesystem::path& file,
                                             CancelToken cancel) {
  const std::shared_ptr<const ClipIndex> made = index(file);
  return std::make_unique<PlayedClip>(
      PlayedClip{made, decoder().open_clip({made, made->upright, std::move(cancel)})});
}

int ClipTest::code_at(const PlayedClip& source, std::int64_t n) {
  const Result<gpu::Nv12Frame> picture = source.frame_at(n, 30);
  EXPECT_TRUE(picture) << picture.failure().detail;
  return picture ? read_code(*picture) : -1;
}

}  // namespace pytoon::media
