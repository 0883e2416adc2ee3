// An answer before it goes on the wire: status, headers and one of three bodies. The transport
// adds Content-Length, Connection and Date; handlers never write those.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "server/http/problem.h"
#include "server/http/request_head.h"

namespace pytoon::http {

// A piece of an open file.
struct FileBody {
  FileDescriptor file;
  std::uint64_t first = 0;
  std::uint64_t length = 0;
};

// A body without an end known in advance: server-sent events. The streamer asks again every tick
// (250 ms), but only when all earlier bytes have gone out, so a slow reader costs no memory and
// sees the latest state instead of a backlog. Called on the streamer's thread, which it must not
// hold up. Destroying it ends the subscription.
class EventSource {
 public:
  virtual ~EventSource() = default;
  struct Step {
    std::string bytes;  // may be empty
    bool last = false;
  };
  virtual Step next(SteadyTime now) = 0;
};

using Body = std::variant<std::string, FileBody, std::unique_ptr<EventSource>>;

struct Response {
  int status = 200;
  std::vector<Header> headers;
  Body body;
};

Response json_response(int status, const nlohmann::ordered_json& json);
Response problem_response(const Problem& problem);
Response problem_response(const Failure& failure);

// Status line and headers with the blank line after them.
std::string wire_head(const Response& response, bool keep_alive, WallTime now);
// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7)
std::string http_date(WallTime time);

}  // namespace pytoon::http
