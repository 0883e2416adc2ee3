// How the commands of the command line tell a failure.
#pragma once

#include "base/result.h"

namespace pytoon::app {

// Writes the failure and the fields at fault to standard error. The exit code to end with: 2 when
// what was asked is wrong, 1 when doing it failed, jobs::kExitUnusable when this process is lost.
int complain(const Failure& fault);

}  // namespace pytoon::app
