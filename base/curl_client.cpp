#include "base/curl_client.h"

#include <charconv>

#include "base/curl_transfer.h"
#include "base/text.h"

namespace pytoon {
namespace {

constexpr std::size_t kIdleMax = 8;  // transfers kept for each EgressScope

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

void drop_secrets(HttpRequest& request) {
  std::erase_if(request.headers, [](const auto& header) {
    const std::string name = lower_case(header.first);
    return name == "authorization" || name == "x-api-key" || name == "cookie";
  });
}

}  // namespace

std::string HttpAnswer::header(const std::string& lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return "";
}

std::optional<std::chrono::seconds> HttpAnswer::retry_after() const {
  const std::string text = header("retry-after");
  int seconds = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || seconds < 0) {
    return std::nullopt;
  }
  return std::chrono::seconds(seconds);
}

CurlClient::CurlClient() {
  CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, "libcurl starts");
}

CurlClient::~CurlClient() {
  for (auto& transfers : idle_) transfers.clear();
  curl_global_cleanup();
}

std::unique_ptr<CurlTransfer> CurlClient::borrow(EgressScope egress) {
  const std::lock_guard lock(mutex_);
  auto& transfers = idle_.at(static_cast<std::size_t>(egress));
  if (transfers.empty()) return std::make_unique<CurlTransfer>();
  std::unique_ptr<CurlTransfer> transfer = std::move(transfers.back());
  transfers.pop_back();
  return transfer;
}

void CurlClient::give_back(EgressScope egress, std::unique_ptr<CurlTransfer> transfer) {
  const std::lock_guard lock(mutex_);
  auto& transfers = idle_.at(static_cast<std::size_t>(egress));
  if (transfers.size() < kIdleMax) transfers.push_back(std::move(transfer));
}

Result<HttpAnswer> CurlClient::send(const HttpRequest& request, const CancelToken& cancel) {
  HttpRequest hop = request;
  Result<WebAddress> address = parse_web_address(hop.url);
  for (int redirects = 0; address; ++redirects) {
    std::unique_ptr<CurlTransfer> transfer = borrow(hop.egress);
    Result<HttpAnswer> answer = transfer->exchange(hop, *address, cancel);
    // A transfer that failed may hold a connection in an unknown state.
    if (answer) give_back(hop.egress, std::move(transfer));
    const bool saved = answer && answer->ok();
    if (hop.save_to && !saved) {
      std::error_code ignored;
      std::filesystem::remove(*hop.save_to, ignored);
    }
    if (!answer || !is_redirect(answer->status)) return answer;
    const bool simple = hop.method == "GET" || hop.method == "HEAD";
    if (!simple || redirects >= request.limits.redirects) {
      return failure(FailureKind::kInvalid, address->host + " redirects, which is not followed");
    }
    const std::string origin = address->origin;
    address = resolve_link(*address, answer->header("location"));
    if (!address) break;
    hop.url = address->url;
    if (address->origin != origin) {
      drop_secrets(hop);
      // What an operator configured does not vouch for where it sends us.
      if (hop.egress == EgressScope::kAny) hop.egress = EgressScope::kPublic;
    }
  }
  return address.failure();
}

}  // namespace pytoon
