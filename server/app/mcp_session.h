// One client of the Model Context Protocol: JSON-RPC 2.0, a message a line. Offers tools alone, and
// of them those whose scope the key has. Specification: modelcontextprotocol.io, 2025-06-18;
// clients of 2024-11-05 are answered in their version.
//
// What people wrote (prompts, captions, file names, errors) reaches the client as JSON strings
// inside results, never as a description or an instruction of ours.
//
// Thread rule: one thread; answer() blocks while a tool asks the server.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/app/mcp_tools.h"

namespace pytoon::app {

class McpSession {
 public:
  // The remote outlives the session.
  McpSession(const Remote& remote, std::vector<McpTool> tools, std::string version)
      : remote_(remote), tools_(std::move(tools)), version_(std::move(version)) {}

  // The line to send back; nullopt after a notification.
  std::optional<std::string> answer(std::string_view line);

 private:
  using Json = nlohmann::ordered_json;
  // A result, or an error that the protocol knows.
  struct Outcome {
    Json result;
    int error = 0;
    std::string message;
  };
  Outcome perform(const std::string& method, const Json& params);
  Outcome initialize(const Json& params) const;
  Outcome list_tools();
  Outcome call(const Json& params);
  // Those of the key, or why they are not known.
  Result<std::vector<const McpTool*>> offered();

  const Remote& remote_;
  const std::vector<McpTool> tools_;
  const std::string version_;
  std::optional<Json> scopes_;  // of the key, once the server told
};

}  // namespace pytoon::app
