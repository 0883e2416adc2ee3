#include "base/nearest.h"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace pytoon {
namespace {

// Longer ones are nobody's typing mistake.
constexpr std::size_t kLettersMax = 64;

bool same(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + (same(from[i], to[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& names) {
  if (word.empty() || word.size() > kLettersMax) return std::nullopt;
  std::optional<std::string> best;
  std::size_t least = 0;
  for (const std::string& name : names) {
    const std::size_t changes = distance(word, name);
    if (changes * 3 > std::max(word.size(), name.size())) continue;
    if (!best || changes < least) {
      best = name;
      least = changes;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& names) {
  const std::optional<std::string> name = nearest(word, names);
  return name ? "; did you mean '" + *name + "'?" : "";
}

}  // namespace pytoon
