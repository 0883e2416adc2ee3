#include "server/http/connection.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/trace_context.h"

namespace pytoon::http {
namespace {

constexpr std::size_t kSetAsideBytesMax = 65536;
constexpr std::uint64_t kDiscardBytesMax = 64'000'000;
constexpr std::uint64_t kBodyFloorBytesPerSecond = 1024;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// How many bytes the socket took; -1 when it is broken.
ssize_t send_now(int fd, std::string_view bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t n =
        ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) return -1;
    sent += static_cast<std::size_t>(n);
  }
  return static_cast<ssize_t>(sent);
}

Failure too_many_connections() {
  return failure(FailureKind::kUnavailable, "There are too many connections.");
}

std::string counted_by(const std::optional<IpAddress>& peer, const AddressSet& proxies) {
  return peer && !proxies.contains(*peer) ? client_name(*peer) : "";
}

std::string trace_id_of(const RequestHead& head, IdSource& ids) {
  if (const auto sent = parse_traceparent(head.header("traceparent").value_or(""))) {
    return sent->trace_id;
  }
  return without_dashes(ids.next());
}

// A refusal says by which number its lines of the log are found.
void name_trace(Response& response, const std::string& trace_id) {
  auto* const text = std::get_if<std::string>(&response.body);
  const bool problem =
      std::any_of(response.headers.begin(), response.headers.end(),
                  [](const Header& header) { return header.value == "application/problem+json"; });
  if (!problem || trace_id.empty() || text == nullptr || !text->ends_with('}')) return;
  text->pop_back();
  *text += ",\"trace_id\":\"" + trace_id + "\"}";
}

}  // namespace

Connection::Connection(int fd, ServerContext& context, std::function<void()> rearm)
    : fd_(fd),
      context_(context),
      rearm_(std::move(rearm)),
      peer_(peer_of(fd)),
      counted_by_(http::counted_by(peer_, context.gate.proxies())),
      deadline_(context.clock.steady_now() + context.limits.head),
      waiting_since_(context.clock.steady_now()) {}

template <typename Step>
void Connection::locked(const Step& step) {
  const std::lock_guard lock(mutex_);
  try {
    step();
  } catch (const std::exception& error) {
    context_.log.error("http_connection_crash", {{"error", error.what()}});
    shut_down();
  }
}

void Connection::locked(void (Connection::*step)()) {
  locked([this, step] { (this->*step)(); });
}

void Connection::receive(std::string_view bytes) {
  locked([&] {
    if (set_aside_.empty()) return consume(bytes);
    set_aside(bytes);  // behind what came before
    take_set_aside();
  });
}

void Connection::consume(std::string_view bytes) {
  while (!bytes.empty()) {
    switch (phase_) {
      case Phase::kHead:
        bytes.remove_prefix(take_head(bytes));
        break;
      case Phase::kBody:
        bytes.remove_prefix(take_body(bytes));
        break;
      case Phase::kUploading:
        return take_upload(bytes);
      case Phase::kHandling:
      case Phase::kStreaming:
        return set_aside(bytes);
      case Phase::kLingering:
        return discard(bytes);
      case Phase::kDropped:
      case Phase::kClosed:
        return;
    }
  }
}

void Connection::set_aside(std::string_view bytes) {
  if (set_aside_.size() + bytes.size() > kSetAsideBytesMax) return abort();
  set_aside_.append(bytes);
}

void Connection::discard(std::string_view bytes) {
  discarded_bytes_ += bytes.size();
  if (discarded_bytes_ > kDiscardBytesMax) abort();
}

std::size_t Connection::take_head(std::string_view bytes) {
  if (!reader_.started()) deadline_ = context_.clock.steady_now() + context_.limits.head;
  const HeadReader::Step step = reader_.feed(bytes);
  if (step.problem) {
    refuse(*step.problem);
  } else if (step.complete) {
    begin_transaction();
  }
  return step.taken;
}

void Connection::begin_transaction() {
  auto parsed = parse_request_head(reader_.head());
  reader_.reset();
  if (const Problem* problem = std::get_if<Problem>(&parsed)) return refuse(*problem);
  auto& head = std::get<RequestHead>(parsed);
  transaction_ = std::make_unique<Transaction>(context_.in_flight, context_.clock.steady_now());
  transaction_->method = name_of(head.method);
  transaction_->head_only = head.method == Method::kHead;
  transaction_->keep_alive = head.keep_alive;
  head.trace_id = trace_id_of(head, context_.ids);
  transaction_->trace_id = head.trace_id;
  const bool has_body = head.has_body();
  GateResult result = context_.gate.check(std::move(head), peer_);
  transaction_->route = result.route;
  transaction_->plan = result.plan;
  transaction_->headers = std::move(result.headers);
  if (auto* refusal = std::get_if<Response>(&result.outcome)) {
    // An unread body would be taken for the next request.
    if (has_body) transaction_->keep_alive = false;
    return respond(std::move(*refusal));
  }
  Admitted& admitted = std::get<Admitted>(result.outcome);
  known_ = known_ || admitted.route->scope != Scope::kOpen;
  if (only_for_operators_ && !for_operators(admitted)) {
    return refuse(too_many_connections());
  }
  if (!take_tenants_place(admitted)) {
    return refuse(
        failure(FailureKind::kRateLimited, "This tenant has as many connections as it may."));
  }
  transaction_->admitted = std::make_unique<Admitted>(std::move(admitted));
  if (has_body) {
    begin_body();
  } else {
    if (transaction_->admitted->route->body == BodyKind::kUpload) {
      return refuse(malformed("The form is missing."));
    }
    dispatch();
  }
}

