#include "tests/support/redis.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "base/clock.h"
#include "tests/support/temporary_folder.h"

namespace pytoon::support {
namespace {

constexpr int kTriesMax = 1000;
constexpr std::chrono::milliseconds kNap{10};

}  // namespace

PrivateRedis::PrivateRedis(std::vector<std::string> options)
    : options_(std::move(options)), folder_(make_temporary_folder("pytoon-redis")) {
  port_ = free_port();
  start();
}

PrivateRedis::~PrivateRedis() {
  process_.kill();
  std::filesystem::remove_all(folder_);
}

void PrivateRedis::start() {
  std::vector<std::string> command{"redis-server",   "--port",    std::to_string(port_),
                                   "--bind",         "127.0.0.1", "--dir",
                                   folder_.string(), "--save",    "",
                                   "--appendonly",   "no"};
  command.insert(command.end(), options_.begin(), options_.end());
  process_ = ChildProcess(command, folder_ / "log");
  SystemClock clock;
  for (int i = 0; i < kTriesMax && process_.running(); ++i) {
    if (port_answers(port_)) return;
    clock.sleep_for(kNap);
  }
  ADD_FAILURE() << "redis-server does not start: is the package redis-server installed?";
}

void PrivateRedis::kill() { process_.kill(); }

void PrivateRedis::restart() {
  kill();
  start();
}

void PrivateRedis::pause() { process_.signal(SIGSTOP); }
void PrivateRedis::resume() { process_.signal(SIGCONT); }

}  // namespace pytoon::support
