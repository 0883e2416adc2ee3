// What every decision about a card carries: the sizes of its sample. Only for the files that
// implement controller.h.
#pragma once

#include "server/jobs/admission/controller.h"

namespace pytoon::jobs::admission {

Decision facts_of(const GpuState& state, const ControllerOptions& options, WallTime now);

// When the next sample is due; always later than now.
WallTime next_sample(const GpuState& state, const ControllerOptions& options, WallTime now);

}  // namespace pytoon::jobs::admission
