// `pytoon keys ...`: API keys of a running server, over REST.
#include <iomanip>
#include <iostream>

#include "base/json.h"
#include "base/text.h"
#include "server/app/answer_text.h"
#include "server/app/commands.h"
#include "server/app/with_server.h"

namespace pytoon::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kKeysPath = "/api/v1/admin/keys";

std::string scopes_text(const Json& key) {
  std::string list;
  for (const Json& scope : field(key, "scopes")) {
    list += (list.empty() ? "" : ",") + text_of(scope);
  }
  return list;
}

void show_key(const Json& key) {
  std::cout << std::left << std::setw(22) << text_of(field(key, "key_id")) << std::setw(10)
            << text_of(field(key, "hint")) << std::setw(9) << text_of(field(key, "status"))
            << std::setw(18) << text_of(field(key, "tenant")) << std::setw(14) << scopes_text(key)
            << std::setw(12) << text_of(field(key, "plan")) << std::setw(29)
            << text_of(field(key, "last_used_at")) << text_of(field(key, "name")) << "\n";
}

void show_keys(const Json& answer) {
  std::cout << std::left << std::setw(22) << "KEY" << std::setw(10) << "BEGINS" << std::setw(9)
            << "STATUS" << std::setw(18) << "TENANT" << std::setw(14) << "SCOPES" << std::setw(12)
            << "PLAN" << std::setw(29) << "LAST USED"
            << "NAME\n";
  for (const Json& key : field(answer, "keys")) show_key(key);
}

// The key alone on standard output, so that a script can take it from there.
void show_new_key(const Json& made) {
  std::cerr << text_of(field(made, "key_id")) << " of tenant " << text_of(field(made, "tenant"))
            << "; the key is shown this once:\n";
  std::cout << text_of(field(made, "key")) << "\n";
}

std::string key_path(const std::string& id, const char* turn) {
  return std::string(kKeysPath) + "/" + percent_encode(id) + "/" + turn;
}

}  // namespace

int list_keys(const Environment& environment, bool json) {
  return with_server(
      environment, [](const Remote& remote) { return remote.get(kKeysPath); },
      [json](const Json& answer) {
        if (!json) return show_keys(answer);
        std::cout << json_text(answer, 2) << "\n";
      });
}

int create_key(const Environment& environment, const NewKeyWords& words) {
  Json body{{"tenant", words.tenant}, {"scopes", Json::array()}};
  for (const std::string_view scope : split(words.scopes, ',')) {
    body["scopes"].push_back(std::string(scope));
  }
  if (!words.name.empty()) body["name"] = words.name;
  if (!words.plan.empty()) body["plan"] = words.plan;
  if (words.days > 0) body["expires_in_days"] = words.days;
  return with_server(
      environment, [&](const Remote& remote) { return remote.post(kKeysPath, body); },
      show_new_key);
}

int rotate_key(const Environment& environment, const std::string& id, int grace_seconds) {
  return with_server(
      environment,
      [&](const Remote& remote) {
        return remote.post(key_path(id, "rotate"), {{"grace_seconds", grace_seconds}});
      },
      show_new_key);
}

int revoke_key(const Environment& environment, const std::string& id) {
  return with_server(
      environment, [&](const Remote& remote) { return remote.post(key_path(id, "revoke")); },
      [](const Json& key) { std::cout << text_of(field(key, "key_id")) << " is revoked\n"; });
}

}  // namespace pytoon::app
