// What a notifier and its listeners agree on. Both sides of one fleet need the same stream and
// group.
//
// The wake-up channel is a Redis stream with one consumer group for all workers: an entry wakes one
// worker that has free threads, and counts as acknowledged the moment it is read
// (docs/adr/0005-wake-up-channel.md). It carries no job: the leasing query decides what a woken
// worker gets.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/backoff.h"
#include "server/io/redis/redis_connection.h"

namespace pytoon::io {

struct WakeupOptions {
  std::string stream = "pytoon:wakeups";
  std::string group = "workers";
  // Behaviour.
  int workers_woken = 4;   // by one wake-up, at most
  int entries_kept = 256;  // about; older ones are forgotten
  // Speed and patience. `block` must stay below limits.command.
  RedisLimits limits;
  std::chrono::milliseconds block{1000};
  std::chrono::milliseconds probe{2000};  // how late a quiet connection is found broken
  BackoffLimits backoff;
  std::uint64_t backoff_seed = 0;  // another for each process
};

// Adds entries to the stream, which is made when there is none.
Status add_entries(RedisConnection& connection, const WakeupOptions& options, int count);
Status ping(RedisConnection& connection);
// Makes the consumer group, which hears entries later than `after` ("$": later than now, "0": all).
// Fine when it is there already.
Status make_group(RedisConnection& connection, const WakeupOptions& options,
                  const std::string& after);
// Removes the names of consumers that were not heard of for `quiet`: workers that died.
Status forget_consumers(RedisConnection& connection, const WakeupOptions& options,
                        std::chrono::milliseconds quiet);

}  // namespace pytoon::io
