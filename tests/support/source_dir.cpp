#include "tests/support/source_dir.h"

namespace pytoon::support {

std::filesystem::path source_dir() { return PYTOON_SOURCE_DIR; }

}  // namespace pytoon::support
