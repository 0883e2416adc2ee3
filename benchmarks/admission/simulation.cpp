#include "benchmarks/admission/simulation.h"

#include <numbers>

namespace pytoon::benchmark {
namespace {

enum Purpose { kAllocation = 1, kCpuTime, kGauss };

constexpr double kBusyNeighbour = 1.25;  // composing beside a prompt that runs
constexpr double kSegmentWork = .1;
constexpr double kAllocation_s = .3;  // from the start of a segment to its memory
constexpr double kLease_s = 15;
constexpr double kForeignTail_s = 9;

// splitmix64 (Steele, Lea, Flood 2014).
std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto rank = static_cast<std::size_t>(share * static_cast<double>(values.size()));
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(std::min(rank, values.size() - 1));
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

Simulation::Simulation(const Trace& trace, Metrics& metrics) : trace_(trace), metrics_(metrics) {
  cards_.reserve(trace.gpus.size());
  for (std::size_t i = 0; i < trace.gpus.size(); ++i) {
    cards_.emplace_back(i, trace.gpus[i], trace.models);
  }
  cpus_free_ = 2 * cards_.size();
  make_jobs();
}

double Simulation::uniform(int purpose, std::size_t number) const {
  const std::uint64_t bits =
      mixed(mixed(trace_.seed * 1000003 + static_cast<std::uint64_t>(purpose)) + number);
  return static_cast<double>(bits >> 11) * 0x1.0p-53;
}

double Simulation::normal(int purpose, std::size_t number) const {
  const double radius = std::sqrt(-2 * std::log(1 - uniform(purpose, number)));
  return radius * std::cos(2 * std::numbers::pi * uniform(purpose + 100 * kGauss, number));
}

void Simulation::at(double time_s, std::function<void()> event) {
  events_.push_back({time_s, order_++, std::move(event)});
  std::push_heap(events_.begin(), events_.end(), std::greater<>());
}

void Simulation::make_jobs() {
  for (const JobSpec& spec : trace_.jobs) {
    Job& job = jobs_.emplace_back();
    job.spec = &spec;
    double longest_s = 0;
    for (const GenerationSpec& one : spec.generations) {
      Task& task = tasks_.emplace_back();
      task.generation = true;
      task.id = tasks_.size();
      task.job = &job;
      task.workflow = one.workflow;
      task.model = trace_.workflows[one.workflow].model;
      task.scale = one.scale;
      task.run_s = one.run_s;
      longest_s = std::max(longest_s, one.run_s);
      job.generations.push_back(&task);
    }
    double sum_s = 0;
    for (const SegmentSpec& one : spec.segments) {
      Task& task = tasks_.emplace_back();
      task.id = tasks_.size();
      task.job = &job;
      task.gib = one.gib;
      task.run_s = one.run_s;
      sum_s += one.run_s;
      job.segments.push_back(&task);
    }
    job.generations_left = job.generations.size();
    job.segments_left = job.segments.size();
    const auto count = static_cast<double>(spec.segments.size());
    job.ideal_s = longest_s + std::ceil(count / kRenderSlots) * sum_s / count;
    job.deadline_s =
        spec.at_s + (spec.priority > 0 ? 3 * job.ideal_s + 30 : 20 * job.ideal_s + 600);
  }
}

void Simulation::run(Scheduler& scheduler) {
  scheduler_ = &scheduler;
  physics_ = scheduler.physics();
  for (const EventSpec& event : trace_.events) {
    at(event.at_s, [this, &event] { misfortune(event); });
  }
  for (Job& job : jobs_) at(job.spec->at_s, [this, &job] { arrive(job); });
  at(1, [this] { each_second(); });
  while (!events_.empty() && events_.front().time_s <= trace_.seconds) {
    std::pop_heap(events_.begin(), events_.end(), std::greater<>());
    const Event event = std::move(events_.back());
    events_.pop_back();
    now_s_ = event.time_s;
    event.happens();
  }
  metrics_.jobs = static_cast<std::int64_t>(jobs_.size());
  for (const Job& job : jobs_) {
    if (job.done_s >= 0) {
      ++metrics_.jobs_done;
    } else {
      metrics_.job_waits_s.push_back(std::max(0.0, trace_.seconds - job.spec->at_s - job.ideal_s));
    }
  }
  for (const Task& task : tasks_) {
    if (task.state != Task::State::kWaiting || task.start_s >= 0) continue;
    (task.generation ? metrics_.generation_waits_s : metrics_.segment_waits_s)
        .push_back(trace_.seconds - task.ready_s);
  }
}

void Simulation::arrive(Job& job) {
  for (Task* task : job.generations) {
    task->ready_s = now_s_;
    task->state = Task::State::kWaiting;
    scheduler_->on_generation(*task, false);
  }
  if (!job.generations.empty()) return;
  for (Task* task : job.segments) {
    task->ready_s = now_s_;
    task->state = Task::State::kWaiting;
  }
  scheduler_->on_segments(job);
}

void Simulation::each_second() {
  at(now_s_ + (cards_.size() <= 8 ? 1 : 3), [this] { each_second(); });
  scheduler_->on_second();
}

void Simulation::misfortune(const EventSpec& event) {
  Card& card = cards_[event.gpu];
  switch (event.kind) {
    case EventSpec::Kind::kForeign:
      return foreign_change(card, event.value);
    case EventSpec::Kind::kRestart:
      return restart_endpoint(card);
    case EventSpec::Kind::kDeath:
      return worker_death(card);
    case EventSpec::Kind::kStall:
      card.touch(now_s_);
      card.stall_from_s = now_s_;
      card.stall_to_s = now_s_ + event.value;
  }
}

void Simulation::foreign_change(Card& card, double gib) {
  card.touch(now_s_);
  if (gib > 0) {
    if (card.free() < gib && card.dynamic && card.running != nullptr) {
      card.fill -= std::min(card.fill, gib - card.free());
    }
    card.foreign += std::max(0.0, std::min(gib, card.free()));
  } else {
    card.foreign = std::max(0.0, card.foreign + gib);
  }
  changed(card);
  if (gib < 0) scheduler_->on_card(card);
}

// The process is gone: its memory comes back at once, its promises end with their leases, and only
// then somebody else may take its tasks.
void Simulation::worker_death(Card& card) {
  card.touch(now_s_);
  std::vector<Task*> dead;
  dead.swap(card.segments);
  card.segments_gib = 0;
  for (Task* task : dead) {
    scheduler_->on_given_back(card, *task, true);
    task->held_gib = 0;
    ++task->attempt;
    task->card = kNoCard;
  }
  changed(card);
  at(now_s_ + kLease_s, [this, &card, dead] {
    for (Task* task : dead) {
      task->state = Task::State::kWaiting;
      scheduler_->on_segment_again(*task);
    }
    scheduler_->on_card(card);
  });
}

void Simulation::start_segment(Card& card, Task& task) {
  card.touch(now_s_);
  task.state = Task::State::kOnCard;
  task.card = card.index;
  if (task.start_s < 0) {
    task.start_s = now_s_;
    metrics_.segment_waits_s.push_back(now_s_ - task.ready_s);
  }
  card.foreign_at_start = card.foreign;
  task.held_gib = 0;
  task.ends_s = now_s_ + task.run_s * (card.running != nullptr ? kBusyNeighbour : 1);
  card.segments.push_back(&task);
  const int attempt = ++task.attempt;
  at(now_s_ + kAllocation_s, [=, this, &card, &task] { segment_alloc(card, task, attempt); });
  changed(card);
}

void Simulation::segment_alloc(Card& card, Task& task, int attempt) {
  if (task.attempt != attempt) return;
  if (card.free() < task.gib && card.dynamic && card.running != nullptr &&
      uniform(kAllocation, task.id) < .98) {
    card.touch(now_s_);
    card.fill -= std::max(0.0, std::min(card.fill, task.gib - card.free() + .05));
  }
  if (card.free() >= task.gib) {
    card.touch(now_s_);
    card.segments_gib += task.gib;
    task.held_gib = task.gib;
    at(now_s_ + task.run_s * (card.running != nullptr ? kBusyNeighbour : 1),
       [=, this, &card, &task] { segment_end(card, task, attempt); });
    return;
  }
  ++metrics_.ooms;
  ++task.tries;
  if (task.tries == 1 || task.promise.epoch == 0) {
    at(now_s_ + std::min(30.0, std::pow(2.0, task.tries)),
       [=, this, &card, &task] { segment_alloc(card, task, attempt); });
    return;
  }
  card.touch(now_s_);
  std::erase(card.segments, &task);
  scheduler_->on_given_back(card, task, false);
  ++task.attempt;
  task.card = kNoCard;
  task.state = Task::State::kWaiting;
  task.not_before_s = now_s_ + 2;
  scheduler_->on_segment_again(task);
}

void Simulation::segment_end(Card& card, Task& task, int attempt) {
  if (task.attempt != attempt) return;
  card.touch(now_s_);
  card.segments_gib = std::max(0.0, card.segments_gib - task.held_gib);
  std::erase(card.segments, &task);
  task.held_gib = 0;
  scheduler_->on_given_back(card, task, false);
  ++task.attempt;
  task.card = kNoCard;
  segment_done(task);
  scheduler_->on_card(card);
}

void Simulation::segment_done(Task& task) {
  task.state = Task::State::kDone;
  metrics_.local_work_s += kSegmentWork * task.run_s;
  Job& job = *task.job;
  if (--job.segments_left > 0) return;
  job.done_s = now_s_;
  metrics_.job_waits_s.push_back(std::max(0.0, now_s_ - job.spec->at_s - job.ideal_s));
}

void Simulation::generation_done(Task& task) {
  task.state = Task::State::kDone;
  Job& job = *task.job;
  if (--job.generations_left > 0) return;
  for (Task* segment : job.segments) {
    segment->ready_s = now_s_;
    segment->state = Task::State::kWaiting;
  }
  scheduler_->on_segments(job);
}

void Simulation::start_cpu(Job& job) {
  ++metrics_.cpu_jobs;
  for (Task* task : job.segments) task->state = Task::State::kCpu;
  cpu_queue_.push_back({&job, job.segments});
  more_cpu();
}

void Simulation::more_cpu() {
  while (!cpu_queue_.empty() && cpus_free_ > 0) {
    std::vector<Task*>& left = cpu_queue_.front().second;
    if (left.empty()) {
      cpu_queue_.pop_front();
      continue;
    }
    Task* const task = left.back();
    left.pop_back();
    --cpus_free_;
    metrics_.segment_waits_s.push_back(now_s_ - task->ready_s);
    task->start_s = now_s_;
    at(now_s_ + task->run_s * (5 + 5 * uniform(kCpuTime, task->id)), [this, task] {
      ++cpus_free_;
      segment_done(*task);
      more_cpu();
    });
  }
}

// Would what runs now, at its true peaks, exceed the memory? What ComfyUI could evict is its own.
void Simulation::check_true_peaks(Card& card) {
  double outstanding = 0;
  if (const Task* task = card.running; task != nullptr && !task->fell_back) {
    const double resident = card.resident(task->model);
    double peak = true_peak(*task, task->shape);
    if (card.dynamic && task->shape != adm::Shape::kPaged) {
      peak -= .5 * model_of(*task).weights_gib;
    }
    const double evictable = card.weights() - resident + card.fill;
    outstanding += std::max(0.0, peak - resident - card.extra - evictable);
  }
  for (const Task* task : card.segments) outstanding += task->gib - task->held_gib;
  const double slack = card.free() - outstanding;
  const bool over = slack < -.01;
  if (over && !card.over_committed) {
    const double grown = std::max(0.0, card.foreign - card.foreign_at_start);
    ++(slack + grown >= -.01 ? metrics_.over_commitments_foreign : metrics_.over_commitments);
  }
  card.over_committed = over;
}

void Simulation::changed(Card& card) {
  check_true_peaks(card);
  scheduler_->on_memory(card);
}

}  // namespace pytoon::benchmark
