// The simulation's ComfyUI: loading, sampling, the decode that takes what it finds, leaks, OOM.
#include "benchmarks/admission/simulation.h"

namespace pytoon::benchmark {
namespace {

enum Purpose { kLeakChance = 10, kLeakSize, kFreeLag, kObserved, kApiLatency };

constexpr double kLeakShare = .05;
constexpr double kLeakMax_gib = 1.5;
constexpr double kRestart_s = 30;
constexpr int kTriesMax = 8;

bool is_tiled(adm::Shape shape) { return shape != adm::Shape::kFull; }

}  // namespace

double Simulation::true_prior(const Task& task, adm::Shape shape) const {
  const Model& model = model_of(task);
  return std::max(model.sampling_gib, model.decode_gib * (is_tiled(shape) ? kTiledDecode : 1));
}

double Simulation::true_peak(const Task& task, adm::Shape shape) const {
  const double weights =
      model_of(task).weights_gib * (shape == adm::Shape::kPaged ? kPagedWeights : 1);
  return weights + task.scale * true_prior(task, shape);
}

double Simulation::load_model(Card& card, Task& task) {
  const Model& model = model_of(task);
  if (const double have = card.resident(task.model); have >= .95 * model.weights_gib) {
    card.load(task.model, have);
    return 0;
  }
  const bool paged = task.shape == adm::Shape::kPaged;
  card.unload(task.model);
  if (card.dynamic) card.fill = std::max(0.0, card.fill - model.weights_gib);
  card.evict(task.model, model.weights_gib * (paged ? kPagedWeights : 1) + physics_.reserve_gib);
  double got = std::min(model.weights_gib, std::max(0.0, card.free() - .1));
  if (got < .5 * model.weights_gib) return -1;
  if (got < model.weights_gib && !card.dynamic) task.slow += 1.5 * (1 - got / model.weights_gib);
  if (paged) got = std::min(got, kPagedWeights * model.weights_gib);
  card.load(task.model, got);
  const bool warm = !card.in_ram.insert(task.model).second;
  ++metrics_.reloads;
  return model.load_s * (warm ? .5 : 1);
}

void Simulation::start_generation(Card& card, Task& task, adm::Shape shape) {
  card.touch(now_s_);
  task.state = Task::State::kOnCard;
  task.card = card.index;
  task.shape = shape;
  task.slow = 1;
  task.fell_back = false;
  task.held_gib = 0;
  if (task.start_s < 0) {
    task.start_s = now_s_;
    metrics_.generation_waits_s.push_back(now_s_ - task.ready_s);
  }
  card.running = &task;
  card.foreign_at_start = card.foreign;
  const int attempt = ++task.attempt;
  const double load_s = load_model(card, task);
  if (load_s < 0) return generation_oom(card, task, false);
  double run_s = task.run_s * task.slow;
  if (is_tiled(shape)) run_s *= 1.08;
  if (shape == adm::Shape::kPaged) run_s *= 1.25;
  const double begin_s = now_s_ + load_s;
  task.ends_s = begin_s + run_s;
  at(begin_s + .02 * run_s, [=, this, &card, &task] { sampling(card, task, attempt, .6, false); });
  at(begin_s + .25 * run_s, [=, this, &card, &task] { sampling(card, task, attempt, 1, false); });
  at(begin_s + .9 * run_s, [=, this, &card, &task] { sampling(card, task, attempt, 1, true); });
  at(task.ends_s, [=, this, &card, &task] { generation_end(card, task, attempt); });
  changed(card);
}

void Simulation::sampling(Card& card, Task& task, int attempt, double share, bool decode) {
  if (card.running != &task || task.attempt != attempt) return;
  const Model& model = model_of(task);
  const double decode_gib = model.decode_gib * (is_tiled(task.shape) ? kTiledDecode : 1);
  const double target = task.scale * (decode ? decode_gib : model.sampling_gib * share);
  card.touch(now_s_);
  const double need = target - card.extra;
  if (need > 0) {
    if (card.dynamic) card.fill -= std::min(card.fill, need);
    card.evict(task.model, need + std::min(physics_.reserve_gib, .4));
    double free = card.free();
    if (free < need && card.dynamic && free + .5 * model.weights_gib >= need) {
      card.load(task.model, card.resident(task.model) - (need - free));  // pages its weights out
      free = need;
    }
    if (free >= need - 1e-9) {
      card.extra = target;
    } else if (decode) {  // takes all that is free, fails, and decodes in tiles
      card.extra += std::max(0.0, free);
      task.fell_back = true;
      ++metrics_.probes;
      at(now_s_ + 1, [=, this, &card, &task] { fall_back_to_tiles(card, task, attempt); });
    } else {
      return generation_oom(card, task, true);
    }
  } else {
    card.extra = target;
  }
  task.held_gib = std::max(task.held_gib, card.extra);
  if (card.dynamic) card.fill += std::max(0.0, card.free() - physics_.headroom_gib);
  const double held = card.resident(task.model) + card.extra;
  if (task.promise.epoch != 0 && bytes_of(held - .01) > task.promise.bytes) ++metrics_.overshoots;
  changed(card);
}

void Simulation::fall_back_to_tiles(Card& card, Task& task, int attempt) {
  if (card.running != &task || task.attempt != attempt) return;
  card.touch(now_s_);
  card.extra =
      std::min(card.extra, std::max(1.5, kTiledDecode * task.scale * model_of(task).decode_gib));
  const int next = ++task.attempt;
  at(now_s_ + .3 * task.run_s, [=, this, &card, &task] { generation_end(card, task, next); });
  changed(card);
}

void Simulation::leave_endpoint(Card& card, Task& task) {
  card.touch(now_s_);
  card.extra = 0;
  card.running = nullptr;
  ++task.attempt;
  task.card = kNoCard;
  scheduler_->on_given_back(card, task, false);
}

void Simulation::generation_oom(Card& card, Task& task, bool ran) {
  ++metrics_.ooms;
  const double seen = std::max(card.extra, task.held_gib);
  leave_endpoint(card, task);
  ++task.tries;
  if (ran) scheduler_->on_observed(card, task, seen, true);
  if (task.tries >= 2 && physics_.rest_after_ooms) {
    task.card_min_gib = std::min(80.0, card.total < 48 ? 48.0 : 80.0);
  }
  task.not_before_s = now_s_ + std::min(30.0, std::pow(2.0, task.tries));
  task.state = Task::State::kWaiting;
  if (task.tries > kTriesMax) {
    ++metrics_.lost;
  } else {
    scheduler_->on_generation(task, true);
  }
  at(task.not_before_s, [this, &card] { scheduler_->on_card(card); });
  scheduler_->on_card(card);
}

void Simulation::generation_end(Card& card, Task& task, int attempt) {
  if (card.running != &task || task.attempt != attempt) return;
  const double observed = std::max(task.held_gib, card.extra);
  leave_endpoint(card, task);
  // Four samples a second miss the tip.
  scheduler_->on_observed(card, task, observed * (.97 + .03 * uniform(kObserved, task.id)),
                          task.fell_back);
  if (uniform(kLeakChance, task.id) < kLeakShare) {
    card.leak = std::min(kLeakMax_gib, card.leak + .2 + .6 * uniform(kLeakSize, task.id));
  }
  metrics_.local_work_s += task.run_s;
  ++metrics_.generations;
  changed(card);
  generation_done(task);
  scheduler_->on_card(card);
}

void Simulation::free_models(Card& card, std::function<void()> freed) {
  ++metrics_.frees;
  card.freeing = true;
  const std::size_t number = card.index * 4096 + static_cast<std::size_t>(++card.frees);
  const double lag_s = std::min(12.0, .3 * std::exp(std::abs(1.1 * normal(kFreeLag, number))));
  at(now_s_ + lag_s, [this, &card] {
    if (card.running != nullptr) return;
    card.touch(now_s_);
    card.cached.clear();
    card.fill = 0;
    card.leak = std::min(card.leak, 1.0);
  });
  at(now_s_ + lag_s + 1.1 * kSamplePeriod_s, [this, &card, freed = std::move(freed)] {
    card.freeing = false;
    freed();
    scheduler_->on_card(card);
  });
}

void Simulation::restart_endpoint(Card& card) {
  Task* const task = card.running;
  if (task != nullptr) leave_endpoint(card, *task);
  card.touch(now_s_);
  card.cached.clear();
  card.fill = 0;
  card.leak = 0;
  card.in_ram.clear();
  card.down_until_s = now_s_ + kRestart_s;
  if (task != nullptr) {
    task->state = Task::State::kWaiting;
    scheduler_->on_generation(*task, true);
  }
  at(card.down_until_s + .01, [this, &card] { scheduler_->on_card(card); });
}

void Simulation::start_api(Task& task) {
  task.state = Task::State::kApi;
  if (task.start_s < 0) {
    task.start_s = now_s_;
    metrics_.generation_waits_s.push_back(now_s_ - task.ready_s);
  }
  const Model& model = model_of(task);
  metrics_.api_usd += model.api_usd;
  ++metrics_.spilled;
  at(now_s_ + model.api_latency_s * std::exp(.25 * normal(kApiLatency, task.id)), [this, &task] {
    metrics_.api_work_s += task.run_s;
    generation_done(task);
  });
}

}  // namespace pytoon::benchmark
