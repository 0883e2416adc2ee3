#include "pipeline/media/gst/element_failure.h"

#include <exception>
#include <new>
#include <string>

namespace pytoon::media {

void fail_element(GstElement* element, FailureSlot& slot, Failure failure) {
  const std::string detail = failure.detail;
  slot.put(std::move(failure));
  GST_ELEMENT_ERROR(element, STREAM, FAILED, ("%s", detail.c_str()), (nullptr));
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
