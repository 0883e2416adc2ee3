#include "pipeline/media/gst/element_failure.h"

#include <exception>
#include <new>
#include <string>

namespace pytoon::media {

void fail_element(GstElement* element, FailureSlot& slot, Failure failure) {
  GError* error =
      g_error_new_literal(GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED, failure.detail.c_str());
  slot.put(std::move(failure));
  // Not GST_ELEMENT_ERROR, which logs: whether a cancelled job is worth a line is the caller's
  // call.
  gst_element_post_message(element, gst_message_new_error(GST_OBJECT(element), error, nullptr));
  g_error_free(error);
}

Failure failure_in_flight() {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return failure(FailureKind::kOutOfMemory, "no memory");
  } catch (const std::exception& error) {
    return failure(FailureKind::kInternal, std::string("unexpected: ") + error.what());
  } catch (...) {
    return failure(FailureKind::kInternal, "unexpected exception of an unknown type");
  }
}

}  // namespace pytoon::media
