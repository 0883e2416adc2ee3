// Whose part a request is: W3C Trace Context, header `traceparent`
// (https://www.w3.org/TR/trace-context/), version 00. A header that is out of its grammar is
// treated as if it had not come; later versions are read by the fields that 00 has.
//
// Thread rule: values and pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pytoon {

struct TraceContext {
  std::string trace_id;  // 32 digits, lower-case hex, not all zero
  std::string span_id;   // 16 of them: of the span that asks
  bool sampled = true;   // whether who asks may record it
};

std::optional<TraceContext> parse_traceparent(std::string_view header);
std::string to_traceparent(const TraceContext& context);

}  // namespace pytoon
