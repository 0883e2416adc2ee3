// pytooncompositorsrc: a GStreamer source whose frames are drawn by a FrameSource, straight into
// the buffers that the encoder reads. The n-th frame of its range carries the time n/fps.
//
// It offers one kind of memory: CUDA memory (video/x-raw(memory:CUDAMemory)) from a pool of fixed
// size when the job brings a bridge, else system memory, which a CUDA device composes into with one
// crossing a frame. NV12 either way.
//
// Its create() is the frame loop. When no drawn frame is left it checks cancel, takes a batch of
// buffers from the pool and has them drawn by one call of draw_batch(); then it hands them on one
// by one and reports each. The queue behind it holds a batch too, so that the encoder is fed from
// the last one while the next is drawn. Ends the stream after frame_count frames. Failures of
// draw_batch() and kCancelled go to the FailureSlot.
//
// Thread rule: configure before the pipeline runs; draw_batch() and on_frame are called from one
// thread of the pipeline, which never outlives the run.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <memory>

#include "base/cancel.h"
#include "pipeline/media/cuda_bridge.h"
#include "pipeline/media/gst/element_failure.h"
#include "pipeline/media/pieces.h"
#include "pipeline/media/segment_writer.h"

namespace pytoon::media {

constexpr char kCompositorSource[] = "pytooncompositorsrc";

struct CompositorSourceJob {
  FrameSource* frames = nullptr;  // outlives the pipeline
  VideoFormat format;
  FrameRange range;
  CudaBridge* cuda = nullptr;  // outlives the pipeline; null: system memory
  int cuda_frames = 0;         // how many frames of CUDA memory to go round with
  CancelToken cancel;
  std::function<void()> on_frame;  // for each one drawn; may be empty
  std::shared_ptr<FailureSlot> failures;
};

GType compositor_source_get_type();
void configure_compositor_source(GstElement* element, CompositorSourceJob job);

}  // namespace pytoon::media
