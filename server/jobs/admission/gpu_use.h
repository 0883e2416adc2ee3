// What one GPU's memory and encoder sessions are used for, in one row of numbers: what metrics and
// GET /api/v1/admin/capacity show of a GpuState. Pure.
//
// Units: bytes, sessions. Thread rule: plain values.
#pragma once

#include <optional>
#include <string>

#include "server/jobs/admission/ledger_rules.h"

namespace pytoon::jobs::admission {

struct GpuUse {
  std::string gpu;  // UUID
  Bytes total = 0;
  Bytes free = 0;      // by the driver
  Bytes promised = 0;  // to tasks whose promises count
  Bytes held = 0;      // what those tasks have taken of it
  Bytes foreign = 0;
  Bytes comfyui = 0;   // models, working set, pages and residue, whoever's prompt it was
  Bytes headroom = 0;  // of `free`, what is never promised
  // Open now, by all programs; none where the driver does not tell.
  std::optional<int> sessions_used;
  std::optional<int> sessions_allowed;  // none: the card sets no limit
  bool operator==(const GpuUse&) const = default;
};

GpuUse use_of(const GpuState& state, const LedgerOptions& options, WallTime now);
// All that the card's endpoint takes without its context.
Bytes endpoint_total(const EndpointSample& endpoint);

}  // namespace pytoon::jobs::admission
