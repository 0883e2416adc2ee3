#include "server/http/multipart.h"

#include <algorithm>

#include "base/text.h"

namespace pytoon::http {
namespace {

Failure bad(std::string detail) { return failure(FailureKind::kMalformed, std::move(detail)); }

struct Parameter {
  std::string name;  // lower case
  std::string value;
};

// The quoted string at the front of text, which starts with '"'; it is removed from text.
std::optional<std::string> take_quoted(std::string_view& text) {
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return value;
    }
    // Only these two are escaped by clients; a lone backslash is part of a Windows path.
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\')) ++i;
    value += text[i];
  }
  return std::nullopt;
}

// The parameters after a header's first word: ; name=value ; name="value"
Result<std::vector<Parameter>> read_parameters(std::string_view text) {
  std::vector<Parameter> parameters;
  for (text = trim(text); !text.empty(); text = trim(text)) {
    if (text.front() != ';') return bad("Header parameters must be separated by ';'.");
    text = trim(text.substr(1));
    if (text.empty()) break;
    const std::size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    if (equals == std::string_view::npos || name.empty() ||
        !std::all_of(name.begin(), name.end(), is_token_char)) {
      return bad("A header parameter is not of the form name=value.");
    }
    text.remove_prefix(equals + 1);
    std::string value;
    if (!text.empty() && text.front() == '"') {
      auto quoted = take_quoted(text);
      if (!quoted) return bad("A quoted header parameter does not end.");
      value = *std::move(quoted);
    } else {
      value = trim(text.substr(0, text.find(';')));
      text.remove_prefix(std::min(text.size(), text.find(';')));
    }
    const std::string lower = lower_case(name);
    const auto same = [&](const Parameter& other) { return other.name == lower; };
    if (std::any_of(parameters.begin(), parameters.end(), same)) {
      return bad("The header parameter '" + lower + "' came twice.");
    }
    parameters.push_back({lower, std::move(value)});
  }
  return parameters;
}

// RFC 5987: charset'language'percent-encoded. A name of another form is taken as it stands.
std::string extended_value(std::string_view text) {
  const std::size_t quote = text.find('\'');
  const std::size_t second = quote == std::string_view::npos ? quote : text.find('\'', quote + 1);
  if (second != std::string_view::npos) text.remove_prefix(second + 1);
  std::string value;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool may = text[i] == '%' && i + 2 < text.size();
    const auto high = may ? hex_digit(text[i + 1]) : std::nullopt;
    const auto low = may ? hex_digit(text[i + 2]) : std::nullopt;
    value += high && low ? static_cast<char>(*high * 16 + *low) : text[i];
    if (high && low) i += 2;
  }
  return value;
}

Status read_disposition(std::string_view value, PartHead& head) {
  const std::size_t semicolon = std::min(value.find(';'), value.size());
  if (lower_case(trim(value.substr(0, semicolon))) != "form-data") {
    return bad("A part's Content-Disposition is not form-data.");
  }
  const auto parameters = read_parameters(value.substr(semicolon));
  if (!parameters) return parameters.failure();
  bool named = false;
  std::optional<std::string> extended;
  for (const Parameter& parameter : *parameters) {
    if (parameter.name == "name") {
      named = true;
      head.name = parameter.value;
    }
    if (parameter.name == "filename") head.filename = parameter.value;
    if (parameter.name == "filename*") extended = extended_value(parameter.value);
  }
  if (!head.filename) head.filename = std::move(extended);
  if (!named || head.name.empty() || head.name.size() > 256) return bad("A part has no name.");
  if (head.filename && head.filename->size() > 1024) return bad("A file name is too long.");
  return ok_status();
}

}  // namespace

Result<PartHead> parse_part_head(std::string_view text) {
  PartHead head;
  bool disposed = false;
  while (!text.empty()) {
    const std::size_t end = text.find("\r\n");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    if (colon == std::string_view::npos || name.empty() ||
        !std::all_of(name.begin(), name.end(), is_token_char)) {
      return bad("A part's header line is not of the form 'name: value'.");
    }
    const std::string_view value = trim(line.substr(colon + 1));
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (std::any_of(value.begin(), value.end(), control)) {
      return bad("There is a control byte in a part's header.");
    }
    const std::string lower = lower_case(name);
    if (lower == "content-type") head.content_type = value;
    if (lower != "content-disposition") continue;
    if (disposed) return bad("A part has two Content-Disposition headers.");
    disposed = true;
    if (Status read = read_disposition(value, head); !read) return read.failure();
  }
  if (!disposed) return bad("A part has no Content-Disposition header.");
  return head;
}

