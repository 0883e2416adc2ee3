// A GstBuffer's frame, mapped into memory for as long as the object lives.
#pragma once

#include <gst/video/video.h>

#include <cstddef>
#include <cstdint>

namespace pytoon::media {

class MappedFrame {
 public:
  // `flags`: of GstMapFlags, and those that memory of other kinds adds.
  MappedFrame(const GstVideoInfo& info, GstBuffer* buffer, int flags)
      : mapped_(gst_video_frame_map(&frame_, &info, buffer, static_cast<GstMapFlags>(flags)) !=
                FALSE) {}
  ~MappedFrame() {
    if (mapped_) gst_video_frame_unmap(&frame_);
  }
  MappedFrame(const MappedFrame&) = delete;
  MappedFrame& operator=(const MappedFrame&) = delete;

  explicit operator bool() const { return mapped_; }
  std::uint8_t* plane(guint index) const { return static_cast<std::uint8_t*>(frame_.data[index]); }
  int pitch_bytes(guint index) const { return frame_.info.stride[index]; }
  std::size_t size_bytes() const { return frame_.info.size; }

 private:
  GstVideoFrame frame_{};
  bool mapped_;
};

}  // namespace pytoon::media
