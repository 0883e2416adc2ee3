// Streaming reader of multipart/form-data (RFC 7578, RFC 2046 section 5.1). Pure: it is fed bytes
// in pieces of any size and calls a sink; it keeps a delimiter's length of data or one part's
// header in memory, whatever the size of the body. What stands before the first boundary is ignored
// (RFC 2046 5.1.1) up to 4 KiB. Strict: CR LF only, each part has one Content-Disposition:
// form-data with a name. File names are text and nothing else; filename* (RFC 5987) counts where
// there is no filename.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pytoon::http {

inline constexpr int kPartsMax = 32;
inline constexpr std::size_t kPartHeadBytesMax = 8192;
inline constexpr std::size_t kPreambleBytesMax = 4096;

struct PartHead {
  std::string name;
  std::optional<std::string> filename;
  std::string content_type;
};

// Content-Disposition and Content-Type of one part; text is its header lines, each ending CR LF.
Result<PartHead> parse_part_head(std::string_view text);

// The boundary in a Content-Type header. kUnsupportedType when it is not multipart/form-data,
// kMalformed when the boundary is missing or not 1 to 70 characters of RFC 2046's alphabet.
Result<std::string> multipart_boundary(std::string_view content_type);

class MultipartSink {
 public:
  virtual ~MultipartSink() = default;
  virtual Status begin_part(const PartHead& head) = 0;
  virtual Status part_data(std::string_view bytes) = 0;
  virtual Status end_part() = 0;
};

class MultipartReader {
 public:
  explicit MultipartReader(const std::string& boundary) : delimiter_("\r\n--" + boundary) {}

  // Errors: kMalformed, and whatever the sink returns. After an error, do not feed again.
  Status feed(std::string_view bytes, MultipartSink& sink);
  // True once the closing delimiter has come; what follows it is ignored.
  bool complete() const { return state_ == State::kEpilogue; }

 private:
  enum class State { kStart, kDelimiterEnd, kHead, kData, kEpilogue };
  enum class Progress { kMore, kStarved };

  Result<Progress> step(MultipartSink& sink);
  Result<Progress> start();
  Result<Progress> delimiter_end();
  Result<Progress> head(MultipartSink& sink);
  Result<Progress> data(MultipartSink& sink);

  const std::string delimiter_;
  std::string pending_ = "\r\n";  // bytes not yet given away; a first delimiter needs none before
  std::size_t at_ = 0;            // of them, those already used
  int parts_ = 0;
  std::size_t preamble_bytes_ = 0;
  State state_ = State::kStart;
};

}  // namespace pytoon::http
