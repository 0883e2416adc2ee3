// One process owns a database file or a storage folder. The lock is the kernel's: it falls with the
// process, however that ends.
#pragma once

#include <filesystem>

#include "base/files.h"
#include "base/result.h"

namespace pytoon::io {

// Holds until the descriptor is closed. kConflict, naming `what`, when another owner lives.
Result<FileDescriptor> own(const std::filesystem::path& lock_file, const std::string& what);

}  // namespace pytoon::io
