#include "benchmarks/admission/policies.h"

#include <cstdlib>

#include "benchmarks/admission/baselines.h"
#include "benchmarks/admission/controlled.h"

namespace pytoon::benchmark {
namespace {

using std::chrono::milliseconds;

milliseconds seconds_of(double value) { return milliseconds(std::llround(value * 1000)); }

// Parameters of the controller that an ablation may move.
bool set(ControlledOptions& options, const std::string& name, double value) {
  adm::ControllerOptions& controller = options.controller;
  if (name == "headroom_gib") {
    controller.ledger.headroom = bytes_of(value);
  } else if (name == "lease_s") {
    controller.ledger.lease = seconds_of(value);
  } else if (name == "batching_s") {
    controller.batching_age = seconds_of(value);
  } else if (name == "priority_s") {
    controller.priority_age = seconds_of(value);
  } else if (name == "scarcity_s") {
    controller.scarcity_age = seconds_of(value);
  } else if (name == "reserve_after_s") {
    controller.reserve_after = seconds_of(value);
  } else if (name == "usd_per_s") {
    controller.micro_usd_per_second = std::llround(value * 1e6);
  } else if (name == "shapes") {
    options.shapes = value != 0;
  } else if (name == "learning") {
    options.learning = value != 0;
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::unique_ptr<Scheduler> make_policy(const std::string& name,
                                       const std::vector<std::string>& options,
                                       Simulation& simulation) {
  ControlledOptions controlled;
  controlled.oracle = name == "oracle";
  bool spill = false;
  for (const std::string& option : options) {
    const std::size_t sign = option.find('=');
    if (option == "spill") {
      spill = true;
    } else if (sign == std::string::npos || !set(controlled, option.substr(0, sign),
                                                 std::strtod(option.c_str() + sign + 1, nullptr))) {
      return nullptr;
    }
  }
  controlled.spill = spill;
  if (name == "ours" || name == "oracle") {
    return std::make_unique<Controlled>(simulation, controlled);
  }
  if (name == "static_lanes") {
    return std::make_unique<Lanes>(simulation, Lanes::Sizing::kStatic, spill);
  }
  if (name == "optimistic") {
    return std::make_unique<Lanes>(simulation, Lanes::Sizing::kOptimistic, spill);
  }
  if (spill) return nullptr;
  if (name == "general_slots") return std::make_unique<GeneralSlots>(simulation);
  if (name == "one_job") return std::make_unique<OneJob>(simulation);
  if (name == "ollama") return std::make_unique<OllamaWay>(simulation);
  return nullptr;
}

}  // namespace pytoon::benchmark
