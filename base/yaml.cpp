#include "base/yaml.h"

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/files.h"

namespace pytoon {
namespace {

using Json = nlohmann::ordered_json;

Json scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return text;  // quoted
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (text.empty() || text == "~" || text == "null") return nullptr;
  const char* const end = text.data() + text.size();
  std::int64_t whole = 0;
  if (const auto r = std::from_chars(text.data(), end, whole);
      r.ec == std::errc() && r.ptr == end) {
    return whole;
  }
  double real = 0;
  if (const auto r = std::from_chars(text.data(), end, real); r.ec == std::errc() && r.ptr == end) {
    return real;
  }
  return text;
}

Json convert(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      return scalar(node);
    case YAML::NodeType::Sequence: {
      Json list = Json::array();
      for (const YAML::Node& item : node) list.push_back(convert(item));
      return list;
    }
    case YAML::NodeType::Map: {
      Json object = Json::object();
      for (const auto& entry : node) object[entry.first.Scalar()] = convert(entry.second);
      return object;
    }
    default:
      return nullptr;
  }
}

}  // namespace

Result<Json> read_yaml(const std::filesystem::path& path) {
  Result<std::string> text = read_file(path);
  if (!text) return text.failure();
  try {
    return convert(YAML::Load(*text));
  } catch (const YAML::Exception& error) {
    return failure(FailureKind::kInvalid, path.string() + ": " + error.what());
  }
}

}  // namespace pytoon
