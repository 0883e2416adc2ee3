#include "server/http/request_gate.h"

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "server/http/multipart.h"

namespace pytoon::http {
namespace {

constexpr std::uint64_t kFormOverheadBytes = 65536;  // delimiters, part heads, text parts

bool allows(const jobs::Caller& caller, Scope scope) {
  switch (scope) {
    case Scope::kOpen:
    case Scope::kAny:
      return true;
    case Scope::kRead:
      return caller.reads();
    case Scope::kSubmit:
      return caller.submits();
    case Scope::kAdmin:
      return caller.admin;
  }
  return false;
}

std::string_view name_of(Scope scope) {
  if (scope == Scope::kRead) return "read";
  return scope == Scope::kSubmit ? "submit" : "admin";
}

bool is_safe(Method method) {
  return method == Method::kGet || method == Method::kHead || method == Method::kOptions;
}

bool is_json(std::string_view content_type) {
  const std::size_t semicolon = std::min(content_type.find(';'), content_type.size());
  return lower_case(trim(content_type.substr(0, semicolon))) == "application/json";
}

// Generated clients write the slashes of a storage key as %2F. Nowhere else is that a slash.
std::string with_key_slashes(const std::string& path) {
  constexpr std::string_view kKeysBelow = "/api/v1/assets/";
  if (!path.starts_with(kKeysBelow)) return path;
  std::string plain = path;
  for (const std::string_view escaped : {"%2F", "%2f"}) {
    for (std::size_t at = 0; (at = plain.find(escaped, at)) != std::string::npos;) {
      plain.replace(at, escaped.size(), "/");
    }
  }
  return plain;
}

std::vector<RateLimit> rates_of(const KeyRing& ring, const jobs::TenantPlans& plans) {
  std::vector<RateLimit> rates;
  for (std::size_t i = 0; i < ring.size(); ++i) {
    const jobs::TenantPlan& plan = plans.of(ring.holder(i).caller.plan);
    rates.push_back({plan.requests_per_second, plan.request_burst});
  }
  return rates;
}

Response rate_limited(int wait_seconds, std::string why) {
  Problem problem = problem_of(failure(FailureKind::kRateLimited, std::move(why)));
  problem.retry_after_seconds = wait_seconds;
  return problem_response(problem);
}

// Several headers of one name are one list (RFC 9110 section 5.3).
std::string forwarded_for(const RequestHead& head) {
  std::string list;
  for (const Header& header : head.headers) {
    if (header.name == "x-forwarded-for") list += (list.empty() ? "" : ",") + header.value;
  }
  return list;
}

}  // namespace

Status Admitted::fits(std::uint64_t body_bytes) const {
  if (body_bytes <= body_bytes_max) return ok_status();
  return failure(FailureKind::kTooLarge,
                 "The body is over " + std::to_string(body_bytes_max) + " bytes.");
}

RequestGate::RequestGate(std::vector<Route> routes, KeyRing keys, jobs::TenantPlans plans,
                         RateLimit failures, AddressSet proxies, CorsOrigins cors,
                         BodyLimits limits, const Clock& clock, Log& log,
                         const std::atomic<bool>& draining, const Credentials& credentials)
    : router_(std::move(routes)),
      clock_(clock),
      plans_(std::move(plans)),
      upload_refusals_(clock),
      keys_(std::make_shared<Keys>(clock, plans_, std::move(keys), credentials)),
      failures_(clock, failures),
      proxies_(std::move(proxies)),
      cors_(std::move(cors)),
      limits_(std::move(limits)),
      body_budget_(limits_.json_bytes_held_max),
      tenant_budgets_(limits_.json_bytes_held_of_tenant_max),
      log_(log),
      draining_(draining),
      credentials_(credentials) {}

RequestGate::Keys::Keys(const Clock& clock, const jobs::TenantPlans& plans, KeyRing keys,
                        const Credentials& credentials)
    : ring(std::move(keys)), limiter(clock, rates_of(ring, plans)) {
  for (std::size_t i = 0; i < ring.size(); ++i) tags.push_back(credentials.tag_of(ring.digest(i)));
}

std::optional<KeyRing::Holder> RequestGate::Keys::find_tag(std::string_view tag) const {
  for (std::size_t i = 0; i < tags.size(); ++i) {
    if (tags[i] == tag) return ring.holder(i);
  }
  return std::nullopt;
}

Response RequestGate::refuse(const std::string& route, const std::string& trace_id,
                             const Failure& failure) {
  const Problem problem = problem_of(failure);
  if (problem.status >= 500) {
    log_.error("http_failure", {{"route", route},
                                {"trace_id", trace_id},
                                {"status", problem.status},
                                {"kind", traits(failure.kind).label},
                                {"error", failure.detail}});
  }
  return problem_response(problem);
}

std::optional<TenantCounts::Slot> RequestGate::connection_of(const jobs::Caller& caller) {
  return connections_.take(caller.tenant, plans_.of(caller.plan).connections);
}

std::shared_ptr<RequestGate::Keys> RequestGate::keys() const {
  const std::lock_guard lock(keys_mutex_);
  return keys_;
}

void RequestGate::replace_keys(KeyRing keys) {
  auto fresh = std::make_shared<Keys>(clock_, plans_, std::move(keys), credentials_);
  const std::lock_guard lock(keys_mutex_);
  keys_ = std::move(fresh);
}

void RequestGate::note_use(const std::string& key_id) {
  if (key_id.empty()) return;
  const std::lock_guard lock(keys_mutex_);
  key_uses_[key_id] = clock_.now();
}

std::map<std::string, WallTime> RequestGate::take_key_uses() {
  const std::lock_guard lock(keys_mutex_);
  return std::exchange(key_uses_, {});
}

// Whoever guesses is told to wait; a right key is never refused for the guesses of a neighbour
// behind the same address.
std::optional<Response> RequestGate::too_many_guesses(const RequestHead& head,
                                                      const std::optional<IpAddress>& peer) {
  const auto client = client_of(peer, forwarded_for(head), proxies_);
  const auto wait_seconds = failures_.take(client ? client_name(*client) : "");
  if (!wait_seconds) return std::nullopt;
  return rate_limited(
      *wait_seconds, "Too many requests with a wrong API key or signature came from this address.");
}

Response RequestGate::unauthorized(bool guessed, const RequestHead& head,
                                   const std::optional<IpAddress>& peer) {
  if (guessed) {
    if (auto refusal = too_many_guesses(head, peer)) return *std::move(refusal);
  }
  Response response = problem_response(
      failure(FailureKind::kUnauthorized, "Send a valid API key in the header X-API-Key."));
  response.headers.push_back({"WWW-Authenticate", "ApiKey realm=\"pytoon\""});
  return response;
}

std::variant<KeyRing::Holder, Response> RequestGate::identify_link(
    const Keys& now, const RequestHead& head, const std::optional<IpAddress>& peer,
    const Query& query) {
  const Result<std::string> tag = credentials_.key_tag_of_link(head.path, query);
  const auto holder = tag ? now.find_tag(*tag) : std::nullopt;
  if (holder) return *holder;
  if (auto refusal = too_many_guesses(head, peer)) return *std::move(refusal);
  return problem_response(
      tag ? failure(FailureKind::kForbidden, "The key that this link was made with is withdrawn.")
          : tag.failure());
}

std::variant<KeyRing::Holder, Response> RequestGate::identify(const Keys& now,
                                                              const RequestHead& head,
                                                              const std::optional<IpAddress>& peer,
                                                              Admitted& admitted) {
  if (const auto key = head.header("x-api-key")) {
    if (const auto holder = now.ring.find(*key)) return *holder;
    return unauthorized(true, head, peer);
  }
  const Query& query = admitted.request.query;
  if (admitted.route && admitted.route->linkable && query.contains("signature")) {
    return identify_link(now, head, peer, query);
  }
  const auto cookie = cookie_in(head.header("cookie").value_or(""), kSessionCookie);
  auto session = cookie ? credentials_.session_of(*cookie) : std::nullopt;
  const auto holder = session ? now.find_tag(session->key_tag) : std::nullopt;
  if (!holder) return unauthorized(false, head, peer);
  const std::string_view csrf_token = head.header("x-csrf-token").value_or("");
  if (!is_safe(head.method) &&
      !equal_constant_time(credentials_.csrf_token(*session), csrf_token)) {
    return problem_response(failure(FailureKind::kForbidden,
                                    "Send the session's csrf_token in the header X-CSRF-Token."));
  }
  admitted.request.session = std::move(session);
  return *holder;
}

std::optional<Response> RequestGate::authorize(const RequestHead& head,
                                               const std::optional<IpAddress>& peer,
                                               Admitted& admitted, GateResult& result) {
  const std::shared_ptr<Keys> now = keys();
  auto identified = identify(*now, head, peer, admitted);
  if (auto* refusal = std::get_if<Response>(&identified)) return std::move(*refusal);
  const auto& holder = std::get<KeyRing::Holder>(identified);
  const std::string& plan = holder.caller.plan;
  result.plan = plan;
  const auto wait_seconds = now->limiter.take(holder.index);
  result.headers.push_back({"RateLimit-Policy", now->limiter.policy(holder.index, plan)});
  result.headers.push_back({"RateLimit", now->limiter.state(holder.index, plan)});
  if (wait_seconds) {
    return rate_limited(*wait_seconds, "This API key makes requests faster than it may.");
  }
  admitted.request.caller = holder.caller;
  note_use(holder.caller.key_id);
  admitted.request.key_tag = now->tags.at(holder.index);
  const Scope scope = admitted.route ? admitted.route->scope : Scope::kAny;
  if (allows(holder.caller, scope)) return std::nullopt;
  return problem_response(
      failure(FailureKind::kForbidden,
              "This needs an API key with the scope '" + std::string(name_of(scope)) + "'."));
}

Response RequestGate::unrouted(const RequestHead& head, const Router::Match& match) {
  if (match.allow.empty()) {
    return problem_response(failure(FailureKind::kNotFound, "There is no such path."));
  }
  Response response{204, {}, std::string()};
  if (head.method != Method::kOptions) {
    response = problem_response(failure(FailureKind::kMethodNotAllowed,
                                        "The methods of this path are: " + match.allow + "."));
  }
  response.headers.push_back({"Allow", match.allow});
  return response;
}

Status RequestGate::plan_body(const RequestHead& head, Admitted& admitted) const {
  const BodyKind kind = admitted.route->body;
  if (kind == BodyKind::kMaybeJson && !head.has_body()) return ok_status();
  if (kind == BodyKind::kNone) {
    if (head.has_body()) return failure(FailureKind::kMalformed, "This request takes no body.");
    return ok_status();
  }
  if (head.header("content-encoding")) {
    return failure(FailureKind::kUnsupportedType, "The body must not be compressed.");
  }
  const std::string_view content_type = head.header("content-type").value_or("");
  if (kind != BodyKind::kUpload) {
    admitted.body_bytes_max = limits_.json_bytes_max;
    if (!is_json(content_type)) {
      return failure(FailureKind::kUnsupportedType, "Content-Type must be application/json.");
    }
  } else {
    admitted.body_bytes_max =
        static_cast<std::uint64_t>(limits_.uploads.bytes_max_of("")) + kFormOverheadBytes;
    auto boundary = multipart_boundary(content_type);
    if (!boundary) return boundary.failure();
    admitted.boundary = *std::move(boundary);
  }
  return admitted.fits(head.content_length.value_or(0));
}

Status RequestGate::take_upload_slot(Admitted& admitted) {
  if (admitted.route->body != BodyKind::kUpload) return ok_status();
  const jobs::Caller& caller = admitted.request.caller;
  const int most = plans_.of(caller.plan).uploads_at_once;
  admitted.request.upload_slot = uploads_.take(caller.tenant, most);
  if (admitted.request.upload_slot) return ok_status();
  return failure(FailureKind::kRateLimited,
                 "More than " + std::to_string(most) + " uploads of this tenant are under way.");
}

std::optional<Response> RequestGate::too_many_refused(const Admitted& admitted) {
  if (admitted.route->body != BodyKind::kUpload) return std::nullopt;
  const jobs::Caller& caller = admitted.request.caller;
  const int most = plans_.of(caller.plan).refused_uploads_per_minute;
  const auto wait_seconds = upload_refusals_.wait_seconds(caller.tenant, most);
  if (!wait_seconds) return std::nullopt;
  return rate_limited(*wait_seconds, "More than " + std::to_string(most) +
                                         " uploads of this tenant were refused in a minute. Send "
                                         "only files that can be read as their category.");
}

// Only what the file itself is to blame for.
void RequestGate::note_refusal(const Admitted& admitted, const Failure& failure) {
  const int status = traits(failure.kind).http_status;
  if (admitted.route->body != BodyKind::kUpload || status >= 500 || status == 429) return;
  const jobs::Caller& caller = admitted.request.caller;
  upload_refusals_.add(caller.tenant, plans_.of(caller.plan).refused_uploads_per_minute);
}

GateResult RequestGate::check(RequestHead head, const std::optional<IpAddress>& peer) {
  GateResult result;
  result.outcome = judge(std::move(head), peer, result);
  return result;
}

std::variant<Response, Admitted> RequestGate::judge(RequestHead head,
                                                    const std::optional<IpAddress>& peer,
                                                    GateResult& result) {
  if (head.path == "*") {
    return Response{204, {{"Allow", "GET, HEAD, POST, DELETE, OPTIONS"}}, std::string()};
  }
  result.headers = cors_.headers_for(head);
  const auto segments = decode_path(with_key_slashes(head.path));
  auto query = decode_query(head.query);
  if (!segments || !query) {
    return refuse(result.route, head.trace_id, segments ? query.failure() : segments.failure());
  }
  Router::Match match = router_.find(head.method, *segments);
  Admitted admitted{.route = match.route};
  admitted.request.query = *std::move(query);
  if (match.route) result.route = match.route->pattern;
  if (cors_.is_preflight(head) && !match.allow.empty()) {
    return CorsOrigins::preflight_answer(match.allow);
  }
  const bool open = match.route ? match.route->scope == Scope::kOpen : segments->front() != "api";
  if (!open) {
    if (auto refusal = authorize(head, peer, admitted, result)) return *std::move(refusal);
  }
  if (!match.route) return unrouted(head, match);
  if (draining_ && match.route->method != Method::kGet) {
    return refuse(result.route, head.trace_id,
                  failure(FailureKind::kUnavailable, "The server is shutting down."));
  }
  if (auto refusal = too_many_refused(admitted)) return *std::move(refusal);
  Status planned = plan_body(head, admitted);
  if (planned) planned = take_upload_slot(admitted);
  if (!planned) return refuse(result.route, head.trace_id, planned.failure());
  admitted.request.caller.traceparent = head.header("traceparent").value_or("");
  admitted.request.head = std::move(head);
  admitted.request.parameters = std::move(match.parameters);
  return admitted;
}

Response RequestGate::answer(const Admitted& admitted) {
  const std::string& route = admitted.route->pattern;
  const std::string& trace_id = admitted.request.head.trace_id;
  try {
    auto response = admitted.route->handler(admitted.request);
    if (response) return *std::move(response);
    note_refusal(admitted, response.failure());
    return refuse(route, trace_id, response.failure());
  } catch (const std::exception& error) {
    log_.error("http_handler_crash",
               {{"route", route}, {"trace_id", trace_id}, {"error", error.what()}});
  } catch (...) {
    log_.error("http_handler_crash",
               {{"route", route}, {"trace_id", trace_id}, {"error", "not a std::exception"}});
  }
  return problem_response(failure(FailureKind::kInternal, ""));
}

}  // namespace pytoon::http
