// One libcurl handle with its connections: sends one request at a time to one address, without
// redirects. Used by CurlClient only.
//
// Thread rule: one thread at a time. No exception passes through libcurl.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

#include "base/http_client.h"

namespace pytoon {

class CurlTransfer {
 public:
  CurlTransfer();

  // `address` is request.url, parsed.
  Result<HttpAnswer> exchange(const HttpRequest& request, const WebAddress& address,
                              const CancelToken& cancel);

 private:
  struct EasyDeleter {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  struct MultiDeleter {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };

  std::unique_ptr<CURLM, MultiDeleter> multi_;
  std::unique_ptr<CURL, EasyDeleter> easy_;
};

}  // namespace pytoon
