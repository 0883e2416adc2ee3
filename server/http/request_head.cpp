#include "server/http/request_head.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/text.h"

namespace pytoon::http {
namespace {

constexpr std::array<std::string_view, 7> kMethods{"GET",   "HEAD",   "POST",   "PUT",
                                                   "PATCH", "DELETE", "OPTIONS"};
// Headers that mean something to us: two of them is an attack or a broken client.
constexpr std::array<std::string_view, 12> kSingletons{
    "host",     "content-length",  "content-type",  "transfer-encoding",
    "expect",   "x-api-key",       "range",         "if-none-match",
    "if-range", "idempotency-key", "last-event-id", "x-csrf-token"};

std::optional<Problem> read_method(std::string_view text, RequestHead& head) {
  const bool token = !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
  if (!token || text.size() > 32) return malformed("The method is not a token.");
  const auto* const known = std::find(kMethods.begin(), kMethods.end(), text);
  if (known == kMethods.end()) {
    return problem_of(ProtocolFault::kNotImplemented, "This method is not known here.");
  }
  head.method = static_cast<Method>(known - kMethods.begin());
  return std::nullopt;
}

std::optional<Problem> read_target(std::string_view text, RequestHead& head) {
  if (text.size() > kTargetBytesMax) {
    return problem_of(ProtocolFault::kUriTooLong, "The request target is over 4096 bytes.");
  }
  if (text == "*" && head.method == Method::kOptions) {
    head.path = "*";
    return std::nullopt;
  }
  const bool visible = std::all_of(text.begin(), text.end(), [](char c) {
    return c > 0x20 && c < 0x7f && c != '#' && c != '\\';
  });
  if (!visible || text.empty() || text.front() != '/') {
    return malformed("The request target must be a path that starts with '/'.");
  }
  const std::size_t question = text.find('?');
  head.path = text.substr(0, question);
  if (question != std::string_view::npos) head.query = text.substr(question + 1);
  if (head.path.find("//") != std::string::npos) return malformed("The path has an empty segment.");
  return std::nullopt;
}

std::optional<Problem> read_version(std::string_view text, RequestHead& head) {
  const bool form = text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) &&
                    text[6] == '.' && is_digit(text[7]);
  if (!form) return malformed("The request line does not end with an HTTP version.");
  if (text != "HTTP/1.1" && text != "HTTP/1.0") {
    return problem_of(ProtocolFault::kVersion, "Only HTTP/1.0 and HTTP/1.1 are spoken here.");
  }
  head.minor_version = text[7] - '0';
  return std::nullopt;
}

std::optional<Problem> read_request_line(std::string_view line, RequestHead& head) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return malformed("The request line must be: method, target, version.");
  }
  if (auto problem = read_method(line.substr(0, first), head)) return problem;
  if (auto problem = read_target(line.substr(first + 1, last - first - 1), head)) return problem;
  return read_version(line.substr(last + 1), head);
}

std::optional<Problem> read_header_line(std::string_view line, RequestHead& head) {
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  if (colon == std::string_view::npos || name.empty() ||
      !std::all_of(name.begin(), name.end(), is_token_char)) {
    return malformed("A header line is not of the form 'name: value'.");
  }
  head.headers.push_back({lower_case(name), std::string(trim(line.substr(colon + 1)))});
  if (head.headers.size() > kHeadersMax) {
    return problem_of(ProtocolFault::kHeadersTooLarge, "There are over 100 header lines.");
  }
  return std::nullopt;
}

std::optional<Problem> read_singletons(RequestHead& head) {
  for (const std::string_view name : kSingletons) {
    const auto same = [&](const Header& header) { return header.name == name; };
    if (std::count_if(head.headers.begin(), head.headers.end(), same) > 1) {
      return malformed("The header '" + std::string(name) + "' came more than once.");
    }
  }
  const auto host = head.header("host");
  if (!host && head.minor_version == 1) return malformed("There is no Host header.");
  const auto host_char = [](char c) {
    return is_token_char(c) || c == ':' || c == '[' || c == ']' || c == ',' || c == ';';
  };
  if (host && (host->size() > 255 || !std::all_of(host->begin(), host->end(), host_char))) {
    return malformed("The Host header is not a host name.");
  }
  return std::nullopt;
}

