// What would become of a job if it were submitted now: the answer to POST
// /api/v1/jobs?dry_run=true. Nothing in it is a promise. Each estimate says how it was made, or why
// there is none.
//
// Units: bytes, seconds, micro-USD. Thread rule: values.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "server/jobs/admission/gpu_state.h"

namespace pytoon::jobs {

// A figure with its origin. `basis` is a sentence for people.
struct SecondsEstimate {
  std::optional<double> seconds;  // none: `basis` says why
  std::string basis;
};

// Bytes that the largest of the job's tasks of a lane takes, one task at a time.
struct BytesEstimate {
  std::optional<admission::Bytes> bytes;
  std::string basis;
};

struct SegmentEstimate {
  int index = 0;
  int duration_seconds = 0;
  std::string engine;  // of its footage: the first of its chain that would make it
  // Where that engine works: kGenerate, kApi; none where the compositor draws.
  std::optional<admission::Lane> footage_lane;
  // Of its compositor: kRender or kCpu; none while no worker is live.
  std::optional<admission::Lane> compositor_lane;
  std::optional<admission::Bytes> render_bytes;    // of a card, while it is composed there
  std::optional<admission::Bytes> generate_bytes;  // of a card, while its footage is made there
};

struct JobEstimate {
  std::string preset_id;
  std::string archetype;
  int target_duration_seconds = 0;
  std::vector<SegmentEstimate> segments;
  BytesEstimate render;
  BytesEstimate generate;
  SecondsEstimate wait;  // until a worker begins with it
  SecondsEstimate run;   // from then to its video
  // Price of the orders at remote engines: as expected, and if every segment goes to the dearest
  // remote engine that it may go to.
  std::int64_t micro_usd = 0;
  std::int64_t micro_usd_max = 0;
  std::string money_basis;
  std::vector<FieldFault> warnings;  // pointers into the request
};

nlohmann::ordered_json to_json(const JobEstimate& estimate);

}  // namespace pytoon::jobs
