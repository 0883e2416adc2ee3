#include "server/http/problem.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/check.h"

namespace pytoon::http {
namespace {

constexpr std::string_view kTypePrefix = "urn:pytoon:problem:";

struct ProtocolRow {
  ProtocolFault fault;
  int status;
  std::string_view label;
  std::string_view title;
};

constexpr std::array kProtocolTable{
    ProtocolRow{ProtocolFault::kRequestTimeout, 408, "request-timeout",
                "The request came too slowly"},
    ProtocolRow{ProtocolFault::kUriTooLong, 414, "uri-too-long", "The request target is too long"},
    ProtocolRow{ProtocolFault::kExpectationFailed, 417, "expectation-failed",
                "The expectation can't be met"},
    ProtocolRow{ProtocolFault::kHeadersTooLarge, 431, "headers-too-large",
                "The header section is too large"},
    ProtocolRow{ProtocolFault::kNotImplemented, 501, "not-implemented", "Not implemented"},
    ProtocolRow{ProtocolFault::kVersion, 505, "http-version",
                "Only HTTP/1.0 and HTTP/1.1 are spoken"},
};

int retry_after(int status) {
  switch (status) {
    case 429:
      return 5;
    case 503:
      return 5;
    case 507:
      return 30;
    default:
      return 0;
  }
}

constexpr std::size_t kFaultsNamedMax = 20;
constexpr std::size_t kFaultTextMax = 500;

// Names and texts of the request come back in them: an answer is no longer than it helps.
std::string shortened(const std::string& text) {
  if (text.size() <= kFaultTextMax) return text;
  std::size_t end = kFaultTextMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end) + "...";
}

void name_faults(const std::vector<FieldFault>& faults, Problem& problem) {
  const std::size_t named = std::min(faults.size(), kFaultsNamedMax);
  for (std::size_t i = 0; i < named; ++i) {
    problem.faults.push_back({shortened(faults[i].pointer), shortened(faults[i].detail)});
  }
  if (named == faults.size()) return;
  problem.detail += " (" + std::to_string(faults.size() - named) + " more than are named here)";
}

// A detail written for the operator may name paths and hosts; only these kinds speak to clients.
bool detail_is_public(FailureKind kind) {
  return traits(kind).http_status < 500 || kind == FailureKind::kUnavailable;
}

}  // namespace

Problem problem_of(const Failure& failure) {
  const FailureTraits& row = traits(failure.kind);
  Problem problem;
  problem.status = row.http_status;
  problem.type = std::string(kTypePrefix) + std::string(row.label);
  problem.title = row.title;
  problem.detail = row.title;
  if (detail_is_public(failure.kind)) {
    problem.detail = shortened(failure.detail);
    name_faults(failure.faults, problem);
  }
  problem.retry_after_seconds = retry_after(row.http_status);
  return problem;
}

Problem problem_of(ProtocolFault fault, std::string detail) {
  for (const ProtocolRow& row : kProtocolTable) {
    if (row.fault != fault) continue;
    return Problem{row.status,
                   std::string(kTypePrefix) + std::string(row.label),
                   std::string(row.title),
                   std::move(detail),
                   {},
                   0};
  }
  CHECK(false, "a ProtocolFault has no row in the table");
}

Problem malformed(std::string detail) {
  return problem_of(Failure{FailureKind::kMalformed, std::move(detail), {}});
}

nlohmann::ordered_json to_json(const Problem& problem) {
  nlohmann::ordered_json json{{"type", problem.type},
                              {"title", problem.title},
                              {"status", problem.status},
                              {"detail", problem.detail}};
  if (problem.faults.empty()) return json;
  nlohmann::ordered_json& errors = json["errors"] = nlohmann::ordered_json::array();
  for (const FieldFault& fault : problem.faults) {
    errors.push_back({{"pointer", fault.pointer}, {"detail", fault.detail}});
  }
  return json;
}

}  // namespace pytoon::http
