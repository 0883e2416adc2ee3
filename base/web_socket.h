// A WebSocket (RFC 6455) as a client that only listens. Nothing is ever sent but the request to
// upgrade, answers to pings, and the close frame that a broken rule of the protocol asks for.
//
// Made for places that are slow, broken or hostile, by the policy of http_client.h: the address
// that is connected to is judged by the request's EgressScope, TLS certificates are verified,
// redirects and proxies are not used. It dies when a message is too long, or when more came than
// the limits allow in all.
//
// Thread rule: one thread at a time. open() blocks for twice `open` at most (to connect, to
// upgrade), next() for `wait`; both notice `cancel` within 100 ms.
// Errors: kInvalid (the URL, a forbidden address), kCancelled, kUnavailable (not reached, not
// upgraded, closed by the other side), kTimeout (open() only), kBadResponse (breaks the protocol),
// kTooLarge (a limit). After a failure of next() nothing comes any more.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/cancel.h"
#include "base/web_address.h"

namespace pytoon {

struct WebSocketLimits {
  std::chrono::milliseconds open{5000};
  std::size_t message_bytes = 1 << 20;
  std::int64_t bytes = 64 << 20;    // of all messages
  std::int64_t messages = 100'000;  // pings and pongs are counted too
};

class WebSocket {
 public:
  struct Message {
    bool text = true;  // binary otherwise
    std::string data;
  };

  // `url` is http:// for ws and https:// for wss.
  static Result<std::unique_ptr<WebSocket>> open(const std::string& url, EgressScope egress,
                                                 const WebSocketLimits& limits,
                                                 const CancelToken& cancel);
  ~WebSocket();
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

  // nullopt when none came within `wait`.
  Result<std::optional<Message>> next(std::chrono::milliseconds wait, const CancelToken& cancel);

 private:
  struct Parts;

  explicit WebSocket(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace pytoon
