// metadata.json beside a job's video: what it was made of and how it went. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "pipeline/media/sound/sound_writer.h"
#include "server/jobs/job.h"

namespace pytoon::worker {

// Of the lease that finished the job; seconds.
struct JobTimings {
  double waited = 0;  // from creation to this lease
  double inputs = 0;
  double segments = 0;
  double sound = 0;  // beside the segments
  double assembly = 0;
};

// degraded: why the video was not made with the encoder that it could expect; "" when it was.
nlohmann::ordered_json job_metadata(const jobs::Job& job,
                                    const std::vector<jobs::Segment>& segments,
                                    const JobTimings& timings, WallTime completed_at,
                                    const std::string& degraded,
                                    nlohmann::ordered_json renderer_facts,
                                    nlohmann::ordered_json sound);

// What metadata.json says of a sound: measured on the decoded track; null where it is silent.
nlohmann::ordered_json sound_json(const media::SoundMeasures& measures);

// The engines that served, each once, in order of appearance, joined by "+".
std::string engines_used(const std::vector<jobs::Segment>& segments);

}  // namespace pytoon::worker
