// Decoder of the chunked transfer coding (RFC 9112 section 7.1). Pure and incremental: bytes in,
// body bytes out through a callback, state between calls of a few hundred bytes. Extensions and
// trailers are read, bounded and dropped.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pytoon::http {

using ByteSink = std::function<Status(std::string_view)>;

class ChunkedDecoder {
 public:
  // Returns how many bytes belong to the body; fewer than given only when done().
  // Errors: kMalformed, and whatever the sink returns.
  Result<std::size_t> feed(std::string_view bytes, const ByteSink& sink);
  bool done() const { return state_ == State::kDone; }

 private:
  enum class State { kSizeLine, kData, kDataEnd, kTrailer, kDone };

  Status take_line_byte(char byte);
  Status end_line();

  State state_ = State::kSizeLine;
  std::string line_;
  std::uint64_t left_ = 0;          // of the chunk being read
  std::size_t overhead_bytes_ = 0;  // extensions and trailers so far
};

}  // namespace pytoon::http
