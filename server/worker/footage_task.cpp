// Getting the footage of one segment from the ladder of engines: minutes, when a model thinks. It
// holds no place among the threads that draw, and no memory of the device.
#include "server/worker/task.h"

namespace pytoon::worker {

Status Task::decide_footage() {
  const Parts& parts = desk_.parts;
  jobs::Segment segment = claim_.segments.at(static_cast<std::size_t>(claim_.lease.segment));
  const std::vector<std::string> chain = engines::chain_of(claim_.job.spec, parts.presets);
  const engines::Served served = parts.ladder.serve(chain, claim_.job.spec, segment.index);
  if (served.fallback) {
    if (Status noted = note_fallback(served.engine, served.reason); !noted) return noted;
  }
  segment.footage = served.footage;
  segment.engine_used = served.engine;
  return commit([&] { return parts.tasks.footage_decided(claim_.lease, segment); });
}

}  // namespace pytoon::worker
