#include "server/io/redis/wakeup_channel.h"

namespace pytoon::io {
namespace {

Status as_status(const Result<RedisReply>& reply) {
  if (!reply) return reply.failure();
  return ok_status();
}

// A map comes as an array of names and values in turn.
const redisReply* member(const redisReply& map, std::string_view name) {
  const auto fields = RedisReply::elements_of(map);
  for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
    if (RedisReply::text_of(*fields[i]) == name) return fields[i + 1];
  }
  return nullptr;
}

}  // namespace

Status add_entries(RedisConnection& connection, const WakeupOptions& options, int count) {
  for (int i = 0; i < count; ++i) {
    const Result<RedisReply> added =
        connection.run({"XADD", options.stream, "MAXLEN", "~", std::to_string(options.entries_kept),
                        "*", "wakeup", "1"});
    if (!added) return added.failure();
  }
  return ok_status();
}

Status ping(RedisConnection& connection) { return as_status(connection.run({"PING"})); }

Status make_group(RedisConnection& connection, const WakeupOptions& options,
                  const std::string& after) {
  const Result<RedisReply> made =
      connection.run({"XGROUP", "CREATE", options.stream, options.group, after, "MKSTREAM"});
  if (made || redis_said(made.failure(), "BUSYGROUP")) return ok_status();
  return made.failure();
}

Status forget_consumers(RedisConnection& connection, const WakeupOptions& options,
                        std::chrono::milliseconds quiet) {
  const Result<RedisReply> consumers =
      connection.run({"XINFO", "CONSUMERS", options.stream, options.group});
  if (!consumers) return consumers.failure();
  for (const redisReply* consumer : consumers->elements()) {
    const redisReply* const name = member(*consumer, "name");
    const redisReply* const idle_ms = member(*consumer, "idle");
    if (name == nullptr || idle_ms == nullptr || idle_ms->integer < quiet.count()) continue;
    const Result<RedisReply> removed = connection.run(
        {"XGROUP", "DELCONSUMER", options.stream, options.group, RedisReply::text_of(*name)});
    if (!removed) return removed.failure();
  }
  return ok_status();
}

}  // namespace pytoon::io
