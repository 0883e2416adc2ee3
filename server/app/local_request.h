// A job request in a file, with the files it names (request_files.h): made into one that a service
// in this process takes.
//
// Thread rule: one thread. Blocks on the disk. Errors: those of read_request_with_files(), of an
// upload and of the storage.
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
