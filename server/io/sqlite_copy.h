// A copy of a SQLite database as of one moment, while others read and write it.
// Source: sqlite.org/backup.html
//
// Thread rule: any thread. Blocks for as long as the pages take; writers are not held up.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace pytoon::io {

// `to` must not exist; it becomes one whole file, checked. kNotFound without `from`, kUnavailable
// when it is locked for long, kIo.
Status copy_sqlite(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace pytoon::io
