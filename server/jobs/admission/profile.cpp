#include "server/jobs/admission/profile.h"

#include <algorithm>
#include <cmath>

namespace pytoon::jobs::admission {
namespace {

constexpr double kSmallestRatio = 0.05;  // a run that took next to nothing has a logarithm too

Bytes scaled(Bytes bytes, double factor) {
  return static_cast<Bytes>(std::llround(static_cast<double>(bytes) * factor));
}

Bytes prior_of(const Profile& profile, Shape shape) {
  return shape == Shape::kFull ? profile.prior_full : profile.prior_tiled;
}

}  // namespace

double factor_of(const Profile& profile, const ProfileOptions& options) {
  if (profile.runs == 0) return options.first_run_factor;
  const double noise = options.run_noise * options.run_noise / profile.runs;
  const double high = profile.log_mean + options.sigmas * std::sqrt(profile.log_variance + noise);
  return std::max(options.maximum_margin * std::exp(profile.log_maximum), std::exp(high));
}

Demand demand_of(const Profile& profile, Bytes largest_promise, const ProfileOptions& options) {
  Demand demand;
  demand.model = profile.model;
  demand.weights = profile.weights;
  demand.paged_weights = scaled(profile.weights, options.paged_weights);
  demand.structural = profile.weights + profile.prior_tiled;
  demand.load = profile.load;
  demand.run = profile.run;
  demand.first_run = profile.runs == 0;
  const double factor = factor_of(profile, options);
  for (const Shape shape : {Shape::kFull, Shape::kTiled, Shape::kPaged}) {
    const Bytes weights = shape == Shape::kPaged ? demand.paged_weights : profile.weights;
    const Bytes prior = prior_of(profile, shape);
    Bytes peak = weights + scaled(prior, factor);
    if (weights + prior <= largest_promise) peak = std::min(peak, largest_promise);
    demand.peak[static_cast<int>(shape)] = peak;
  }
  return demand;
}

Profile learned(Profile profile, const Observation& observation, const ProfileOptions& options) {
  if (observation.of_device_total && observation.dynamic_vram) return profile;
  const Bytes prior = prior_of(profile, observation.shape);
  if (prior <= 0) return profile;
  const double ratio = static_cast<double>(observation.working) / static_cast<double>(prior);
  double value = std::log(std::max(kSmallestRatio, ratio));
  if (observation.censored) {
    const double known =
        profile.runs == 0 ? std::log(options.first_run_factor) : profile.log_maximum;
    value = std::max(value + std::log(options.censored_raise), known);
  }
  ++profile.runs;
  const double weight = std::max(1.0 / profile.runs, options.weight);
  const double distance = value - profile.log_mean;
  profile.log_mean += weight * distance;
  if (profile.runs == 1) {
    profile.log_variance = 0;
    profile.log_maximum = value;
    return profile;
  }
  profile.log_variance = (1 - weight) * (profile.log_variance + weight * distance * distance);
  const double decayed =
      profile.log_mean + (profile.log_maximum - profile.log_mean) * (1 - options.decay);
  profile.log_maximum = std::max(value, decayed);
  return profile;
}

}  // namespace pytoon::jobs::admission
