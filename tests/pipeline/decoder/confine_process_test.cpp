#include "pipeline/media/decoder/confine_process.h"

#include <gtest/gtest.h>
#include <seccomp.h>

#include <cerrno>
#include <fstream>
#include <thread>

#include "tests/pipeline/decoder/decoder_fixture.h"

namespace pytoon::media {
namespace {

namespace fs = std::filesystem;

class ConfineProcessTest : public DecoderTest {
 protected:
  ChildDecoder decoder_{hostile_host_options()};
};

TEST_F(ConfineProcessTest, NothingCanBeOpened) {
  for (const char* const what : {"open", "open-own", "maps", "stat"}) {
    EXPECT_EQ(attempt(decoder_, what), "refused") << what;
  }
}

TEST_F(ConfineProcessTest, NothingCanBeWrittenOrRemoved) {
  fs::remove("pytoon-owned");
  EXPECT_EQ(attempt(decoder_, "create"), "refused");
  EXPECT_FALSE(fs::exists("pytoon-owned"));
  EXPECT_EQ(attempt(decoder_, "unlink"), "refused");
  EXPECT_EQ(attempt(decoder_, "write-own"), "error 9") << "its file is open for reading alone";
}

TEST_F(ConfineProcessTest, NoNetworkAndNoOtherProcess) {
  for (const char* const what : {"socket", "unix-socket", "fork", "kill", "kill-host", "limits"}) {
    EXPECT_EQ(attempt(decoder_, what), "refused") << what;
  }
  EXPECT_EQ(attempt(decoder_, "exec"), "died: forbidden");
  EXPECT_EQ(attempt(decoder_, "ptrace"), "died: forbidden");
}

TEST_F(ConfineProcessTest, NoNewCode) { EXPECT_EQ(attempt(decoder_, "code"), "refused"); }

// Three that lead nowhere, the socket for its answer, and its file, once more while it is read.
constexpr char kOwnDescriptors[] = "6";

TEST_F(ConfineProcessTest, NoDescriptorsButItsOwn) {
  EXPECT_EQ(attempt(decoder_, "descriptors"), kOwnDescriptors);
}

// Linux before 5.9, or an engine of containers whose filter is older, has no call that closes all.
TEST_F(ConfineProcessTest, NoDescriptorsButItsOwnOnAnOldKernel) {
  std::thread([this] {
    const scmp_filter_ctx old = seccomp_init(SCMP_ACT_ALLOW);
    seccomp_rule_add(old, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(close_range), 0);
    ASSERT_EQ(seccomp_load(old), 0);  // of this thread, and of the host that it starts
    seccomp_release(old);
    EXPECT_EQ(attempt(decoder_, "descriptors"), kOwnDescriptors);
  }).join();
}

TEST_F(ConfineProcessTest, ThreadsAreAllowed) { EXPECT_EQ(attempt(decoder_, "thread"), "done"); }

// libvips would load modules for more formats, each a parser that nobody asked for.
TEST_F(ConfineProcessTest, NoModulesForOtherFormats) {
  ASSERT_EQ(attempt(decoder_, "thread"), "done");
  std::ifstream maps("/proc/" + std::to_string(decoder_.host_pid()) + "/maps");
  std::string line;
  int libraries = 0;
  while (std::getline(maps, line)) {
    libraries += line.find("libvips") != std::string::npos ? 1 : 0;
    for (const char* const module : {"vips-modules", "Magick", "poppler", "openslide"}) {
      EXPECT_EQ(line.find(module), std::string::npos) << line;
    }
  }
  EXPECT_GT(libraries, 0);
}

}  // namespace
}  // namespace pytoon::media
