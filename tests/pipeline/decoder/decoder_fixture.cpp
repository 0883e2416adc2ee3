#include "tests/pipeline/decoder/decoder_fixture.h"

#include <cstdlib>
#include <fstream>

#include "base/files.h"

namespace pytoon::media {

namespace fs = std::filesystem;

fs::path DecoderTest::write(const std::string& name, const std::string& bytes) const {
  const fs::path file = folder_.path() / name;
  EXPECT_TRUE(write_file_atomically(file, bytes));
  return file;
}

fs::path DecoderTest::make(const std::string& name, const std::string& arguments) const {
  const fs::path file = folder_.path() / name;
  const std::string command = "ffmpeg -y -v error " + arguments + " '" + file.string() + "'";
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  return file;
}

std::string DecoderTest::attempt(ChildDecoder& decoder, const std::string& what) const {
  const auto before = decoder.deaths();
  const auto info = decoder.inspect(FileKind::kImage, write("attempt", what));
  for (const DecoderDeaths& after : decoder.deaths()) {
    bool old = false;
    for (const DecoderDeaths& one : before) {
      old =
          old || (one.task == after.task && one.reason == after.reason && one.count == after.count);
    }
    if (!old) return "died: " + after.reason;
  }
  return info ? info->codec : "failed: " + info.failure().detail;
}

std::vector<int> DecoderTest::children_of(int pid) {
  std::ifstream list("/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children");
  std::vector<int> children;
  for (int child = 0; list >> child;) children.push_back(child);
  return children;
}

}  // namespace pytoon::media
