#include "server/http/openapi.h"

#include <nlohmann/json.hpp>

#include "pipeline/spec/render_spec.h"

namespace pytoon::http {

extern const char* const kOpenApiText;  // generated from openapi.json

const std::string& openapi_document() {
  static const std::string text = [] {
    auto document = nlohmann::ordered_json::parse(kOpenApiText);
    auto schema = nlohmann::ordered_json::parse(spec::render_spec_schema());
    schema.erase("$schema");
    document["components"]["schemas"]["RenderSpec"] = std::move(schema);
    return document.dump();
  }();
  return text;
}

}  // namespace pytoon::http
