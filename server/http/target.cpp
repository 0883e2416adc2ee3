#include "server/http/target.h"

#include <algorithm>

#include "base/text.h"

namespace pytoon::http {
namespace {

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

Result<std::vector<std::string>> decode_path(std::string_view path) {
  std::vector<std::string> segments;
  for (const std::string_view part : split(path.substr(1), '/')) {
    auto segment = percent_decode(part, false);
    if (!segment || has_control(*segment)) {
      return failure(FailureKind::kMalformed, "The path has a bad percent-escape.");
    }
    if (*segment == "." || *segment == ".." || segment->find_first_of("/\\") != std::string::npos) {
      return failure(FailureKind::kMalformed, "The path has a segment that is not a name.");
    }
    segments.push_back(*std::move(segment));
  }
  return segments;
}

Result<Query> decode_query(std::string_view query) {
  Query parameters;
  for (const std::string_view pair : split(query, '&')) {
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto name = percent_decode(pair.substr(0, equals), true);
    const auto value = percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value || has_control(*name) || has_control(*value)) {
      return failure(FailureKind::kMalformed, "The query has a bad percent-escape.");
    }
    if (!parameters.emplace(*name, *value).second) {
      return failure(FailureKind::kMalformed, "A query parameter came twice.");
    }
  }
  return parameters;
}

}  // namespace pytoon::http
