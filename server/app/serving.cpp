#include "server/app/serving.h"

#include "server/app/shutdown_watchdog.h"

namespace pytoon::app {
namespace {

// An answer or a segment under way has so long to end; then the process ends without it.
constexpr std::chrono::seconds kPatience{20};
constexpr std::chrono::seconds kLongestStop{28};
// How late a process that can do no more work notices it and goes.
constexpr std::chrono::milliseconds kHealthPoll{200};

// The order of leaving: refuse new work, put down running work, let answers finish.
void leave(Application& application, http::HttpServer& server, Log& log, int status_when_cut) {
  log.info("stopping");
  const ShutdownWatchdog guard(log, kLongestStop, status_when_cut);
  application.health().set_leaving();
  server.begin_drain();
  application.stop();
  const bool whole = server.stop(kPatience);
  log.info("stopped", {{"answers_cut_off", !whole}});
}

}  // namespace

http::Callbacks callbacks_of(Application& application) {
  return {[&application] { return application.metrics().text(); },
          [&application] { return application.process_health().reason(); },
          [&application](const http::AccessRecord& record) {
            application.metrics().http_request(record.method, record.route, record.status,
                                               record.seconds);
            if (!record.plan.empty()) {
              application.metrics().plan_request(record.plan, record.status);
            }
          }};
}

int run_until_stopped(Application& application, http::HttpServer& server,
                      const StopSignals& signals, Log& log, const std::function<void()>& reload) {
  const jobs::ProcessHealth& process = application.process_health();
  for (auto order = StopSignals::Order::kNone;
       process.usable() && order != StopSignals::Order::kStop;) {
    order = signals.wait_for(kHealthPoll);
    if (order == StopSignals::Order::kReload) reload();
  }
  const bool usable = process.usable();
  leave(application, server, log, usable ? 1 : jobs::kExitUnusable);
  return usable ? 0 : jobs::kExitUnusable;
}

}  // namespace pytoon::app
