#include "server/http/chunked.h"

#include <algorithm>

#include "base/text.h"

namespace pytoon::http {
namespace {

constexpr std::size_t kLineBytesMax = 1024;
constexpr std::size_t kOverheadBytesMax = 16384;  // all extensions and trailers of one body
constexpr std::size_t kSizeDigitsMax = 8;

Failure malformed_chunk(const char* detail) { return failure(FailureKind::kMalformed, detail); }

}  // namespace

Status ChunkedDecoder::end_line() {
  line_.pop_back();  // the CR
  if (state_ == State::kDataEnd) {
    if (!line_.empty()) return malformed_chunk("A chunk is longer than its size says.");
    state_ = State::kSizeLine;
    return ok_status();
  }
  overhead_bytes_ += line_.size();
  if (state_ == State::kTrailer) {
    if (line_.empty()) state_ = State::kDone;
    line_.clear();
    return ok_status();
  }
  const std::string digits(trim(std::string_view(line_).substr(0, line_.find(';'))));
  overhead_bytes_ -= digits.size();
  line_.clear();
  if (digits.empty() || digits.size() > kSizeDigitsMax) {
    return malformed_chunk("A chunk size is missing or absurd.");
  }
  left_ = 0;
  for (const char c : digits) {
    const auto digit = hex_digit(c);
    if (!digit) return malformed_chunk("A chunk size is not hexadecimal.");
    left_ = left_ * 16 + static_cast<std::uint64_t>(*digit);
  }
  state_ = left_ == 0 ? State::kTrailer : State::kData;
  return ok_status();
}

Status ChunkedDecoder::take_line_byte(char byte) {
  const bool after_cr = !line_.empty() && line_.back() == '\r';
  if (after_cr != (byte == '\n')) return malformed_chunk("Chunk lines must end with CR LF.");
  if (byte == '\n') {
    if (Status ended = end_line(); !ended) return ended;
    if (overhead_bytes_ > kOverheadBytesMax) {
      return malformed_chunk("There are too many chunk extensions or trailers.");
    }
    return ok_status();
  }
  const auto code = static_cast<unsigned char>(byte);
  if ((code < 0x20 && byte != '\r' && byte != '\t') || code == 0x7f) {
    return malformed_chunk("There is a control byte between chunks.");
  }
  line_ += byte;
  if (line_.size() > kLineBytesMax) return malformed_chunk("A chunk line is too long.");
  return ok_status();
}

Result<std::size_t> ChunkedDecoder::feed(std::string_view bytes, const ByteSink& sink) {
  std::size_t taken = 0;
  while (taken < bytes.size() && !done()) {
    if (state_ != State::kData) {
      if (Status read = take_line_byte(bytes[taken++]); !read) return read.failure();
      continue;
    }
    const std::size_t piece = std::min<std::uint64_t>(bytes.size() - taken, left_);
    if (Status kept = sink(bytes.substr(taken, piece)); !kept) return kept.failure();
    taken += piece;
    left_ -= piece;
    if (left_ == 0) state_ = State::kDataEnd;
  }
  return taken;
}

}  // namespace pytoon::http
