// What every start of another program needs, beside posix_spawn itself.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace pytoon {

// As posix_spawn takes arguments and environment: ended by null, valid while `texts` stays as it
// is.
std::vector<char*> spawn_list(std::vector<std::string>& texts);
// The child's wait status. Blocks until it has ended.
int wait_for_end(pid_t child);

}  // namespace pytoon
