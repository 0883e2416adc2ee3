#include "tests/support/fake_http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstring>

namespace pytoon::support {
namespace {

constexpr int kSliceMs = 10;

std::string decoded(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      plain += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      plain += text[i] == '+' ? ' ' : text[i];
    }
  }
  return plain;
}

void read_query(const std::string& text, std::map<std::string, std::string>& query) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('&', at), text.size());
    const std::string pair = text.substr(at, end - at);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string value = equals < pair.size() ? pair.substr(equals + 1) : "";
    query[decoded(pair.substr(0, equals))] = decoded(value);
    at = end + 1;
  }
}

Call read_head(const std::string& head) {
  Call call;
  const std::size_t line_end = head.find("\r\n");
  const std::string line = head.substr(0, line_end);
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  call.method = line.substr(0, first);
  std::string target = line.substr(first + 1, last - first - 1);
  if (const std::size_t mark = target.find('?'); mark != std::string::npos) {
    read_query(target.substr(mark + 1), call.query);
    target.resize(mark);
  }
  call.path = target;
  std::size_t at = line_end + 2;
  while (at < head.size()) {
    const std::size_t end = head.find("\r\n", at);
    if (end == std::string::npos || end == at) break;
    const std::size_t colon = head.find(':', at);
    std::string name = head.substr(at, colon - at);
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    call.headers[name] = head.substr(colon + 2, end - colon - 2);
    at = end + 2;
  }
  return call;
}

bool send_all(int fd, const std::string& bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t n = ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return false;
    sent += static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace

FakeHttpServer::FakeHttpServer(Handler handler) : handler_(std::move(handler)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr plain{};
  std::memcpy(&plain, &address, sizeof plain);
  socklen_t size = sizeof plain;
  ::bind(listener_, &plain, size);
  ::listen(listener_, 64);
  ::getsockname(listener_, &plain, &size);
  std::memcpy(&address, &plain, sizeof plain);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { listen_loop(); });
}

FakeHttpServer::~FakeHttpServer() { stop(); }

void FakeHttpServer::stop() {
  stopping_ = true;
  if (acceptor_.joinable()) acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

std::string FakeHttpServer::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + path;
}

void FakeHttpServer::listen_loop() {
  while (!stopping_) {
    pollfd ready{listener_, POLLIN, 0};
    if (::poll(&ready, 1, kSliceMs) <= 0) continue;
    const int fd = ::accept(listener_, nullptr, nullptr);
    if (fd < 0) continue;
    ++connections_;
    threads_.emplace_back([this, fd] {
      serve(fd);
      ::close(fd);
    });
  }
  ::close(listener_);
}

void FakeHttpServer::serve(int fd) {
  std::string received;
  std::size_t head_end = std::string::npos;
  Call call;
  std::size_t wanted = 0;
  while (!stopping_) {
    pollfd ready{fd, POLLIN, 0};
    if (::poll(&ready, 1, kSliceMs) > 0) {
      std::string piece(65536, '\0');
      const ssize_t n = ::recv(fd, piece.data(), piece.size(), 0);
      if (n <= 0) return;
      received.append(piece.data(), static_cast<std::size_t>(n));
    }
    if (head_end == std::string::npos) {
      head_end = received.find("\r\n\r\n");
      if (head_end == std::string::npos) continue;
      call = read_head(received.substr(0, head_end + 2));
      const auto length = call.headers.find("content-length");
      wanted = head_end + 4 + (length == call.headers.end() ? 0 : std::stoul(length->second));
    }
    if (received.size() >= wanted) break;
  }
  if (stopping_) return;
  call.body = received.substr(head_end + 4);
  Reply reply;
  {
    const std::lock_guard lock(mutex_);
    reply = handler_(call);
  }
  if (reply.manner == Reply::Manner::kTakeOver) return reply.talk(fd);
  send_reply(fd, reply);
}

void FakeHttpServer::send_reply(int fd, const Reply& reply) {
  if (reply.manner == Reply::Manner::kDrop) return;
  pollfd ready{fd, POLLIN, 0};
  if (reply.manner == Reply::Manner::kHang) {
    std::string byte(1, '\0');
    while (!stopping_) {
      if (::poll(&ready, 1, kSliceMs) > 0 && ::recv(fd, byte.data(), 1, 0) <= 0) return;
    }
    return;
  }
  std::string head =
      "HTTP/1.1 " + std::to_string(reply.status) + " Status\r\nContent-Type: " + reply.type +
      "\r\nContent-Length: " + std::to_string(reply.body.size()) + "\r\nConnection: close\r\n";
  for (const auto& [name, value] : reply.headers) head += name + ": " + value + "\r\n";
  if (!send_all(fd, head + "\r\n")) return;
  if (reply.manner == Reply::Manner::kCut) {
    send_all(fd, reply.body.substr(0, reply.body.size() / 2));
    return;
  }
  if (reply.manner != Reply::Manner::kTrickle) {
    send_all(fd, reply.body);
    return;
  }
  for (const char byte : reply.body) {
    if (stopping_ || !send_all(fd, std::string(1, byte))) return;
    ::poll(nullptr, 0, static_cast<int>(reply.pause.count()));
  }
}

std::map<std::string, FormField> read_form(const Call& call) {
  std::map<std::string, FormField> fields;
  const auto found = call.headers.find("content-type");
  if (found == call.headers.end()) return fields;
  const std::size_t mark = found->second.find("boundary=");
  if (mark == std::string::npos) return fields;
  const std::string fence = "--" + found->second.substr(mark + 9);
  std::size_t at = call.body.find(fence);
  while (at != std::string::npos) {
    const std::size_t next = call.body.find(fence, at + fence.size());
    if (next == std::string::npos) break;
    const std::string part = call.body.substr(at + fence.size() + 2, next - at - fence.size() - 4);
    const std::size_t split = part.find("\r\n\r\n");
    const auto quoted = [&part, split](const std::string& key) -> std::string {
      const std::size_t begin = part.find(" " + key + "=\"");
      if (begin == std::string::npos || begin > split) return "";
      const std::size_t from = begin + key.size() + 3;
      return part.substr(from, part.find('"', from) - from);
    };
    fields[quoted("name")] = {quoted("filename"), part.substr(split + 4)};
    at = next;
  }
  return fields;
}

}  // namespace pytoon::support
