// The little of XML that S3's answers need: flat elements without attributes that matter, found by
// name. Not a general reader; what it does not find reads as absent.
//
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace pytoon::io {

// The inner text of each <name>...</name>, in order; entities are left as they are.
std::vector<std::string_view> xml_elements(std::string_view xml, std::string_view name);
// The text of the first one, entities resolved; "" when there is none.
std::string xml_text(std::string_view xml, std::string_view name);
// "2009-10-12T17:50:30.000Z", as S3 writes times. kMalformed for anything else.
Result<WallTime> xml_time(const std::string& text);
// "Sun, 06 Nov 1994 08:49:37 GMT", as the header Date has it (RFC 9110). kMalformed likewise.
Result<WallTime> http_date(const std::string& text);

}  // namespace pytoon::io
