// Where text may be cut: between characters as readers count them (grapheme clusters, UAX #29), and
// between words or wherever a line may begin (UAX #14), by ICU, whose dictionaries know the words
// of scripts without spaces.
//
// Thread rule: pure. Aborts when ICU's data is not there, which its library brings along.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace pytoon {

// Byte offsets in UTF-8, ascending: 0 and after every grapheme cluster, the text's size last. What
// is no UTF-8 counts as one character a byte.
std::vector<std::size_t> grapheme_bounds(const std::string& utf8);
// Likewise 0 and every place where a line may begin, the text's size last.
std::vector<std::size_t> line_bounds(const std::string& utf8);

}  // namespace pytoon