std::optional<Problem> read_framing(RequestHead& head) {
  const auto length = head.header("content-length");
  if (length) {
    std::uint64_t value = 0;
    const char* const end = length->data() + length->size();
    const auto [at, error] = std::from_chars(length->data(), end, value);
    if (length->empty() || length->size() > 15 || at != end || error != std::errc()) {
      return malformed("Content-Length is not a number.");
    }
    head.content_length = value;
  }
  const auto coding = head.header("transfer-encoding");
  if (!coding) return std::nullopt;
  if (length) return malformed("Content-Length and Transfer-Encoding exclude each other.");
  if (head.minor_version == 0) return malformed("HTTP/1.0 has no Transfer-Encoding.");
  if (lower_case(*coding) != "chunked") {
    return problem_of(ProtocolFault::kNotImplemented, "The only known transfer coding is chunked.");
  }
  head.chunked = true;
  return std::nullopt;
}

std::optional<Problem> read_connection(RequestHead& head) {
  head.keep_alive = head.minor_version == 1;
  for (const Header& header : head.headers) {
    if (header.name != "connection") continue;
    for (const std::string_view option : split(header.value, ',')) {
      const std::string word = lower_case(trim(option));
      if (word == "close") {
        head.keep_alive = false;
        return std::nullopt;
      }
      if (word == "keep-alive") head.keep_alive = true;
    }
  }
  return std::nullopt;
}

std::optional<Problem> read_expectation(RequestHead& head) {
  const auto expect = head.header("expect");
  if (!expect || head.minor_version == 0) return std::nullopt;
  if (lower_case(*expect) != "100-continue") {
    return problem_of(ProtocolFault::kExpectationFailed,
                      "The only known expectation is 100-continue.");
  }
  head.expects_continue = true;
  return std::nullopt;
}

}  // namespace

std::string_view name_of(Method method) { return kMethods[static_cast<std::size_t>(method)]; }

std::optional<std::string_view> RequestHead::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (header.name == name) return header.value;
  }
  return std::nullopt;
}

std::variant<RequestHead, Problem> parse_request_head(std::string_view text) {
  RequestHead head;
  std::size_t line_number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find("\r\n");
    if (end == std::string_view::npos) return malformed("The head does not end with a blank line.");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 2);
    if (line.empty()) break;
    auto problem =
        line_number++ == 0 ? read_request_line(line, head) : read_header_line(line, head);
    if (problem) return *std::move(problem);
  }
  if (line_number == 0) return malformed("There is no request line.");
  using Check = std::optional<Problem> (*)(RequestHead&);
  for (const Check check : {read_singletons, read_framing, read_connection, read_expectation}) {
    if (auto problem = check(head)) return *std::move(problem);
  }
  return head;
}

void HeadReader::reset() { *this = HeadReader(); }

std::optional<Problem> HeadReader::take(char byte) {
  const bool was_after_cr = std::exchange(after_cr_, false);
  if (was_after_cr != (byte == '\n')) return malformed("Lines must end with CR LF.");
  const auto code = static_cast<unsigned char>(byte);
  if ((code < 0x20 && byte != '\t' && byte != '\r' && byte != '\n') || code == 0x7f) {
    return malformed("There is a control byte in the head.");
  }
  if (byte == '\n' && head_ == "\r") {
    if (++leading_blank_lines_ > 1) return malformed("There is no request line.");
    head_.clear();
    return std::nullopt;
  }
  head_ += byte;
  after_cr_ = byte == '\r';
  if (byte == '\n') complete_ = std::exchange(line_bytes_, 0) == 0;
  if (byte != '\r' && byte != '\n') ++line_bytes_;
  if (head_.size() <= kHeadBytesMax) return std::nullopt;
  return head_.find('\n') == std::string::npos
             ? problem_of(ProtocolFault::kUriTooLong, "The request target is over 4096 bytes.")
             : problem_of(ProtocolFault::kHeadersTooLarge, "The head is over 16384 bytes.");
}

HeadReader::Step HeadReader::feed(std::string_view bytes) {
  Step step;
  for (const char byte : bytes) {
    ++step.taken;
    step.problem = take(byte);
    step.complete = complete_;
    if (step.problem || step.complete) break;
  }
  return step;
}

}  // namespace pytoon::http
