#include "engines/circuit_breaker.h"

namespace pytoon::engines {

bool CircuitBreaker::allow() {
  const std::lock_guard lock(mutex_);
  if (state_ == State::kOpen && clock_.steady_now() - opened_ >= options_.cool_down) {
    state_ = State::kHalfOpen;
  }
  if (state_ == State::kClosed) return true;
  if (state_ == State::kOpen || probing_) return false;
  probing_ = true;
  return true;
}

void CircuitBreaker::succeeded() {
  const std::lock_guard lock(mutex_);
  state_ = State::kClosed;
  failures_ = 0;
  probing_ = false;
}

void CircuitBreaker::failed() {
  const std::lock_guard lock(mutex_);
  probing_ = false;
  if (state_ == State::kClosed && ++failures_ < options_.failures) return;
  state_ = State::kOpen;
  opened_ = clock_.steady_now();
}

void CircuitBreaker::gave_up() {
  const std::lock_guard lock(mutex_);
  probing_ = false;
}

CircuitBreaker::State CircuitBreaker::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

std::string_view CircuitBreaker::name_of(State state) {
  if (state == State::kClosed) return "closed";
  return state == State::kOpen ? "open" : "half_open";
}

}  // namespace pytoon::engines
