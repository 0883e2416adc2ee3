// A discrete-event simulation of generations, segments, ComfyUI endpoints, neighbours and
// misfortune on a fleet of GPUs. It knows what memory truly does; who may start what is a
// Scheduler's business (controlled.h: the product's own controller and ledger; baselines.h).
//
// Randomness while it runs is drawn from the seed and the task or card at hand, not from one
// sequence: all policies meet the same luck.
//
// Thread rule: one thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "benchmarks/admission/card.h"
#include "benchmarks/admission/metrics.h"

namespace pytoon::benchmark {

struct PhysicsOptions {
  double reserve_gib = .4;       // --reserve-vram of ComfyUI: its plan leaves that much
  double headroom_gib = .4;      // --vram-headroom of dynamic builds: truly left free
  bool rest_after_ooms = false;  // tasks that failed twice want a larger card (baselines)
};

class Simulation;

class Scheduler {
 public:
  virtual ~Scheduler() = default;
  virtual PhysicsOptions physics() const = 0;
  // A generation waits for the first time, or again after it failed.
  virtual void on_generation(Task& task, bool again) = 0;
  // All segments of a job may start.
  virtual void on_segments(Job& job) = 0;
  virtual void on_segment_again(Task& task) = 0;
  // Something on the card ended or came back.
  virtual void on_card(Card& card) = 0;
  virtual void on_second() = 0;
  // The task has given its memory back; `died`: it could not say so, its process is gone.
  virtual void on_given_back(Card& card, Task& task, bool died) = 0;
  // A prompt ran, or failed (censored), with that peak over the weights.
  virtual void on_observed(Card& card, Task& task, double working_gib, bool censored) = 0;
  // The card's memory changed: does what was promised still hold?
  virtual void on_memory(Card& card) = 0;
};

class Simulation {
 public:
  Simulation(const Trace& trace, Metrics& metrics);

  void run(Scheduler& scheduler);

  // For schedulers.
  double now_s() const { return now_s_; }
  const Trace& trace() const { return trace_; }
  std::vector<Card>& cards() { return cards_; }
  const Model& model_of(const Task& task) const { return trace_.models[task.model]; }
  Metrics& metrics() { return metrics_; }
  void at(double time_s, std::function<void()> event);
  // Uniform in [0, 1), normal: the same for the same purpose and number, whatever came before.
  double uniform(int purpose, std::size_t number) const;
  double normal(int purpose, std::size_t number) const;

  void start_generation(Card& card, Task& task, adm::Shape shape);
  void start_segment(Card& card, Task& task);
  void start_api(Task& task);
  void start_cpu(Job& job);  // the whole job
  // POST /free: `freed` is called when a sample has shown what it brought.
  void free_models(Card& card, std::function<void()> freed);
  void restart_endpoint(Card& card);

  double true_prior(const Task& task, adm::Shape shape) const;
  double true_peak(const Task& task, adm::Shape shape) const;
  std::size_t cpus_free() const { return cpus_free_; }

 private:
  struct Event {
    double time_s;
    std::uint64_t order;
    std::function<void()> happens;
    bool operator>(const Event& other) const {
      return time_s != other.time_s ? time_s > other.time_s : order > other.order;
    }
  };

  void make_jobs();
  void arrive(Job& job);
  void misfortune(const EventSpec& event);
  void foreign_change(Card& card, double gib);
  void worker_death(Card& card);
  void each_second();

  // comfyui.cpp: what a prompt does to memory.
  double load_model(Card& card, Task& task);  // seconds; negative: out of memory
  void sampling(Card& card, Task& task, int attempt, double share, bool decode);
  void fall_back_to_tiles(Card& card, Task& task, int attempt);
  void generation_end(Card& card, Task& task, int attempt);
  void generation_oom(Card& card, Task& task, bool ran);
  void leave_endpoint(Card& card, Task& task);
  void generation_done(Task& task);

  void segment_alloc(Card& card, Task& task, int attempt);
  void segment_end(Card& card, Task& task, int attempt);
  void segment_done(Task& task);
  void more_cpu();
  void changed(Card& card);
  void check_true_peaks(Card& card);

  const Trace& trace_;
  Metrics& metrics_;
  Scheduler* scheduler_ = nullptr;
  PhysicsOptions physics_;
  double now_s_ = 0;
  std::uint64_t order_ = 0;
  std::vector<Event> events_;  // a heap, the next one first
  std::vector<Card> cards_;
  std::deque<Task> tasks_;
  std::deque<Job> jobs_;
  std::size_t cpus_free_ = 0;
  std::deque<std::pair<Job*, std::vector<Task*>>> cpu_queue_;
};

}  // namespace pytoon::benchmark
