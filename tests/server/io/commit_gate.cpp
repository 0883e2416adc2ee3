#include "tests/server/io/commit_gate.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <string_view>

namespace pytoon::testing_support {
namespace {

sockaddr_in loop_back(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool send_all(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

CommitGate::CommitGate(int server_port)
    : server_port_(server_port), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address = loop_back(0);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, any, size) != 0 || ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, any, &size) != 0) {
    throw std::runtime_error("no port for a gate");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { listen(); });
}

CommitGate::~CommitGate() {
  over_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
  cut_all();
  for (Link& link : links_) link.thread.join();
  for (const Link& link : links_) {
    ::close(link.client);
    ::close(link.server);
  }
}

void CommitGate::cut_next_commit(bool reaches_server) {
  plan_ = reaches_server ? Plan::kBeforeClient : Plan::kBeforeServer;
}

void CommitGate::cut_all() {
  const std::lock_guard lock(mutex_);
  for (const Link& link : links_) {
    ::shutdown(link.client, SHUT_RDWR);
    ::shutdown(link.server, SHUT_RDWR);
  }
}

void CommitGate::listen() {
  while (!over_) {
    const int client = ::accept(listener_, nullptr, nullptr);
    if (client < 0) return;
    const int server = ::socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = loop_back(server_port_);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      ::close(client);
      ::close(server);
      continue;
    }
    const std::lock_guard lock(mutex_);
    Link& link = links_.emplace_back();
    link.client = client;
    link.server = server;
    link.thread = std::thread([this, &link] { relay(link); });
  }
}

void CommitGate::relay(Link& link) {
  bool awaited = false;  // the server's answer to a commit: the client must not see it
  std::array<pollfd, 2> ends{pollfd{link.client, POLLIN, 0}, pollfd{link.server, POLLIN, 0}};
  while (::poll(ends.data(), ends.size(), -1) > 0) {
    if (ends[0].revents != 0 && !pass(link, true, awaited)) break;
    if (ends[1].revents != 0 && !pass(link, false, awaited)) break;
  }
  ::shutdown(link.client, SHUT_RDWR);
  ::shutdown(link.server, SHUT_RDWR);
}

bool CommitGate::pass(const Link& link, bool from_client, bool& awaited) {
  std::array<char, 16384> buffer{};
  const ssize_t got =
      ::recv(from_client ? link.client : link.server, buffer.data(), buffer.size(), 0);
  if (got <= 0) return false;
  const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
  if (!from_client) return !awaited && send_all(link.client, bytes);
  if (bytes.find("COMMIT") != std::string_view::npos) {
    const Plan plan = plan_.exchange(Plan::kNone);
    if (plan == Plan::kBeforeServer) return false;
    awaited = plan == Plan::kBeforeClient;
  }
  return send_all(link.server, bytes);
}

}  // namespace pytoon::testing_support
