// The nearest of the names that are known, for "did you mean": by edit distance (Levenshtein),
// upper and lower case alike.
//
// Thread rule: pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pytoon {

// Nothing when none is near: more than a third of the word, or of the name, would have to change.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& names);
// "; did you mean 'captions'?", or "".
std::string did_you_mean(std::string_view word, const std::vector<std::string>& names);

}  // namespace pytoon
