#include "benchmarks/admission/baselines.h"

namespace pytoon::benchmark {
namespace {

using adm::Decision;

constexpr double kSegmentRoom_gib = .6;
constexpr double kBigModel_gib = 17;
constexpr int kSpillPeriod = 6;

int lane_slots(const Card& card) { return card.total < 48 ? 2 : 4; }

std::chrono::milliseconds ms(double seconds) {
  return std::chrono::milliseconds(std::llround(seconds * 1000));
}

}  // namespace

double Baseline::full_need(const Task& task) const {
  const Model& model = simulation_.model_of(task);
  return model.weights_gib + std::max(model.sampling_gib, model.decode_gib);
}

Lanes::Lanes(Simulation& simulation, Sizing sizing, bool spill)
    : Baseline(simulation), sizing_(sizing), spill_(spill) {}

bool Lanes::fits(const Card& card, const Task& task) const {
  if (card.total < task.card_min_gib) return false;
  if (sizing_ == Sizing::kStatic) {
    return full_need(task) <= card.usable() - lane_slots(card) * kSegmentRoom_gib;
  }
  return simulation_.model_of(task).weights_gib + 1 <= card.usable();
}

// The product's own rule, with what a scheduler without profiles knows.
bool Lanes::leaves(Task& task) {
  if (!spill_ || !task.job->spec->local_preferred) return false;
  const Model& model = simulation_.model_of(task);
  const double smallest = std::max(task.card_min_gib, model.weights_gib + kContextsGib);
  adm::CardQueue queue;
  adm::CardSizes sizes;
  for (const Card& card : simulation_.cards()) {
    if (card.total < smallest) continue;
    ++queue.cards;
    sizes.usable = {bytes_of(card.usable())};
  }
  const bool all = queue.cards == static_cast<int>(simulation_.cards().size());
  double waiting_s = 0;
  for (const Task* other : waiting_) {
    if (all || simulation_.model_of(*other).weights_gib >= kBigModel_gib) {
      waiting_s += simulation_.trace().workflows[other->workflow].run_s;
    }
  }
  queue.queued = ms(waiting_s);
  adm::Request request;
  request.priority = task.job->spec->priority;
  if (request.priority > 0) request.deadline = wall_time(task.job->deadline_s);
  request.policy = adm::EnginePolicy::kLocalPreferred;
  request.offer = {std::llround(model.api_usd * 1e6), ms(model.api_latency_s)};
  request.demand.run = ms(task.run_s);
  const Decision decision =
      adm::decide_spill(request, queue, sizes, {}, wall_time(simulation_.now_s()));
  if (decision.kind != Decision::Kind::kElsewhere) return false;
  simulation_.start_api(task);
  return true;
}

void Lanes::on_generation(Task& task, bool again) {
  if (leaves(task)) return;
  if (again) {
    waiting_.push_front(&task);
    return;
  }
  waiting_.push_back(&task);
  std::vector<Card>& cards = simulation_.cards();
  const std::size_t first = ++pushes_ * 7919;
  for (std::size_t i = 0; i < cards.size() && task.state == Task::State::kWaiting; ++i) {
    try_generation(cards[(first + i) % cards.size()]);
  }
}

void Lanes::try_generation(Card& card) {
  if (card.running != nullptr || !is_up(card)) return;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    Task& task = *waiting_[i];
    if (!is_due(task) || !fits(card, task)) continue;
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
    return simulation_.start_generation(card, task, adm::Shape::kFull);
  }
}

void Lanes::on_segments(Job& job) {
  segments_.insert(segments_.end(), job.segments.begin(), job.segments.end());
  std::vector<Card>& cards = simulation_.cards();
  const std::size_t looks = std::min<std::size_t>(cards.size(), 12);
  for (std::size_t i = 0; i < looks && !segments_.empty(); ++i) {
    try_segments(cards[cards.size() <= 12 ? i : (++pushes_ * 31) % cards.size()]);
  }
}

void Lanes::try_segments(Card& card) {
  const auto slots =
      static_cast<std::size_t>(sizing_ == Sizing::kStatic ? lane_slots(card) : kRenderSlots);
  for (std::size_t i = 0; i < std::min<std::size_t>(segments_.size(), 8);) {
    if (card.segments.size() >= slots) return;
    Task& task = *segments_[i];
    if (!is_due(task)) {
      ++i;
      continue;
    }
    segments_.erase(segments_.begin() + static_cast<std::ptrdiff_t>(i));
    simulation_.start_segment(card, task);
  }
}

void Lanes::on_card(Card& card) {
  try_segments(card);
  try_generation(card);
}

void Lanes::on_second() {
  if (spill_ && ++seconds_ % kSpillPeriod == 0) {
    const std::deque<Task*> waiting = waiting_;
    for (Task* task : waiting) {
      if (leaves(*task)) std::erase(waiting_, task);
    }
  }
  for (Card& card : simulation_.cards()) on_card(card);
}

}  // namespace pytoon::benchmark
