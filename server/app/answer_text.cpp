#include "server/app/answer_text.h"

#include <algorithm>
#include <iomanip>
#include <sstream>

#include "base/json.h"
#include "server/jobs/admission/decision.h"

namespace pytoon::app {
namespace {

using Json = nlohmann::ordered_json;

std::int64_t whole(const Json& object, const char* name) {
  const Json& value = field(object, name);
  return value.is_number() ? value.get<std::int64_t>() : 0;
}

std::string size(const Json& object, const char* name) {
  return jobs::admission::size_text(whole(object, name));
}

class Lines {
 public:
  void add(const std::string& name, const std::string& text) {
    out_ << std::left << std::setw(26) << name << text << "\n";
  }
  std::string text() const { return out_.str(); }

 private:
  std::ostringstream out_;
};

std::string comfyui(const Json& endpoint) {
  std::string text = text_of(field(endpoint, "state")) + ", models " +
                     size(endpoint, "resident_bytes") + ", working " +
                     size(endpoint, "working_bytes");
  if (whole(endpoint, "paged_bytes") > 0) text += ", pages " + size(endpoint, "paged_bytes");
  if (whole(endpoint, "residue_bytes") > 0) text += ", residue " + size(endpoint, "residue_bytes");
  return text;
}

std::string sessions(const Json& encoder) {
  const Json& allowed = field(encoder, "allowed");
  return text_of(field(encoder, "used")) + " open, " +
         (allowed.is_null() ? "no limit" : text_of(allowed) + " allowed");
}

void add_gpu(const Json& gpu, Lines& lines) {
  const std::string age = text_of(field(gpu, "age_seconds"));
  lines.add("gpu " + text_of(field(gpu, "gpu")),
            text_of(field(gpu, "name")) + ", " + size(gpu, "total_bytes") + ", sampled " + age +
                " s ago" + (field(gpu, "stale") == true ? ": stale, nothing is promised" : ""));
  const std::int64_t more = whole(gpu, "available_bytes") - whole(gpu, "headroom_bytes");
  lines.add("  free", size(gpu, "free_bytes") + ", of which " +
                          jobs::admission::size_text(std::max<std::int64_t>(0, more)) +
                          " could be promised");
  lines.add("  promised",
            size(gpu, "promised_bytes") + ", of which " + size(gpu, "held_bytes") + " is held");
  if (!field(gpu, "comfyui").is_null()) lines.add("  ComfyUI", comfyui(field(gpu, "comfyui")));
  lines.add("  other programs", size(gpu, "foreign_bytes"));
  lines.add("  encoder sessions", sessions(field(gpu, "encoder_sessions")));
  for (const Json& promise : field(gpu, "promises")) {
    lines.add(
        "  promise",
        text_of(field(promise, "lane")) + " " + size(promise, "promised_bytes") + " (held " +
            size(promise, "held_bytes") + ") for " + text_of(field(promise, "task")) +
            " of worker " + text_of(field(promise, "worker_id")) +
            (field(promise, "ended") == true ? ", ended and not measured yet"
                                             : " until " + text_of(field(promise, "expires_at"))));
  }
}

}  // namespace

const Json& field(const Json& object, const char* name) {
  static const Json kNone;
  const auto found = object.find(name);
  return found == object.end() ? kNone : *found;
}

std::string text_of(const Json& value) {
  if (value.is_null()) return "-";
  return value.is_string() ? value.get<std::string>() : json_text(value);
}

std::string gpu_lines(const Json& capacity) {
  Lines lines;
  for (const Json& gpu : field(capacity, "gpus")) add_gpu(gpu, lines);
  return lines.text();
}

}  // namespace pytoon::app
