#include "pipeline/render/image_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

namespace pytoon::render {
namespace {

using Kind = ImageCache::Kind;
using Text = std::shared_ptr<const std::string>;

// Asks for a value of so many bytes that says its own key.
Text ask(ImageCache& cache, const std::string& key, std::uint64_t bytes,
         Kind kind = Kind::kPrepared) {
  auto text = cache.get<std::string>(kind, key, [&]() -> Result<ImageCache::Built<std::string>> {
    return ImageCache::Built<std::string>{std::make_shared<std::string>(key), bytes};
  });
  EXPECT_TRUE(text);
  EXPECT_EQ(**text, key);
  return *text;
}

TEST(ImageCache, BuildsOnceAndDropsWhatWasUsedLongestAgo) {
  ImageCache cache(100);
  ask(cache, "a", 40);
  ask(cache, "b", 40);
  ask(cache, "a", 40);
  ask(cache, "c", 40);  // in place of b
  ask(cache, "a", 40);
  EXPECT_EQ(cache.stats().built(Kind::kPrepared), 3U);
  EXPECT_EQ(cache.stats().hits, 2U);
  EXPECT_EQ(cache.stats().evictions, 1U);
  EXPECT_EQ(cache.stats().bytes, 80U);
  ask(cache, "b", 40);
  EXPECT_EQ(cache.stats().built(Kind::kPrepared), 4U);
  EXPECT_EQ(cache.stats().peak_bytes, 80U);
}

TEST(ImageCache, WhatIsHeldStaysAndWhatDoesNotFitBesideItIsOnlyLent) {
  ImageCache cache(100);
  const Text held = ask(cache, "held", 70);
  Text lent = ask(cache, "lent", 40);
  EXPECT_EQ(ask(cache, "lent", 40), lent) << "shared while somebody holds it";
  EXPECT_EQ(ask(cache, "held", 70), held);
  EXPECT_EQ(cache.stats().built(Kind::kPrepared), 2U);
  EXPECT_EQ(cache.stats().bytes, 70U);
  lent.reset();
  ask(cache, "lent", 40);
  EXPECT_EQ(cache.stats().built(Kind::kPrepared), 3U);
  ask(cache, "huge", 101);
  ask(cache, "held", 70);
  EXPECT_EQ(cache.stats().built(Kind::kPrepared), 4U);
  EXPECT_EQ(cache.stats().peak_bytes, 70U);
  EXPECT_EQ(cache.stats().evictions, 0U);
}

TEST(ImageCache, ImagesAsTheirFilesHoldThemAreSharedButNotKept) {
  ImageCache cache(100);
  const Text held = ask(cache, "a", 10, Kind::kDecoded);
  EXPECT_EQ(ask(cache, "a", 10, Kind::kDecoded), held);
  ask(cache, "b", 10, Kind::kDecoded);
  ask(cache, "b", 10, Kind::kDecoded);
  EXPECT_EQ(cache.stats().built(Kind::kDecoded), 3U);
  EXPECT_EQ(cache.stats().peak_bytes, 0U);
}

TEST(ImageCache, MemoryThatIsNeededElsewhereIsLetGo) {
  ImageCache cache(100);
  const Text held = ask(cache, "held", 10);
  ask(cache, "idle", 10);
  cache.drop_unused();
  EXPECT_EQ(cache.stats().bytes, 10U);
  EXPECT_EQ(cache.stats().entries, 1U);
  EXPECT_EQ(ask(cache, "held", 10), held);
}

TEST(ImageCache, ManyAskersAtOnceGetOneValue) {
  ImageCache cache(100);
  constexpr int kAskers = 8;
  std::atomic<int> builds{0};
  std::atomic<int> arrived{0};
  std::vector<Text> values(kAskers);
  std::vector<std::thread> askers;
  for (int i = 0; i < kAskers; ++i) {
    askers.emplace_back([&, i] {
      ++arrived;
      const auto value = cache.get<std::string>(
          Kind::kPrepared, "a", [&]() -> Result<ImageCache::Built<std::string>> {
            ++builds;
            while (arrived < kAskers) std::this_thread::yield();
            return ImageCache::Built<std::string>{std::make_shared<std::string>("a"), 1};
          });
      values[static_cast<std::size_t>(i)] = *value;
    });
  }
  for (std::thread& asker : askers) asker.join();
  EXPECT_EQ(builds, 1);
  for (const Text& value : values) EXPECT_EQ(value, values[0]);
}

TEST(ImageCache, NothingIsKeptOfABuildThatFails) {
  ImageCache cache(100);
  int tried = 0;
  const auto fails = [&]() -> Result<ImageCache::Built<std::string>> {
    if (++tried == 2) throw std::runtime_error("out of luck");
    return failure(FailureKind::kMalformed, "broken");
  };
  EXPECT_EQ(cache.get<std::string>(Kind::kPrepared, "a", fails).failure().detail, "broken");
  EXPECT_THROW((void)cache.get<std::string>(Kind::kPrepared, "a", fails), std::runtime_error);
  ask(cache, "a", 10);
  EXPECT_EQ(cache.stats().bytes, 10U);
}

TEST(ImageCache, NeverHoldsMoreThanItMay) {
  ImageCache cache(1000);
  std::vector<Text> held;
  std::uint32_t random = 1;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    random = random * 1664525 + 1013904223;  // Numerical Recipes' generator
    const std::uint64_t name = (random >> 16) % 40;
    held.push_back(ask(cache, std::to_string(name), 1 + name * 13 % 400));
    if (held.size() > 6) held.erase(held.begin() + static_cast<std::ptrdiff_t>(i % 6));
    ASSERT_LE(cache.stats().bytes, 1000U);
  }
  EXPECT_LE(cache.stats().peak_bytes, 1000U);
  EXPECT_GT(cache.stats().hits, 100U);
}

}  // namespace
}  // namespace pytoon::render
