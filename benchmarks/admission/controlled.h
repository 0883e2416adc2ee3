// The policy under test: the product's controller, profiles and promise ledger, driven as a node's
// workers would drive them. With `oracle` the same controller knows true peaks, reads the card at
// this very instant and needs no headroom: what a perfect estimate could have made of the trace.
//
// Thread rule: one thread.
#pragma once

#include <map>
#include <set>

#include "benchmarks/admission/simulation.h"
#include "server/jobs/admission/memory_ledger.h"
#include "server/jobs/admission/placement.h"

namespace pytoon::benchmark {

// Time as the simulation has it; never the same twice for the oracle, whose samples are this
// instant's.
class SimulatedClock final : public Clock {
 public:
  WallTime now() const override { return now_; }
  SteadyTime steady_now() const override { return SteadyTime(now_.time_since_epoch()); }
  void sleep_for(std::chrono::milliseconds duration) override { now_ += duration; }
  void reach(WallTime time) { now_ = std::max(now_, time); }
  void step() { now_ += std::chrono::microseconds(1); }

 private:
  WallTime now_;
};

struct ControlledOptions {
  bool oracle = false;
  bool spill = false;
  bool shapes = true;  // false: only the full one (an ablation)
  bool learning = true;
  adm::ControllerOptions controller;
};

class Controlled final : public Scheduler {
 public:
  Controlled(Simulation& simulation, const ControlledOptions& options);

  PhysicsOptions physics() const override { return {2.5, 2.5, false}; }
  void on_generation(Task& task, bool again) override;
  void on_segments(Job& job) override;
  void on_segment_again(Task& task) override;
  void on_card(Card& card) override;
  void on_second() override;
  void on_given_back(Card& card, Task& task, bool died) override;
  void on_observed(Card& card, Task& task, double working_gib, bool censored) override;
  void on_memory(Card& card) override;

 private:
  struct Key {
    double age_s;
    std::size_t id;
    Task* task;
    bool operator<(const Key& other) const {
      return age_s != other.age_s ? age_s < other.age_s : id < other.id;
    }
  };
  using Queue = std::set<Key>;

  static Key key_of(Task& task);
  adm::Demand demand_of(const Task& task) const;
  adm::Request request_of(const Task& task) const;
  std::size_t size_class(const Task& task) const;
  adm::CardQueue card_queue(Task& task) const;
  bool spilled(Task& task);
  void enqueue(Task& task);
  void dequeue(Task& task);
  void push(Task& task);

  WallTime ledger_time();
  adm::GpuState state_of(Card& card);
  void refresh(Card& card);
  void try_generation(Card& card);
  void carry_out(Card& card, Task& task, const adm::Decision& decision);
  void start(Card& card, Task& task, const adm::Decision& decision);
  void make_room(Card& card, Task& task, const adm::Decision& decision);
  void note_overtaken(const Card& card, const Task& started);
  void try_segments(Card& card);
  bool try_segment(Card& card, Task& task);
  void renew_all();

  Simulation& simulation_;
  const ControlledOptions options_;
  SimulatedClock clock_;
  adm::MemoryLedger ledger_;
  adm::PlacementTable table_;
  adm::CardSizes sizes_;
  std::vector<adm::Profile> profiles_;
  std::vector<Queue> queues_;  // of generations, by workflow
  Queue segments_;
  std::size_t waiting_ = 0;
  std::vector<double> class_work_s_;  // waiting run time, by the smallest card that could do it
  std::map<const Task*, std::pair<std::size_t, double>> queued_class_;
  std::map<const Task*, std::string> reserved_on_;
  std::vector<char> violated_;
  std::vector<char> headroom_used_;
  double renewed_s_ = 0;
  int seconds_ = 0;
};

}  // namespace pytoon::benchmark
