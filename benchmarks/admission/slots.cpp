// Baselines that give whole tasks or whole jobs a place on a card: n slots, one job.
#include "benchmarks/admission/baselines.h"

namespace pytoon::benchmark {
namespace {

constexpr double kSegmentRoom_gib = .6;
constexpr std::size_t kLookAhead = 20;

int slots_of(const Card& card) { return card.total < 48 ? 2 : card.total < 80 ? 3 : 4; }

}  // namespace

GeneralSlots::GeneralSlots(Simulation& simulation)
    : Baseline(simulation), inside_(simulation.cards().size()) {}

void GeneralSlots::on_generation(Task& task, bool again) {
  if (again) {
    waiting_.push_front(&task);
  } else {
    waiting_.push_back(&task);
  }
  for (Card& card : simulation_.cards()) on_card(card);
}

void GeneralSlots::on_segments(Job& job) {
  waiting_.insert(waiting_.end(), job.segments.begin(), job.segments.end());
  for (Card& card : simulation_.cards()) on_card(card);
}

void GeneralSlots::on_card(Card& card) {
  std::deque<Task*>& inside = inside_[card.index];
  const auto slots = static_cast<std::size_t>(slots_of(card));
  for (std::size_t i = 0; i < std::min(waiting_.size(), kLookAhead);) {
    const std::size_t used = card.segments.size() + inside.size() + (card.running != nullptr);
    if (used >= slots) break;
    Task& task = *waiting_[i];
    const bool fits =
        !task.generation || (card.total >= task.card_min_gib &&
                             full_need(task) <= card.usable() - slots_of(card) * kSegmentRoom_gib);
    if (!is_due(task) || !fits) {
      ++i;
      continue;
    }
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
    if (task.generation) {
      inside.push_back(&task);
    } else {
      simulation_.start_segment(card, task);
    }
  }
  if (inside.empty() || card.running != nullptr || !is_up(card)) return;
  Task& next = *inside.front();
  inside.pop_front();
  simulation_.start_generation(card, next, adm::Shape::kFull);
}

void GeneralSlots::on_second() {
  for (Card& card : simulation_.cards()) on_card(card);
}

OneJob::OneJob(Simulation& simulation) : Baseline(simulation), owners_(simulation.cards().size()) {}

bool OneJob::fits(const Card& card, const Task& task) const {
  return card.total >= task.card_min_gib && full_need(task) <= card.usable();
}

void OneJob::on_generation(Task& task, bool again) {
  if (again) return;  // its card looks again
  Job& job = *task.job;
  if (&task != job.generations.front()) return;
  waiting_.push_back(&job);
  on_second();
}

void OneJob::on_segments(Job& job) {
  if (job.generations.empty()) waiting_.push_back(&job);
  on_second();
}

void OneJob::on_segment_again(Task& /*task*/) {}

void OneJob::adopt(Card& card) {
  for (std::size_t i = 0; i < std::min(waiting_.size(), kLookAhead); ++i) {
    Job& job = *waiting_[i];
    const bool fit = std::all_of(
        job.generations.begin(), job.generations.end(),
        [&](const Task* task) { return task->state == Task::State::kDone || fits(card, *task); });
    if (!fit) continue;
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
    owners_[card.index] = &job;
    job.owner = card.index;
    return;
  }
}

// False when the card had to let go of the job.
bool OneJob::start_generations(Card& card, Job& job) {
  if (card.running != nullptr || !is_up(card)) return true;
  for (Task* task : job.generations) {
    if (task->state != Task::State::kWaiting || !is_due(*task)) continue;
    if (!fits(card, *task)) {  // it broke here: a larger card
      owners_[card.index] = nullptr;
      job.owner = kNoCard;
      waiting_.push_front(&job);
      return false;
    }
    simulation_.start_generation(card, *task, adm::Shape::kFull);
    return true;
  }
  return true;
}

void OneJob::start_segments(Card& card, Job& job) {
  for (Task* task : job.segments) {
    if (card.segments.size() >= kRenderSlots) return;
    if (task->state == Task::State::kWaiting && is_due(*task)) {
      simulation_.start_segment(card, *task);
    }
  }
}

void OneJob::on_card(Card& card) {
  Job*& owner = owners_[card.index];
  if (owner != nullptr && owner->done_s >= 0) owner = nullptr;
  if (owner == nullptr) adopt(card);
  if (owner == nullptr || !start_generations(card, *owner)) return;
  if (owner->generations_left == 0) start_segments(card, *owner);
}

void OneJob::on_second() {
  for (Card& card : simulation_.cards()) on_card(card);
}

}  // namespace pytoon::benchmark
