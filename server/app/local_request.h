// A job request in a file whose images, clips and audio are named by their paths beside it: made
// into one that the service takes.
//
// Thread rule: one thread. Blocks on the disk. Errors: kMalformed when it is no JSON object, what
// an upload is refused for with the file's name before it, and what the storage says.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "server/app/application.h"

namespace pytoon::app {

// Whose files and jobs they are.
jobs::Caller local_owner();

// Takes each file in as an upload would, and gives the request with their URIs.
Result<nlohmann::json> take_in_request(Application& application, const std::filesystem::path& file);

}  // namespace pytoon::app
