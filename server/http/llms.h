// The text served at /llms.txt (llmstxt.org): what this service is and each of its operations, for
// a language model that was given the address of a server. Made of the OpenAPI document, so that
// there is one source.
#pragma once

#include <string>

namespace pytoon::http {

const std::string& llms_text();

}  // namespace pytoon::http
