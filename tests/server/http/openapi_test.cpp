#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "live_server.h"
#include "pipeline/spec/schema.h"
#include "server/http/console.h"
#include "server/http/openapi.h"
#include "server/http/routes.h"

namespace pytoon::http::testing_support {
namespace {

using Json = nlohmann::ordered_json;

class OpenApiTest : public LiveServer {
 protected:
  OpenApiTest() : document(Json::parse(openapi_document())) {
    std::string schemas = document.at("components").at("schemas").dump();
    const std::string from = "#/components/schemas/";
    for (std::size_t at = 0; (at = schemas.find(from, at)) != std::string::npos;) {
      schemas.replace(at, from.size(), "#/definitions/");
    }
    definitions_ = Json::parse(schemas);
  }

  // The documented answer, its reference followed.
  Json documented(const std::string& method, const std::string& pattern, int status) const {
    const Json& operation = document.at("paths").at(pattern).at(lower_case(method));
    Json response = operation.at("responses").at(std::to_string(status));
    if (!response.contains("$ref")) return response;
    return document.at(Json::json_pointer(response.at("$ref").get<std::string>().substr(1)));
  }

  // The answer has a documented status, media type and shape.
  void check(const Reply& reply, const std::string& method, const std::string& pattern,
             int status) const {
    ASSERT_EQ(reply.status, status) << method << " " << pattern << "\n" << reply.body;
    const Json response = documented(method, pattern, status);
    if (!response.contains("content")) return;
    std::string type = reply.headers.at("content-type");
    type = type.substr(0, type.find(';'));
    ASSERT_TRUE(response.at("content").contains(type)) << pattern << " " << type;
    if (!type.ends_with("json")) return;
    Json schema = response.at("content").at(type).at("schema");
    if (schema.contains("$ref")) {
      const std::string name = schema.at("$ref").get<std::string>().substr(21);
      schema = Json{{"$ref", "#/definitions/" + name}};
    }
    // A reference hides its neighbours, so it goes one level down.
    const Json wrapped{{"allOf", {schema}}, {"definitions", definitions_}};
    for (const FieldFault& fault : spec::schema_faults(wrapped.dump(), Json::parse(reply.body))) {
      ADD_FAILURE() << method << " " << pattern << " " << status << ": " << fault.pointer << " "
                    << fault.detail << "\n"
                    << reply.body;
    }
  }

  const Json document;

