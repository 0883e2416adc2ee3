// A job request in a file whose images, clips and audio are named by their paths beside it: made
// into one that a service takes, by taking each file to it. What is named by a storage URI stays.
//
// Thread rule: any thread. Blocks on the disk and on what takes the files. Errors: kMalformed when
// it is no JSON object, and what taking a file fails with, its name before it.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.h"

namespace pytoon::app {

// Gives the storage URI of a file. category: as of an upload. Called from up to four threads at a
// time.
using TakeFile =
    std::function<Result<std::string>(const std::filesystem::path&, const std::string& category)>;

Result<nlohmann::json> read_request_with_files(const std::filesystem::path& file,
                                               const TakeFile& take);

}  // namespace pytoon::app
