// How our GStreamer elements fail: no exception leaves a C callback, and the Failure that stopped a
// pipeline reaches its caller unchanged.
//
// Thread rule: any thread.
#pragma once

#include <gst/gst.h>

#include <mutex>
#include <optional>
#include <type_traits>

#include "base/result.h"

namespace pytoon::media {

// The first failure of a pipeline; later ones are its consequences and are dropped.
class FailureSlot {
 public:
  void put(Failure failure) {
    const std::lock_guard lock(mutex_);
    if (!first_) first_ = std::move(failure);
  }
  std::optional<Failure> get() const {
    const std::lock_guard lock(mutex_);
    return first_;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<Failure> first_;
};

// What a callback returns once fail_element() has told everything: with GST_FLOW_ERROR each element
// above would post and log an error of its own.
constexpr GstFlowReturn kFlowFailed = GST_FLOW_FLUSHING;

// Keeps the failure for the caller of the pipeline and tells GStreamer to stop.
void fail_element(GstElement* element, FailureSlot& slot, Failure failure);

// The exception in flight as a value: kOutOfMemory for bad_alloc, else kInternal.
Failure failure_in_flight();

// Runs the body of a C callback. A thrown exception becomes the element's failure.
template <typename Body>
auto contained(GstElement* element, FailureSlot& slot, std::invoke_result_t<Body> when_thrown,
               Body&& body) noexcept -> std::invoke_result_t<Body> {
  try {
    return body();
  } catch (...) {
    fail_element(element, slot, failure_in_flight());
    return when_thrown;
  }
}

// The same at the edge of the room, where the failure is the answer.
template <typename Body>
auto contained(Body&& body) noexcept -> std::invoke_result_t<Body> {
  try {
    return body();
  } catch (...) {
    return failure_in_flight();
  }
}

}  // namespace pytoon::media
