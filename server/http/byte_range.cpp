#include "server/http/byte_range.h"

#include <algorithm>

#include "base/text.h"

namespace pytoon::http {

RangeChoice choose_range(std::optional<std::string_view> range_header, std::uint64_t size) {
  const RangeChoice whole{RangeOutcome::kWhole, {0, size}};
  if (!range_header) return whole;
  std::string_view text = *range_header;
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || lower_case(text.substr(0, equals)) != "bytes")
    return whole;
  text = trim(text.substr(equals + 1));
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos || text.find(',') != std::string_view::npos) return whole;
  const std::string_view from = text.substr(0, dash);
  const std::string_view to = text.substr(dash + 1);
  const auto first = decimal(from);
  const auto last = decimal(to);
  if ((!from.empty() && !first) || (!to.empty() && !last) || (from.empty() && to.empty()))
    return whole;
  const RangeChoice unsatisfiable{RangeOutcome::kUnsatisfiable, {}};
  if (!first) {  // the last *last bytes
    const std::uint64_t length = std::min<std::uint64_t>(*last, size);
    if (length == 0) return unsatisfiable;
    return {RangeOutcome::kPart, {size - length, length}};
  }
  if (last && *last < *first) return whole;
  if (*first >= size) return unsatisfiable;
  const std::uint64_t end = last ? std::min<std::uint64_t>(*last, size - 1) : size - 1;
  return {RangeOutcome::kPart, {*first, end - *first + 1}};
}

bool etag_listed(std::string_view if_none_match, std::string_view etag) {
  const auto opaque = [](std::string_view tag) {
    return tag.starts_with("W/") ? tag.substr(2) : tag;
  };
  if (trim(if_none_match) == "*") return true;
  for (const std::string_view item : split(if_none_match, ',')) {
    if (opaque(trim(item)) == opaque(etag)) return true;
  }
  return false;
}

}  // namespace pytoon::http
