#include "base/failure.h"

#include <array>

#include "base/check.h"

namespace pytoon {
namespace {

struct Row {
  FailureKind kind;
  FailureTraits traits;
};

constexpr std::array kTable{
    Row{FailureKind::kMalformed, {"malformed", "The request can't be read", 400, false}},
    Row{FailureKind::kUnauthorized, {"unauthorized", "A valid API key is needed", 401, false}},
    Row{FailureKind::kForbidden, {"forbidden", "The API key lacks the scope", 403, false}},
    Row{FailureKind::kNotFound, {"not-found", "There is no such thing", 404, false}},
    Row{FailureKind::kMethodNotAllowed,
        {"method-not-allowed", "The method is not allowed here", 405, false}},
    Row{FailureKind::kConflict, {"conflict", "Not possible in this state", 409, false}},
    Row{FailureKind::kTooLarge, {"too-large", "Too many bytes", 413, false}},
    Row{FailureKind::kUnsupportedType,
        {"unsupported-type", "Bytes of a type not taken", 415, false}},
    Row{FailureKind::kInvalid, {"invalid", "A field is out of contract", 422, false}},
    Row{FailureKind::kRangeNotSatisfiable,
        {"range-not-satisfiable", "No such byte range", 416, false}},
    Row{FailureKind::kRateLimited, {"rate-limited", "Too many requests", 429, true}},
    Row{FailureKind::kUnavailable, {"unavailable", "Not available just now", 503, true}},
    Row{FailureKind::kStorageFull, {"storage-full", "The storage is full", 507, true}},
    Row{FailureKind::kCancelled, {"cancelled", "Cancelled", 409, false}},
    Row{FailureKind::kTimeout, {"timeout", "It took too long", 504, true}},
    Row{FailureKind::kOutOfMemory, {"out-of-memory", "Out of memory", 503, true}},
    Row{FailureKind::kEngine, {"engine", "An engine failed", 502, true}},
    Row{FailureKind::kMedia, {"media", "The media can't be processed", 500, false}},
    Row{FailureKind::kEncoder, {"encoder", "The hardware encoder failed", 500, false}},
    Row{FailureKind::kIo, {"io", "Reading or writing failed", 500, true}},
    Row{FailureKind::kInternal, {"internal", "An internal error", 500, false}},
};

}  // namespace

const FailureTraits& traits(FailureKind kind) {
  for (const Row& row : kTable) {
    if (row.kind == kind) return row.traits;
  }
  CHECK(false, "a FailureKind has no row in the table");
}

}  // namespace pytoon
