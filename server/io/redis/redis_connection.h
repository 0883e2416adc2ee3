// One connection to Redis: opened with its time limits, told who we are, then one command after
// the other. The owner of hiredis' handles.
//
// Thread rule: one thread at a time, except hang_up(). Blocks for at most the time limit of a
// command; finding the host's address blocks as long as the system's resolver.
// Errors: kUnavailable (not reached, too slow, cut off, or Redis answers with an error, which is
// quoted). After a failure that is no answer the connection is broken: make a new one.
// The process must ignore SIGPIPE, or the calling thread block it.
#pragma once

#include <hiredis/hiredis.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/io/redis/redis_url.h"

namespace pytoon::io {

struct RedisLimits {
  std::chrono::milliseconds connect{2000};
  std::chrono::milliseconds command{2000};  // of one read or write; longer than any BLOCK
};

// What Redis answered; nil, strings, numbers and arrays, but never an error.
class RedisReply {
 public:
  explicit RedisReply(redisReply* reply) : reply_(reply) {}

  bool is_nil() const { return reply_->type == REDIS_REPLY_NIL; }
  long long number() const { return reply_->integer; }
  std::string text() const { return text_of(*reply_); }
  // The elements of an array; none for anything else.
  std::vector<const redisReply*> elements() const { return elements_of(*reply_); }

  static std::string text_of(const redisReply& reply);
  static std::vector<const redisReply*> elements_of(const redisReply& reply);

 private:
  struct Deleter {
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
  };
  std::unique_ptr<redisReply, Deleter> reply_;
};

class RedisConnection {
 public:
  // Connects, sends AUTH and SELECT as the address asks.
  static Result<RedisConnection> open(const RedisAddress& address, const RedisLimits& limits);

  // An argument may hold any bytes.
  Result<RedisReply> run(const std::vector<std::string>& command);
  // Ends what run() waits for, from any thread, while this object lives.
  void hang_up() const;

 private:
  struct Deleter {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  explicit RedisConnection(redisContext* context) : context_(context) {}

  std::unique_ptr<redisContext, Deleter> context_;
};

// Whether a Failure of run() quotes an error that begins with this word ("NOGROUP").
bool redis_said(const Failure& failure, std::string_view word);

}  // namespace pytoon::io
