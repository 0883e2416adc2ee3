// Reads the body of one admitted request: takes off the framing (Content-Length or chunked), keeps
// the limit, and stores JSON in memory and a form's file in the spool folder.
//
// Not for use from two threads at a time; the Admitted must stay where it is meanwhile.
#pragma once

#include <memory>
#include <optional>

#include "server/http/chunked.h"
#include "server/http/multipart.h"
#include "server/http/request_gate.h"

namespace pytoon::http {

class BodyReader {
 public:
  BodyReader(Admitted& admitted, RequestGate& gate);

  // Returns how many bytes belong to this body; fewer than given only when done(). Errors:
  // kMalformed, also of a form that ends without its closing delimiter, kInvalid, kTooLarge,
  // kRateLimited, kUnavailable, kStorageFull, kIo; then the connection can't be used again.
  Result<std::size_t> feed(std::string_view bytes);
  bool done() const;
  std::uint64_t received_bytes() const { return received_bytes_; }

 private:
  Result<std::size_t> take(std::string_view bytes);
  Status keep(std::string_view bytes);

  Admitted& admitted_;
  ByteBudget& budget_;
  ByteBudget& tenant_budget_;
  std::uint64_t left_bytes_ = 0;           // by Content-Length
  std::optional<ChunkedDecoder> chunked_;  // instead
  std::optional<MultipartReader> form_;
  std::uint64_t body_bytes_ = 0;      // without framing
  std::uint64_t received_bytes_ = 0;  // with framing
};

}  // namespace pytoon::http
