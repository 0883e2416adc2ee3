// libvips, started once per process: only its fuzzed loaders, none of its modules, no operation
// cache, one thread an operation, and its warnings dropped. A log that wants them sets its own GLib
// handler for the domain "VIPS" after this call; the handler set last is the one that hears.
//
// Thread rule: any thread. Every function of this room calls it; calling it early only moves the
// cost (about 10 ms).
#pragma once

#include "base/result.h"

namespace pytoon::media {

Status start_image_library();

}  // namespace pytoon::media