bool Connection::take_tenants_place(const Admitted& admitted) {
  if (tenants_place_ || !known_ || admitted.request.caller.admin) return true;
  tenants_place_ = context_.gate.connection_of(admitted.request.caller);
  return tenants_place_.has_value();
}

bool Connection::for_operators(const Admitted& admitted) const {
  return admitted.route->scope == Scope::kOpen || admitted.request.caller.admin;
}

void Connection::begin_body() {
  transaction_->body = std::make_unique<BodyReader>(*transaction_->admitted, context_.gate);
  const bool upload = transaction_->admitted->route->body == BodyKind::kUpload;
  phase_ = upload ? Phase::kUploading : Phase::kBody;
  arrived_bytes_ = 0;
  overrun_ = false;
  body_since_ = context_.clock.steady_now();
  deadline_ = body_deadline(0);
  if (transaction_->admitted->request.head.expects_continue && send_now(fd_, kContinue) < 0) {
    shut_down();
  }
}

std::size_t Connection::take_body(std::string_view bytes) {
  BodyReader& body = *transaction_->body;
  const auto taken = body.feed(bytes);
  if (!taken) {
    refuse_body(taken.failure());
    return bytes.size();
  }
  deadline_ = body_deadline(body.received_bytes());
  if (body.done()) dispatch();
  return *taken;
}

SteadyTime Connection::body_deadline(std::uint64_t received_bytes) const {
  const auto earned = std::chrono::seconds(received_bytes / kBodyFloorBytesPerSecond);
  return body_since_ + context_.limits.body_grace + earned;
}

void Connection::dispatch() {
  phase_ = Phase::kHandling;
  transaction_->body.reset();
  const Purpose purpose = transaction_->admitted->route->purpose;
  if (purpose != Purpose::kImmediate) return hand_to(purpose);
  respond(context_.gate.answer(*transaction_->admitted));
}

void Connection::hand_to(Purpose purpose) {
  if (context_.pools.of(purpose).post([self = shared_from_this()] { self->run_handler(); })) return;
  respond(problem_response(failure(FailureKind::kUnavailable, "Too many requests are waiting.")));
}

// Without the lock: the transaction stays put meanwhile, for nothing touches it in kHandling but
// answered().
void Connection::run_handler() { answered(context_.gate.answer(*transaction_->admitted)); }

void Connection::answered(Response response) {
  locked([&] {
    respond(std::move(response));
    take_set_aside();
  });
}

void Connection::take_set_aside() {
  while (!set_aside_.empty() &&
         (phase_ == Phase::kHead || phase_ == Phase::kBody || phase_ == Phase::kUploading)) {
    const std::string bytes = std::exchange(set_aside_, {});
    consume(bytes);
  }
}

void Connection::refuse(const Problem& problem) {
  if (!transaction_) {
    transaction_ = std::make_unique<Transaction>(context_.in_flight, context_.clock.steady_now());
  }
  transaction_->keep_alive = false;
  respond(problem_response(problem));
}

void Connection::refuse(const Failure& failure) { refuse(problem_of(failure)); }

void Connection::refuse_body(const Failure& failure) {
  transaction_->keep_alive = false;
  respond(context_.gate.refuse(transaction_->route, transaction_->trace_id, failure));
}

void Connection::respond(Response response) {
  resume_reading();
  Transaction& transaction = *transaction_;
  transaction.body.reset();
  transaction.admitted.reset();
  transaction.status = response.status;
  name_trace(response, transaction.trace_id);
  if (phase_ == Phase::kClosed || phase_ == Phase::kDropped) return finish_transaction(false);
  const bool endless = std::holds_alternative<std::unique_ptr<EventSource>>(response.body);
  if (endless || context_.draining || only_for_operators_) transaction.keep_alive = false;
  for (Header& header : transaction.headers) response.headers.push_back(std::move(header));
  std::string bytes = wire_head(response, transaction.keep_alive, context_.clock.now());
  Body body = transaction.head_only ? Body() : std::move(response.body);
  if (const auto* text = std::get_if<std::string>(&body)) {
    bytes += *text;
    const ssize_t sent = send_now(fd_, bytes);
    if (sent < 0) return finish_transaction(false);
    transaction.bytes = static_cast<std::uint64_t>(sent);
    bytes.erase(0, transaction.bytes);
    if (bytes.empty()) return finish_transaction(true);
    body = std::string();
  }
  stream(std::move(bytes), std::move(body));
}

