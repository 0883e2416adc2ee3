#include "server/app/stop_signals.h"

#include <pthread.h>

#include <csignal>
#include <ctime>

namespace pytoon::app {
namespace {

sigset_t stop_set() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGQUIT);
  sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

StopSignals::StopSignals() {
  const sigset_t set = stop_set();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

StopSignals::Order StopSignals::wait_for(std::chrono::milliseconds duration) const {
  const sigset_t set = stop_set();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
  const std::chrono::nanoseconds rest = duration - seconds;
  const timespec limit{seconds.count(), rest.count()};
  const int signal = sigtimedwait(&set, nullptr, &limit);
  if (signal <= 0) return Order::kNone;
  return signal == SIGHUP ? Order::kReload : Order::kStop;
}

}  // namespace pytoon::app
