// What the admission controller answers: run, wait, make room, elsewhere or never, always with the
// sizes behind it. sentence() says it to people; reasons are labels for metrics and logs.
//
// Thread rule: plain values.
#pragma once

#include <string>
#include <string_view>

#include "server/jobs/admission/request.h"

namespace pytoon::jobs::admission {

enum class Reason {
  kFits,
  kStaleSample,       // no sample, or an old one: nothing is promised from it
  kEndpointDown,      // ComfyUI does not answer, or there is none on the card
  kEndpointBusy,      // a prompt runs
  kEndpointDraining,  // a prompt has ended and no sample shows yet what it left behind
  kMakingRoom,        // its models are being freed: the effect is measured first
  kQueued,            // prompts of its workflow that wait longer go first
  kReserved,          // the endpoint is kept for another task, or memory for its start
  kSlots,             // the lane is full
  kEncoderSessions,
  kVramExhausted,  // the memory is taken
  kResidue,        // only what ComfyUI failed to give back stands in the way
  kTrial,          // less than was measured is left: the task runs with all of it
  kTooLarge,       // fits on no card that there is
  kPrice,          // waiting costs more than the remote engine
  kDeadline,       // waiting misses the deadline, the remote engine does not
  kPolicy,         // the job asked for it
  kNoGpu,          // no card at all
  kBacklog,        // so much waits for the GPU compositor that the CPU is done sooner
  kNothingWaits
};
std::string_view name_of(Reason reason);

enum class RoomStep { kFreeModels, kRestartEndpoint };

struct Decision {
  enum class Kind { kRun, kWait, kMakeRoom, kElsewhere, kNever };

  Kind kind = Kind::kWait;
  Reason reason = Reason::kFits;
  std::string gpu;  // the card that was looked at, "" when it was none
  // The facts: of the sample, in bytes.
  Bytes need = 0;       // peak or cost
  Bytes growth = 0;     // of it, what does not lie there yet
  Bytes available = 0;  // free, less what is promised and not held yet
  Bytes free = 0;       // by the driver
  Bytes promised = 0;   // to others
  Bytes comfyui = 0;    // held by ComfyUI
  Bytes foreign = 0;    // held by other programs
  Bytes headroom = 0;

  Bytes promise = 0;                      // kRun: ask the ledger for that much
  Shape shape = Shape::kFull;             // kRun and kMakeRoom of a generation
  WallTime until;                         // kWait: something will have changed by then, ask again
  bool reserve = false;                   // kWait: reserve the endpoint for the task
  RoomStep step = RoomStep::kFreeModels;  // kMakeRoom
  Lane lane = Lane::kApi;                 // kElsewhere
};
std::string_view name_of(Decision::Kind kind);

// "needs 6.1 GiB on GPU-1a2b; 2.3 GiB free, ComfyUI holds 18.0 GiB". One sentence without an end.
std::string sentence(const Decision& decision);
// "6.1 GiB", "300 MiB" below one GiB.
std::string size_text(Bytes bytes);

}  // namespace pytoon::jobs::admission
