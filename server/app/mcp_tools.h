// The tools that `pytoon mcp` offers, made from the OpenAPI document: an operation's parameters and
// body are a tool's arguments, its answer is the tool's result. What stands here by hand is which
// operations there are and which files they read or write on this machine.
//
// Thread rule: values; call_tool() blocks as Remote does.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "server/app/remote.h"

namespace pytoon::app {

struct McpTool {
  std::string name;
  std::string method;
  std::string path;   // "/api/v1/jobs/{id}"
  std::string scope;  // that a key needs
  std::string body;   // media type of the request's body, "" for none
  std::vector<std::string> path_parameters;
  std::vector<std::string> query_parameters;
  // The argument that names a file on this machine: one to send as the part `file` of the body, or
  // one to write, that must not exist yet. "" for none.
  std::string reads_file;
  std::string writes_file;
  nlohmann::ordered_json described;  // as tools/list tells it: name, title, inputSchema ...
};

// openapi: the document that the server serves.
std::vector<McpTool> mcp_tools(const nlohmann::ordered_json& openapi);

// The result of tools/call: what the server answered, or, with isError, what is wrong and what to
// do about it. Arguments that the schema doesn't know are refused before anything is sent.
nlohmann::ordered_json call_tool(const McpTool& tool, const nlohmann::ordered_json& arguments,
                                 const Remote& remote);

// A result that says why there is none.
nlohmann::ordered_json failed_call(const std::string& text);

}  // namespace pytoon::app
