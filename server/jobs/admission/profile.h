// The learned resource profile of a workflow: how much GPU memory a prompt of it will take, by the
// shape it is run in. It starts from the workflow file's own figures (the prior) and learns from
// observed peaks; kept in the database, so that all workers learn together. Pure: an update gives a
// new value.
//
// What is learned is one factor on the prior's working set, in logarithms: mean and variance
// (exponentially weighted, 0.08) and a maximum that decays 1.5 % a run towards the mean. The
// estimate is the larger of 1.03 times that maximum and mean + 3 sigma; it is never larger than the
// largest card (alone on it is the answer then, not exile). A lie of the file is corrected by the
// first run, which gets the bounded shape and all memory that is free.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "server/jobs/admission/gpu_state.h"

namespace pytoon::jobs::admission {

// A workflow runs as it is, with tiled VAE decoding (put in by us; slower, a third of the peak),
// or, on dynamic-VRAM builds only, tiled with part of its weights paged out.
enum class Shape { kFull, kTiled, kPaged };
inline constexpr int kShapes = 3;

struct ProfileOptions {
  double first_run_factor = 1.3;
  double sigmas = 3;
  double maximum_margin = 1.03;
  double run_noise = 0.12;  // spread of a workflow's runs before there are enough of them to tell
  double weight = 0.08;     // of the newest run in mean and variance
  double decay = 0.015;     // of the maximum towards the mean, a run
  double censored_raise = 1.25;
  double paged_weights = 0.6;  // share of the weights that a dynamic build keeps resident
  double tiled_slowdown = 1.08;
  double paged_slowdown = 1.25;
};

struct Profile {
  std::string workflow;
  std::string model;
  Bytes weights = 0;
  Bytes prior_full = 0;  // working set over the weights, by the workflow file
  Bytes prior_tiled = 0;
  std::chrono::milliseconds load{0};  // of the weights
  std::chrono::milliseconds run{0};   // of a prompt in full shape
  int runs = 0;                       // learned from
  double log_mean = 0;
  double log_variance = 0;
  double log_maximum = 0;
};

// One run as it was measured.
struct Observation {
  Shape shape = Shape::kFull;
  Bytes working = 0;      // peak over the weights
  bool censored = false;  // it failed or fell back before its peak: it needed at least this
  // Taken from the device total. On a dynamic-VRAM endpoint that fills the card, such a figure says
  // nothing about the workflow and is not learned.
  bool of_device_total = false;
  bool dynamic_vram = false;
};

// What a prompt will need, by shape. Made by demand_of().
struct Demand {
  std::string model;
  Bytes weights = 0;
  Bytes peak[kShapes] = {0, 0, 0};  // weights included
  Bytes structural = 0;             // weights and the prior's tiled working set: nothing learned
  Bytes paged_weights = 0;
  std::chrono::milliseconds load{0};
  std::chrono::milliseconds run{0};  // in full shape
  bool first_run = false;            // nothing is known but the file's word
};

// The factor on the prior's working set that an estimate uses.
double factor_of(const Profile& profile, const ProfileOptions& options);
// largest_promise: the most that any card can promise to one task (controller.h).
Demand demand_of(const Profile& profile, Bytes largest_promise, const ProfileOptions& options);
// A censored observation never lowers the estimate.
Profile learned(Profile profile, const Observation& observation, const ProfileOptions& options);

}  // namespace pytoon::jobs::admission
