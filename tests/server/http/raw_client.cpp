#include "raw_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>

#include "base/text.h"

namespace pytoon::http::testing_support {
namespace {
constexpr std::chrono::milliseconds kPatience{20'000};
}

RawClient::RawClient(std::uint16_t port, int receive_buffer_bytes, const char* from)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_buffer_bytes > 0) {
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes,
                 sizeof receive_buffer_bytes);
  }
  // A server that has hung up with its window closed never takes another byte.
  const timeval patience{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  void* const any = &address;
  address.sin_family = AF_INET;
  ::inet_pton(AF_INET, from, &address.sin_addr);
  EXPECT_EQ(::bind(socket_.get(), static_cast<sockaddr*>(any), sizeof address), 0);
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(socket_.get(), static_cast<sockaddr*>(any), sizeof address), 0);
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool RawClient::fill(std::chrono::milliseconds patience) {
  pollfd waiting{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&waiting, 1, static_cast<int>(patience.count())) <= 0) return false;
  std::array<char, 65536> block{};
  const ssize_t got = ::recv(socket_.get(), block.data(), block.size(), 0);
  if (got <= 0) return false;
  buffer_.append(block.data(), static_cast<std::size_t>(got));
  return true;
}

bool RawClient::read_until(std::string_view text) {
  while (buffer_.find(text) == std::string::npos) {
    if (!fill(kPatience)) return false;
  }
  return true;
}

std::string RawClient::read_to_end() {
  while (fill(kPatience)) {
  }
  return std::move(buffer_);
}

bool RawClient::ended_within(std::chrono::milliseconds patience) {
  pollfd waiting{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  while (::poll(&waiting, 1, static_cast<int>(patience.count())) > 0) {
    if (!fill(std::chrono::milliseconds(0))) return true;
  }
  return false;
}

void RawClient::reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

Reply RawClient::reply(bool head_only) {
  Reply reply;
  if (!read_until("\r\n\r\n")) return reply;
  const std::size_t end = buffer_.find("\r\n\r\n");
  const std::string head = buffer_.substr(0, end + 2);
  buffer_.erase(0, end + 4);
  if (head.size() < 12 || !head.starts_with("HTTP/1.1 ")) return reply;
  const int status = std::stoi(head.substr(9, 3));
  if (status == 100) return this->reply(head_only);
  for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
    const std::size_t line_end = head.find("\r\n", at);
    const std::string line = head.substr(at, line_end - at);
    const std::size_t colon = line.find(':');
    reply.headers[lower_case(line.substr(0, colon))] =
        trim(std::string_view(line).substr(colon + 1));
    at = line_end + 2;
  }
  const auto length = reply.headers.find("content-length");
  const std::size_t body_bytes =
      head_only || length == reply.headers.end() ? 0 : std::stoul(length->second);
  while (buffer_.size() < body_bytes) {
    if (!fill(kPatience)) return reply;
  }
  reply.body = buffer_.substr(0, body_bytes);
  buffer_.erase(0, body_bytes);
  reply.status = status;
  return reply;
}

std::string request(std::string_view method, std::string_view target, std::string_view headers,
                    std::string_view body) {
  std::string bytes =
      std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: test\r\n";
  bytes += headers;
  if (!body.empty()) bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  bytes += "\r\n";
  bytes += body;
  return bytes;
}

}  // namespace pytoon::http::testing_support
