// How long to wait before trying again: doubling from `least` to `most`, of which each caller takes
// its own share from a half to the whole, so that those who lost the same server at the same moment
// don't come back at the same moment. Not random: a hash of who asks and how often it tried.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace pytoon::io {

struct Backoff {
  std::chrono::milliseconds least{200};
  std::chrono::milliseconds most{5000};

  // attempt: failures in a row so far, from 1.
  std::chrono::milliseconds wait(std::string_view who, int attempt) const {
    const int doublings = std::clamp(attempt - 1, 0, 20);
    const std::int64_t whole = std::min<std::int64_t>(most.count(), least.count() << doublings);
    // FNV-1a, 64 bits (datatracker.ietf.org/doc/html/draft-eastlake-fnv).
    std::uint64_t hash = 14695981039346656037ULL;
    const auto mix = [&hash](unsigned char byte) { hash = (hash ^ byte) * 1099511628211ULL; };
    for (const char c : who) mix(static_cast<unsigned char>(c));
    mix(static_cast<unsigned char>(attempt));
    mix(static_cast<unsigned char>(attempt >> 8));
    const std::int64_t share = static_cast<std::int64_t>((hash >> 33U) % 1024);
    return std::chrono::milliseconds(whole / 2 + whole * share / 2048);
  }
};

}  // namespace pytoon::io
