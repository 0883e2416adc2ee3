// What the tests of decoders share: a folder, files made by the ffmpeg program, and decoders that
// do what a file tells them (hostile_host.cpp).
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/pipeline/decoder/hostile_host_options.h"
#include "tests/support/temporary_folder.h"

namespace pytoon::media {

class DecoderTest : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, const std::string& bytes) const;
  // By the ffmpeg program: everything between `ffmpeg` and the name.
  std::filesystem::path make(const std::string& name, const std::string& arguments) const;
  // What came of a decoder's attempt at something (hostile_host.cpp): its answer, or
  // "died: " and of what.
  std::string attempt(ChildDecoder& decoder, const std::string& what) const;
  // Processes that the host has forked and that are there still.
  static std::vector<int> children_of(int pid);

  const support::TemporaryFolder folder_{"pytoon-decoder"};
};

}  // namespace pytoon::media
