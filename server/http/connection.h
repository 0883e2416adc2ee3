// One client connection: bytes in, transactions, bytes out. It knows sockets and HTTP framing, but
// neither Pistache (which hands it bytes) nor what the answers mean (which RequestGate knows).
//
// One transaction at a time: what a client sends ahead waits, up to 64 KiB, then the client is
// dropped; so is one that keeps to none of the time limits. Small answers are sent at once; what
// does not fit the socket goes to a Streamer, after which the connection can be used again.
//
// Closing: only the reactor closes the descriptor, after closed(). Everything else shuts the
// socket down, under the same lock that guards closed(), so no call ever meets a recycled number.
// After a refusal the write side is shut and input discarded for a while, so that the client can
// read the answer before a reset reaches it (RFC 9112 section 9.6).
//
// Thread rule: any thread, except receive() and closed(), which are the reactor's.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "server/http/handler_pool.h"
#include "server/http/limits.h"
#include "server/http/request_gate.h"
#include "server/http/request_head.h"
#include "server/http/streamer.h"
#include "server/http/transaction.h"

namespace pytoon::http {

// What all connections of a server share; outlives them.
struct ServerContext {
  RequestGate& gate;
  HandlerPool& pool;
  Streamer& files;
  Streamer& events;
  InFlight& in_flight;
  AccessLog& access;
  const Clock& clock;
  Log& log;
  const TimeLimits limits;
  const std::atomic<bool>& draining;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(int fd, ServerContext& context);

  void receive(std::string_view bytes);
  void closed();

  // Answers 503 and closes: too many connections.
  void reject_overload();
  void check_deadline(SteadyTime now);
  void close_if_idle();
  void drop();
  // The descriptor, for closing, when no reactor is left to do it; -1 when it was closed.
  int take_descriptor();

 private:
  enum class Phase { kHead, kBody, kHandling, kStreaming, kLingering, kDropped, kClosed };

  void consume(std::string_view bytes);
  std::size_t take_head(std::string_view bytes);
  std::size_t take_body(std::string_view bytes);
  void discard(std::string_view bytes);
  void set_aside(std::string_view bytes);
  void begin_exchange();
  void begin_body();
  void dispatch();
  void answered(Response response);
  void respond(Response response);
  void refuse(const Problem& problem);
  void stream(std::string bytes, Body rest);
  void streamed(bool whole, std::uint64_t bytes);
  void finish_exchange(bool whole);
  void take_set_aside();
  void linger();
  void shut_down();
  void abort();
  void forget_unfinished_body();
  void locked(void (Connection::*step)());

  const int fd_;
  ServerContext& context_;
  std::mutex mutex_;  // guards everything below
  Phase phase_ = Phase::kHead;
  SteadyTime deadline_;
  HeadReader reader_;
  std::unique_ptr<Transaction> transaction_;  // from the complete head to the end of the answer
  SteadyTime body_since_;
  std::string set_aside_;
  std::uint64_t discarded_bytes_ = 0;
};

}  // namespace pytoon::http
