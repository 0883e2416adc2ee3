// Which pages of other sites may call the API from a browser (Fetch Standard, "CORS protocol"):
// those of the origins on a list, which is empty unless the operator writes one. They send a key;
// no credentials are allowed, so that the console's cookie is worth nothing to them, and /session
// is left out.
//
// Thread rule: immutable; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/http/request_head.h"
#include "server/http/response.h"

namespace pytoon::http {

class CorsOrigins {
 public:
  CorsOrigins() = default;
  // Origins separated by commas: "https://app.example.com, http://127.0.0.1:5173". kInvalid naming
  // one that is none; "*" is none, since it would be every site that a key holder visits.
  static Result<CorsOrigins> parse(std::string_view text);

  // What whatever is answered to this request says to its browser.
  std::vector<Header> headers_for(const RequestHead& head) const;
  // A question before a request, which comes without a key: OPTIONS of a listed origin.
  bool is_preflight(const RequestHead& head) const;
  // allow: the methods of the path.
  static Response preflight_answer(const std::string& allow);

 private:
  bool allows(const RequestHead& head) const;

  std::vector<std::string> origins_;
};

}  // namespace pytoon::http
