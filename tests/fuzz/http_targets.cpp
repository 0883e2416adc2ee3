// What comes over the wire before anybody is known.
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/json.h"
#include "pipeline/spec/job_request.h"
#include "pipeline/spec/render_spec.h"
#include "server/http/multipart.h"
#include "server/http/request_head.h"
#include "server/http/strict_json.h"
#include "server/http/target.h"
#include "tests/fuzz/fuzz_targets.h"

namespace pytoon::fuzz {
namespace {

// What a form says, whatever the pieces in which it came.
class Told final : public http::MultipartSink {
 public:
  Status begin_part(const http::PartHead& head) override {
    CHECK(!open_, "a part began within a part");
    open_ = true;
    text += "[" + head.name + "|" + head.filename.value_or("-") + "|" + head.content_type + "]";
    return ok_status();
  }
  Status part_data(std::string_view bytes) override {
    CHECK(open_, "data outside of a part");
    text += bytes;
    return ok_status();
  }
  Status end_part() override {
    CHECK(open_, "a part ended that had not begun");
    open_ = false;
    return ok_status();
  }
  std::string text;

 private:
  bool open_ = false;
};

std::string told(std::string_view bytes, std::size_t piece) {
  http::MultipartReader reader("frontier");
  Told sink;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const Status fed = reader.feed(bytes.substr(at, piece), sink);
    if (!fed) return "refused";
  }
  return reader.complete() ? sink.text : "unfinished";
}

}  // namespace

void multipart(std::string_view bytes) {
  (void)http::multipart_boundary(std::string(bytes.substr(0, 200)));
  (void)http::parse_part_head(bytes);
  const std::string whole = told(bytes, bytes.size() + 1);
  CHECK(whole == told(bytes, 1), "a form in pieces of one byte says something else");
  CHECK(whole == told(bytes, 7), "a form in pieces of seven bytes says something else");
}

void request_head(std::string_view bytes) {
  http::HeadReader reader;
  const http::HeadReader::Step step = reader.feed(bytes);
  CHECK(step.taken <= bytes.size(), "more was taken than there is");
  if (!step.complete) return;
  const auto parsed = http::parse_request_head(reader.head());
  const auto* const head = std::get_if<http::RequestHead>(&parsed);
  if (head == nullptr) return;
  CHECK(!(head->chunked && head->content_length), "a body has two lengths");
  const auto segments = http::decode_path(head->path);
  (void)http::decode_query(head->query);
  if (!segments) return;
  for (const std::string& segment : *segments) {
    CHECK(segment != ".." && segment != ".", "a path leads upwards");
    CHECK(segment.find('\0') == std::string::npos, "a zero in a path");
  }
}

void job_request(std::string_view bytes) {
  const auto json = http::parse_strict_json(bytes);
  if (!json) return;
  const auto request = spec::parse_job_request(*json);
  CHECK(request.ok() || !request.failure().detail.empty(), "refused without a reason");
}

// What was read and written again reads the same.
void render_spec(std::string_view bytes) {
  const auto json = parse_json<nlohmann::ordered_json>(std::string(bytes));
  if (json.is_discarded()) return;
  const auto spec = spec::render_spec_from_json(json);
  if (!spec) return;
  const auto again = spec::render_spec_from_json(spec::to_json(*spec));
  CHECK(again.ok(), "our own words are refused");
  CHECK(spec::to_json(*again) == spec::to_json(*spec), "our own words say something else");
}

}  // namespace pytoon::fuzz
