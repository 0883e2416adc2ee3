#include "server/jobs/job_estimator.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "engines/local_compositor.h"
#include "engines/template_engine.h"
#include "pipeline/render/machine_on_card.h"

namespace pytoon::jobs {

using admission::Bytes;
using admission::CardSizes;
using admission::Demand;
using admission::GpuState;
using admission::Lane;
using admission::Profile;
using admission::Shape;
using admission::size_text;
using engines::Candidate;

namespace {

constexpr const char* kNoWorker = "no worker is live";

std::string seconds_text(double seconds) {
  std::string text = std::to_string(std::round(seconds * 10) / 10);
  return text.substr(0, text.find('.') + 2) + " s";
}

std::string count_text(std::size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

double seconds_of(std::chrono::milliseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

// One estimate in the making: each step adds to it and may look at what the steps before it found.
class Estimation {
 public:
  Estimation(const JobEstimator::Parts& parts, const EstimateOptions& options, const Job& job)
      : parts_(parts), options_(options), job_(job) {}

  JobEstimate make(const spec::JobRequest& request) {
    estimate_.preset_id = job_.spec.preset_id;
    estimate_.archetype = spec::name_of(job_.spec.archetype);
    estimate_.target_duration_seconds = job_.spec.target_duration_seconds;
    look();
    size_files();
    const plan::Timeline timeline = plan::make_timeline(job_.spec);
    for (std::size_t i = 0; i < job_.spec.segments.size(); ++i) estimate_footage(i, timeline);
    estimate_compositor();
    estimate_prompts();
    estimate_wait();
    estimate_run();
    estimate_money();
    warn_of(request);
    return std::move(estimate_);
  }

 private:
  void warn(const std::string& pointer, const std::string& detail) {
    for (const FieldFault& known : estimate_.warnings) {
      if (known.pointer == pointer && known.detail == detail) return;
    }
    estimate_.warnings.push_back({pointer, detail});
  }

  void look();
  void size_files();
  plan::InputFile sized(const std::string& uri);
  void estimate_footage(std::size_t i, const plan::Timeline& timeline);
  const Candidate& choose(const std::vector<Candidate>& candidates);
  void estimate_compositor();
  std::optional<Bytes> draw_on_card(const std::string& encoder);
  void draw_on_cpu(const std::string& encoder);
  void estimate_prompts();
  Demand demand_of(const Profile& prior, std::string& learned);
  void estimate_wait();
  void estimate_run();
  double drawing_seconds(std::string& basis) const;
  double footage_seconds(std::string& basis) const;
  void estimate_money();
  void warn_of(const spec::JobRequest& request);

  const JobEstimator::Parts& parts_;
  const EstimateOptions& options_;
  const Job& job_;
  const admission::ControllerOptions controller_;
  JobEstimate estimate_;
  // What is known at this moment.
  std::vector<WorkerInfo> workers_;  // live and not draining
  std::optional<Backlog> backlog_;
  std::vector<GpuState> gpus_;  // measured lately
  CardSizes cards_;             // of those
  // Of the job.
  render::RenderJob sized_;
  std::vector<Candidate> chosen_;  // one a segment
  std::vector<std::int64_t> dearest_;
  std::vector<std::chrono::milliseconds> drawing_;
};

void Estimation::look() {
  if (auto workers = parts_.fleet.workers(kWorkerSeenWithin)) workers_ = std::move(*workers);
  std::erase_if(workers_, [](const WorkerInfo& worker) { return worker.draining; });
  if (workers_.empty()) warn("", "no worker is live: the job would wait until one is");
  if (const auto backlog = parts_.store.backlog()) backlog_ = *backlog;
  const auto now = parts_.promises.now();
  auto gpus = parts_.promises.states();
  if (!now || !gpus) return;
  gpus_ = std::move(*gpus);
  std::erase_if(gpus_, [&](const GpuState& gpu) {
    return !is_fresh(gpu.sample, *now, controller_.ledger.sample_age_max);
  });
  for (const GpuState& gpu : gpus_) cards_.add(usable_bytes(gpu.sample));
}

// Of a file that the record does not know any more nothing is known.
plan::InputFile Estimation::sized(const std::string& uri) {
  const auto record = parts_.store.asset(job_.tenant, spec::storage_key(uri));
  if (!record) return {{}, uri};
  sized_.inputs.known[record->sha256] = record->media;
  return {{}, record->sha256};
}

void Estimation::size_files() {
  sized_.spec = job_.spec;
  for (const std::string& uri : job_.spec.assets.images) sized_.inputs.images.push_back(sized(uri));
  for (const std::string& uri : job_.spec.assets.clips) sized_.inputs.clips.push_back(sized(uri));
  if (job_.spec.assets.mask) sized_.inputs.mask = sized(*job_.spec.assets.mask);
  if (!job_.spec.brand_safe) return;
  render::assume_logo(sized_);
}

// The first that is not refused; the last one never is.
const Candidate& Estimation::choose(const std::vector<Candidate>& candidates) {
  std::set<std::string> live;
  for (const WorkerInfo& worker : workers_) {
    live.insert(worker.engines.begin(), worker.engines.end());
  }
  for (const Candidate& candidate : candidates) {
    const bool reached =
        !candidate.makes_clips || workers_.empty() || live.contains(candidate.engine);
    if (!candidate.refused && reached) return candidate;
    const std::string why =
        candidate.refused ? candidate.refused->detail : "no live worker has this engine";
    const bool blamed = candidate.refused && !candidate.refused->faults.empty();
    warn(blamed ? candidate.refused->faults[0].pointer : "/preset_id",
         candidate.engine + " makes no footage of it: " + why);
  }
  return candidates.back();
}

void Estimation::estimate_footage(std::size_t i, const plan::Timeline& timeline) {
  const int index = static_cast<int>(i);
  const plan::Shot& shot =
      timeline.shots.at(static_cast<std::size_t>(timeline.shot_of_segment.at(i)));
  engines::FootageRequest request = engines::request_of(job_.spec, index);
  if (shot.image >= 0) {
    request.image = sized_.inputs.images.at(static_cast<std::size_t>(shot.image));
  }
  std::vector<Candidate> candidates;
  if (shot.clip >= 0) {
    candidates.push_back({std::string(engines::kLocalCompositor), false, false, std::nullopt, {}});
  } else {
    candidates = parts_.engine_chain.candidates_for(engines::chain_of(job_.spec, parts_.presets),
                                                    job_.spec.engine_policy, request);
  }
  const Candidate& chosen = choose(candidates);
  SegmentEstimate& segment = estimate_.segments.emplace_back();
  segment.index = index;
  segment.duration_seconds = job_.spec.segments[i].duration_seconds;
  segment.engine = chosen.engine;
  if (chosen.makes_clips) segment.footage_lane = chosen.remote ? Lane::kApi : Lane::kGenerate;
  if (chosen.engine == engines::kTemplate) {
    warn("/engine_policy", "no engine that " + std::string(spec::name_of(job_.spec.engine_policy)) +
                               " allows can make the footage: plain cards are shown");
  }
  std::int64_t dearest = 0;
  for (const Candidate& candidate : candidates) {
    if (!candidate.refused) dearest = std::max(dearest, candidate.quote.micro_usd);
  }
  dearest_.push_back(dearest);
  chosen_.push_back(chosen);
  plan::SegmentSource source(chosen.engine == engines::kTemplate ? plan::SourceKind::kCard
                                                                 : plan::SourceKind::kImages);
  if (chosen.makes_clips) {
    // As large as the video, since nobody has seen it.
    const std::string made = "footage " + std::to_string(index);
    source = {plan::SourceKind::kClip, plan::InputFile{{}, made}};
    sized_.inputs.known[made].size = job_.spec.output.size();
  }
  sized_.footage.push_back(std::move(source));
}

// The most that a segment takes of a card; none where its cost can't be told.
std::optional<Bytes> Estimation::draw_on_card(const std::string& encoder) {
  sized_.encoder = encoder;
  Bytes most = 0;
  for (SegmentEstimate& segment : estimate_.segments) {
    const render::RenderMachine machine = render::machine_on_card(
        parts_.renderer, sized_, segment.index, options_.gpu_pieces_at_once);
    const auto cost = parts_.renderer.cost(sized_, segment.index, machine);
    if (!cost) return std::nullopt;
    segment.render_bytes = static_cast<Bytes>(cost->vram_bytes());
    most = std::max(most, *segment.render_bytes);
    drawing_.push_back(cost->expected);
  }
  return most;
}

void Estimation::draw_on_cpu(const std::string& encoder) {
  sized_.encoder = encoder;
  drawing_.clear();
  for (SegmentEstimate& segment : estimate_.segments) {
    segment.render_bytes.reset();
    segment.compositor_lane = Lane::kCpu;
    render::RenderMachine machine = parts_.renderer.machine_for(sized_, 1);
    machine.composes_on_cuda = false;
    const auto cost = parts_.renderer.cost(sized_, segment.index, machine);
    drawing_.push_back(cost ? cost->expected : std::chrono::milliseconds(0));
  }
}

void Estimation::estimate_compositor() {
  const auto on_card = std::find_if(workers_.begin(), workers_.end(), [](const WorkerInfo& worker) {
    return worker.device_kind == "cuda" && !worker.encoders.empty();
  });
  if (workers_.empty()) {
    estimate_.render.basis = std::string(kNoWorker) + ": what it is composed on is not known";
    return;
  }
  const std::vector<std::string>& software = workers_.front().encoders;
  const std::string last = software.empty() ? "" : software.back();
  if (on_card == workers_.end()) {
    draw_on_cpu(last);
    estimate_.render = {0, "no live worker has a GPU: it is composed on the CPU"};
    return;
  }
  const std::optional<Bytes> most = draw_on_card(on_card->encoders.front());
  if (!most) {
    estimate_.render.basis = "the cost of a segment can't be told";
    return;
  }
  if (!gpus_.empty() && *most + controller_.ledger.headroom > cards_.largest()) {
    warn("", "a segment takes " + size_text(*most) + " of a card and the largest can give " +
                 size_text(cards_.largest()) + ": it is composed on the CPU");
    draw_on_cpu(last);
    estimate_.render = {0, "too large for every card: it is composed on the CPU"};
    return;
  }
  if (gpus_.empty()) warn("", "no card was measured in the last seconds: whether it fits is open");
  for (SegmentEstimate& segment : estimate_.segments) segment.compositor_lane = Lane::kRender;
  estimate_.render = {most, "computed for the largest segment with " + on_card->encoders.front() +
                                " on a worker whose process has its CUDA context"};
}

Demand Estimation::demand_of(const Profile& prior, std::string& learned) {
  const auto known = parts_.profiles.profile(prior);
  const Profile& profile = known ? *known : prior;
  learned = profile.runs > 0 ? "learned from " + count_text(profile.runs, "run")
                             : "by its file, no run was seen yet";
  const Bytes largest = cards_.usable.empty() ? std::numeric_limits<Bytes>::max()
                                              : largest_promise(cards_, controller_);
  return admission::demand_of(profile, largest, {});
}

void Estimation::estimate_prompts() {
  std::map<std::string, Demand> demands;
  std::string basis;
  for (std::size_t i = 0; i < chosen_.size(); ++i) {
    const auto prior = options_.workflows.find(chosen_[i].quote.workflow);
    if (prior == options_.workflows.end()) continue;
    const auto [entry, fresh] = demands.try_emplace(prior->first);
    if (fresh) {
      std::string learned;
      entry->second = demand_of(prior->second, learned);
      const Demand& demand = entry->second;
      basis += (basis.empty() ? "" : "; ") + prior->first + ", " + learned + ": " +
               size_text(demand.peak[static_cast<int>(Shape::kFull)]) + " as it is, " +
               size_text(demand.peak[static_cast<int>(Shape::kTiled)]) + " with tiled decoding";
      if (!cards_.usable.empty() &&
          demand.structural + controller_.ledger.headroom > cards_.largest()) {
        warn("/preset_id", chosen_[i].engine + " can't make it on any card: it needs " +
                               size_text(demand.structural) + ", the largest can give " +
                               size_text(cards_.largest()));
      }
    }
    const Bytes peak = entry->second.peak[static_cast<int>(Shape::kFull)];
    estimate_.segments[i].generate_bytes = peak;
    estimate_.generate.bytes = std::max(estimate_.generate.bytes.value_or(0), peak);
  }
  if (!basis.empty()) {
    estimate_.generate.basis = basis;
    return;
  }
  const bool generates = std::any_of(chosen_.begin(), chosen_.end(), [](const Candidate& chosen) {
    return chosen.makes_clips && !chosen.remote;
  });
  if (generates) {
    estimate_.generate.basis = "the workflow's memory is not known here";
  } else {
    estimate_.generate = {0, "no segment is generated on a card of ours"};
  }
}

void Estimation::estimate_wait() {
  if (workers_.empty()) {
    estimate_.wait.basis = kNoWorker;
  } else if (!backlog_ || backlog_->threads < 1) {
    estimate_.wait.basis = "the queue can't be asked now";
  } else if (backlog_->open_segments == 0) {
    estimate_.wait = {0, "nothing waits"};
  } else if (backlog_->seconds_per_segment <= 0) {
    estimate_.wait.basis = "no segment was finished lately, so the pace is not known";
  } else {
    const auto open = static_cast<std::size_t>(backlog_->open_segments);
    const double pace = backlog_->seconds_per_segment;
    estimate_.wait = {
        static_cast<double>(open) * pace / backlog_->threads,
        count_text(open, "segment") + " of others at " + seconds_text(pace) +
            " each (mean of those finished lately) over " +
            count_text(static_cast<std::size_t>(backlog_->threads), "thread") +
            ", as if all of them were served first; waits for GPU memory not counted"};
  }
}

double Estimation::drawing_seconds(std::string& basis) const {
  const double threads = backlog_->threads;
  const double count = static_cast<double>(estimate_.segments.size());
  if (backlog_->seconds_per_segment > 0) {
    basis = "drawing at the pace of late, " + seconds_text(backlog_->seconds_per_segment) +
            " a segment and thread";
    return backlog_->seconds_per_segment * std::max(1.0, count / threads);
  }
  double sum = 0;
  double longest = 0;
  for (const std::chrono::milliseconds each : drawing_) {
    sum += seconds_of(each);
    longest = std::max(longest, seconds_of(each));
  }
  basis =
      "drawing by the number of pixels and a usual encoder's speed: no segment was finished "
      "lately";
  return std::max(longest, sum / threads);
}

// Engines work side by side, each through its own segments.
double Estimation::footage_seconds(std::string& basis) const {
  std::map<std::string, std::vector<const Candidate*>> by_engine;
  for (const Candidate& chosen : chosen_) {
    if (chosen.makes_clips) by_engine[chosen.engine].push_back(&chosen);
  }
  double longest = 0;
  for (const auto& [engine, orders] : by_engine) {
    double sum = 0;
    for (const Candidate* order : orders) sum += seconds_of(order->quote.duration);
    const double each = sum / static_cast<double>(orders.size());
    const int at_once = std::max(1, orders.front()->quote.at_once);
    longest = std::max(longest, std::max(each, sum / at_once));
    basis += "; " + count_text(orders.size(), "clip") + " by " + engine + ", " +
             seconds_text(each) + " each by its configuration, " + std::to_string(at_once) +
             " at once";
  }
  return longest;
}

void Estimation::estimate_run() {
  if (workers_.empty()) {
    estimate_.run.basis = kNoWorker;
  } else if (!backlog_ || backlog_->threads < 1) {
    estimate_.run.basis = "the queue can't be asked now";
  } else if (backlog_->seconds_per_segment <= 0 && drawing_.empty()) {
    estimate_.run.basis = "no segment was finished lately, and its cost can't be told";
  } else {
    std::string basis;
    const double drawing = drawing_seconds(basis);
    const double footage = footage_seconds(basis);
    estimate_.run = {drawing + footage, basis + "; preparing and assembling not counted"};
  }
}

void Estimation::estimate_money() {
  for (const Candidate& chosen : chosen_) estimate_.micro_usd += chosen.quote.micro_usd;
  for (const std::int64_t dearest : dearest_) estimate_.micro_usd_max += dearest;
  const std::int64_t cap = options_.micro_usd_per_job_max;
  if (estimate_.micro_usd > cap) {
    warn("/preset_id",
         "its orders would cost more than a job may: those beyond the cap are made "
         "by the next engine");
  }
  estimate_.micro_usd = std::min(estimate_.micro_usd, cap);
  estimate_.micro_usd_max = std::min(estimate_.micro_usd_max, cap);
  estimate_.money_basis =
      estimate_.micro_usd_max == 0
          ? "no remote engine of its chain costs anything"
          : "by the configured prices a second of footage; micro_usd_max if every segment falls to "
            "the dearest remote engine of its chain, at most the spend cap of a job";
}

void Estimation::warn_of(const spec::JobRequest& request) {
  const std::size_t shown = job_.spec.segments.size();
  const std::string hidden =
      "is not shown: the video has " + count_text(shown, "segment") + ", one image or clip each";
  const std::size_t images = request.image_uris.size();
  for (std::size_t i = shown; i < images + request.clip_uris.size(); ++i) {
    warn(i < images ? "/image_uris/" + std::to_string(i)
                    : "/clip_uris/" + std::to_string(i - images),
         hidden);
  }
  const auto preset = parts_.presets.find(job_.spec.preset_id);
  if (job_.spec.brand_safe && preset != parts_.presets.end() &&
      (preset->second.motion_profile == spec::MotionProfile::kPunchy ||
       preset->second.motion_profile == spec::MotionProfile::kChaotic)) {
    warn("/brand_safe", "the preset's motion, " +
                            std::string(spec::name_of(preset->second.motion_profile)) +
                            ", becomes subtle");
  }
  const nlohmann::ordered_json facts = parts_.renderer.facts(sized_);
  const auto substitutions = facts.find("font_substitutions");
  if (substitutions == facts.end()) return;
  for (const auto& font : *substitutions) {
    warn("/preset_id", "its font " + font.value("wanted", "") +
                           " is not installed: " + font.value("used", "") + " stands in");
  }
}

}  // namespace

JobEstimate JobEstimator::estimate(const Job& job, const spec::JobRequest& request) const {
  return Estimation(parts_, options_, job).make(request);
}

}  // namespace pytoon::jobs
