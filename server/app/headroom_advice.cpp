#include "server/app/headroom_advice.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "pipeline/render/machine_on_card.h"
#include "server/jobs/admission/decision.h"
#include "server/jobs/admission/ledger_rules.h"

namespace pytoon::app {

using jobs::admission::Bytes;
using jobs::admission::kGiB;
using jobs::admission::size_text;

namespace {

constexpr gpu::Size kLargestImage{4096, 4096};

// A cut-out, so that any shape of it may be seen; a clip as large as the video.
render::RenderJob demanding_job(const spec::RenderSpec& spec) {
  render::RenderJob job;
  job.spec = spec;
  job.footage.resize(spec.segments.size());
  job.inputs.images = {{{}, "first"}, {{}, "second"}};
  job.inputs.clips = {{{}, "clip"}};
  for (const char* image : {"first", "second"}) {
    job.inputs.known[image] = media::MediaInfo{"png", "", kLargestImage, true, 0, 0, 0};
  }
  render::assume_logo(job);
  job.inputs.known["clip"] = media::MediaInfo{"mp4", "h264", spec.output.size(), false, 10, 0, 0};
  return job;
}

spec::JobRequest demanding_request(const std::string& preset) {
  spec::JobRequest request;
  request.preset_id = preset;
  request.prompt = "The largest segment";
  request.image_uris = {"storage://first", "storage://second"};
  request.clip_uris = {"storage://clip"};
  return request;
}

// As jobs here are encoded; where nothing composes on a card, as they would be beside one.
std::string encoder_of(const render::Renderer& renderer, render::RenderJob job) {
  const std::vector<render::Encoder> encoders = renderer.encoders();
  for (const render::Encoder& encoder : encoders) {
    job.encoder = encoder.name;
    const render::RenderMachine machine = renderer.machine_for(job, 1);
    const bool on_card = machine.composes_on_cuda && machine.decodes_clips;
    if (on_card && encoder.unavailable.empty()) return encoder.name;
  }
  return encoders.front().name;
}

}  // namespace

LargestSegment largest_segment(const plan::Catalogue& catalogue, render::Renderer& renderer,
                               int gpu_pieces_at_once) {
  LargestSegment largest;
  for (const auto& [id, preset] : catalogue.presets) {
    const auto spec = plan::make_render_spec(demanding_request(id), catalogue, 1);
    if (!spec) continue;
    render::RenderJob job = demanding_job(*spec);
    job.encoder = encoder_of(renderer, job);
    for (int i = 0; i < static_cast<int>(spec->segments.size()); ++i) {
      const auto machine = render::machine_on_card(renderer, job, i, gpu_pieces_at_once);
      const auto cost = renderer.cost(job, i, machine);
      if (!cost || cost->vram_bytes() <= largest.cost.vram_bytes()) continue;
      largest = {id, *cost};
    }
  }
  return largest;
}

std::string HeadroomAdvice::gib() const {
  const double tenths = std::ceil(static_cast<double>(bytes) / static_cast<double>(kGiB) * 10);
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", tenths / 10);
  return text.data();
}

HeadroomAdvice advise_headroom(const LargestSegment& largest, int threads) {
  if (largest.preset.empty()) return {0, "no segment's cost can be told here"};
  const jobs::admission::LedgerOptions ledger;
  jobs::admission::Cost kept_busy;
  kept_busy.pieces = largest.cost.pieces;
  kept_busy.encoder_sessions = largest.cost.encoder_sessions;
  const int at_once = segments_at_once(threads, kept_busy);
  const auto driver = static_cast<Bytes>(largest.cost.encoder_bytes + largest.cost.decoder_bytes);
  const auto segment = static_cast<Bytes>(largest.cost.vram_bytes() - largest.cost.context_bytes);
  const auto context = static_cast<Bytes>(render::DriverCosts{}.context_bytes);
  HeadroomAdvice advice;
  advice.bytes = at_once * segment + context + ledger.headroom;
  advice.reason = std::to_string(at_once) + " segments at once of " + size_text(segment) +
                  " (the largest, of " + largest.preset + ": images and frames " +
                  size_text(segment - driver) + ", encoder and decoders " + size_text(driver) +
                  "), our CUDA context of " + size_text(context) + " and " +
                  size_text(ledger.headroom) + " that are never promised";
  return advice;
}

}  // namespace pytoon::app
