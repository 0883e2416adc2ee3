// A running server, asked over REST: what the operators' commands go through, so that they work
// from anywhere and never touch the database.
//
// Thread rule: any thread. Blocks for as long as the server takes, at most 30 s; files for as long
// as bytes move.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/http_client.h"
#include "server/app/env.h"

namespace pytoon::app {

std::string job_path(const std::string& id);  // "/api/v1/jobs/ID"

class Remote {
 public:
  // PYTOON_URL (default http://127.0.0.1:API_PORT) with the key PYTOON_API_KEY, or API_KEY, or the
  // one that a server in dev keeps in its data folder. kInvalid naming what is missing.
  static Result<Remote> from(const Environment& environment, HttpClient& client);

  Result<nlohmann::ordered_json> get(const std::string& path) const;
  Result<nlohmann::ordered_json> post(const std::string& path) const;
  Result<nlohmann::ordered_json> post(const std::string& path,
                                      const nlohmann::ordered_json& body) const;

  // Any other operation: `request.url` is a path, with its query. Gives an answer of 2xx with its
  // body as it came, a refusal as a Failure whose detail says what to do.
  Result<HttpAnswer> exchange(HttpRequest request) const;

  // Gives the storage URI. Errors also: those of reading the file.
  Result<std::string> upload(const std::filesystem::path& file, const std::string& category) const;
  // An answer's body into a file, as long as it may take.
  Status save(const std::string& path, const std::filesystem::path& to) const;

 private:
  Remote(HttpClient& client, std::string url, std::string key)
      : client_(&client), url_(std::move(url)), key_(std::move(key)) {}
  Result<nlohmann::ordered_json> ask(HttpRequest request) const;

  HttpClient* client_;
  std::string url_;
  std::string key_;
};

}  // namespace pytoon::app
