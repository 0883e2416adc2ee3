#include "pipeline/media/gst/gst_pipeline.h"

#include <string>

namespace pytoon::media {
namespace {

constexpr GstClockTime kLookTime = 50 * GST_MSECOND;  // how late a cancel is seen
constexpr GstClockTime kObeyTime = 2 * GST_SECOND;

}  // namespace

GstClockTime frame_time(std::int64_t index, int frames_per_second) {
  const auto second = static_cast<std::int64_t>(GST_SECOND);
  const auto start = static_cast<std::int64_t>(kTimelineStart);
  // The start is a whole number of seconds, so adding its frames keeps the division positive.
  const std::int64_t frames = index + start / second * frames_per_second;
  return gst_util_uint64_scale(static_cast<guint64>(frames), GST_SECOND,
                               static_cast<guint64>(frames_per_second));
}

GstPipelineRun::GstPipelineRun() : pipeline_(gst_pipeline_new(nullptr)) {
  gst_object_ref_sink(pipeline_);
}

GstPipelineRun::~GstPipelineRun() {
  gst_element_set_state(pipeline_, GST_STATE_NULL);
  gst_object_unref(pipeline_);
}

Result<GstElement*> GstPipelineRun::add(const char* factory) {
  GstElement* element = gst_element_factory_make(factory, nullptr);
  if (element == nullptr || gst_bin_add(GST_BIN(pipeline_), element) == FALSE) {
    return failure(FailureKind::kInternal, std::string("there is no GStreamer element ") + factory +
                                               "; has MediaRuntime been started?");
  }
  return element;
}

Status GstPipelineRun::link(std::initializer_list<GstElement*> chain) {
  GstElement* before = nullptr;
  for (GstElement* element : chain) {
    if (before != nullptr && gst_element_link(before, element) == FALSE) {
      return failure(FailureKind::kInternal, "GStreamer refused to link our elements");
    }
    before = element;
  }
  return ok_status();
}

Status GstPipelineRun::run(const CancelToken& cancel) {
  const GstPtr<GstBus> bus(gst_element_get_bus(pipeline_));
  const bool started =
      gst_element_set_state(pipeline_, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE;
  const auto awaited = static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  GstPtr<GstMessage> message;
  for (GstClockTime deaf = 0; !message && deaf < kObeyTime;) {
    message.reset(gst_bus_timed_pop_filtered(bus.get(), started ? kLookTime : 0, awaited));
    if (!started) break;
    if (!message && cancel.cancelled()) deaf += kLookTime;
  }
  if (const auto reported = failures_->get()) return *reported;
  if (message && GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS) return ok_status();
  if (!message && started) {
    return failure(FailureKind::kCancelled, "cancelled, and the pipeline did not stop by itself");
  }
  if (!message) return failure(FailureKind::kMedia, "GStreamer could not start the pipeline");
  GError* error = nullptr;
  gst_message_parse_error(message.get(), &error, nullptr);
  const GstPtr<GError> owned(error);
  return failure(FailureKind::kMedia, std::string("GStreamer failed: ") + owned->message);
}

}  // namespace pytoon::media
