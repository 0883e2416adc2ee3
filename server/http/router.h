// The routes as data, and the look-up. A route is a row: method, pattern, what key it needs, what
// body it takes, who answers. HEAD goes where GET goes.
//
// Thread rule: immutable after construction; any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/http/byte_budget.h"
#include "server/http/credentials.h"
#include "server/http/handler_pools.h"
#include "server/http/request_head.h"
#include "server/http/response.h"
#include "server/http/target.h"
#include "server/http/tenant_counts.h"
#include "server/http/upload_form.h"
#include "server/jobs/service.h"

namespace pytoon::http {

// kOpen needs no key, kAny any of them.
enum class Scope { kOpen, kAny, kRead, kSubmit, kAdmin };
enum class BodyKind { kNone, kJson, kMaybeJson, kUpload };

// A request that may be answered: routed, allowed and read whole.
struct Request {
  RequestHead head;
  jobs::Caller caller;
  std::string key_tag;                            // of the key, shown or stood for (credentials.h)
  std::optional<Session> session;                 // when a cookie stood for the key
  std::map<std::string, std::string> parameters;  // of the path, decoded
  Query query;
  std::string body;                               // kJson; kMaybeJson, "" when none came
  ByteBudget::Share body_share;                   // what body holds, of all that bodies may
  ByteBudget::Share tenant_share;                 // the same, of what the tenant's may
  std::unique_ptr<UploadForm> form;               // kUpload
  std::optional<TenantCounts::Slot> upload_slot;  // likewise: it is one of its tenant's

  // {id} of a route that has it.
  const std::string& id() const { return parameters.at("id"); }
};

using Handler = std::function<Result<Response>(const Request&)>;

struct Route {
  Method method = Method::kGet;
  // "/api/v1/jobs/{id}": a parameter is a whole segment. {key}, at the end, is a storage key: all
  // segments that are left, two at least, joined by "/".
  std::string pattern;
  Scope scope = Scope::kRead;
  BodyKind body = BodyKind::kNone;
  Purpose purpose = Purpose::kApi;  // whose threads run the handler
  Handler handler;
  bool linkable = false;  // a signed link stands for the key
};

class Router {
 public:
  explicit Router(std::vector<Route> routes);

  struct Match {
    const Route* route = nullptr;  // nullptr: see allow
    std::map<std::string, std::string> parameters;
    std::string allow;  // methods of this path, for Allow; "" when the path is unknown
  };
  Match find(Method method, const std::vector<std::string>& segments) const;

  const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
  std::vector<std::vector<std::string>> patterns_;  // of routes_, in segments
};

// Path parameters are names of things we made: 1 to 64 of A-Z a-z 0-9 _ -.
bool is_resource_name(std::string_view text);
// A segment of a storage key may have dots too, but not begin with one.
bool is_key_segment(std::string_view text);

}  // namespace pytoon::http
