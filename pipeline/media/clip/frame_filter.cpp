#include "pipeline/media/clip/frame_filter.h"

extern "C" {
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
}

namespace pytoon::media {
namespace {

// Slices of a frame don't change what comes out of the filters that are used here.
constexpr int kFilterThreads = 2;

struct FreeEnds {
  void operator()(AVFilterInOut* ends) const { avfilter_inout_free(&ends); }
};
using EndsPtr = std::unique_ptr<AVFilterInOut, FreeEnds>;

Status check(int rc, const char* what) {
  return rc < 0 ? Status(av_failure(rc, what)) : ok_status();
}

AVFilterInOut* open_end(const char* name, AVFilterContext* filter) {
  AVFilterInOut* const end = avfilter_inout_alloc();
  if (end == nullptr) return nullptr;
  end->name = av_strdup(name);
  end->filter_ctx = filter;
  return end;
}

std::string form_of(const AVFrame& like, AVRational tick) {
  const AVRational pixel =
      like.sample_aspect_ratio.num > 0 ? like.sample_aspect_ratio : AVRational{1, 1};
  return "video_size=" + std::to_string(like.width) + "x" + std::to_string(like.height) +
         ":pix_fmt=" + std::to_string(like.format) + ":time_base=" + std::to_string(tick.num) +
         "/" + std::to_string(tick.den) + ":pixel_aspect=" + std::to_string(pixel.num) + "/" +
         std::to_string(pixel.den);
}

}  // namespace

Result<std::unique_ptr<FrameFilter>> FrameFilter::make(const AVFrame& like, AVRational tick,
                                                       const std::string& chain) {
  auto filter = std::make_unique<FrameFilter>();
  if (Status built = filter->build(like, tick, chain); !built) return built.failure();
  return filter;
}

Status FrameFilter::build(const AVFrame& like, AVRational tick, const std::string& chain) {
  tick_ = tick;
  format_ = like.format;
  size_ = {like.width, like.height};
  graph_.reset(avfilter_graph_alloc());
  if (!graph_) return failure(FailureKind::kOutOfMemory, "no memory for a filter graph");
  graph_->nb_threads = kFilterThreads;
  int rc = avfilter_graph_create_filter(&source_, avfilter_get_by_name("buffer"), "in",
                                        form_of(like, tick).c_str(), nullptr, graph_.get());
  if (rc >= 0) {
    rc = avfilter_graph_create_filter(&sink_, avfilter_get_by_name("buffersink"), "out", nullptr,
                                      nullptr, graph_.get());
  }
  if (Status made = check(rc, "no filter graph"); !made) return made;
  // "Outputs" are the open ends that the text's inputs are joined to, and the other way round.
  AVFilterInOut* sources = open_end("in", source_);
  AVFilterInOut* sinks = open_end("out", sink_);
  const std::string whole = "[in]" + chain + "[out]";
  rc = avfilter_graph_parse_ptr(graph_.get(), whole.c_str(), &sinks, &sources, nullptr);
  const EndsPtr left_sources(sources);
  const EndsPtr left_sinks(sinks);
  if (rc >= 0) rc = avfilter_graph_config(graph_.get(), nullptr);
  return check(rc, "this FFmpeg can't filter the clip's frames");
}

bool FrameFilter::takes(const AVFrame& frame) const {
  return frame.format == format_ && size_ == gpu::Size{frame.width, frame.height};
}

Status FrameFilter::push(const AVFrame* frame) {
  // The frame stays the caller's: only a reference goes in.
  const FramePtr kept(frame == nullptr ? nullptr : av_frame_clone(frame));
  if (frame != nullptr && !kept) return failure(FailureKind::kOutOfMemory, "no memory for a frame");
  return check(av_buffersrc_add_frame_flags(source_, kept.get(), AV_BUFFERSRC_FLAG_PUSH),
               "a frame can't be filtered");
}

Result<const AVFrame*> FrameFilter::pull() {
  av_frame_unref(frame_.get());
  const int rc = av_buffersink_get_frame(sink_, frame_.get());
  if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF) return static_cast<const AVFrame*>(nullptr);
  if (rc < 0) return av_failure(rc, "a frame can't be filtered");
  if (frame_->pts != AV_NOPTS_VALUE) {
    frame_->pts = av_rescale_q(frame_->pts, av_buffersink_get_time_base(sink_), tick_);
  }
  return static_cast<const AVFrame*>(frame_.get());
}

}  // namespace pytoon::media
