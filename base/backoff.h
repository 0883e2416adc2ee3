// Exponential back-off with a cap and jitter: how long to wait before something is tried again that
// failed for a passing reason (Persistence::kTransient of base/failure.h). Waits double from
// `first` to `most`; of each a random part between half and the whole is waited ("equal jitter",
// aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter), so that those who lost
// one server at one moment don't come back at one moment.
//
// Randomness is the constructor's seed: the same seed gives the same waits. Take one that no other
// process has, such as seed_from() of its id.
//
// It says how long; waiting is the caller's business, who knows what may cut it short.
//
// Thread rule: one thread at a time. next() takes nanoseconds.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace pytoon {

struct BackoffLimits {
  std::chrono::milliseconds first{200};
  std::chrono::milliseconds most{5000};
};

// FNV-1a, 64 bits (datatracker.ietf.org/doc/html/draft-eastlake-fnv).
constexpr std::uint64_t seed_from(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

// `whole` less up to 1 / divisor of it. The seed is mixed by SplitMix64's finalizer
// (prng.di.unimi.it/splitmix64.c), so that neighbouring ones give waits far apart.
constexpr std::chrono::milliseconds jittered(std::chrono::milliseconds whole, int divisor,
                                             std::uint64_t seed) {
  std::uint64_t bits = seed + 0x9e3779b97f4a7c15ULL;
  bits = (bits ^ (bits >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  bits = (bits ^ (bits >> 27U)) * 0x94d049bb133111ebULL;
  const std::int64_t share = static_cast<std::int64_t>((bits ^ (bits >> 31U)) % 1024);
  return whole - whole / divisor * share / 1024;
}

class Backoff {
 public:
  Backoff(BackoffLimits limits, std::uint64_t seed) : limits_(limits), seed_(seed) {}

  // The wait after one more failure.
  std::chrono::milliseconds next() {
    constexpr int kDoublingsMax = 20;  // of a millisecond: a quarter of an hour
    const int doublings = std::min(failures_++, kDoublingsMax);
    const auto whole = std::min(limits_.most, limits_.first * (std::int64_t{1} << doublings));
    return jittered(whole, 2, seed_ + static_cast<std::uint64_t>(failures_));
  }
  // It succeeded: the next failure is the first again.
  void reset() { failures_ = 0; }

 private:
  const BackoffLimits limits_;
  const std::uint64_t seed_;
  int failures_ = 0;  // in a row
};

}  // namespace pytoon
