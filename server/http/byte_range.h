// Which bytes of a file a GET asks for (RFC 9110 sections 13 and 14). Pure.
//
// One range is honoured. Several, another unit or bad syntax count as no Range header at all,
// which the RFC permits and which makes a request with 10,000 ranges cost nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pytoon::http {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t length = 0;
};

enum class RangeOutcome { kWhole, kPart, kUnsatisfiable };

struct RangeChoice {
  RangeOutcome outcome = RangeOutcome::kWhole;
  ByteRange range;  // the whole file unless kPart
};

RangeChoice choose_range(std::optional<std::string_view> range_header, std::uint64_t size);

// If-None-Match against an entity tag, by weak comparison; "*" matches.
bool etag_listed(std::string_view if_none_match, std::string_view etag);

}  // namespace pytoon::http
