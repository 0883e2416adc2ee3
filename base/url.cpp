#include "base/url.h"

#include <curl/curl.h>

#include <memory>

namespace pytoon {
namespace {

struct UrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct TextDeleter {
  void operator()(char* text) const { curl_free(text); }
};

using UrlHandle = std::unique_ptr<CURLU, UrlDeleter>;

std::optional<std::string> part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return std::nullopt;
  const std::unique_ptr<char, TextDeleter> owner(text);
  return text;
}

// Reads the text, relative to what the URL is already if it is anything.
bool set_text(CURLU* url, const std::string& text) {
  if (text.find('\0') != std::string::npos) return false;  // what follows would be lost
  return curl_url_set(url, CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK;
}

Failure no_url() { return failure(FailureKind::kInvalid, "not a URL of the form scheme://host"); }

Result<UrlParts> parts_of(CURLU* url) {
  const std::string host = part_of(url, CURLUPART_HOST).value_or("");
  if (host.empty()) return no_url();
  return UrlParts{.text = part_of(url, CURLUPART_URL).value_or(""),
                  .scheme = part_of(url, CURLUPART_SCHEME).value_or(""),
                  .user = part_of(url, CURLUPART_USER),
                  .password = part_of(url, CURLUPART_PASSWORD),
                  .host = host.front() == '[' ? host.substr(1, host.size() - 2) : host,
                  .zone = part_of(url, CURLUPART_ZONEID),
                  .port = part_of(url, CURLUPART_PORT).value_or(""),
                  .path = part_of(url, CURLUPART_PATH).value_or("/"),
                  .query = part_of(url, CURLUPART_QUERY),
                  .fragment = part_of(url, CURLUPART_FRAGMENT)};
}

}  // namespace

Result<UrlParts> split_url(const std::string& text) {
  const UrlHandle url(curl_url());
  return set_text(url.get(), text) ? parts_of(url.get()) : no_url();
}

Result<UrlParts> resolve_url(const std::string& base, const std::string& link) {
  const UrlHandle url(curl_url());
  const bool read = set_text(url.get(), base) && set_text(url.get(), link);
  return read ? parts_of(url.get()) : no_url();
}

}  // namespace pytoon
