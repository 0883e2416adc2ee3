// Video frames in host memory through a chain of libavfilter's filters: one in, at most one out at
// a time, later than it went in where a filter looks ahead.
//
// Thread rule: one thread at a time. Never blocks but on the work itself. Errors: kOutOfMemory,
// kMedia (this FFmpeg lacks a filter, a chain that does not fit the frames).
#pragma once

#include <cstdint>  // before FFmpeg's, which want its macros

extern "C" {
#include <libavfilter/avfilter.h>
}

#include <memory>
#include <string>

#include "gpu/image.h"
#include "pipeline/media/gst/ffmpeg.h"

namespace pytoon::media {

class FrameFilter {
 public:
  // chain: as libavfilter writes it, "bwdif=mode=send_frame". like: the frames that will come.
  static Result<std::unique_ptr<FrameFilter>> make(const AVFrame& like, AVRational tick,
                                                   const std::string& chain);
  FrameFilter() = default;  // for make()

  // Whether a frame has the form that the chain was made for.
  bool takes(const AVFrame& frame) const;
  // Null: no more will come.
  Status push(const AVFrame* frame);
  // Valid until the next call, its time in the ticks of make(); null: nothing is ready.
  Result<const AVFrame*> pull();

 private:
  struct FreeGraph {
    void operator()(AVFilterGraph* graph) const { avfilter_graph_free(&graph); }
  };

  Status build(const AVFrame& like, AVRational tick, const std::string& chain);

  std::unique_ptr<AVFilterGraph, FreeGraph> graph_;
  AVFilterContext* source_ = nullptr;
  AVFilterContext* sink_ = nullptr;
  FramePtr frame_ = make_frame();
  AVRational tick_{1, 1};
  int format_ = AV_PIX_FMT_NONE;
  gpu::Size size_;
};

}  // namespace pytoon::media
