#include "benchmarks/admission/baselines.h"

namespace pytoon::benchmark {
namespace {

enum Purpose { kFreeLag = 12 };

constexpr double kPatience_s = 5;
constexpr double kPoll_s = .25;

}  // namespace

OllamaWay::OllamaWay(Simulation& simulation)
    : Baseline(simulation), changed_s_(simulation.cards().size()) {
  const std::size_t count = simulation.cards().size();
  for (std::size_t first = 0; first < count; first += kNode) {
    Node& node = nodes_.emplace_back();
    node.first = first;
    node.last = std::min(first + kNode, count);
  }
}

OllamaWay::Node& OllamaWay::shortest_queue() {
  return *std::min_element(nodes_.begin(), nodes_.end(), [](const Node& a, const Node& b) {
    return a.queue.size() < b.queue.size();
  });
}

void OllamaWay::on_generation(Task& task, bool again) {
  Node& node = shortest_queue();
  if (again) {
    node.queue.push_front(&task);
  } else {
    node.queue.push_back(&task);
  }
  serve(node);
}

void OllamaWay::on_segments(Job& job) {
  Node& node = shortest_queue();
  node.queue.insert(node.queue.end(), job.segments.begin(), job.segments.end());
  serve(node);
}

void OllamaWay::on_segment_again(Task& task) { shortest_queue().queue.push_front(&task); }

bool OllamaWay::can_take(const Card& card, const Task& task) const {
  if (!task.generation) return card.segments.size() < kRenderSlots;
  return card.running == nullptr && is_up(card) && card.total >= task.card_min_gib &&
         full_need(task) <= card.usable();
}

void OllamaWay::start(Card& card, Task& task) {
  changed_s_[card.index] = simulation_.now_s();
  if (task.generation) {
    simulation_.start_generation(card, task, adm::Shape::kFull);
  } else {
    simulation_.start_segment(card, task);
  }
}

void OllamaWay::serve(Node& node) {
  while (!node.queue.empty() && serve_head(node)) {
  }
}

// After an eviction: waits for the memory, for five seconds, then loads anyway.
bool OllamaWay::load_evicted(Node& node, Task& task) {
  Card& card = *node.evicting;
  const double need = task.generation ? full_need(task) : task.gib;
  const bool waited = simulation_.now_s() - node.since_s >= kPatience_s;
  if (card.free() < need && !waited) {
    poll(node);
    return false;
  }
  node.evicting = nullptr;
  const bool taken = task.generation ? card.running != nullptr || !is_up(card)
                                     : card.segments.size() >= kRenderSlots;
  if (taken) {
    poll(node);
    return false;
  }
  node.queue.pop_front();
  start(card, task);
  return true;
}

bool OllamaWay::serve_head(Node& node) {
  Task& task = *node.queue.front();
  if (!is_due(task)) {
    simulation_.at(task.not_before_s, [this, &node] { serve(node); });
    return false;
  }
  if (node.evicting != nullptr) return load_evicted(node, task);
  Card* best = nullptr;
  Card* oldest = nullptr;
  for (std::size_t i = node.first; i < node.last; ++i) {
    Card& card = simulation_.cards()[i];
    if (!can_take(card, task)) continue;
    const double resident = task.generation ? card.resident(task.model) : 0;
    const double need = task.generation ? full_need(task) - resident : task.gib;
    if (card.free() >= need) {
      const auto rank = [&](const Card& one) {
        return std::pair(task.generation && one.resident(task.model) > 0, one.free());
      };
      if (best == nullptr || rank(card) > rank(*best)) best = &card;
    } else if (card.running == nullptr && !card.cached.empty() &&
               (oldest == nullptr || changed_s_[i] < changed_s_[oldest->index])) {
      oldest = &card;
    }
  }
  if (best != nullptr) {
    node.queue.pop_front();
    start(*best, task);
    return true;
  }
  if (oldest != nullptr) {
    node.evicting = oldest;
    node.since_s = simulation_.now_s();
    simulation_.free_models(*oldest, [] {});
    poll(node);
  }
  return false;
}

void OllamaWay::poll(Node& node) {
  if (node.polls) return;
  node.polls = true;
  simulation_.at(simulation_.now_s() + kPoll_s, [this, &node] {
    node.polls = false;
    serve(node);
  });
}

void OllamaWay::on_second() {
  for (Node& node : nodes_) serve(node);
}

}  // namespace pytoon::benchmark
