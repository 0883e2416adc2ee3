// metadata.json beside a job's video: what it was made of and how it went. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "server/jobs/job.h"

namespace pytoon::worker {

// assembly_seconds: what joining the segments took.
nlohmann::ordered_json job_metadata(const jobs::Job& job,
                                    const std::vector<jobs::Segment>& segments,
                                    double assembly_seconds, WallTime completed_at,
                                    nlohmann::ordered_json renderer_facts);

// The engines that served, each once, in order of appearance, joined by "+".
std::string engines_used(const std::vector<jobs::Segment>& segments);

}  // namespace pytoon::worker