void Connection::stream(std::string bytes, Body rest) {
  Stream stream;
  stream.socket = FileDescriptor(::fcntl(fd_, F_DUPFD_CLOEXEC, 0));
  stream.bytes = std::move(bytes);
  Streamer* streamer = &context_.files;
  if (auto* file = std::get_if<FileBody>(&rest)) stream.rest = std::move(*file);
  if (auto* source = std::get_if<std::unique_ptr<EventSource>>(&rest)) {
    stream.rest = std::move(*source);
    streamer = &context_.events;
  }
  stream.done = [self = shared_from_this()](bool whole, std::uint64_t sent) {
    self->streamed(whole, sent);
  };
  phase_ = Phase::kStreaming;
  if (!stream.socket || !streamer->submit(std::move(stream))) finish_transaction(false);
}

void Connection::streamed(bool whole, std::uint64_t bytes) {
  locked([&] {
    transaction_->bytes += bytes;
    finish_transaction(whole);
    if (set_aside_.empty() || phase_ != Phase::kHead) return;
    const auto go_on = [self = shared_from_this()] { self->locked(&Connection::take_set_aside); };
    if (!context_.pools.of(Purpose::kApi).post(go_on)) shut_down();
  });
}

void Connection::finish_transaction(bool whole) {
  const SteadyTime now = context_.clock.steady_now();
  context_.access.record(*transaction_, now, whole);
  const bool keep_alive = transaction_->keep_alive;
  transaction_.reset();
  if (phase_ == Phase::kClosed || phase_ == Phase::kDropped) return;
  if (!whole) return abort();
  if (!keep_alive) return linger();
  phase_ = Phase::kHead;
  deadline_ = now + context_.limits.idle;
  waiting_since_ = now;
}

void Connection::linger() {
  ::shutdown(fd_, SHUT_WR);
  phase_ = Phase::kLingering;
  deadline_ = context_.clock.steady_now() + context_.limits.linger;
}

// The reactor reads the end of the stream next, and closes.
void Connection::shut_down() {
  if (phase_ == Phase::kClosed) return;
  resume_reading();  // or the reactor would never see the end
  ::shutdown(fd_, SHUT_RDWR);
  phase_ = Phase::kDropped;
  forget_unfinished_body();
}

// With a reset: what a client does not read would otherwise stay in the kernel for minutes, and a
// client that can't send for want of a window would not learn that it is over.
void Connection::abort() {
  resume_reading();
  const ::linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  shut_down();
}

// Nobody else will: a request whose body never came whole has no handler and no stream. While its
// bytes are being stored, that thread does it.
void Connection::forget_unfinished_body() {
  if (transaction_ && transaction_->body && !storing_) transaction_.reset();
}

void Connection::closed() {
  const std::lock_guard lock(mutex_);
  forget_unfinished_body();
  phase_ = Phase::kClosed;
  restore_socket();  // it is the reactor's to close
  set_aside_.clear();
  arrived_.clear();
  arrived_share_ = {};
}

void Connection::reject_overload() {
  locked([this] {
    refuse(too_many_connections());
    shut_down();  // lingering would let a crowd grow for as long
  });
}

void Connection::keep_for_operators() {
  locked([this] { only_for_operators_ = true; });
}

void Connection::check_deadline(SteadyTime now, bool crowded) {
  locked([&] {
    if (is_late(now, crowded)) be_late();
  });
}

bool Connection::is_late(SteadyTime now, bool crowded) const {
  if (now >= deadline_) return true;
  const bool stranger = crowded && !known_ && phase_ == Phase::kHead;
  return stranger && now >= waiting_since_ + context_.limits.crowded;
}

void Connection::be_late() {
  switch (phase_) {
    case Phase::kHead:
      if (!reader_.started()) return shut_down();
      return refuse(
          problem_of(ProtocolFault::kRequestTimeout, "The request head came too slowly."));
    case Phase::kUploading:
      if (uploading_by_us()) return;
      [[fallthrough]];
    case Phase::kBody:
      return refuse(
          problem_of(ProtocolFault::kRequestTimeout, "The request body came too slowly."));
    case Phase::kLingering:
      return shut_down();
    default:
      return;
  }
}

void Connection::close_if_idle() {
  locked([this] {
    if (phase_ == Phase::kHead && !reader_.started()) shut_down();
  });
}

void Connection::drop() { locked(&Connection::shut_down); }

int Connection::take_descriptor() {
  const std::lock_guard lock(mutex_);
  return std::exchange(phase_, Phase::kClosed) == Phase::kClosed ? -1 : fd_;
}

}  // namespace pytoon::http
