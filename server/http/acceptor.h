// Takes TCP connections and hands their bytes to Connection: Pistache, kept on a short lead. Of
// Debian's 0.0.5 only the acceptor and the epoll loops are used: they hand over bytes and close
// descriptors. Its parser (quadratic, lenient), router (regular expressions over input), response
// queue (spins on a slow reader, keyed by descriptor numbers that are reused) and time-outs (write
// into streams) stay out of the way: docs/adr/0012 says why, tests/server/http/pistache shows it.
// acceptor.cpp is the only file that includes the library.
//
// Thread rule: start() and stop() from one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "server/http/connection.h"
#include "server/http/connection_table.h"

namespace pytoon::http {

struct ListenAddress {
  std::string host = "127.0.0.1";  // IPv4 or IPv6 literal
  std::uint16_t port = 0;          // 0 takes any free one
};

// Whether the library's reactors are there to be spoken to: a connection may outlive them.
struct ReactorGate {
  std::mutex mutex;
  bool open = true;  // guarded by mutex
};

class Acceptor {
 public:
  Acceptor(ServerContext& context, ConnectionTable& table);
  ~Acceptor();

  // kIo when the address can't be had.
  Status start(const ListenAddress& address, int threads);
  std::uint16_t port() const;
  // Ends the threads. Connections must be gone by then, or be closed by the caller afterwards.
  void stop();

 private:
  class Reactor;
  ServerContext& context_;
  ConnectionTable& table_;
  std::unique_ptr<Reactor> reactor_;
  const std::shared_ptr<ReactorGate> gate_ = std::make_shared<ReactorGate>();
};

}  // namespace pytoon::http
