// The promise ledger: leased, fenced reservations of GPU memory, one row a GPU (by UUID), shared by
// all processes that use it. A promise is given before memory is taken and given back after the
// memory is: no allocation above a few MB happens outside a promise.
//
// Who calls what: the sampler of a node publishes a sample of each card about four times a second;
// who wants to start a task reads state(), decides (controller.h) and asks for the promise; who has
// one renews it at a third of its lease and releases it at the end. A process that dies does
// nothing: its promises run out with their leases, and their memory counts as taken until a sample
// younger than that shows it free.
//
// Each call is judged under the lock of its GPU's row, so any number of replicas may decide at
// once: together they are never given more than one of them alone would be. All follow
// ledger_rules.h. Times are the ledger's own clock; nobody needs to agree on the time with anybody.
//
// Errors: kNotFound: no such GPU or promise. kConflict: refused (a stale epoch, an older sample).
// A machine failing underneath (a database away) is kUnavailable; then nothing was given.
//
// Thread rule: any thread. Blocks for a row's lock, a database's round trip.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "server/jobs/admission/ledger_rules.h"

namespace pytoon::jobs::admission {

// What a sample brought to light; edges only: a breach that goes on is not told again.
struct Published {
  Balance balance;
  bool violation_began = false;     // count it, by balance.cause
  bool headroom_use_began = false;  // below headroom, not below zero
};

using Granted = std::variant<Promise, Refusal>;

class PromiseLedger {
 public:
  virtual ~PromiseLedger() = default;

  // The time by which everything here is judged. A sampler asks before it reads the driver.
  virtual Result<WallTime> now() = 0;

  // The newest sample of a card; makes its row at first. kConflict when a younger one is there, or
  // it is from the future: not stamped with now().
  virtual Result<Published> publish(const std::string& gpu, const Sample& sample) = 0;
  // One card, or all of them by UUID, each as one consistent state.
  virtual Result<GpuState> state(const std::string& gpu) = 0;
  virtual Result<std::vector<GpuState>> states() = 0;

  // Gives the promise or says why not. A refused caller decides anew, with the new state.
  virtual Result<Granted> promise(const Wish& wish) = 0;
  // A running task needs more, or can do with less. The same epoch stays. nullopt: done.
  virtual Result<std::optional<Refusal>> resize(const Promise& promise, Bytes bytes) = 0;
  // Those of the promises that are no more: stop their tasks, their memory is not yours any more.
  virtual Result<std::vector<Promise>> renew(const std::vector<Promise>& promises) = 0;
  // The memory was given back. Ended or unknown promises are no error: twice does no more than
  // once.
  virtual Status release(const Promise& promise) = 0;

  // Keeps the card's endpoint for a task, for `duration`. kConflict when it is kept for another one
  // or the task has a reservation on another card.
  virtual Status reserve(const std::string& gpu, const std::string& task, Bytes bytes,
                         std::chrono::milliseconds duration) = 0;
  // The task started or left: whatever was kept for it is free.
  virtual Status unreserve(const std::string& task) = 0;

  // Before POST /free or a restart is sent. kConflict when one is under way or was less than
  // `interval` ago, or a prompt runs.
  virtual Status begin_room(const std::string& gpu, const std::string& task,
                            std::chrono::milliseconds interval) = 0;
  // A sample younger than the reply shows the memory, or the time for it is up.
  virtual Status end_room(const std::string& gpu) = 0;

  // Forgets promises that count no more and gives those whose leases ran out, once each.
  virtual Result<std::vector<Promise>> expire() = 0;
};

}  // namespace pytoon::jobs::admission
