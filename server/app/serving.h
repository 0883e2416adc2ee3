// What a serving process does between its start and its exit: it connects the HTTP server to the
// application, waits until it is told to stop or can do no more work, and leaves in order.
//
// Thread rule: run_until_stopped() by the thread that started both; it blocks until they are down.
#pragma once

#include <functional>

#include "server/app/application.h"
#include "server/app/stop_signals.h"
#include "server/http/http_server.h"

namespace pytoon::app {

// The application must outlive the server.
http::Callbacks callbacks_of(Application& application);

// Until it is told to stop, or until the process is marked as unusable (jobs/process_health.h).
// Then new work is refused, running work handed back without an attempt, and answers under way are
// finished; reads are answered all the while. Gives the exit status: 0, or kExitUnusable. Ends the
// process itself when that takes too long. reload: what SIGHUP asks for.
int run_until_stopped(Application& application, http::HttpServer& server,
                      const StopSignals& signals, Log& log, const std::function<void()>& reload);

}  // namespace pytoon::app
