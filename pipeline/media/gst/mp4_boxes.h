// The order of an MP4 file's outermost boxes. Source: ISO/IEC 14496-12 section 4.2.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace pytoon::media {

// Whether the index (moov) comes before the data (mdat), so that playing can start while the file
// still arrives. False when either is missing. kNotFound, kIo.
Result<bool> moov_comes_first(const std::filesystem::path& path);

}  // namespace pytoon::media
