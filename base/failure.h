// What can go wrong, as a value. Every expected failure in Pytoon is a Failure carrying one
// FailureKind; the table behind traits() is the only place that says what a kind means to an
// HTTP client, to the retry logic and to the metrics.
//
// Thread rule: plain values, safe to move between threads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pytoon {

enum class FailureKind {
  kMalformed,         // bytes that are not what they claim: broken JSON, truncated picture
  kUnauthorized,      // no key or an unknown key
  kForbidden,         // a known key without the needed scope
  kNotFound,          // no such thing, or another tenant's
  kMethodNotAllowed,  // the thing exists, the verb does not
  kConflict,          // impossible in the present state
  kTooLarge,          // more bytes than we take
  kUnsupportedType,   // bytes of a type we do not take
  kInvalid,           // well formed but out of contract; faults name the fields
  kRangeNotSatisfiable,
  kRateLimited,
  kUnavailable,  // try again later: draining, database away
  kStorageFull,
  kCancelled,    // asked for by a user
  kTimeout,      // a deadline passed
  kOutOfMemory,  // host or device memory
  kEngine,       // an engine of footage failed
  kMedia,        // a codec or a graph refused
  kEncoder,      // a hardware encoder refused or failed; the software one may do
  kIo,           // the operating system refused
  kInternal,     // our own fault
};

// One wrong field. pointer is an RFC 6901 JSON pointer into the request ("" is the whole).
struct FieldFault {
  std::string pointer;
  std::string detail;
};

struct Failure {
  FailureKind kind = FailureKind::kInternal;
  std::string detail;  // one sentence for a human: what, and the remedy
  std::vector<FieldFault> faults;
};

struct FailureTraits {
  std::string_view label;  // metric label and problem "type" suffix, kebab-case
  std::string_view title;  // RFC 9457 title
  int http_status;
  bool retryable;  // the same attempt may succeed later without a human
};

const FailureTraits& traits(FailureKind kind);

}  // namespace pytoon
