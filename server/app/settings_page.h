// docs/configuration.md: every variable and every value of the settings files, made of what the
// program reads them by.
//
// Thread rule: any thread. Blocking: reads config.config_dir.
#pragma once

#include <string>

#include "server/app/config.h"

namespace pytoon::app {

// The values of the files are those of config.config_dir.
Result<std::string> settings_page(const Config& config);

}  // namespace pytoon::app
