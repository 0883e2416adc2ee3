// The head of an HTTP/1.x request: request line and header lines, read strictly. Pure: bytes in,
// values out, no socket. Stricter than RFC 9112 wherever leniency has been a way to smuggle: no
// bare LF, no folding, no control bytes, exactly one Host, one all-digit Content-Length, never
// together with Transfer-Encoding, of which only "chunked" is known, no "//" in the path.
//
// HeadReader collects bytes until the blank line and refuses at the first byte that can't belong
// to a head; parse_request_head() then reads the collected head once (linear in its size).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/http/problem.h"

namespace pytoon::http {

inline constexpr std::size_t kHeadBytesMax = 16384;
inline constexpr std::size_t kTargetBytesMax = 4096;
inline constexpr std::size_t kHeadersMax = 100;

enum class Method { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions };

std::string_view name_of(Method method);

struct Header {
  std::string name;  // lower case
  std::string value;
};

struct RequestHead {
  Method method = Method::kGet;
  std::string path;   // as sent: still percent-encoded; "*" for OPTIONS *
  std::string query;  // as sent, without '?'
  int minor_version = 1;
  std::vector<Header> headers;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = true;
  bool expects_continue = false;
  std::string trace_id;  // of its traceparent, else drawn for it

  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
  // The first value of a header, by its lower-case name.
  std::optional<std::string_view> header(std::string_view name) const;
};

// head ends with the blank line.
std::variant<RequestHead, Problem> parse_request_head(std::string_view head);

class HeadReader {
 public:
  // Takes bytes up to and including the blank line; true when the head is complete.
  struct Step {
    std::size_t taken = 0;
    bool complete = false;
    std::optional<Problem> problem;
  };
  Step feed(std::string_view bytes);

  const std::string& head() const { return head_; }
  bool started() const { return !head_.empty() || leading_blank_lines_ > 0; }
  void reset();

 private:
  std::optional<Problem> take(char byte);

  std::string head_;
  std::size_t line_bytes_ = 0;
  int leading_blank_lines_ = 0;  // RFC 9112 2.2: one is forgiven
  bool after_cr_ = false;
  bool complete_ = false;
};

}  // namespace pytoon::http
