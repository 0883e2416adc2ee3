#include "tests/support/tcp_gate.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "tests/support/loopback.h"

namespace pytoon::support {
namespace {

constexpr int kSliceMs = 20;
constexpr std::size_t kPieceBytes = 4096;
constexpr std::size_t kQueueBytesMax = 256 << 10;

void no_delay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// The other side sees a reset, not an orderly end.
void reset_on_close(int fd) {
  const linger now{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

struct Piece {
  SteadyTime due;
  std::string bytes;
};

// One way of a connection.
struct Way {
  int from = -1;
  int to = -1;
  std::deque<Piece> queue;
  std::size_t queued = 0;
  SteadyTime last_due{};
  std::int64_t seen = 0;  // bytes, for corruption
  bool ended = false;     // nothing more comes
  bool closed = false;    // the other side was told
};

bool readable(int fd) {
  pollfd ready{fd, POLLIN, 0};
  return ::poll(&ready, 1, 0) > 0;
}

// False when the connection broke.
bool take(Way& way, const GateFaults& faults, SteadyTime now) {
  while (!way.ended && way.queued < kQueueBytesMax && readable(way.from)) {
    std::string bytes(kPieceBytes, '\0');
    const ssize_t got = ::recv(way.from, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) {
      way.ended = true;
      return true;
    }
    bytes.resize(static_cast<std::size_t>(got));
    for (char& byte : bytes) {
      ++way.seen;
      if (faults.corrupt_every > 0 && way.seen % faults.corrupt_every == 0) {
        byte = static_cast<char>(byte ^ 0x10);
      }
    }
    SteadyTime due = std::max(now + faults.delay, way.last_due);
    if (faults.bytes_per_second > 0) {
      due += std::chrono::microseconds(got * 1'000'000 / faults.bytes_per_second);
    }
    way.last_due = due;
    way.queued += bytes.size();
    way.queue.push_back({due, std::move(bytes)});
  }
  return true;
}

// Bytes passed on; -1 when the connection broke.
std::int64_t give(Way& way, SteadyTime now) {
  std::int64_t passed = 0;
  while (!way.queue.empty() && way.queue.front().due <= now) {
    std::string& bytes = way.queue.front().bytes;
    const ssize_t sent = ::send(way.to, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return errno == EAGAIN || errno == EINTR ? passed : -1;
    passed += sent;
    way.queued -= static_cast<std::size_t>(sent);
    bytes.erase(0, static_cast<std::size_t>(sent));
    if (bytes.empty()) way.queue.pop_front();
  }
  if (way.ended && way.queue.empty() && !std::exchange(way.closed, true)) {
    ::shutdown(way.to, SHUT_WR);
  }
  return passed;
}

}  // namespace

struct TcpGate::Pair {
  FileDescriptor client;
  FileDescriptor server;
  Way up;
  Way down;
  std::int64_t carried = 0;

  void reset() const {
    reset_on_close(client.get());
    reset_on_close(server.get());
  }
};

TcpGate::TcpGate(int target_port) : target_port_(target_port) {
  listener_ = FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr address = loopback(0);
  socklen_t size = sizeof address;
  ::bind(listener_.get(), &address, size);
  ::listen(listener_.get(), 128);
  ::getsockname(listener_.get(), &address, &size);
  sockaddr_in inet{};
  std::memcpy(&inet, &address, sizeof inet);
  port_ = ntohs(inet.sin_port);
  thread_ = std::thread([this] { work(); });
}

TcpGate::~TcpGate() {
  stopping_ = true;
  thread_.join();
}

void TcpGate::set(const GateFaults& faults) {
  std::unique_lock lock(mutex_);
  faults_ = faults;
  const std::int64_t told = ++told_;
  lock.unlock();
  wait_until_done(told);
}

void TcpGate::cut() {
  std::unique_lock lock(mutex_);
  cutting_ = true;
  const std::int64_t told = ++told_;
  lock.unlock();
  wait_until_done(told);
}

void TcpGate::wait_until_done(std::int64_t told) {
  while (done_ < told) clock_.sleep_for(std::chrono::milliseconds(1));
}

void TcpGate::accept_one(const GateFaults& faults) {
  FileDescriptor client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!client) return;
  ++connections_;
  FileDescriptor server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr address = loopback(target_port_);
  if (faults.refuse || ::connect(server.get(), &address, sizeof address) != 0) {
    reset_on_close(client.get());
    return;
  }
  no_delay(client.get());
  no_delay(server.get());
  Pair& pair = pairs_.emplace_back();
  pair.up.from = pair.down.to = client.get();
  pair.up.to = pair.down.from = server.get();
  pair.client = std::move(client);
  pair.server = std::move(server);
}

bool TcpGate::carry(Pair& pair, const GateFaults& faults) {
  if (faults.hold) return true;
  const SteadyTime now = clock_.steady_now();
  for (Way* way : {&pair.up, &pair.down}) {
    const bool fine = take(*way, faults, now);
    const std::int64_t passed = fine ? give(*way, now) : -1;
    pair.carried += std::max<std::int64_t>(passed, 0);
    bytes_ += std::max<std::int64_t>(passed, 0);
    const bool worn = faults.cut_after > 0 && pair.carried >= faults.cut_after;
    if (passed < 0 || worn) {
      pair.reset();
      return false;
    }
  }
  return !(pair.up.closed && pair.down.closed);
}

void TcpGate::work() {
  while (!stopping_) {
    GateFaults faults;
    bool cutting = false;
    std::int64_t told = 0;
    {
      const std::lock_guard lock(mutex_);
      faults = faults_;
      cutting = std::exchange(cutting_, false);
      told = told_;
    }
    if (cutting || faults.refuse) {
      for (const Pair& pair : pairs_) pair.reset();
      pairs_.clear();
    }
    done_ = told;
    std::vector<pollfd> watched{{listener_.get(), POLLIN, 0}};
    SteadyTime next = clock_.steady_now() + std::chrono::milliseconds(kSliceMs);
    for (Pair& pair : pairs_) {
      for (const Way* way : {&pair.up, &pair.down}) {
        if (!way->queue.empty()) next = std::min(next, way->queue.front().due);
        const bool room = way->queued < kQueueBytesMax && !way->ended && !faults.hold;
        if (room) watched.push_back({way->from, POLLIN, 0});
      }
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - clock_.steady_now());
    const auto patience = std::clamp<std::int64_t>(left.count(), 1, kSliceMs);
    ::poll(watched.data(), watched.size(), static_cast<int>(patience));
    if ((watched.front().revents & POLLIN) != 0) accept_one(faults);
    pairs_.remove_if([&](Pair& pair) { return !carry(pair, faults); });
  }
  for (const Pair& pair : pairs_) pair.reset();
}

}  // namespace pytoon::support
