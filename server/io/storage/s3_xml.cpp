#include "server/io/storage/s3_xml.h"

#include <charconv>

namespace pytoon::io {
namespace {

std::optional<int> digits(const std::string& text, std::size_t at, std::size_t count) {
  int number = 0;
  const char* const first = text.data() + at;
  const auto read = std::from_chars(first, first + count, number);
  if (read.ec != std::errc() || read.ptr != first + count) return std::nullopt;
  return number;
}

}  // namespace

Result<pugi::xml_document> read_xml(std::string_view body, const std::string& root) {
  pugi::xml_document document;
  const auto read = document.load_buffer(body.data(), body.size());
  if (!read || document.document_element().name() != root) {
    return failure(FailureKind::kBadResponse, "S3's answer can't be read: no " + root);
  }
  return document;
}

std::optional<std::string> error_code(std::string_view body) {
  const Result<pugi::xml_document> error = read_xml(body, "Error");
  if (!error) return std::nullopt;
  return error->document_element().child_value("Code");
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
