#include "server/io/storage/s3_xml.h"

#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace pytoon::io {
namespace {

std::string resolved(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, char>, 7> kEntities{{{"&amp;", '&'},
                                                                        {"&lt;", '<'},
                                                                        {"&gt;", '>'},
                                                                        {"&quot;", '"'},
                                                                        {"&apos;", '\''},
                                                                        {"&#34;", '"'},
                                                                        {"&#39;", '\''}}};
  std::string plain;
  while (!text.empty()) {
    std::size_t used = 1;
    char letter = text.front();
    for (const auto& [entity, meaning] : kEntities) {
      if (!text.starts_with(entity)) continue;
      used = entity.size();
      letter = meaning;
      break;
    }
    plain += letter;
    text.remove_prefix(used);
  }
  return plain;
}

std::optional<int> digits(const std::string& text, std::size_t at, std::size_t count) {
  int number = 0;
  const char* const first = text.data() + at;
  const auto read = std::from_chars(first, first + count, number);
  if (read.ec != std::errc() || read.ptr != first + count) return std::nullopt;
  return number;
}

}  // namespace

std::vector<std::string_view> xml_elements(std::string_view xml, std::string_view name) {
  const std::string open = "<" + std::string(name) + ">";
  const std::string close = "</" + std::string(name) + ">";
  std::vector<std::string_view> found;
  for (std::size_t at = xml.find(open); at != std::string_view::npos;) {
    const std::size_t begin = at + open.size();
    const std::size_t end = xml.find(close, begin);
    if (end == std::string_view::npos) break;
    found.push_back(xml.substr(begin, end - begin));
    at = xml.find(open, end + close.size());
  }
  return found;
}

std::string xml_text(std::string_view xml, std::string_view name) {
  const auto found = xml_elements(xml, name);
  return found.empty() ? std::string() : resolved(found.front());
}

Result<WallTime> xml_time(const std::string& text) {
  const Failure wrong = failure(FailureKind::kMalformed, "not a time of S3: " + text);
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  if (text.size() < kShape.size() + 1 || text.back() != 'Z') return wrong;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] != 'd' && kShape[i] != text[i]) return wrong;
  }
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2);
  const auto minute = digits(text, 14, 2);
  const auto second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return wrong;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return wrong;
  return WallTime(std::chrono::sys_days(date) + std::chrono::hours(*hour) +
                  std::chrono::minutes(*minute) + std::chrono::seconds(*second));
}

Result<WallTime> http_date(const std::string& text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  constexpr std::string_view kShape = "xxx, 06 Nov 1994 08:49:37 GMT";
  const Failure wrong = failure(FailureKind::kMalformed, "not a date of HTTP: " + text);
  if (text.size() != kShape.size() || !text.ends_with(" GMT")) return wrong;
  const std::size_t month = kMonths.find(text.substr(8, 3));
  if (month == std::string_view::npos || month % 3 != 0) return wrong;
  const std::string number = std::to_string(month / 3 + 1);
  return xml_time(text.substr(12, 4) + (number.size() == 1 ? "-0" : "-") + number + "-" +
                  text.substr(5, 2) + "T" + text.substr(17, 8) + "Z");
}

}  // namespace pytoon::io
