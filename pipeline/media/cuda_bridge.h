// A CUDA device's own context, lent to GStreamer and to FFmpeg, so that a frame composed in device
// memory is encoded where it lies. One a device and process; segments share it.
//
// GStreamer's CUDA library is found at run time (it brings the X11 and OpenGL client libraries
// along, which a program without a GPU need not have), and so is NVIDIA's driver.
//
// Thread rule: any thread. The device must outlive the bridge, the bridge all segments that use it.
#pragma once

#include <memory>

#include "base/result.h"
#include "gpu/device.h"
#include "pipeline/media/encoder_sessions.h"

namespace pytoon::media {

class CudaBridge {
 public:
  // kUnavailable says what is missing: the library and its Debian package, or the driver. Blocks
  // for some tens of milliseconds. sessions_max as for EncoderSessions. Needs MediaRuntime.
  static Result<std::shared_ptr<CudaBridge>> open(const gpu::CudaHandles& device, int sessions_max);

  struct Parts;                                                         // of the media room alone
  explicit CudaBridge(std::unique_ptr<Parts> parts, int sessions_max);  // for open()
  ~CudaBridge();
  CudaBridge(const CudaBridge&) = delete;
  CudaBridge& operator=(const CudaBridge&) = delete;

  const Parts& parts() const { return *parts_; }
  EncoderSessions& sessions() { return sessions_; }

 private:
  std::unique_ptr<Parts> parts_;
  EncoderSessions sessions_;
};

}  // namespace pytoon::media
