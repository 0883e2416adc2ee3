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
// An upload's bytes are only copied by the reactor; a thread of the upload pool writes them to the
// disk. While more than 256 KiB of them wait, the socket is not read, and TCP slows the client
// down.
//
// Thread rule: any thread, except receive() and closed(), which are the reactor's. No exception
// leaves a call.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/files.h"
#include "base/ids.h"
#include "base/log.h"
#include "server/http/handler_pools.h"
#include "server/http/ip_address.h"
#include "server/http/limits.h"
#include "server/http/request_gate.h"
#include "server/http/request_head.h"
#include "server/http/silent_socket.h"
#include "server/http/streamer.h"
#include "server/http/transaction.h"

namespace pytoon::http {

// What all connections of a server share; outlives them.
struct ServerContext {
  RequestGate& gate;
  HandlerPools& pools;
  Streamer& files;
  Streamer& events;
  InFlight& in_flight;
  const SilentSocket& silent;
  ByteBudget& upload_budget;  // what waits to be written to the disk, of all connections
  AccessLog& access;
  IdSource& ids;  // of traces that begin here
  const Clock& clock;
  Log& log;
  const TimeLimits limits;
  const std::atomic<bool>& draining;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // rearm: makes the reactor look at the socket again; called with the connection's lock held, from
  // any thread, never after closed().
  Connection(int fd, ServerContext& context, std::function<void()> rearm);

  void receive(std::string_view bytes);
  void closed();

  // Answers 503 and closes: too many connections.
  void reject_overload();
  // It has one of the last places: operators alone are answered on it, once.
  void keep_for_operators();
  // crowded: places are few, and who shows no key has little time.
  void check_deadline(SteadyTime now, bool crowded);
  // By whom connections are counted; "" is nobody: a proxy of ours, or a peer that can't be told.
  const std::string& counted_by() const { return counted_by_; }
  void close_if_idle();
  void drop();
  // The descriptor, for closing, when no reactor is left to do it; -1 when it was closed.
  int take_descriptor();

 private:
  enum class Phase {
    kHead,
    kBody,
    kUploading,  // a body that goes to the disk
    kHandling,
    kStreaming,
    kLingering,
    kDropped,
    kClosed
  };

  void consume(std::string_view bytes);
  std::size_t take_head(std::string_view bytes);
  std::size_t take_body(std::string_view bytes);
  void discard(std::string_view bytes);
  void set_aside(std::string_view bytes);
  void begin_transaction();
  bool for_operators(const Admitted& admitted) const;
  bool take_tenants_place(const Admitted& admitted);
  void begin_body();
  void dispatch();
  void hand_to(Purpose purpose);
  void run_handler();
  void answered(Response response);
  SteadyTime body_deadline(std::uint64_t received_bytes) const;

  // connection_upload.cpp
  void take_upload(std::string_view bytes);
  void post_store();
  bool post_to_pool();
  void store_upload();
  bool store_some(std::unique_lock<std::mutex>& lock);
  void end_upload(std::string_view rest);
  void pause_reading();
  void resume_reading();
  bool restore_socket();
  bool uploading_by_us() const;  // bytes wait for us, so the client can't be late
  void respond(Response response);
  void refuse(const Problem& problem);
  void refuse(const Failure& failure);
  void refuse_body(const Failure& failure);  // of what can't be read or kept
  void stream(std::string bytes, Body rest);
  void streamed(bool whole, std::uint64_t bytes);
  void finish_transaction(bool whole);
  void take_set_aside();
  void linger();
  bool is_late(SteadyTime now, bool crowded) const;
  void be_late();
  void shut_down();
  void abort();
  void forget_unfinished_body();
  // Runs the step under the lock; an exception ends the connection instead of the process.
  template <typename Step>
  void locked(const Step& step);
  void locked(void (Connection::*step)());

  const int fd_;
  ServerContext& context_;
  const std::function<void()> rearm_;
  const std::optional<IpAddress> peer_;
  const std::string counted_by_;
  std::mutex mutex_;  // guards everything below
  Phase phase_ = Phase::kHead;
  SteadyTime deadline_;
  SteadyTime waiting_since_;                         // for a head
  bool known_ = false;                               // a good key was shown on it
  std::optional<TenantCounts::Slot> tenants_place_;  // of whose key was shown first
  bool only_for_operators_ = false;                  // keep_for_operators()
  HeadReader reader_;
  std::unique_ptr<Transaction> transaction_;  // from the complete head to the end of the answer
  SteadyTime body_since_;
  std::string set_aside_;
  std::uint64_t discarded_bytes_ = 0;

  // Of an upload. While storing_, a thread of the upload pool owns transaction_->body, and with it
  // the transaction.
  std::string arrived_;  // not written yet
  ByteBudget::Share arrived_share_;
  std::uint64_t arrived_bytes_ = 0;  // of this body, in all
  bool storing_ = false;             // a task of the upload pool is posted or at work
  bool overrun_ = false;             // more arrived than may wait: it is to be refused
  FileDescriptor paused_socket_;  // while the reactor must not read: fd_ is the silent socket then
  SteadyTime paused_at_;
};

}  // namespace pytoon::http