 private:
  Json definitions_;
};

TEST_F(OpenApiTest, HasEveryRouteAndNoOther) {
  std::atomic<bool> draining{false};
  Credentials credentials("", std::chrono::hours(1), clock);
  std::set<std::string> routes;
  for (const Route& route : all_routes(service, draining, credentials, {})) {
    routes.insert(lower_case(name_of(route.method)) + " " + route.pattern);
  }
  std::set<std::string> written;
  for (const auto& [path, item] : document.at("paths").items()) {
    for (const auto& [method, operation] : item.items()) {
      written.insert(method + " " + path);
      const bool open = operation.contains("security") && operation.at("security").empty();
      EXPECT_EQ(open, !path.starts_with("/api/") && path != "/session") << path;
      EXPECT_EQ(path.find("{key}") != std::string::npos,
                operation.dump().find("\"name\":\"key\"") != std::string::npos ||
                    operation.dump().find("#/components/parameters/AssetKey") != std::string::npos)
          << path;
      EXPECT_EQ(path.find("{id}") != std::string::npos,
                operation.dump().find("#/components/parameters/JobId") != std::string::npos)
          << path;
    }
  }
  EXPECT_EQ(routes, written);
}

// The role in a security requirement, "" for none.
std::string role_of(const Json& operation) {
  const Json roles = operation.value("security", Json::array({Json{{"ApiKey", Json::array()}}}));
  if (roles.empty() || roles[0].at("ApiKey").empty()) return "";
  return roles[0].at("ApiKey").at(0);
}

TEST_F(OpenApiTest, NamesTheScopeThatEachRouteAsksFor) {
  const std::map<Scope, std::string> names{{Scope::kOpen, ""},
                                           {Scope::kAny, ""},
                                           {Scope::kRead, "read"},
                                           {Scope::kSubmit, "submit"},
                                           {Scope::kAdmin, "admin"}};
  std::atomic<bool> draining{false};
  Credentials credentials("", std::chrono::hours(1), clock);
  for (const Route& route : all_routes(service, draining, credentials, {})) {
    const Json& operation =
        document.at("paths").at(route.pattern).at(lower_case(name_of(route.method)));
    const std::string& scope = names.at(route.scope);
    EXPECT_EQ(role_of(operation), scope) << route.pattern;
    if (scope.empty()) continue;
    EXPECT_TRUE(operation.at("description").get<std::string>().starts_with("Scope " + scope + "."))
        << route.pattern << ": people read it there";
  }
}

TEST_F(OpenApiTest, LlmsTextNamesEveryOperation) {
  const std::string text = get("/llms.txt").body;
  EXPECT_TRUE(text.starts_with("# Pytoon\n\n> ")) << text.substr(0, 80);
  for (const auto& [path, item] : document.at("paths").items()) {
    for (const auto& [method, operation] : item.items()) {
      EXPECT_NE(text.find(" " + path + "]"), std::string::npos) << path;
      EXPECT_NE(text.find(operation.at("summary").get<std::string>()), std::string::npos) << path;
    }
  }
}

TEST_F(OpenApiTest, EveryReferenceLeadsSomewhere) {
  const std::string text = openapi_document();
  for (std::size_t at = 0; (at = text.find("\"$ref\":\"#", at)) != std::string::npos; ++at) {
    const std::string pointer = text.substr(at + 9, text.find('"', at + 9) - at - 9);
    EXPECT_TRUE(document.contains(Json::json_pointer(pointer))) << pointer;
  }
}

TEST_F(OpenApiTest, GoodAnswersHaveTheirShapes) {
  check(get("/health"), "GET", "/health", 200);
  check(get("/ready"), "GET", "/ready", 200);
  check(get("/metrics"), "GET", "/metrics", 200);
  check(get("/openapi.json"), "GET", "/openapi.json", 200);
  check(get("/llms.txt"), "GET", "/llms.txt", 200);
  check(get("/"), "GET", "/", 200);
  check(get(console_path("main.js")), "GET", "/console/{key}", 200);
  check(get(console_path("tokens.css")), "GET", "/console/{key}", 200);
  check(get(console_path("icon.svg")), "GET", "/console/{key}", 200);
  check(get("/console/of/yesterday.js"), "GET", "/console/{key}", 404);
  check(get("/api/v1/presets"), "GET", "/api/v1/presets", 200);
  check(get("/api/v1/platforms"), "GET", "/api/v1/platforms", 200);
  check(get("/api/v1/jobs?limit=1"), "GET", "/api/v1/jobs", 200);
  check(get("/api/v1/jobs/queued"), "GET", "/api/v1/jobs/{id}", 200);
  check(get("/api/v1/jobs/finished"), "GET", "/api/v1/jobs/{id}", 200);
  check(get("/api/v1/jobs/queued/segments"), "GET", "/api/v1/jobs/{id}/segments", 200);
  check(get("/api/v1/jobs/queued/spec"), "GET", "/api/v1/jobs/{id}/spec", 200);
  check(get("/api/v1/jobs/finished/events"), "GET", "/api/v1/jobs/{id}/events", 200);
  check(post("/api/v1/jobs", "Content-Type: application/json\r\n", R"({"preset_id":"p"})"), "POST",
        "/api/v1/jobs", 201);
  check(post("/api/v1/jobs?dry_run=true", "Content-Type: application/json\r\n",
             R"({"preset_id":"p"})"),
        "POST", "/api/v1/jobs", 200);
  check(post("/api/v1/assets/upload", kFormType, form_of("x", "image")), "POST",
        "/api/v1/assets/upload", 201);
  check(post("/api/v1/preview?at_seconds=1.5", kJson, R"({"preset_id":"p"})"), "POST",
        "/api/v1/preview", 200);
  check(post("/session", "", ""), "POST", "/session", 201);
  check(get("/session"), "GET", "/session", 200);
  check(erase("/session", kReadKey), "DELETE", "/session", 204);
  check(post("/api/v1/jobs/finished/links", "", ""), "POST", "/api/v1/jobs/{id}/links", 201);
  check(get("/api/v1/admin/capacity"), "GET", "/api/v1/admin/capacity", 200);
  check(post("/api/v1/admin/drain", "", ""), "POST", "/api/v1/admin/drain", 200);
  check(post("/api/v1/admin/resume", "", ""), "POST", "/api/v1/admin/resume", 200);
  check(erase("/api/v1/assets/assets/acme/1.png", kSubmitKey), "DELETE", "/api/v1/assets/{key}",
        204);
  check(post("/api/v1/admin/purge", "Content-Type: application/json\r\n", R"({"tenant":"acme"})"),
        "POST", "/api/v1/admin/purge", 200);
  check(get("/api/v1/usage"), "GET", "/api/v1/usage", 200);
  check(get("/api/v1/admin/keys"), "GET", "/api/v1/admin/keys", 200);
  check(post("/api/v1/admin/keys", "Content-Type: application/json\r\n",
             R"({"tenant":"acme","scopes":["read"]})"),
        "POST", "/api/v1/admin/keys", 201);
  check(post("/api/v1/admin/keys/key_1/rotate", "", ""), "POST",
        "/api/v1/admin/keys/{key_id}/rotate", 201);
  check(post("/api/v1/admin/keys/key_1/revoke", "", ""), "POST",
        "/api/v1/admin/keys/{key_id}/revoke", 200);
  service.put(sample_job("a"));
  check(post("/api/v1/jobs/a/cancel", "", ""), "POST", "/api/v1/jobs/{id}/cancel", 200);
  check(post("/api/v1/jobs/a/webhook/redeliver", "", ""), "POST",
        "/api/v1/jobs/{id}/webhook/redeliver", 202);
  service.put(sample_job("b"));
  check(post("/api/v1/admin/jobs/b/fail", "", ""), "POST", "/api/v1/admin/jobs/{id}/fail", 200);
  check(post("/api/v1/jobs/b/retry", "", ""), "POST", "/api/v1/jobs/{id}/retry", 200);
  service.artifact = {folder / "o", "video/mp4", "\"e\""};
  write_bytes(service.artifact.path, "bytes");
  check(get("/api/v1/jobs/finished/output"), "GET", "/api/v1/jobs/{id}/output", 200);
  write_bytes(service.artifact.path, R"({"job_id":"finished"})");
  check(get("/api/v1/jobs/finished/metadata"), "GET", "/api/v1/jobs/{id}/metadata", 200);
  check(get("/api/v1/jobs/finished/thumbnail", kAdminKey, "Range: bytes=1-2\r\n"), "GET",
        "/api/v1/jobs/{id}/thumbnail", 206);
  check(erase("/api/v1/jobs/queued", kAdminKey), "DELETE", "/api/v1/jobs/{id}", 409);
  check(erase("/api/v1/jobs/finished", kAdminKey), "DELETE", "/api/v1/jobs/{id}", 204);
}

TEST_F(OpenApiTest, GoodAnswersAboutUploadsAndWebhooksHaveTheirShapes) {
  check(post("/api/v1/assets/links", kJson, R"({"uri":"storage://assets/acme/1.png"})"), "POST",
        "/api/v1/assets/links", 201);
  service.asset_artifact = {folder / "a", "image/png", "\"a\""};
  write_bytes(service.asset_artifact.path, "bytes");
  check(get("/api/v1/assets/assets/acme/1.png"), "GET", "/api/v1/assets/{key}", 200);
  check(get("/api/v1/assets/assets/acme/1.png", kAdminKey, "Range: bytes=1-2\r\n"), "GET",
        "/api/v1/assets/{key}", 206);
  check(get("/api/v1/jobs/finished/webhook"), "GET", "/api/v1/jobs/{id}/webhook", 200);
  check(get("/api/v1/admin/webhooks"), "GET", "/api/v1/admin/webhooks", 200);
}

TEST_F(OpenApiTest, ProblemsHaveTheirShapes) {
  service.ready.blocking = {"database"};
  check(get("/ready"), "GET", "/ready", 503);
  check(get("/api/v1/jobs", ""), "GET", "/api/v1/jobs", 401);
  check(get("/api/v1/jobs", kSubmitKey), "GET", "/api/v1/jobs", 403);
  check(get("/api/v1/jobs?limit=0"), "GET", "/api/v1/jobs", 422);
  check(get("/api/v1/jobs/none"), "GET", "/api/v1/jobs/{id}", 404);
  check(get("/api/v1/jobs/queued/output"), "GET", "/api/v1/jobs/{id}/output", 409);
  check(post("/api/v1/jobs/finished/cancel", "", ""), "POST", "/api/v1/jobs/{id}/cancel", 409);
  check(post("/api/v1/jobs/none/retry", "", ""), "POST", "/api/v1/jobs/{id}/retry", 404);
  check(post("/api/v1/admin/jobs/queued/fail", "Content-Type: application/json\r\n", "[]"), "POST",
        "/api/v1/admin/jobs/{id}/fail", 422);
  check(post("/api/v1/admin/drain", "", "", kBothKey), "POST", "/api/v1/admin/drain", 403);
  check(post("/api/v1/jobs", "", "{}"), "POST", "/api/v1/jobs", 415);
  check(post("/api/v1/jobs", "Content-Type: application/json\r\n", "{"), "POST", "/api/v1/jobs",
        400);
  check(post("/api/v1/jobs", "Content-Type: application/json\r\n", "{}"), "POST", "/api/v1/jobs",
        422);
  check(post("/api/v1/jobs", "Content-Type: application/json\r\nContent-Length: 9999999\r\n", ""),
        "POST", "/api/v1/jobs", 413);
  service.submit_failure = failure(FailureKind::kStorageFull, "full");
  check(post("/api/v1/jobs", "Content-Type: application/json\r\n", R"({"preset_id":"p"})"), "POST",
        "/api/v1/jobs", 507);
}

}  // namespace
}  // namespace pytoon::http::testing_support
