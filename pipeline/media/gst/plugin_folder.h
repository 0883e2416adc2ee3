// Which GStreamer plugins we use, and a folder with just those: GStreamer then starts in some tens
// of milliseconds instead of a second, and loads nothing of strangers.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace pytoon::media {

// Makes `folder` and fills it with links to the plugins, found in the folders that
// GST_PLUGIN_SYSTEM_PATH lists when it is set, else where the system keeps them. Safe when several
// processes do it at once. kMedia names the Debian package of a plugin that is missing.
Status link_plugins(const std::filesystem::path& folder);

// Checks that GStreamer, once started, gives the elements of those plugins. kMedia likewise.
Status check_plugins();

}  // namespace pytoon::media
