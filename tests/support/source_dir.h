// The root of the checkout that a test was built from: shipped configuration, examples.
#pragma once

#include <filesystem>

namespace pytoon::support {

std::filesystem::path source_dir();

}  // namespace pytoon::support
