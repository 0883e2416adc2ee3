#include "base/web_socket.h"

#include <utility>
// Boost.Asio 1.74 forgets to include <utility> before its coroutines.
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "base/curl_stream.h"

namespace pytoon {
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using std::chrono::milliseconds;
using Error = boost::system::error_code;

namespace {

constexpr milliseconds kSlice{50};

Failure told(const Error& error, const std::string& host) {
  FailureKind kind = FailureKind::kBadResponse;
  if (error == websocket::error::closed || error == boost::asio::error::eof ||
      error == boost::asio::error::connection_reset || error == beast::http::error::end_of_stream) {
    kind = FailureKind::kUnavailable;
  }
  const bool too_long =
      error == websocket::error::message_too_big || error == websocket::error::buffer_overflow;
  return failure(too_long ? FailureKind::kTooLarge : kind, host + ": " + error.message());
}

// "/path?query" of a URL that begins with an origin.
std::string target_of(const WebAddress& address) {
  const std::size_t slash = address.url.find('/', address.url.find("://") + 3);
  return slash == std::string::npos ? "/" : address.url.substr(slash);
}

std::string authority_of(const WebAddress& address) {
  return address.origin.substr(address.origin.find("://") + 3);
}

}  // namespace

// In the order in which they need each other.
struct WebSocket::Parts {
  using Stream = websocket::stream<CurlStream, false>;

  Parts(WebAddress where, EgressScope egress, WebSocketLimits all)
      : address(std::move(where)), limits(all), gate{egress, ""} {}

  const WebAddress address;
  const WebSocketLimits limits;
  std::int64_t bytes = 0;
  std::int64_t messages = 0;
  EgressFilter gate;
  CurlMulti multi{curl_multi_init()};
  CurlEasy easy{curl_easy_init()};
  std::optional<CurlAttached> attached;
  boost::asio::io_context io{1};
  std::optional<Stream> stream;
  beast::flat_buffer buffer;
  bool reading = false;
  std::optional<Error> ended;  // of what is under way

  Status connect(const CancelToken& cancel);
  Status upgrade(const CancelToken& cancel);
  Status run(milliseconds wait, const CancelToken& cancel);
  bool too_much() const { return bytes > limits.bytes || messages > limits.messages; }
};

Status WebSocket::Parts::connect(const CancelToken& cancel) {
  CHECK(multi && easy, "libcurl has memory");
  set_policy(easy.get(), gate);
  set_option(easy.get(), CURLOPT_URL, address.url.c_str());
  set_option(easy.get(), CURLOPT_CONNECT_ONLY, 1L);
  set_option(easy.get(), CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set_option(easy.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(limits.open.count()));
  attached.emplace(multi.get(), easy.get());
  const std::optional<CURLcode> code = drive(multi.get(), cancel);
  if (!code) return failure(FailureKind::kCancelled, "cancelled while reaching " + address.host);
  if (*code != CURLE_OK) return describe_curl(easy.get(), *code, gate, address.host);
  curl_socket_t socket = CURL_SOCKET_BAD;
  if (curl_easy_getinfo(easy.get(), CURLINFO_ACTIVESOCKET, &socket) != CURLE_OK ||
      socket == CURL_SOCKET_BAD) {
    return failure(FailureKind::kUnavailable, address.host + ": the connection is gone");
  }
  stream.emplace(io, easy.get(), socket);
  return ok_status();
}

// Runs what is under way until it ended or `wait` is over.
Status WebSocket::Parts::run(milliseconds wait, const CancelToken& cancel) {
  for (milliseconds left = wait; !ended && left.count() > 0; left -= kSlice) {
    if (cancel.cancelled()) {
      return failure(FailureKind::kCancelled, "cancelled while listening to " + address.host);
    }
    io.restart();
    io.run_for(std::min(left, kSlice));
    if (too_much()) return failure(FailureKind::kTooLarge, address.host + " sends without end");
  }
  return ok_status();
}

Status WebSocket::Parts::upgrade(const CancelToken& cancel) {
  stream->read_message_max(limits.message_bytes);
  stream->control_callback([this](websocket::frame_type, beast::string_view) { ++messages; });
  websocket::response_type answer;
  stream->async_handshake(answer, authority_of(address), target_of(address),
                          [this](const Error& error) { ended = error; });
  if (Status ran = run(limits.open, cancel); !ran) return ran;
  if (!ended) return failure(FailureKind::kTimeout, address.host + ": does not upgrade in time");
  const Error error = *std::exchange(ended, std::nullopt);
  if (error == websocket::error::upgrade_declined) {
    return failure(
        FailureKind::kUnavailable,
        address.host + " answers " + std::to_string(answer.result_int()) + " and is no WebSocket");
  }
  return error ? Status(told(error, address.host)) : ok_status();
}

WebSocket::WebSocket(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
WebSocket::~WebSocket() = default;

Result<std::unique_ptr<WebSocket>> WebSocket::open(const std::string& url, EgressScope egress,
                                                   const WebSocketLimits& limits,
                                                   const CancelToken& cancel) {
  Result<WebAddress> address = parse_web_address(url);
  if (!address) return address.failure();
  auto parts = std::make_unique<Parts>(std::move(*address), egress, limits);
  if (Status connected = parts->connect(cancel); !connected) return connected.failure();
  if (Status upgraded = parts->upgrade(cancel); !upgraded) return upgraded.failure();
  return std::unique_ptr<WebSocket>(new WebSocket(std::move(parts)));
}

Result<std::optional<WebSocket::Message>> WebSocket::next(milliseconds wait,
                                                          const CancelToken& cancel) {
  Parts& parts = *parts_;
  if (!std::exchange(parts.reading, true)) {
    parts.stream->async_read(parts.buffer,
                             [&parts](const Error& error, std::size_t) { parts.ended = error; });
  }
  if (Status ran = parts.run(wait, cancel); !ran) return ran.failure();
  if (!parts.ended) return std::optional<Message>();
  // It stays so after a failure.
  if (*parts.ended) return told(*parts.ended, parts.address.host);
  parts.ended.reset();
  parts.reading = false;
  Message message{parts.stream->got_text(), beast::buffers_to_string(parts.buffer.data())};
  parts.buffer.consume(parts.buffer.size());
  ++parts.messages;
  parts.bytes += static_cast<std::int64_t>(message.data.size());
  return std::optional<Message>(std::move(message));
}

}  // namespace pytoon
