// Takes from this process, for good, all that decoding a file does not need: it can read, write and
// map what it has open already, take memory within limits, start threads and end. It can't open
// anything, reach a network, start or trace a process, signal one, or run code that it was not
// started with.
//
// Held by rlimits, no_new_privs, a Landlock rule set that allows nothing (where the kernel has
// Landlock), and a seccomp filter that lists what is allowed: what libraries try in vain is refused
// with EPERM, what only an attack tries ends the process with SIGSYS.
//
// Thread rule: the process must have one thread. Does not block. Errors: kUnavailable when the
// kernel can't filter system calls: then nothing of a stranger may be decoded.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "base/result.h"

namespace pytoon::media {

struct ProcessLimits {
  std::uint64_t memory_bytes = std::uint64_t{1} << 30;  // its own, without shared libraries
  std::uint64_t written_bytes = 0;                      // the size that a file it writes may reach
  std::chrono::seconds cpu{60};                         // SIGXCPU, and a second later SIGKILL
};

// What can be made ready before a process is forked: the filter.
class Confinement {
 public:
  Confinement();
  ~Confinement();
  Confinement(const Confinement&) = delete;
  Confinement& operator=(const Confinement&) = delete;

  // Of the process that calls it.
  Status confine(const ProcessLimits& limits);

 private:
  class SystemCalls;
  const std::unique_ptr<SystemCalls> filter_;
};

}  // namespace pytoon::media
