// A whole application in the test's process, on SQLite and files of its own: started by open().
#pragma once

#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <sstream>
#include <string>

#include "base/curl_client.h"
#include "engines/clip_verifier.h"
#include "server/app/application.h"
#include "server/app/backends.h"
#include "tests/support/source_dir.h"
#include "tests/support/temporary_folder.h"

namespace pytoon::app {

class ApplicationTest : public testing::Test {
 protected:
  void open(Role role, std::shared_ptr<media::FileDecoder> decoder, int threads) {
    std::signal(SIGPIPE, SIG_IGN);
    const std::string root = folder_.path().string();
    const Result<Config> config = read_config({{"PYTOON_CONFIG_DIR", config_folder_.string()},
                                               {"STORAGE_ROOT", root + "/storage"},
                                               {"DB_URL", "sqlite:///" + root + "/pytoon.db"},
                                               {"PYTOON_CACHE_DIR", root + "/cache"},
                                               {"PYTOON_DEVICE", "cpu"},
                                               {"WORKER_CONCURRENCY", std::to_string(threads)}});
    ASSERT_TRUE(config) << config.failure().detail;
    config_ = *config;
    Result<RenderStack> stack = open_render_stack(config_, log_, std::move(decoder));
    ASSERT_TRUE(stack) << stack.failure().detail;
    stack_ = std::move(*stack);
    auto store = open_record(config_, clock_);
    auto storage = open_storage(config_, true, web_, clock_);
    ASSERT_TRUE(store && storage);
    auto engines = engines::EngineRegistry::open(config_.engines, **store, clock_, log_,
                                                 engines::clip_verifier(*stack_.decoder));
    ASSERT_TRUE(engines);
    store_ = store->get();
    application_ =
        std::make_unique<Application>(role, config_, stack_, std::move(*store), std::move(*storage),
                                      std::move(*engines), clock_, log_);
    ASSERT_TRUE(application_->start());
  }

  std::filesystem::path config_folder_ = support::source_dir() / "config";
  support::TemporaryFolder folder_;
  SystemClock clock_;
  std::ostringstream lines_;
  Log log_{clock_, lines_};
  CurlClient web_;
  Config config_;
  RenderStack stack_;
  std::unique_ptr<Application> application_;
  io::SqlStore* store_ = nullptr;  // the application's
};

}  // namespace pytoon::app
