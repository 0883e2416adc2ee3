// Errors as clients see them: application/problem+json (RFC 9457). A Failure becomes a Problem
// through base/failure.h traits(); faults of the protocol itself, which no other room knows,
// have their own small table here.
//
// Details of failures that are ours (500 and the like) stay inside: the client gets the title.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/failure.h"

namespace pytoon::http {

struct Problem {
  int status = 500;
  std::string type;  // urn:pytoon:problem:<label>
  std::string title;
  std::string detail;
  std::vector<FieldFault> faults;
  int retry_after_seconds = 0;  // 0 is no Retry-After header
};

enum class ProtocolFault {
  kRequestTimeout,     // 408
  kUriTooLong,         // 414
  kExpectationFailed,  // 417
  kHeadersTooLarge,    // 431
  kNotImplemented,     // 501
  kVersion,            // 505
};

Problem problem_of(const Failure& failure);
Problem problem_of(ProtocolFault fault, std::string detail);
// Bytes that are not HTTP: 400.
Problem malformed(std::string detail);

nlohmann::ordered_json to_json(const Problem& problem);

}  // namespace pytoon::http
