// The HttpClient on libcurl. Connections to one place are kept and used again; those made under
// different EgressScope values never meet.
//
// Thread rule: send() from any thread; construct one per process and share it.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <vector>

#include "base/http_client.h"

namespace pytoon {

class CurlTransfer;

class CurlClient final : public HttpClient {
 public:
  CurlClient();
  ~CurlClient() override;
  CurlClient(const CurlClient&) = delete;
  CurlClient& operator=(const CurlClient&) = delete;

  Result<HttpAnswer> send(const HttpRequest& request, const CancelToken& cancel) override;

 private:
  std::unique_ptr<CurlTransfer> borrow(EgressScope egress);
  void give_back(EgressScope egress, std::unique_ptr<CurlTransfer> transfer);

  std::mutex mutex_;
  std::array<std::vector<std::unique_ptr<CurlTransfer>>, 3> idle_;  // by EgressScope
};

}  // namespace pytoon
