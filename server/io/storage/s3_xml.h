// S3's answers, which are XML (Amazon S3 API reference, "Common data types" and "Error responses"),
// read by pugixml, and the times in them. An answer that is cut off or something else (a proxy's
// page) is a failure, never an empty list.
//
// Thread rule: pure functions.
#pragma once

#include <optional>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace pytoon::io {

// kBadResponse unless the body is one well-formed document whose root element has that name.
Result<pugi::xml_document> read_xml(std::string_view body, const std::string& root);
// The Code of an <Error>, "" when it has none; nullopt for any other body.
std::optional<std::string> error_code(std::string_view body);
// "2009-10-12T17:50:30.000Z", as S3 writes times. kMalformed for anything else.
Result<WallTime> xml_time(const std::string& text);
// "Sun, 06 Nov 1994 08:49:37 GMT", as the header Date has it (RFC 9110). kMalformed likewise.
Result<WallTime> http_date(const std::string& text);

}  // namespace pytoon::io
