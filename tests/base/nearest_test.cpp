#include "base/nearest.h"

#include <gtest/gtest.h>

namespace pytoon {

TEST(Nearest, ATypingMistakeFindsItsWord) {
  const std::vector<std::string> names{"captions", "clip_uris", "image_uris", "seed", "prompt"};
  EXPECT_EQ(nearest("caption", names), "captions");
  EXPECT_EQ(nearest("image_uri", names), "image_uris");
  EXPECT_EQ(nearest("clip_urls", names), "clip_uris");
  EXPECT_EQ(nearest("SEED", names), "seed");
  EXPECT_EQ(nearest("promt", names), "prompt");
}

TEST(Nearest, AnotherWordFindsNone) {
  const std::vector<std::string> names{"captions", "seed"};
  for (const char* word : {"", "colour", "x", "sad"}) {
    EXPECT_EQ(nearest(word, names), std::nullopt) << word;
  }
  EXPECT_EQ(nearest(std::string(100, 'a'), {std::string(100, 'a')}), std::nullopt);
  EXPECT_EQ(did_you_mean("seet", names), "; did you mean 'seed'?");
  EXPECT_EQ(did_you_mean("colour", names), "");
}

}  // namespace pytoon
