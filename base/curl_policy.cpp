#include "base/curl_policy.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace pytoon {
namespace {

constexpr int kPollMs = 50;

IpAddress ip_of(const curl_sockaddr& peer) {
  IpAddress address;
  if (peer.family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, &peer.addr, sizeof four);
    std::memcpy(address.bytes.data(), &four.sin_addr, 4);
  } else {
    sockaddr_in6 six{};
    std::memcpy(&six, &peer.addr, std::min<std::size_t>(sizeof six, peer.addrlen));
    std::memcpy(address.bytes.data(), &six.sin6_addr, 16);
    address.six = true;
  }
  return address;
}

curl_socket_t open_socket(void* user, curlsocktype /*purpose*/, curl_sockaddr* peer) {
  auto& gate = *static_cast<EgressFilter*>(user);
  if (peer->family != AF_INET && peer->family != AF_INET6) return CURL_SOCKET_BAD;
  const IpAddress address = ip_of(*peer);
  if (!may_reach(gate.egress, address)) {
    gate.refused = ip_text(address);
    return CURL_SOCKET_BAD;
  }
  return ::socket(peer->family, peer->socktype | SOCK_CLOEXEC, peer->protocol);
}

}  // namespace

void set_policy(CURL* easy, EgressFilter& gate) {
  set_option(easy, CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  set_option(easy, CURLOPT_OPENSOCKETDATA, &gate);
  set_option(easy, CURLOPT_NOSIGNAL, 1L);
  // A name that resolves slowly must not hold up a cancel.
  set_option(easy, CURLOPT_QUICK_EXIT, 1L);
  set_option(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set_option(easy, CURLOPT_FOLLOWLOCATION, 0L);
  set_option(easy, CURLOPT_PROXY, "");  // not even those of http_proxy
  set_option(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set_option(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  set_option(easy, CURLOPT_SSL_VERIFYHOST, 2L);
}

std::optional<CURLcode> drive(CURLM* multi, const CancelToken& cancel) {
  for (;;) {
    int running = 0;
    curl_multi_perform(multi, &running);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg == CURLMSG_DONE) return message->data.result;
    }
    if (cancel.cancelled()) return std::nullopt;
    curl_multi_poll(multi, nullptr, 0, kPollMs, nullptr);
  }
}

Failure describe_curl(CURL* easy, CURLcode code, const EgressFilter& gate,
                      const std::string& host) {
  if (!gate.refused.empty()) {
    return failure(FailureKind::kInvalid,
                   host + " is at " + gate.refused + ", which may not be reached");
  }
  curl_off_t sending_since = 0;
  curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &sending_since);
  FailureKind kind = FailureKind::kBadResponse;
  if (code == CURLE_OPERATION_TIMEDOUT) kind = FailureKind::kTimeout;
  if (sending_since == 0) kind = FailureKind::kUnavailable;
  return failure(kind, host + ": " + lower_case(curl_easy_strerror(code)));
}

}  // namespace pytoon
