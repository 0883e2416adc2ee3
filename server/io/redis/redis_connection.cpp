#include "server/io/redis/redis_connection.h"

#include <sys/socket.h>
#include <sys/time.h>

namespace pytoon::io {
namespace {

constexpr std::string_view kAnswer = "Redis answers: ";

timeval as_timeval(std::chrono::milliseconds duration) {
  timeval made{};
  made.tv_sec = static_cast<time_t>(duration.count() / 1000);
  made.tv_usec = static_cast<suseconds_t>(duration.count() % 1000 * 1000);
  return made;
}

Failure unavailable(const std::string& detail) {
  return failure(FailureKind::kUnavailable, detail);
}

// hiredis reports a passed time limit as EAGAIN.
std::string what_broke(const redisContext& context) {
  if (context.err == REDIS_ERR_EOF) return "Redis closed the connection";
  if (context.err == REDIS_ERR_IO && (errno == EAGAIN || errno == EINPROGRESS)) {
    return "Redis does not answer in time";
  }
  return "Redis can't be reached: " + std::string(context.errstr);
}

}  // namespace

std::string RedisReply::text_of(const redisReply& reply) {
  return reply.str == nullptr ? std::string() : std::string(reply.str, reply.len);
}

std::vector<const redisReply*> RedisReply::elements_of(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_ARRAY) return {};
  return {reply.element, reply.element + reply.elements};
}

bool redis_said(const Failure& failure, std::string_view word) {
  const std::string_view detail = failure.detail;
  return detail.starts_with(kAnswer) && detail.substr(kAnswer.size()).starts_with(word);
}

Result<RedisConnection> RedisConnection::open(const RedisAddress& address,
                                              const RedisLimits& limits) {
  redisContext* const context =
      redisConnectWithTimeout(address.host.c_str(), address.port, as_timeval(limits.connect));
  if (context == nullptr) return unavailable("no memory for a connection to Redis");
  RedisConnection made(context);
  if (context->err != 0) {
    return unavailable("Redis at " + address.text() + " can't be reached: " + context->errstr);
  }
  redisSetTimeout(context, as_timeval(limits.command));
  redisEnableKeepAlive(context);
  if (!address.password.empty()) {
    std::vector<std::string> command{"AUTH"};
    if (!address.user.empty()) command.push_back(address.user);
    command.push_back(address.password);
    const Result<RedisReply> known = made.run(command);
    if (!known) return known.failure();
  }
  if (address.database != 0) {
    const Result<RedisReply> chosen = made.run({"SELECT", std::to_string(address.database)});
    if (!chosen) return chosen.failure();
  }
  return made;
}

Result<RedisReply> RedisConnection::run(const std::vector<std::string>& command) {
  std::vector<const char*> words;
  std::vector<std::size_t> sizes;
  for (const std::string& word : command) {
    words.push_back(word.data());
    sizes.push_back(word.size());
  }
  errno = 0;
  void* const answer =
      redisCommandArgv(context_.get(), static_cast<int>(words.size()), words.data(), sizes.data());
  if (answer == nullptr) return unavailable(what_broke(*context_));
  auto* const raw = static_cast<redisReply*>(answer);
  RedisReply reply(raw);
  if (raw->type != REDIS_REPLY_ERROR) return reply;
  return unavailable(std::string(kAnswer) + reply.text());
}

void RedisConnection::hang_up() const { ::shutdown(context_->fd, SHUT_RDWR); }

}  // namespace pytoon::io
