// metadata.json beside a job's video: what it was made of and how it went. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "pipeline/media/audio/audio_writer.h"
#include "server/jobs/job.h"

namespace pytoon::worker {

// assembly_seconds: what joining the segments took.
nlohmann::ordered_json job_metadata(const jobs::Job& job,
                                    const std::vector<jobs::Segment>& segments,
                                    double assembly_seconds, WallTime completed_at,
                                    nlohmann::ordered_json renderer_facts);

// What metadata.json says of audio: measured on the decoded track; null where it is silent.
nlohmann::ordered_json audio_json(const media::AudioMeasures& measures);

// The engines that served, each once, in order of appearance, joined by "+".
std::string engines_used(const std::vector<jobs::Segment>& segments);

}  // namespace pytoon::worker
