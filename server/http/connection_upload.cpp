// How the body of an upload gets from the socket to the disk: the reactor sets it aside, a thread
// of the upload pool writes it, and when the client is faster than the disk the socket is not read.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "server/http/connection.h"

namespace pytoon::http {
namespace {

// More than this waiting: the socket is not read.
constexpr std::size_t kPauseBytes = 256UL * 1024;
// One upload lets others have the thread after so much.
constexpr std::size_t kTurnBytes = 1024UL * 1024;

Failure too_busy() {
  return failure(FailureKind::kUnavailable, "Too many uploads are being stored.");
}

}  // namespace

void Connection::take_upload(std::string_view bytes) {
  arrived_bytes_ += bytes.size();
  deadline_ = body_deadline(arrived_bytes_);
  if (overrun_) return;  // the storing thread is about to refuse it
  if (!arrived_share_.take(context_.upload_budget, bytes.size())) {
    context_.log.warning("http_upload_refused", {{"reason", "too many bytes wait for the disk"}});
    overrun_ = storing_;  // then the transaction is that thread's
    if (!storing_) refuse(too_busy());
    return;
  }
  arrived_.append(bytes);
  if (arrived_.size() > kPauseBytes) pause_reading();
  if (!storing_) post_store();
}

void Connection::post_store() {
  storing_ = post_to_pool();
  if (!storing_) refuse(too_busy());
}

bool Connection::post_to_pool() {
  return context_.pools.of(Purpose::kUpload).post([self = shared_from_this()] {
    self->store_upload();
  });
}

void Connection::store_upload() {
  std::unique_lock lock(mutex_);
  try {
    if (!store_some(lock)) return;
    lock.unlock();
    run_handler();  // we are in the right pool already
  } catch (const std::exception& error) {
    if (!lock.owns_lock()) lock.lock();
    storing_ = false;
    context_.log.error("http_connection_crash", {{"error", error.what()}});
    shut_down();
  }
}

// True when the body is whole and its handler is to run.
bool Connection::store_some(std::unique_lock<std::mutex>& lock) {
  for (std::size_t stored = 0; phase_ == Phase::kUploading;) {
    if (arrived_.empty()) {
      storing_ = false;
      return false;
    }
    if (stored >= kTurnBytes) {
      if (post_to_pool()) return false;
      stored = 0;  // the queue is full: whoever has a thread goes on
    }
    const std::string bytes = std::exchange(arrived_, {});
    arrived_share_ = {};
    resume_reading();
    stored += bytes.size();
    BodyReader& body = *transaction_->body;
    lock.unlock();
    const Result<std::size_t> taken = body.feed(bytes);
    lock.lock();
    if (phase_ != Phase::kUploading) break;
    if (overrun_) {
      storing_ = false;
      refuse(too_busy());
      return false;
    }
    if (!taken) {
      storing_ = false;
      refuse_body(taken.failure());
      return false;
    }
    if (body.done()) {
      end_upload(std::string_view(bytes).substr(*taken));
      return phase_ == Phase::kHandling;
    }
  }
  storing_ = false;  // the client is gone
  transaction_.reset();
  return false;
}

// rest: what came behind the body belongs to the next request.
void Connection::end_upload(std::string_view rest) {
  storing_ = false;
  phase_ = Phase::kHandling;
  transaction_->body.reset();
  set_aside(rest);
  set_aside(std::exchange(arrived_, {}));
  arrived_share_ = {};
  resume_reading();
}

// The reactor empties a socket that it has begun to read, and a client on a fast network keeps it
// from ever being empty: to stop in the middle, the reactor's descriptor becomes the silent socket.
// Without a descriptor to spare the reading goes on, within the budget.
void Connection::pause_reading() {
  if (paused_socket_) return;
  FileDescriptor own(::fcntl(fd_, F_DUPFD_CLOEXEC, 0));
  if (!own || ::dup3(context_.silent.get(), fd_, O_CLOEXEC) < 0) return;
  paused_socket_ = std::move(own);
  paused_at_ = context_.clock.steady_now();
}

// The client is not to blame for the time that it had to wait.
void Connection::resume_reading() {
  if (!restore_socket()) return;
  body_since_ += context_.clock.steady_now() - paused_at_;
  if (phase_ == Phase::kUploading) deadline_ = body_deadline(arrived_bytes_);
  rearm_();
}

// False when it was not paused.
bool Connection::restore_socket() {
  if (!paused_socket_) return false;
  while (::dup3(paused_socket_.get(), fd_, O_CLOEXEC) < 0 && (errno == EINTR || errno == EBUSY)) {
  }
  paused_socket_ = FileDescriptor();
  return true;
}

bool Connection::uploading_by_us() const { return storing_ || !arrived_.empty(); }

}  // namespace pytoon::http
