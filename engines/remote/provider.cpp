#include "engines/remote/provider.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/yaml.h"
#include "pipeline/spec/field_reader.h"

namespace pytoon::engines {
namespace {

using spec::FieldReader;
using Faults = std::vector<FieldFault>;

constexpr std::size_t kMaxText = 2000;
constexpr double kMicro = 1e6;

const std::set<std::string>& request_slots() {
  static const std::set<std::string> slots{
      "key",  "id",      "idempotency_key", "archetype", "brand_safe", "prompt",
      "seed", "seconds", "image",           "platform",  "width",      "height"};
  return slots;
}

void check_slots(const Json& document, const std::string& pointer, Faults& faults) {
  for (const std::string& slot : slots_of(document)) {
    if (!request_slots().contains(slot)) {
      faults.push_back({pointer, "has no slot {{" + slot + "}}"});
    }
  }
}

std::string optional_text(FieldReader& r, const std::string& name) {
  return r.has(name) ? r.text(name, 0, kMaxText) : "";
}

std::string pointer_text(FieldReader& r, const std::string& name, bool required) {
  if (!required && !r.has(name)) return "";
  std::string text = r.text(name, 0, kMaxText);
  // RFC 6901: a tilde is only ever ~0 or ~1.
  bool well = text.starts_with('/');
  for (std::size_t at = text.find('~'); at != std::string::npos; at = text.find('~', at + 1)) {
    const char next = at + 1 < text.size() ? text[at + 1] : ' ';
    well = well && (next == '0' || next == '1');
  }
  if (!well) r.fault(name, "must be a JSON pointer such as /output/0");
  return well ? text : "/";
}

Provider::Call read_call(FieldReader& r, const std::string& method, Faults& faults) {
  Provider::Call call;
  call.method = r.has("method") ? r.text("method", 3, 7) : method;
  call.path = r.text("path", 1, kMaxText);
  check_slots(call.path, r.at("path"), faults);
  return call;
}

std::optional<Provider::Call> optional_call(FieldReader& r, const std::string& name,
                                            const std::string& method, Faults& faults) {
  if (!r.has(name)) return std::nullopt;
  const Json* const part = r.object(name);
  if (part == nullptr) return std::nullopt;
  FieldReader c(*part, r.at(name), faults);
  Provider::Call call = read_call(c, method, faults);
  c.finish();
  return call;
}

std::map<std::string, std::string> text_map(FieldReader& r, const std::string& name,
                                            Faults& faults) {
  std::map<std::string, std::string> texts;
  if (!r.has(name)) return texts;
  if (const Json* const part = r.object(name)) {
    FieldReader m(*part, r.at(name), faults);
    for (const auto& item : part->items()) {
      texts[item.key()] = m.text(item.key(), 0, kMaxText);
      check_slots(texts[item.key()], m.at(item.key()), faults);
    }
  }
  return texts;
}

std::set<std::string> text_set(FieldReader& r, const std::string& name) {
  const std::vector<std::string> list = r.texts(name, 20, 60);
  return {list.begin(), list.end()};
}

Capabilities read_capabilities(const Json& json, const std::string& at, Faults& faults) {
  FieldReader r(json, at, faults);
  Capabilities can;
  for (const std::string& name : r.texts("archetypes", 3, 40)) {
    const auto archetype = spec::from_name<spec::Archetype>(name);
    if (archetype) {
      can.archetypes.push_back(*archetype);
    } else {
      r.fault("archetypes", "must hold " + spec::one_of(spec::all_names<spec::Archetype>()));
    }
  }
  can.image_to_video = r.truth("image_to_video");
  can.text_to_video = r.truth("text_to_video");
  can.redraws = r.truth("redraws");
  can.duration_seconds_max = static_cast<int>(r.whole("duration_seconds_max", 1, 60));
  can.micro_usd_per_second = std::llround(r.number("usd_per_second", 0, 100) * kMicro);
  r.finish();
  return can;
}

ImageDelivery read_delivery(FieldReader& r) {
  const std::map<std::string, ImageDelivery> names{{"none", ImageDelivery::kNone},
                                                   {"upload", ImageDelivery::kUpload},
                                                   {"base64", ImageDelivery::kBase64},
                                                   {"data_uri", ImageDelivery::kDataUri}};
  const auto found = names.find(r.text("image", 1, 20));
  if (found != names.end()) return found->second;
  r.fault("image", "must be one of none, upload, base64, data_uri");
  return ImageDelivery::kNone;
}

Provider::Upload read_upload(const Json& json, Faults& faults) {
  FieldReader r(json, "/upload", faults);
  Provider::Upload upload;
  upload.call = read_call(r, "POST", faults);
  upload.file_field = r.text("file_field", 1, 60);
  upload.fields = text_map(r, "fields", faults);
  upload.image = pointer_text(r, "image", true);
  r.finish();
  return upload;
}

Provider::Submit read_submit(const Json& json, Faults& faults) {
  FieldReader r(json, "/submit", faults);
  Provider::Submit submit;
  submit.call = read_call(r, "POST", faults);
  if (const Json* const body = r.object("json")) submit.json = *body;
  check_slots(submit.json, "/submit/json", faults);
  submit.idempotency_header = optional_text(r, "idempotency_header");
  submit.id = pointer_text(r, "id", true);
  r.finish();
  return submit;
}

Provider::Poll read_poll(const Json& json, Faults& faults) {
  FieldReader r(json, "/poll", faults);
  Provider::Poll poll;
  poll.call = read_call(r, "GET", faults);
  poll.status = pointer_text(r, "status", true);
  poll.done = text_set(r, "done");
  poll.failed = text_set(r, "failed");
  poll.error = pointer_text(r, "error", false);
  poll.progress = pointer_text(r, "progress", false);
  if (r.has("progress_of")) poll.progress_of = r.number("progress_of", 0.001, 1e6);
  poll.interval = std::chrono::milliseconds(r.whole("interval_ms", 10, 60'000));
  r.finish();
  return poll;
}

Provider::Result read_result(const Json& json, Faults& faults) {
  FieldReader r(json, "/result", faults);
  Provider::Result result;
  result.call = optional_call(r, "call", "GET", faults);
  result.video = pointer_text(r, "video", false);
  result.download = optional_text(r, "download");
  check_slots(result.download, "/result/download", faults);
  if (result.video.empty() == result.download.empty()) {
    faults.push_back({"/result", "needs either video, a pointer to a link, or download, a path"});
  }
  r.finish();
  return result;
}

void read_parts(FieldReader& r, Provider& provider, Faults& faults) {
  provider.health = optional_call(r, "health", "GET", faults);
  if (r.has("upload")) {
    if (const Json* const part = r.object("upload")) provider.upload = read_upload(*part, faults);
  }
  if (const Json* const part = r.object("submit")) provider.submit = read_submit(*part, faults);
  if (const Json* const part = r.object("poll")) provider.poll = read_poll(*part, faults);
  if (const Json* const part = r.object("result")) provider.result = read_result(*part, faults);
  provider.cancel = optional_call(r, "cancel", "POST", faults);
  if ((provider.image == ImageDelivery::kUpload) != provider.upload.has_value()) {
    r.fault("upload", "goes with image: upload, and only with it");
  }
}

void read_durations(FieldReader& r, Provider& provider) {
  if (!r.has("durations_seconds")) return;
  const Json* const list = r.array("durations_seconds");
  if (list == nullptr) return;
  for (const Json& item : *list) {
    if (!item.is_number_integer() || item < 1 || item > 60) {
      r.fault("durations_seconds", "must hold whole seconds from 1 to 60");
      return;
    }
    provider.durations_seconds.push_back(item.get<int>());
  }
  std::sort(provider.durations_seconds.begin(), provider.durations_seconds.end());
}

}  // namespace

int Provider::duration_for(int seconds) const {
  if (durations_seconds.empty()) return seconds;
  const auto enough = std::lower_bound(durations_seconds.begin(), durations_seconds.end(), seconds);
  return enough == durations_seconds.end() ? durations_seconds.back() : *enough;
}

pytoon::Result<Provider> read_provider(const std::filesystem::path& file) {
  pytoon::Result<Json> json = read_yaml(file);
  if (!json) return json.failure();
  Faults faults;
  FieldReader r(*json, "", faults);
  Provider provider;
  provider.name = r.text("name", 1, 40);
  provider.base_url = optional_text(r, "base_url");
  provider.headers = text_map(r, "headers", faults);
  if (const Json* const part = r.object("capabilities")) {
    provider.capabilities = read_capabilities(*part, "/capabilities", faults);
  }
  read_durations(r, provider);
  provider.prompt_chars_max = static_cast<int>(r.whole("prompt_chars_max", 1, 10'000));
  provider.image = read_delivery(r);
  read_parts(r, provider, faults);
  r.finish();
  if (faults.empty()) return provider;
  Failure failed = spec::invalid(std::move(faults));
  failed.detail = file.string() + ": " + failed.detail;
  return failed;
}

}  // namespace pytoon::engines
