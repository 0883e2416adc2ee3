// What our sources have in common: buffers that carry times, made as fast as they are taken.
#pragma once

#include <gst/base/gstpushsrc.h>

namespace pytoon::media {

// The SetUp of their element type.
inline void set_up_push_source(GstPushSrc* element) {
  gst_base_src_set_format(GST_BASE_SRC(element), GST_FORMAT_TIME);
  gst_base_src_set_live(GST_BASE_SRC(element), FALSE);
}

}  // namespace pytoon::media
