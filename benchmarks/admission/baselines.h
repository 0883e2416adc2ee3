// What others do, as they would do it on this fleet: none of them promises memory. An OOM costs a
// prompt a retry here and the tiled fallback always works, so these are flattered: on a card some
// of their OOMs are lost jobs and contexts that do not come back.
//
// Thread rule: one thread.
#pragma once

#include <deque>
#include <optional>

#include "benchmarks/admission/simulation.h"
#include "server/jobs/admission/controller.h"

namespace pytoon::benchmark {

class Baseline : public Scheduler {
 public:
  explicit Baseline(Simulation& simulation) : simulation_(simulation) {}

  PhysicsOptions physics() const override { return {.4, .4, true}; }
  void on_given_back(Card& /*card*/, Task& /*task*/, bool /*died*/) override {}
  void on_observed(Card& /*card*/, Task& /*task*/, double /*gib*/, bool /*censored*/) override {}
  void on_memory(Card& /*card*/) override {}

 protected:
  double full_need(const Task& task) const;
  bool is_up(const Card& card) const { return card.down_until_s <= simulation_.now_s(); }
  bool is_due(const Task& task) const { return task.not_before_s <= simulation_.now_s(); }

  Simulation& simulation_;
};

// A generate lane of one and a render lane of a few a card. Sized: the generate lane takes what
// fits beside the render lane's memory, by the workflow file's figures. Optimistic: whatever's
// weights fit, run and retry.
class Lanes final : public Baseline {
 public:
  enum class Sizing { kStatic, kOptimistic };
  Lanes(Simulation& simulation, Sizing sizing, bool spill);

  void on_generation(Task& task, bool again) override;
  void on_segments(Job& job) override;
  void on_segment_again(Task& task) override { segments_.push_front(&task); }
  void on_card(Card& card) override;
  void on_second() override;

 private:
  bool fits(const Card& card, const Task& task) const;
  bool leaves(Task& task);
  void try_generation(Card& card);
  void try_segments(Card& card);

  const Sizing sizing_;
  const bool spill_;
  std::deque<Task*> waiting_;  // by age
  std::deque<Task*> segments_;
  std::size_t pushes_ = 0;
  int seconds_ = 0;
};

// n slots a card for any task, first come, first served; prompts queue inside ComfyUI and keep
// their slots meanwhile.
class GeneralSlots final : public Baseline {
 public:
  explicit GeneralSlots(Simulation& simulation);

  void on_generation(Task& task, bool again) override;
  void on_segments(Job& job) override;
  void on_segment_again(Task& task) override { waiting_.push_front(&task); }
  void on_card(Card& card) override;
  void on_second() override;

 private:
  std::deque<Task*> waiting_;
  std::vector<std::deque<Task*>> inside_;  // by card: in ComfyUI's queue
};

// A card belongs to one job from its first generation to its last segment.
class OneJob final : public Baseline {
 public:
  explicit OneJob(Simulation& simulation);

  void on_generation(Task& task, bool again) override;
  void on_segments(Job& job) override;
  void on_segment_again(Task& task) override;
  void on_card(Card& card) override;
  void on_second() override;

 private:
  void adopt(Card& card);
  bool start_generations(Card& card, Job& job);
  void start_segments(Card& card, Job& job);
  bool fits(const Card& card, const Task& task) const;

  std::deque<Job*> waiting_;
  std::vector<Job*> owners_;  // by card
};

// Ollama's scheduler: one pending request a node of eight cards; estimate, evict the least recently
// changed idle card, wait up to 5 s for the memory, then load anyway.
class OllamaWay final : public Baseline {
 public:
  explicit OllamaWay(Simulation& simulation);

  void on_generation(Task& task, bool again) override;
  void on_segments(Job& job) override;
  void on_segment_again(Task& task) override;
  void on_card(Card& card) override { serve(nodes_[card.index / kNode]); }
  void on_second() override;

 private:
  static constexpr std::size_t kNode = 8;
  struct Node {
    std::size_t first = 0;
    std::size_t last = 0;  // one past the last card
    std::deque<Task*> queue;
    Card* evicting = nullptr;
    double since_s = 0;
    bool polls = false;
  };

  Node& shortest_queue();
  void serve(Node& node);
  // True when the head of the queue was dealt with.
  bool serve_head(Node& node);
  bool load_evicted(Node& node, Task& task);
  void start(Card& card, Task& task);
  void poll(Node& node);
  bool can_take(const Card& card, const Task& task) const;

  std::vector<Node> nodes_;
  std::vector<double> changed_s_;  // by card
};

}  // namespace pytoon::benchmark
