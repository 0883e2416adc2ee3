#include "pipeline/spec/schema.h"

#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "base/json.h"

namespace pytoon::spec {
namespace {

// valijson's context is "<root>[style][0]"; ours is "/style/0".
std::string pointer_of(const std::string& context) {
  std::string pointer;
  for (std::size_t i = context.find('['); i < context.size(); ++i) {
    if (context[i] == '[') {
      pointer += '/';
    } else if (context[i] != ']') {
      pointer += context[i];
    }
  }
  return pointer;
}

}  // namespace

std::vector<FieldFault> schema_faults(const std::string& schema_text,
                                      const nlohmann::ordered_json& document) {
  const nlohmann::json schema_json = parse_json<nlohmann::json>(schema_text);
  valijson::Schema schema;
  valijson::SchemaParser parser;
  parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(schema_json), schema);
  const nlohmann::json plain = document;
  valijson::ValidationResults results;
  valijson::Validator validator;
  std::vector<FieldFault> faults;
  if (validator.validate(schema, valijson::adapters::NlohmannJsonAdapter(plain), &results)) {
    return faults;
  }
  valijson::ValidationResults::Error error;
  while (results.popError(error)) {
    std::string context;
    for (const std::string& part : error.context) context += part;
    faults.push_back({pointer_of(context), error.description});
  }
  return faults;
}

}  // namespace pytoon::spec