Result<std::string> multipart_boundary(std::string_view content_type) {
  const std::size_t semicolon = std::min(content_type.find(';'), content_type.size());
  if (lower_case(trim(content_type.substr(0, semicolon))) != "multipart/form-data") {
    return failure(FailureKind::kUnsupportedType, "Content-Type must be multipart/form-data.");
  }
  const auto parameters = read_parameters(content_type.substr(semicolon));
  if (!parameters) return parameters.failure();
  const auto allowed = [](char c) {  // RFC 2046 section 5.1.1, bchars
    return is_digit(c) || is_alpha(c) ||
           std::string_view("'()+_,-./:=? ").find(c) != std::string_view::npos;
  };
  for (const Parameter& parameter : *parameters) {
    if (parameter.name != "boundary") continue;
    const std::string& value = parameter.value;
    if (value.empty() || value.size() > 70 || value.back() == ' ' ||
        !std::all_of(value.begin(), value.end(), allowed)) {
      return bad("The multipart boundary is not 1 to 70 permitted characters.");
    }
    return value;
  }
  return bad("Content-Type names no multipart boundary.");
}

Result<MultipartReader::Progress> MultipartReader::start() {
  const std::size_t found = pending_.find(delimiter_, at_);
  const bool begins = found != std::string::npos;
  const std::size_t held = delimiter_.size() - 1;  // may be the start of a delimiter
  const std::size_t until =
      begins ? found : std::max(at_, pending_.size() - std::min(pending_.size(), held));
  preamble_bytes_ += until - at_;
  if (preamble_bytes_ > kPreambleBytesMax) {
    return bad("The body does not start with the multipart boundary.");
  }
  at_ = until;
  if (!begins) return Progress::kStarved;
  at_ += delimiter_.size();
  state_ = State::kDelimiterEnd;
  return Progress::kMore;
}

Result<MultipartReader::Progress> MultipartReader::delimiter_end() {
  if (pending_.size() - at_ < 2) return Progress::kStarved;
  const std::string_view two = std::string_view(pending_).substr(at_, 2);
  at_ += 2;
  if (two == "--") {
    state_ = State::kEpilogue;
  } else if (two == "\r\n") {
    if (++parts_ > kPartsMax) return bad("There are over 32 parts.");
    state_ = State::kHead;
  } else {
    return bad("A multipart boundary is followed by other characters.");
  }
  return Progress::kMore;
}

Result<MultipartReader::Progress> MultipartReader::head(MultipartSink& sink) {
  const std::size_t end = pending_.find("\r\n\r\n", at_);
  if ((end == std::string::npos ? pending_.size() : end) - at_ > kPartHeadBytesMax) {
    return bad("A part's header is over 8192 bytes.");
  }
  if (end == std::string::npos) return Progress::kStarved;
  const auto part = parse_part_head(std::string_view(pending_).substr(at_, end + 2 - at_));
  if (!part) return part.failure();
  if (Status begun = sink.begin_part(*part); !begun) return begun.failure();
  at_ = end + 4;
  state_ = State::kData;
  return Progress::kMore;
}

Result<MultipartReader::Progress> MultipartReader::data(MultipartSink& sink) {
  const std::size_t found = pending_.find(delimiter_, at_);
  const bool ends = found != std::string::npos;
  std::size_t until = found;
  if (!ends) {
    const std::size_t held = delimiter_.size() - 1;  // may be the start of a delimiter
    until = pending_.size() - std::min(pending_.size(), held);
    until = std::max(until, at_);
  }
  if (until > at_) {
    if (Status kept = sink.part_data(std::string_view(pending_).substr(at_, until - at_)); !kept) {
      return kept.failure();
    }
    at_ = until;
  }
  if (!ends) return Progress::kStarved;
  at_ += delimiter_.size();
  state_ = State::kDelimiterEnd;
  if (Status ended = sink.end_part(); !ended) return ended.failure();
  return Progress::kMore;
}

Result<MultipartReader::Progress> MultipartReader::step(MultipartSink& sink) {
  switch (state_) {
    case State::kStart:
      return start();
    case State::kDelimiterEnd:
      return delimiter_end();
    case State::kHead:
      return head(sink);
    case State::kData:
      return data(sink);
    case State::kEpilogue:
      at_ = pending_.size();
      return Progress::kStarved;
  }
  return Progress::kStarved;
}

Status MultipartReader::feed(std::string_view bytes, MultipartSink& sink) {
  pending_.append(bytes);
  while (true) {
    const auto progress = step(sink);
    if (!progress) return progress.failure();
    if (*progress == Progress::kStarved) break;
  }
  pending_.erase(0, at_);
  at_ = 0;
  return ok_status();
}

}  // namespace pytoon::http
