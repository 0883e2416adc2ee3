#include "server/http/openapi.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "pipeline/spec/render_spec.h"

namespace pytoon::http {

extern const char* const kOpenApiText;  // generated from openapi.json

const std::string& openapi_document() {
  static const std::string text = [] {
    auto document = parse_json<nlohmann::ordered_json>(kOpenApiText);
    auto schema = parse_json<nlohmann::ordered_json>(spec::render_spec_schema());
    schema.erase("$schema");
    document["components"]["schemas"]["RenderSpec"] = std::move(schema);
    return json_text(document);
  }();
  return text;
}

std::string request_method(std::string key) {
  for (char& c : key) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return key;
}

}  // namespace pytoon::http
