// What every use of libcurl here has in common: its handles, its options, the filter where
// sockets are made, and the loop that drives a transfer.
//
// Thread rule: one thread at a time for each pair of handles. No exception passes through libcurl.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <optional>
#include <string>

#include "base/cancel.h"
#include "base/web_address.h"

namespace pytoon {

struct CurlEasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct CurlMultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
using CurlEasy = std::unique_ptr<CURL, CurlEasyDeleter>;
using CurlMulti = std::unique_ptr<CURLM, CurlMultiDeleter>;

template <typename Value>
void set_option(CURL* easy, CURLoption option, Value value) {
  CHECK(curl_easy_setopt(easy, option, value) == CURLE_OK, "libcurl knows the option");
}

// The one place where a socket is made: what is refused here is never connected to.
struct EgressFilter {
  EgressScope egress = EgressScope::kPublic;
  std::string refused;  // the address that was not connected to
};

// http and https only, verified certificates, no redirects, no proxy, no signals. The gate must
// outlive the transfer.
void set_policy(CURL* easy, EgressFilter& gate);

// Attached to the multi handle while it lives.
class CurlAttached {
 public:
  CurlAttached(CURLM* multi, CURL* easy) : multi_(multi), easy_(easy) {
    curl_multi_add_handle(multi, easy);
  }
  ~CurlAttached() { curl_multi_remove_handle(multi_, easy_); }
  CurlAttached(const CurlAttached&) = delete;
  CurlAttached& operator=(const CurlAttached&) = delete;

 private:
  CURLM* const multi_;
  CURL* const easy_;
};

// Drives what is attached to its end; nullopt when cancelled, which is noticed within 100 ms.
std::optional<CURLcode> drive(CURLM* multi, const CancelToken& cancel);

// Of a transfer that failed, in a few words. kInvalid when the gate refused, kUnavailable when
// nothing was sent.
Failure describe_curl(CURL* easy, CURLcode code, const EgressFilter& gate, const std::string& host);

}  // namespace pytoon
