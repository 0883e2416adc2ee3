#include "server/app/mcp_tools.h"

#include <algorithm>
#include <filesystem>

#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"
#include "server/http/openapi.h"

namespace pytoon::app {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// What no document can know: files lie on this machine, not in JSON.
struct Row {
  const char* name;
  const char* operation;
  const char* reads_file = "";
  const char* writes_file = "";
};
constexpr Row kRows[] = {
    {"presets", "listPresets"},  {"upload", "uploadAsset", "file"},
    {"submit", "createJob"},     {"status", "getJob"},
    {"preview", "previewFrame"}, {"download", "getOutput", "", "to"},
};

constexpr const char* kReads = "Path of a file on this machine.";
constexpr const char* kWrites =
    "Path of a file on this machine that does not exist yet; the video is written there.";

const Json& at_reference(const Json& document, const Json& reference) {
  return document.at(Json::json_pointer(reference.get_ref<const std::string&>().substr(1)));
}

// The schema with what it refers to in place: few clients of MCP follow references.
Json resolved(const Json& document, const Json& value) {
  if (value.is_array()) {
    Json list = Json::array();
    for (const Json& item : value) list.push_back(resolved(document, item));
    return list;
  }
  if (!value.is_object()) return value;
  if (value.contains("$ref")) {
    Json target = resolved(document, at_reference(document, value.at("$ref")));
    for (const auto& [name, member] : value.items()) {
      if (name != "$ref") target[name] = resolved(document, member);
    }
    return target;
  }
  Json object = Json::object();
  for (const auto& [name, member] : value.items()) object[name] = resolved(document, member);
  return object;
}

void add_argument(Json& schema, const std::string& name, Json described, bool required) {
  schema["properties"][name] = std::move(described);
  if (required) schema["required"].push_back(name);
}

void add_parameters(const Json& document, const Json& operation, McpTool& tool, Json& schema) {
  if (!operation.contains("parameters")) return;
  for (const Json& given : operation.at("parameters")) {
    const Json parameter = resolved(document, given);
    const std::string name = parameter.at("name");
    const std::string in = parameter.at("in");
    if (in == "header") continue;
    (in == "path" ? tool.path_parameters : tool.query_parameters).push_back(name);
    Json described = parameter.at("schema");
    if (parameter.contains("description")) described["description"] = parameter["description"];
    add_argument(schema, name, std::move(described), parameter.value("required", false));
  }
}

void add_body(const Json& document, const Json& operation, McpTool& tool, Json& schema) {
  if (!operation.contains("requestBody")) return;
  const auto content = operation.at("requestBody").at("content").items().begin();
  tool.body = content.key();
  const Json body = resolved(document, content.value().at("schema"));
  const Json required = body.value("required", Json::array());
  for (const auto& [name, described] : body.at("properties").items()) {
    const bool is_required = std::find(required.begin(), required.end(), name) != required.end();
    const bool is_file = name == tool.reads_file;
    add_argument(schema, name,
                 is_file ? Json{{"type", "string"}, {"description", kReads}} : described,
                 is_required);
  }
}

// The role that the key must have stands in the security requirement (OpenAPI 3.1).
std::string scope_of(const Json& operation) {
  return operation.at("security").at(0).at("ApiKey").at(0);
}

McpTool make_tool(const Json& document, const Row& row, const std::string& path,
                  const std::string& method, const Json& operation) {
  McpTool tool;
  tool.name = row.name;
  tool.method = method;
  tool.path = path;
  tool.scope = scope_of(operation);
  tool.reads_file = row.reads_file;
  tool.writes_file = row.writes_file;
  Json schema{{"type", "object"},
              {"properties", Json::object()},
              {"required", Json::array()},
              {"additionalProperties", false}};
  add_parameters(document, operation, tool, schema);
  add_body(document, operation, tool, schema);
  if (!tool.writes_file.empty()) {
    add_argument(schema, tool.writes_file, Json{{"type", "string"}, {"description", kWrites}},
                 true);
  }
  const std::string summary = operation.at("summary");
  tool.described = {
      {"name", tool.name},
      {"title", summary},
      {"description", summary + ". " + operation.at("description").get<std::string>()},
      {"inputSchema", std::move(schema)}};
  return tool;
}

// An argument as a query or a path has it.
std::string plain_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : json_text(value);
}

std::string target_of(const McpTool& tool, const Json& arguments) {
  std::string target = tool.path;
  for (const std::string& name : tool.path_parameters) {
    const std::string mark = "{" + name + "}";
    target.replace(target.find(mark), mark.size(), percent_encode(plain_text(arguments.at(name))));
  }
  char separator = '?';
  for (const std::string& name : tool.query_parameters) {
    if (!arguments.contains(name)) continue;
    target += separator + name + "=" + percent_encode(plain_text(arguments.at(name)));
    separator = '&';
  }
  return target;
}

