#include "server/worker/task.h"
namespace pytoon::worker {
Status Task::make_sound() { return failure(FailureKind::kInternal, "not yet"); }
}  // namespace pytoon::worker
