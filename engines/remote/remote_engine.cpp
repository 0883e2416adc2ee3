#include "engines/remote/remote_engine.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/json.h"

namespace pytoon::engines {
namespace {

constexpr int kTroublesMax = 10;  // in a row, while polling
constexpr int kDownloadsMax = 2;
constexpr std::chrono::seconds kCallOff{5};
constexpr std::size_t kKeyHexDigits = 32;

Failure said(const std::string& what, const std::string& detail) {
  return failure(FailureKind::kEngine, detail.empty() ? what : what + ": " + detail);
}

// Cut at a UTF-8 character.
std::string cut(const std::string& text, int chars_max) {
  std::size_t at = 0;
  for (int chars = 0; at < text.size(); ++at) {
    const bool begins = (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80;
    if (begins && ++chars > chars_max) break;
  }
  return text.substr(0, at);
}

bool discarded(const Watch& watch) { return watch.discarded && watch.discarded(); }

}  // namespace

Result<std::unique_ptr<RemoteEngine>> RemoteEngine::make(RemoteSettings settings,
                                                         RemoteParts parts) {
  Result<WebAddress> base = parse_web_address(settings.base_url);
  if (!base) return base.failure();
  return std::unique_ptr<RemoteEngine>(
      new RemoteEngine(std::move(settings), parts, std::move(*base)));
}

RemoteEngine::RemoteEngine(RemoteSettings settings, RemoteParts parts, WebAddress base)
    : settings_(std::move(settings)),
      parts_(parts),
      base_(std::move(base)),
      egress_(settings_.private_network || names_private_network(base_) ? EgressScope::kAny
                                                                        : EgressScope::kPublic) {}

Capabilities RemoteEngine::capabilities() const {
  Capabilities can = settings_.provider.capabilities;
  can.slots = settings_.slots;
  return can;
}

Result<Quote> RemoteEngine::quote(const FootageRequest& request) const {
  const Provider& provider = settings_.provider;
  if (request.image ? !provider.capabilities.image_to_video && !provider.capabilities.text_to_video
                    : !provider.capabilities.text_to_video) {
    return failure(FailureKind::kForbidden, "needs an image");
  }
  const std::int64_t cost =
      provider.capabilities.micro_usd_per_second * provider.duration_for(request.duration_seconds);
  return Quote{cost, provider.capabilities.latency, settings_.slots, ""};
}

Json RemoteEngine::values_for(const FootageRequest& request, const std::string& key) const {
  Json values{{"key", settings_.key},
              {"id", nullptr},
              {"idempotency_key", "pytoon-" + sha256_hex(key).substr(0, kKeyHexDigits)},
              {"archetype", spec::name_of(request.archetype)},
              {"brand_safe", request.brand_safe},
              {"prompt", cut(request.prompt, settings_.provider.prompt_chars_max)},
              {"seed", request.seed},
              {"seconds", settings_.provider.duration_for(request.duration_seconds)},
              {"image", nullptr},
              {"platform", request.platform},
              {"width", request.frame.width},
              {"height", request.frame.height}};
  return values;
}

Status RemoteEngine::health(const Watch& watch) {
  if (!settings_.provider.health) return ok_status();
  const FootageRequest none;
  const Order order{none, watch, "", values_for(none, "")};
  Result<HttpAnswer> answer = ask(*settings_.provider.health, order);
  if (!answer) return answer.failure();
  if (answer->ok()) return ok_status();
  return failure(FailureKind::kUnavailable,
                 "its health check answers " + std::to_string(answer->status));
}

Result<plan::SegmentSource> RemoteEngine::generate(const FootageRequest& request,
                                                   const Watch& watch) {
  const Result<Quote> quoted = quote(request);
  if (!quoted) return quoted.failure();
  const std::string key = settings_.name + ":" + request.key();
  Order order{request, watch, key, values_for(request, key)};
  Purchase purchase;
  const Status reserved = note(watch, [&]() -> Status {
    Result<Purchase> made =
        parts_.ledger.reserve({key, request.job_id, quoted->micro_usd}, parts_.caps);
    if (!made) return made.failure();
    purchase = std::move(*made);
    return ok_status();
  });
  if (!reserved) return reserved.failure();
  Result<std::string> id = this->order(order, purchase);
  if (!id) return id.failure();
  order.values["id"] = *id;
  Result<Json> done = wait_until_done(order);
  if (!done) {
    // What was interrupted may be taken up again and go on; what failed or took too long is over.
    const FailureKind kind = done.failure().kind;
    const bool cancelled = kind == FailureKind::kCancelled;
    if (cancelled && !discarded(watch)) return done.failure();
    const bool runs = cancelled || kind == FailureKind::kTimeout;
    if (Status ended = end(order, runs); !ended) return ended.failure();
    return done.failure();
  }
  return fetch(order, std::move(*done));
}

// The provider's id of the order: of an earlier one when there was one.
Result<std::string> RemoteEngine::order(Order& order, const Purchase& purchase) {
  using State = Purchase::State;
  if (purchase.state == State::kOrdered) return purchase.remote_id;
  if (purchase.state == State::kEnded) {
    return failure(FailureKind::kForbidden, "was asked in this run and gave nothing");
  }
  if (purchase.state == State::kAsked && settings_.provider.submit.idempotency_header.empty()) {
    return failure(FailureKind::kForbidden,
                   "may have been paid for this segment already, is not asked twice");
  }
  Status given = give_image(order);
  bool surely_unpaid = true;
  Result<std::string> id = given ? submit(order, surely_unpaid) : given.failure();
  if (!id) {
    if (!surely_unpaid && id.failure().kind == FailureKind::kCancelled && discarded(order.watch)) {
      tell_not_cancelled(order, "cancelled while it was being sent");
    }
    // Nothing was sent in this call; of an earlier one that is not known.
    if (surely_unpaid && purchase.state == State::kNew) {
      const Status freed = note(order.watch, [&] { return parts_.ledger.released(order.key); });
      if (!freed) return freed.failure();
    }
    return id;
  }
  const Status noted = note(order.watch, [&] { return parts_.ledger.ordered(order.key, *id); });
  if (!noted) return noted.failure();
  return id;
}

// The answer that says the clip is ready.
Result<Json> RemoteEngine::wait_until_done(const Order& order) {
  const Provider::Poll& poll = settings_.provider.poll;
  Backoff backoff({poll.interval * 2, settings_.backoff.most}, seed_from(order.key));
  std::chrono::milliseconds wait = poll.interval;
  int troubles = 0;
  for (;;) {
    if (Status waited = pause(parts_.clock, order.watch, wait); !waited) return waited.failure();
    const Result<HttpAnswer> answer = ask(poll.call, order);
    if (!answer && !is_transport_failure(answer.failure().kind)) return answer.failure();
    if (answer && (answer->status == 404 || answer->status == 410)) {
      return said("has lost the order", "");
    }
    Json json;
    if (answer && answer->ok()) json = parse_json<Json>(answer->body);
    if (!json.is_object()) {
      if (++troubles >= kTroublesMax) {
        return answer ? said("answers " + std::to_string(answer->status) + " when polled",
                             excerpt_of(answer->body))
                      : answer.failure();
      }
      const auto asked = answer ? answer->retry_after() : std::nullopt;
      wait = backoff.next();
      if (asked) wait = std::min<std::chrono::milliseconds>(*asked, settings_.backoff.most);
      continue;
    }
    troubles = 0;
    backoff.reset();
    wait = poll.interval;
    const std::string status = text_at(json, poll.status);
    if (poll.done.contains(status)) return json;
    if (poll.failed.contains(status)) return said(status, excerpt_of(text_at(json, poll.error)));
    const Json::json_pointer at(poll.progress);
    if (order.watch.progress && !poll.progress.empty() && json.contains(at) &&
        json.at(at).is_number()) {
      order.watch.progress(std::clamp(json.at(at).get<double>() / poll.progress_of, 0.0, 1.0));
    }
  }
}

Result<plan::SegmentSource> RemoteEngine::fetch(const Order& order, Json answer) {
  if (settings_.provider.result.call) {
    Result<HttpAnswer> fetched = ask(*settings_.provider.result.call, order);
    if (!fetched) return fetched.failure();
    answer = parse_json<Json>(fetched->body);
  }
  const Result<std::string> link = video_link(order, answer);
  Failure last;
  for (int tries = 0; link && tries < kDownloadsMax; ++tries) {
    const Status saved = download(*link, order);
    const Result<double> seconds =
        saved ? parts_.verify(order.request.output, media::UnsaidMatrix::kBySize)
              : Result<double>(saved.failure());
    if (seconds) {
      Result<std::string> sha256 = sha256_file(order.request.output);
      if (!sha256) return sha256.failure();
      return plan::SegmentSource(plan::SourceKind::kClip,
                                 plan::InputFile{order.request.output, std::move(*sha256)});
    }
    last = seconds.failure();
    std::error_code ignored;
    std::filesystem::remove(order.request.output, ignored);
    if (last.kind == FailureKind::kCancelled) return last;
    if (!is_transport_failure(last.kind) && last.kind != FailureKind::kMedia) break;
  }
  if (Status ended = end(order, false); !ended) return ended.failure();
  return link ? last : link.failure();
}

Status RemoteEngine::end(const Order& order, bool cancel_remote) {
  if (cancel_remote) call_off(order);
  return note(order.watch, [&] { return parts_.ledger.ended(order.key); });
}

// Tries again while the ledger is away, as long as the order may take: what was paid for must not
// be lost to a database that restarts. Tries once when time is up.
Status RemoteEngine::note(const Watch& watch, const std::function<Status()>& write) {
  for (Backoff backoff(settings_.backoff, seed_from(settings_.name));;) {
    Status done = write();
    if (done || !traits(done.failure().kind).transient()) return done;
    if (Status waited = pause(parts_.clock, watch, backoff.next()); !waited) return done;
  }
}

// What it answers changes nothing, but is told: money may hang on it.
void RemoteEngine::call_off(const Order& order) {
  if (!settings_.provider.cancel) return tell_not_cancelled(order, "it has no way to cancel");
  // Its own short time: the order's is over.
  Watch watch;
  watch.deadline = parts_.clock.steady_now() + kCallOff;
  const Order last{order.request, watch, order.key, order.values};
  const Result<HttpAnswer> answer = ask(*settings_.provider.cancel, last);
  if (!answer) return tell_not_cancelled(order, answer.failure().detail);
  if (!answer->ok()) {
    return tell_not_cancelled(order, "it answers " + std::to_string(answer->status));
  }
  parts_.log.info("remote_order_cancelled", {{"job_id", order.request.job_id},
                                             {"trace_id", order.watch.trace_id()},
                                             {"segment_id", order.request.segment},
                                             {"engine", settings_.name},
                                             {"order", order.values["id"]}});
}

void RemoteEngine::tell_not_cancelled(const Order& order, const std::string& reason) {
  parts_.log.warning("remote_order_not_cancelled", {{"job_id", order.request.job_id},
                                                    {"trace_id", order.watch.trace_id()},
                                                    {"segment_id", order.request.segment},
                                                    {"engine", settings_.name},
                                                    {"order", order.values["id"]},
                                                    {"reason", reason},
                                                    {"cost", "it may still be billed"}});
}

}  // namespace pytoon::engines
