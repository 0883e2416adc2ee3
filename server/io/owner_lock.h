// One process owns a database file or a storage folder, or several share it. The lock is the
// kernel's (flock(2)): it falls with the process, however that ends. A shared volume must carry
// such locks between its hosts, as NFS 4 and CephFS do.
#pragma once

#include <filesystem>

#include "base/files.h"
#include "base/result.h"

namespace pytoon::io {

enum class Sharing {
  kExclusive,  // the only process
  kShared,     // beside others that share it
};

// Holds until the descriptor is closed. kConflict, naming `what`, when a process lives whose lock
// does not go with ours.
Result<FileDescriptor> own(const std::filesystem::path& lock_file, const std::string& what,
                           Sharing sharing = Sharing::kExclusive);

}  // namespace pytoon::io
