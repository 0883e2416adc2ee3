#include "server/http/router.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"

namespace pytoon::http {
namespace {

using Segments = std::vector<std::string>;

constexpr std::string_view kKeyPiece = "{key}";

// What is left of the path, as a storage key; "" when it is none.
std::string key_from(const Segments& path, std::size_t begin) {
  if (path.size() < begin + 2) return "";
  std::string key;
  for (std::size_t i = begin; i < path.size(); ++i) {
    if (!is_key_segment(path[i])) return "";
    key += (i == begin ? "" : "/") + path[i];
  }
  return key;
}

std::optional<std::map<std::string, std::string>> fit(const Segments& pattern,
                                                      const Segments& path) {
  const bool takes_key = pattern.back() == kKeyPiece;
  if (takes_key ? path.size() < pattern.size() : path.size() != pattern.size()) return std::nullopt;
  std::map<std::string, std::string> parameters;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const std::string& piece = pattern[i];
    if (piece == kKeyPiece) {
      const std::string key = key_from(path, i);
      if (key.empty()) return std::nullopt;
      parameters.emplace("key", key);
    } else if (piece.starts_with('{')) {
      if (!is_resource_name(path[i])) return std::nullopt;
      parameters.emplace(piece.substr(1, piece.size() - 2), path[i]);
    } else if (piece != path[i]) {
      return std::nullopt;
    }
  }
  return parameters;
}

}  // namespace

bool is_resource_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || is_alpha(c) || c == '_' || c == '-';
  });
}

bool is_key_segment(std::string_view text) {
  return !text.empty() && text.size() <= 200 && text.front() != '.' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_digit(c) || is_alpha(c) || c == '_' || c == '-' || c == '.';
         });
}

Router::Router(std::vector<Route> routes) : routes_(std::move(routes)) {
  for (const Route& route : routes_) {
    auto segments = decode_path(route.pattern);
    CHECK(segments.ok() && route.handler, "a route has a bad pattern or no handler");
    patterns_.push_back(*std::move(segments));
  }
}

Router::Match Router::find(Method method, const Segments& segments) const {
  Match match;
  const Method wanted = method == Method::kHead ? Method::kGet : method;
  std::array<bool, 7> known{};
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    auto parameters = fit(patterns_[i], segments);
    if (!parameters) continue;
    known.at(static_cast<std::size_t>(routes_[i].method)) = true;
    if (routes_[i].method != wanted || match.route) continue;
    match.route = &routes_[i];
    match.parameters = *std::move(parameters);
  }
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (!known[i]) continue;
    match.allow += std::string(name_of(static_cast<Method>(i))) + ", ";
    if (static_cast<Method>(i) == Method::kGet) match.allow += "HEAD, ";
  }
  if (!match.allow.empty()) match.allow += "OPTIONS";
  return match;
}

}  // namespace pytoon::http
