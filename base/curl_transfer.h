// One libcurl handle with its connections: sends one request at a time to one address, without
// redirects. Used by CurlClient only.
//
// Thread rule: one thread at a time. No exception passes through libcurl.
#pragma once

#include "base/curl_policy.h"
#include "base/http_client.h"

namespace pytoon {

class CurlTransfer {
 public:
  CurlTransfer();

  // `address` is request.url, parsed.
  Result<HttpAnswer> exchange(const HttpRequest& request, const WebAddress& address,
                              const CancelToken& cancel);

 private:
  CurlMulti multi_;
  CurlEasy easy_;
};

}  // namespace pytoon
