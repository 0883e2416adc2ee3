#include "server/app/request_files.h"

#include <gtest/gtest.h>

#include <barrier>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "tests/support/temporary_folder.h"

namespace pytoon::app {
namespace {

namespace fs = std::filesystem;

class RequestFilesTest : public testing::Test {
 protected:
  Result<nlohmann::json> read(const nlohmann::json& request, const TakeFile& take) {
    const fs::path file = folder_.path() / "request.json";
    EXPECT_TRUE(write_file_atomically(file, request.dump()));
    return read_request_with_files(file, take);
  }

 private:
  support::TemporaryFolder folder_{"pytoon-request-files"};
};

nlohmann::json images(int count) {
  nlohmann::json names = nlohmann::json::array();
  for (int i = 0; i < count; ++i) names.push_back(std::to_string(i) + ".png");
  return names;
}

TEST_F(RequestFilesTest, EveryFileGetsItsOwnUriInItsPlace) {
  const nlohmann::json request = {
      {"image_uris", images(40)},
      {"clip_uris", nlohmann::json::array({"storage://assets/kept.mp4", "walk.mp4"})},
      {"mask_uri", "mask.png"},
      {"voice_uri", "voice.wav"}};
  const auto body = read(request, [](const fs::path& file, const std::string& category) {
    return Result<std::string>(category + ":" + file.filename().string());
  });
  ASSERT_TRUE(body);
  for (std::size_t i = 0; i < 40; ++i) {
    EXPECT_EQ((*body)["image_uris"][i], "image:" + std::to_string(i) + ".png");
  }
  EXPECT_EQ((*body)["clip_uris"],
            nlohmann::json::array({"storage://assets/kept.mp4", "video:walk.mp4"}));
  EXPECT_EQ((*body)["mask_uri"], "mask:mask.png");
  EXPECT_EQ((*body)["voice_uri"], "audio:voice.wav");
}

TEST_F(RequestFilesTest, FourAreTakenAtATime) {
  std::barrier four(4);  // one at a time would wait for ever
  const auto body = read({{"image_uris", images(8)}}, [&](const fs::path& file, const auto&) {
    four.arrive_and_wait();
    return Result<std::string>(file.filename().string());
  });
  EXPECT_TRUE(body);
}

TEST_F(RequestFilesTest, TheFirstRefusedInTheRequestIsNamed) {
  std::barrier four(4);
  const auto body = read({{"image_uris", images(4)}},
                         [&](const fs::path& file, const auto&) -> Result<std::string> {
                           four.arrive_and_wait();
                           if (file.stem() == "0") return std::string("taken");
                           return failure(FailureKind::kMalformed, "no image");
                         });
  ASSERT_FALSE(body);
  EXPECT_EQ(body.failure().kind, FailureKind::kMalformed);
  EXPECT_NE(body.failure().detail.find("1.png: no image"), std::string::npos)
      << body.failure().detail;
}

}  // namespace
}  // namespace pytoon::app
