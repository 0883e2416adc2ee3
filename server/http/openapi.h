// The OpenAPI 3.1 document served at /openapi.json: openapi.json beside this file, with the schema
// of the RenderSpec put in from the room that owns it.
#pragma once

#include <string>

namespace pytoon::http {

const std::string& openapi_document();

// An operation's method as requests have it: POST for the document's post.
std::string request_method(std::string key);

}  // namespace pytoon::http
