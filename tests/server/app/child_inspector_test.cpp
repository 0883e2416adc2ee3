#include "server/app/child_inspector.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "base/files.h"
#include "tests/support/source_dir.h"
#include "tests/support/temporary_folder.h"

namespace pytoon::app {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

// The program of this build, which lies above the tests' folders.
std::string program() {
  return (fs::read_symlink("/proc/self/exe").parent_path() / "../../../pytoon").string();
}

class ChildInspectorTest : public testing::Test {
 protected:
  // A child that does what a shell script says.
  std::string script(const std::string& text) {
    const fs::path file = folder_.path() / "child.sh";
    EXPECT_TRUE(write_file_atomically(file, "#!/bin/sh\n" + text + "\n"));
    EXPECT_EQ(::chmod(file.c_str(), 0700), 0);
    return file.string();
  }
  static fs::path example(const std::string& name) {
    return support::source_dir() / "examples" / name;
  }

  const support::TemporaryFolder folder_{"pytoon-child"};
};

TEST_F(ChildInspectorTest, TellsWhatAFileIs) {
  ChildInspector inspector({}, program());
  const auto image = inspector.inspect_image(example("product_front.jpg"));
  ASSERT_TRUE(image) << image.failure().detail;
  EXPECT_EQ(image->format, "jpeg");
  EXPECT_GT(image->size.width, 100);
  const auto audio = inspector.inspect_audio(example("evening.mp3"));
  ASSERT_TRUE(audio) << audio.failure().detail;
  EXPECT_EQ(audio->format, "mp3");
  EXPECT_GT(audio->duration_seconds, 1);
  EXPECT_GT(audio->channels, 0);
}

TEST_F(ChildInspectorTest, RefusesAsInspectingHereDoes) {
  ChildInspector inspector({}, program());
  const auto clip = inspector.inspect_clip(example("product_front.jpg"));
  ASSERT_FALSE(clip);
  EXPECT_EQ(clip.failure().kind, FailureKind::kUnsupportedType) << clip.failure().detail;
  const auto nothing = inspector.inspect_image(folder_.path() / "nothing.png");
  ASSERT_FALSE(nothing);
  EXPECT_NE(nothing.failure().detail.find("nothing.png"), std::string::npos);
}

TEST_F(ChildInspectorTest, AFileThatTakesTooMuchMemoryIsRefused) {
  ChildLimits limits;
  limits.memory_bytes = std::uint64_t{24} << 20;
  ChildInspector inspector(limits, program());
  const auto image = inspector.inspect_image(example("product_front.jpg"));
  ASSERT_FALSE(image);
  EXPECT_TRUE(image.failure().kind == FailureKind::kInvalid ||
              image.failure().kind == FailureKind::kMalformed)
      << image.failure().detail;
}

TEST_F(ChildInspectorTest, OneThatHangsIsEndedAtItsDeadline) {
  ChildLimits limits;
  limits.wall = milliseconds(200);
  ChildInspector inspector(limits, script("sleep 30"));
  const auto image = inspector.inspect_image(example("product_front.jpg"));
  ASSERT_FALSE(image);
  EXPECT_EQ(image.failure().kind, FailureKind::kInvalid);
}

TEST_F(ChildInspectorTest, OneThatDiesTakesNobodyAlong) {
  ChildInspector dies({}, script("kill -SEGV $$"));
  EXPECT_EQ(dies.inspect_image("x").failure().kind, FailureKind::kMalformed);
  ChildInspector killed({}, script("kill -KILL $$"));
  EXPECT_EQ(killed.inspect_image("x").failure().kind, FailureKind::kInvalid);
  ChildInspector babbles({}, script("yes"));
  EXPECT_FALSE(babbles.inspect_image("x"));
  ChildInspector missing({}, "/nowhere/pytoon");
  EXPECT_EQ(missing.inspect_image("x").failure().kind, FailureKind::kUnavailable);
}

TEST_F(ChildInspectorTest, ItKnowsNoSecretOfOurs) {
  ASSERT_EQ(::setenv("API_KEY", "a secret", 1), 0);
  ChildInspector inspector({}, script("test -z \"$API_KEY\" && kill -KILL $$"));
  EXPECT_EQ(inspector.inspect_image("x").failure().kind, FailureKind::kInvalid);
  ::unsetenv("API_KEY");
}

}  // namespace
}  // namespace pytoon::app
