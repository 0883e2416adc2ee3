// A client that sends exactly the bytes it is told to, well formed or not.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/files.h"

namespace pytoon::http::testing_support {

struct Reply {
  int status = 0;  // 0 when the connection ended without a complete answer
  std::map<std::string, std::string> headers;  // lower-case names
  std::string body;
};

class RawClient {
 public:
  // receive_buffer_bytes 0 is the system's choice; from: 127.0.0.x, another client each.
  explicit RawClient(std::uint16_t port, int receive_buffer_bytes = 0,
                     const char* from = "127.0.0.1");

  // False when the server has closed, or takes nothing for five seconds.
  bool send(std::string_view bytes);
  // Reads one answer; for HEAD there is no body to wait for.
  Reply reply(bool head_only = false);
  // One request and its answer.
  Reply ask(std::string_view bytes) { return send(bytes) ? reply() : reply(); }
  // Appends to what was read until the text is there; false when the end came first.
  bool read_until(std::string_view text);
  std::string read_to_end();
  // True when the server ends the connection within the time; discards what comes before.
  bool ended_within(std::chrono::milliseconds patience);
  void reset();  // closes with a RST
  void close() { socket_ = FileDescriptor(); }
  const std::string& unread() const { return buffer_; }

 private:
  bool fill(std::chrono::milliseconds patience);  // false at the end or after the time

  FileDescriptor socket_;
  std::string buffer_;
};

std::string request(std::string_view method, std::string_view target, std::string_view headers = "",
                    std::string_view body = "");

}  // namespace pytoon::http::testing_support
