// The OpenAPI 3.1 document served at /openapi.json: openapi.json beside this file, with the schema
// of the RenderSpec put in from the room that owns it.
#pragma once

#include <string>

namespace pytoon::http {

const std::string& openapi_document();

}  // namespace pytoon::http
