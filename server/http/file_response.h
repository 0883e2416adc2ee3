// The answer to a GET of a finished file: whole, a byte range, "not modified" or "no such range".
#pragma once

#include "base/result.h"
#include "server/http/request_head.h"
#include "server/http/response.h"
#include "server/jobs/service.h"

namespace pytoon::http {

// Opens the file. If-None-Match comes before Range, which If-Range may switch off (RFC 9110
// section 13.2.2). Errors: kNotFound when the file has gone, kIo.
Result<Response> file_response(const RequestHead& head, const jobs::Artifact& artifact);

}  // namespace pytoon::http