bool is_in(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<FormPart> form_of(const McpTool& tool, const Json& arguments) {
  std::vector<FormPart> parts;
  for (const auto& [name, value] : arguments.items()) {
    if (name != tool.reads_file) parts.push_back({.name = name, .value = plain_text(value)});
  }
  // The file last: what is too large for its category is then refused before it was sent.
  const fs::path file = plain_text(arguments.at(tool.reads_file));
  parts.push_back({.name = tool.reads_file, .file = file, .file_name = file.filename().string()});
  return parts;
}

HttpRequest request_of(const McpTool& tool, const Json& arguments) {
  HttpRequest request;
  request.method = tool.method;
  request.url = target_of(tool, arguments);
  if (tool.body == "multipart/form-data") {
    request.body = form_of(tool, arguments);
  } else if (!tool.body.empty()) {
    Json body = Json::object();
    for (const auto& [name, value] : arguments.items()) {
      if (!is_in(tool.path_parameters, name) && !is_in(tool.query_parameters, name)) {
        body[name] = value;
      }
    }
    request.headers.emplace_back("Content-Type", tool.body);
    request.body = json_text(body);
  }
  return request;
}

// What is wrong with the arguments, in words that a model can act on; "" for nothing. The rest is
// the server's to judge.
std::string fault_of(const McpTool& tool, const Json& arguments) {
  const Json& schema = tool.described.at("inputSchema");
  for (const auto& [name, value] : arguments.items()) {
    if (!schema.at("properties").contains(name)) {
      return "'" + name + "' is no argument of " + tool.name + ": leave it out.";
    }
  }
  for (const Json& name : schema.at("required")) {
    if (!arguments.contains(name.get<std::string>())) {
      return "'" + name.get<std::string>() + "' is missing.";
    }
  }
  std::error_code error;
  if (!tool.reads_file.empty()) {
    const std::string file = plain_text(arguments.at(tool.reads_file));
    if (!fs::is_regular_file(file, error)) return file + ": there is no such file on this machine.";
  }
  if (!tool.writes_file.empty()) {
    const std::string file = plain_text(arguments.at(tool.writes_file));
    if (fs::exists(fs::symlink_status(file, error))) return file + " exists: name another file.";
  }
  return "";
}

Json result_with(Json content, bool is_error) {
  Json result;
  result["content"] = Json::array({std::move(content)});
  result["isError"] = is_error;
  return result;
}

Json text_content(std::string text) { return Json{{"type", "text"}, {"text", std::move(text)}}; }

// JSON twice: as text for every model, and as it is for programs (structuredContent, 2025-06-18).
Json json_result(Json body) {
  Json result = result_with(text_content(json_text(body)), false);
  result["structuredContent"] = std::move(body);
  return result;
}

Json result_of(const HttpAnswer& answer) {
  const std::string type = answer.header("content-type");
  if (type.starts_with("image/")) {
    return result_with(Json{{"type", "image"}, {"data", base64(answer.body)}, {"mimeType", type}},
                       false);
  }
  Json body = parse_json<Json>(answer.body);
  return body.is_object() ? json_result(std::move(body))
                          : failed_call("The server answered something that is no JSON object.");
}

}  // namespace

std::vector<McpTool> mcp_tools(const Json& openapi) {
  std::vector<McpTool> tools;
  for (const Row& row : kRows) {
    for (const auto& [path, item] : openapi.at("paths").items()) {
      for (const auto& [method, operation] : item.items()) {
        if (operation.at("operationId") != row.operation) continue;
        tools.push_back(make_tool(openapi, row, path, http::request_method(method), operation));
      }
    }
  }
  return tools;
}

Json failed_call(const std::string& text) { return result_with(text_content(text), true); }

Json call_tool(const McpTool& tool, const Json& arguments, const Remote& remote) {
  const std::string fault = fault_of(tool, arguments);
  if (!fault.empty()) return failed_call(fault);
  HttpRequest request = request_of(tool, arguments);
  if (!tool.writes_file.empty()) {
    const fs::path file = plain_text(arguments.at(tool.writes_file));
    if (Status saved = remote.save(request.url, file); !saved) {
      return failed_call(saved.failure().detail);
    }
    return json_result(Json{{"file", fs::absolute(file).string()}});
  }
  const Result<HttpAnswer> answer = remote.exchange(std::move(request));
  return answer ? result_of(*answer) : failed_call(answer.failure().detail);
}

}  // namespace pytoon::app
