// What can go wrong, as a value. Every expected failure in Pytoon is a Failure carrying one
// FailureKind, and one table says what a kind means: to an HTTP client, to whoever may try again,
// to the attempt counter, to the choice of engines, to the metrics. Nobody else keeps a list of
// kinds for these questions.
//
// Thread rule: plain values, safe to move between threads.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace pytoon {

enum class FailureKind {
  kMalformed,            // bytes that are not what they claim: broken JSON, truncated image
  kUnauthorized,         // no key or an unknown key
  kForbidden,            // a known key without the needed scope; what a rule of ours does not allow
  kNotFound,             // no such thing, or another tenant's
  kMethodNotAllowed,     // the thing exists, the verb does not
  kConflict,             // impossible in the present state
  kTooLarge,             // more bytes than we take
  kUnsupportedType,      // bytes of a type we do not take
  kInvalid,              // well formed but out of contract; faults name the fields
  kRangeNotSatisfiable,  // a byte range outside of the file
  kRateLimited,          // too many or too fast: a key, a full queue, a provider
  kUnavailable,          // try again later: draining, database away
  kBadResponse,          // a peer was reached, but no whole answer came that can be read
  kStorageFull,          // disk, volume or bucket: waits until somebody makes room
  kCancelled,            // asked for by a user
  kTimeout,              // a deadline passed
  kOutOfMemory,          // host or device memory
  kDeviceLost,  // the GPU or this process's context on it is gone: only a new process helps
  kEngine,      // an engine of footage failed
  kMedia,       // a codec or a graph refused what was found to be good before
  kEncoder,     // a hardware encoder refused or failed; the software one may do
  kIo,          // the operating system refused
  kInternal,    // our own fault
};

inline constexpr std::size_t kFailureKinds = static_cast<std::size_t>(FailureKind::kInternal) + 1;

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

// Whose fault a failure is, seen from the process that it happens in.
enum class Blame {
  kInput,    // what was asked for: a client error (4xx)
  kMachine,  // this host: its disk, memory, GPU
  kPeer,     // another process: database, storage, engine, receiver
  kOurs,     // a defect of Pytoon
};

// Whether the same attempt may succeed later without a human and a change.
enum class Persistence {
  kPermanent,  // no: it counts as an attempt
  kDoubtful,   // it may: free of charge a few times in a row, then it counts
  kTransient,  // yes: waited for as long as it takes, no attempt is counted
};

struct FailureTraits {
  FailureKind kind;
  std::string_view label;  // metric label and problem "type" suffix, kebab-case
  std::string_view title;  // RFC 9457 title
  int http_status;
  Blame blame;
  Persistence persistence;
  bool process_usable = true;  // false: no attempt of this process can succeed any more

  constexpr bool transient() const { return persistence == Persistence::kTransient; }
  constexpr bool may_pass() const { return persistence != Persistence::kPermanent; }
};

// In the order of the enumeration.
inline constexpr std::array<FailureTraits, kFailureKinds> kFailureTable{{
    {FailureKind::kMalformed, "malformed", "The request can't be read", 400, Blame::kInput,
     Persistence::kPermanent},
    {FailureKind::kUnauthorized, "unauthorized", "A valid API key is needed", 401, Blame::kInput,
     Persistence::kPermanent},
    {FailureKind::kForbidden, "forbidden", "The API key lacks the scope", 403, Blame::kInput,
     Persistence::kPermanent},
    {FailureKind::kNotFound, "not-found", "There is no such thing", 404, Blame::kInput,
     Persistence::kPermanent},
    {FailureKind::kMethodNotAllowed, "method-not-allowed", "The method is not allowed here", 405,
     Blame::kInput, Persistence::kPermanent},
    {FailureKind::kConflict, "conflict", "Not possible in this state", 409, Blame::kInput,
     Persistence::kPermanent},
    {FailureKind::kTooLarge, "too-large", "Too many bytes", 413, Blame::kInput,
     Persistence::kPermanent},
    {FailureKind::kUnsupportedType, "unsupported-type", "Bytes of a type not taken", 415,
     Blame::kInput, Persistence::kPermanent},
    {FailureKind::kInvalid, "invalid", "A field is out of contract", 422, Blame::kInput,
     Persistence::kPermanent},
    {FailureKind::kRangeNotSatisfiable, "range-not-satisfiable", "No such byte range", 416,
     Blame::kInput, Persistence::kPermanent},
    {FailureKind::kRateLimited, "rate-limited", "Too many requests", 429, Blame::kPeer,
     Persistence::kTransient},
    {FailureKind::kUnavailable, "unavailable", "Not available just now", 503, Blame::kPeer,
     Persistence::kTransient},
    {FailureKind::kBadResponse, "bad-response", "Another server's answer can't be read", 502,
     Blame::kPeer, Persistence::kTransient},
    {FailureKind::kStorageFull, "storage-full", "The storage is full", 507, Blame::kMachine,
     Persistence::kTransient},
    {FailureKind::kCancelled, "cancelled", "Cancelled", 409, Blame::kInput,
     Persistence::kPermanent},
    {FailureKind::kTimeout, "timeout", "It took too long", 504, Blame::kPeer,
     Persistence::kTransient},
    {FailureKind::kOutOfMemory, "out-of-memory", "Out of memory", 503, Blame::kMachine,
     Persistence::kDoubtful},
    {FailureKind::kDeviceLost, "device-lost", "The GPU is lost", 503, Blame::kMachine,
     Persistence::kTransient, false},
    {FailureKind::kEngine, "engine", "An engine failed", 502, Blame::kPeer,
     Persistence::kPermanent},
    {FailureKind::kMedia, "media", "The media can't be processed", 500, Blame::kOurs,
     Persistence::kPermanent},
    {FailureKind::kEncoder, "encoder", "The hardware encoder failed", 500, Blame::kMachine,
     Persistence::kPermanent},
    {FailureKind::kIo, "io", "Reading or writing failed", 500, Blame::kMachine,
     Persistence::kDoubtful},
    {FailureKind::kInternal, "internal", "An internal error", 500, Blame::kOurs,
     Persistence::kPermanent},
}};

constexpr const FailureTraits& traits(FailureKind kind) {
  return kFailureTable[static_cast<std::size_t>(kind)];
}

// A peer was not reached, too busy, or gave no whole answer: asking it again may help at once. What
// it did with the question is not known.
constexpr bool is_transport_failure(FailureKind kind) {
  return traits(kind).blame == Blame::kPeer && traits(kind).transient();
}

}  // namespace pytoon
