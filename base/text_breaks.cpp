#include "base/text_breaks.h"

#include <unicode/ubrk.h>

#include <memory>

#include "base/check.h"

namespace pytoon {
namespace {

struct Close {
  void operator()(UBreakIterator* iterator) const { ubrk_close(iterator); }
  void operator()(UText* text) const { utext_close(text); }
};

std::vector<std::size_t> bounds(const std::string& utf8, UBreakIteratorType type) {
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<UText, Close> text(
      utext_openUTF8(nullptr, utf8.data(), static_cast<std::int64_t>(utf8.size()), &error));
  const std::unique_ptr<UBreakIterator, Close> iterator(ubrk_open(type, "", nullptr, 0, &error));
  if (U_SUCCESS(error)) ubrk_setUText(iterator.get(), text.get(), &error);
  CHECK(U_SUCCESS(error), "ICU can't break text");
  std::vector<std::size_t> found;
  for (int at = ubrk_first(iterator.get()); at != UBRK_DONE; at = ubrk_next(iterator.get())) {
    found.push_back(static_cast<std::size_t>(at));
  }
  return found;
}

}  // namespace

std::vector<std::size_t> grapheme_bounds(const std::string& utf8) {
  return bounds(utf8, UBRK_CHARACTER);
}

std::vector<std::size_t> line_bounds(const std::string& utf8) { return bounds(utf8, UBRK_LINE); }

}  // namespace pytoon
