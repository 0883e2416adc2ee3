// What every decision about a card carries: the sizes of its sample; and what several ask of it.
// Only for the files of this folder.
#pragma once

#include "server/jobs/admission/controller.h"

namespace pytoon::jobs::admission {

Decision facts_of(const GpuState& state, const ControllerOptions& options, WallTime now);

// When the next sample is due; always later than now.
WallTime next_sample(const GpuState& state, const ControllerOptions& options, WallTime now);

// POST /free was sent, and no sample has shown yet what it brought.
bool is_making_room(const GpuState& state, const ControllerOptions& options, WallTime now);

}  // namespace pytoon::jobs::admission
