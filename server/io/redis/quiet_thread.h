// A thread whose writes to a closed connection fail instead of killing the process: hiredis writes
// without MSG_NOSIGNAL.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <thread>
#include <utility>

namespace pytoon::io {

template <typename Body>
std::thread quiet_thread(Body body) {
  return std::thread([body = std::move(body)]() mutable {
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    body();
  });
}

}  // namespace pytoon::io
