// A GStreamer pipeline that runs once, owners for GStreamer's handles, and the way a Failure takes
// out of an element: the element puts it into the pipeline's FailureSlot before it posts its error
// message, and run() returns it unchanged.
#pragma once

#include <gst/gst.h>

#include <initializer_list>
#include <memory>

#include "base/cancel.h"
#include "base/result.h"
#include "pipeline/media/gst/element_failure.h"

namespace pytoon::media {

struct GstUnref {
  void operator()(GstBus* bus) const { gst_object_unref(bus); }
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
  void operator()(GstBufferPool* pool) const { gst_object_unref(pool); }
  void operator()(GstCaps* caps) const { gst_caps_unref(caps); }
  void operator()(GstEvent* event) const { gst_event_unref(event); }
  void operator()(GstMessage* message) const { gst_message_unref(message); }
  void operator()(GstObject* object) const { gst_object_unref(object); }
  void operator()(GError* error) const { g_error_free(error); }
};
template <typename T>
using GstPtr = std::unique_ptr<T, GstUnref>;

// Where every timeline of ours starts inside a pipeline. GStreamer's times can't be negative, and
// with B-frames the first decoding time is: both are counted from here. The muxer subtracts it.
constexpr GstClockTime kTimelineStart = 1000 * 3600 * GST_SECOND;

// The time of frame `index` (may be negative) at a whole frame rate, rounded down.
GstClockTime frame_time(std::int64_t index, int frames_per_second);

// Thread rule: one thread. Leaving scope stops all of the pipeline's threads.
class GstPipelineRun {
 public:
  GstPipelineRun();
  ~GstPipelineRun();
  GstPipelineRun(const GstPipelineRun&) = delete;
  GstPipelineRun& operator=(const GstPipelineRun&) = delete;

  // The pipeline owns the element. kInternal when MediaRuntime was not started.
  Result<GstElement*> add(const char* factory);
  Status link(std::initializer_list<GstElement*> chain);
  // Blocks until every element has finished or one has failed. Cancelled, the elements have two
  // seconds to stop by themselves; then kCancelled, and leaving scope stops them.
  Status run(const CancelToken& cancel);

  const std::shared_ptr<FailureSlot>& failures() const { return failures_; }

 private:
  GstElement* pipeline_;
  std::shared_ptr<FailureSlot> failures_ = std::make_shared<FailureSlot>();
};

}  // namespace pytoon::media
