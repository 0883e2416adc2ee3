// What the tests of engines share: a folder, an image, a request, a verifier that knows its clips.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <thread>

#include "base/curl_client.h"
#include "base/files.h"
#include "base/ids.h"
#include "base/log.h"
#include "engines/engine.h"
#include "server/io/open_store.h"
#include "tests/support/temporary_folder.h"

namespace pytoon::engines {

inline constexpr const char* kGoodClip = "clip: good from end to end";
inline constexpr const char* kBlackClip = "clip: black";

class EngineTest : public testing::Test {
 protected:
  EngineTest() {
    EXPECT_TRUE(write_file_atomically(folder_ / "hero.png", "\x89PNG picture"));
    watch_.deadline = clock_.steady_now() + std::chrono::seconds(30);
  }

  FootageRequest request(int segment = 0) {
    FootageRequest made;
    made.job_id = "job-1";
    made.segment = segment;
    made.brand_safe = false;
    made.prompt = "a \"quoted\" sea {{seed}}";
    made.seed = 7;
    made.image = plan::InputFile{folder_ / "hero.png", std::string(64, 'a')};
    made.output = folder_ / ("clip-" + std::to_string(segment) + ".mp4");
    return made;
  }

  void expect_good(const Result<plan::SegmentSource>& generated) {
    ASSERT_TRUE(generated) << generated.failure().detail;
    ASSERT_TRUE(generated->clip);
    EXPECT_EQ(*read_file(generated->clip->path), kGoodClip);
  }
  // Says why without a word that is nobody's business, and leaves no file.
  void expect_failed(const Result<plan::SegmentSource>& generated, FailureKind kind,
                     const std::string& words, std::string_view secret) {
    ASSERT_FALSE(generated);
    EXPECT_EQ(generated.failure().kind, kind) << generated.failure().detail;
    EXPECT_NE(generated.failure().detail.find(words), std::string::npos)
        << generated.failure().detail;
    EXPECT_EQ(generated.failure().detail.find(secret), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(request().output));
  }

  // What generate() gives when it is cancelled as soon as `holds`.
  template <typename Condition, typename Supply>
  Result<plan::SegmentSource> cancelled_once(const Condition& holds, const Supply& generate) {
    std::thread canceller([&] {
      while (!holds()) std::this_thread::yield();
      watch_.cancel.cancel();
    });
    Result<plan::SegmentSource> generated = generate();
    canceller.join();
    return generated;
  }

  const support::TemporaryFolder temporary_{"pytoon-engines"};
  const std::filesystem::path& folder_ = temporary_.path();
  SystemClock clock_;
  std::ostringstream lines_;
  Log log_{clock_, lines_};
  RandomIds ids_;
  CurlClient http_;
  std::unique_ptr<io::SqlStore> ledger_ = io::open_memory_store(clock_);
  Watch watch_;
  ClipVerifier verify_ = [](const std::filesystem::path& clip,
                            media::UnsaidMatrix) -> Result<double> {
    const Result<std::string> bytes = read_file(clip);
    if (bytes && *bytes == kGoodClip) return 3.0;
    return failure(FailureKind::kMedia, "the clip is no good");
  };
};

}  // namespace pytoon::engines
