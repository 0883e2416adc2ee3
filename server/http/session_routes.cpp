// Signing in and out, for browsers. The key comes in its usual header, once; from then on the
// cookie stands for it.
#include <nlohmann/json.hpp>

#include "server/http/routes.h"
#include "server/jobs/scopes.h"

namespace pytoon::http {
namespace {

using Json = nlohmann::ordered_json;

// Out of reach of scripts, and sent by no other site's page. Secure where a proxy in front says
// that the client speaks TLS; whoever lies there harms himself.
std::string cookie(const RequestHead& head, const std::string& value, std::int64_t life_seconds) {
  std::string text = std::string(kSessionCookie) + "=" + value +
                     "; Path=/; HttpOnly; SameSite=Strict; Max-Age=" + std::to_string(life_seconds);
  if (head.header("x-forwarded-proto") == "https") text += "; Secure";
  return text;
}

WallTime at(std::int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }

Response shown(const Credentials& credentials, const jobs::Caller& caller,
               const std::optional<Session>& session, int status) {
  Json answer{{"tenant", caller.tenant}, {"scopes", jobs::scopes_of(caller)}};
  answer["expires_at"] = session ? Json(iso8601(at(session->expires_at))) : Json(nullptr);
  answer["csrf_token"] = session ? Json(credentials.csrf_token(*session)) : Json(nullptr);
  return json_response(status, answer);
}

Result<Response> sign_in(Credentials& credentials, const Request& request) {
  if (request.session) {
    return failure(FailureKind::kConflict,
                   "There is a session already: end it first, or send a key in X-API-Key.");
  }
  const Session session = credentials.begin_session(request.key_tag);
  Response response = shown(credentials, request.caller, session, 201);
  const std::int64_t life_seconds = session.expires_at - credentials.now_seconds();
  response.headers.push_back(
      {"Set-Cookie", cookie(request.head, credentials.token_of(session), life_seconds)});
  return response;
}

Result<Response> sign_out(Credentials& credentials, const Request& request) {
  if (request.session) credentials.end_session(*request.session);
  return Response{204, {{"Set-Cookie", cookie(request.head, "", 0)}}, std::string()};
}

}  // namespace

std::vector<Route> session_routes(Credentials& credentials) {
  const auto row = [](Method method, Handler handler) {
    return Route{method,          "/session",          Scope::kAny,
                 BodyKind::kNone, Purpose::kImmediate, std::move(handler)};
  };
  return {
      row(Method::kPost,
          [&credentials](const Request& request) { return sign_in(credentials, request); }),
      row(Method::kGet,
          [&credentials](const Request& request) -> Result<Response> {
            return shown(credentials, request.caller, request.session, 200);
          }),
      row(Method::kDelete,
          [&credentials](const Request& request) { return sign_out(credentials, request); }),
  };
}

}  // namespace pytoon::http
