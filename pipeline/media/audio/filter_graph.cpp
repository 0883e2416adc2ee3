#include "pipeline/media/audio/filter_graph.h"

extern "C" {
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
}

#include <charconv>
#include <memory>
#include <string_view>

#include "pipeline/media/gst/ffmpeg.h"

namespace pytoon::media {
namespace {

constexpr std::size_t kFedSamples = 4800;
// Added with changing signs, 240 dB below full scale: in digital silence the states of recursive
// filters would fade into denormal numbers, which take ten times as long to compute with.
constexpr float kHush = 1e-12F;
constexpr char kForm[] =
    "time_base=1/48000:sample_rate=48000:sample_fmt=fltp:channel_layout=stereo";

struct FreeGraph {
  void operator()(AVFilterGraph* graph) const { avfilter_graph_free(&graph); }
  void operator()(AVFilterInOut* ends) const { avfilter_inout_free(&ends); }
};
using GraphPtr = std::unique_ptr<AVFilterGraph, FreeGraph>;
using EndsPtr = std::unique_ptr<AVFilterInOut, FreeGraph>;

class Graph {
 public:
  explicit Graph(const CancelToken& cancel) : cancel_(cancel), frame_(make_frame()) {}

  Status build(const std::string& text, const std::vector<const Pcm*>& inputs);
  Result<FilterResult> run();

 private:
  struct Source {
    AVFilterContext* filter = nullptr;
    const Pcm* audio = nullptr;
    std::size_t fed = 0;
    bool closed = false;
  };

  Status parse(const std::string& text);
  Status feed_hungriest();
  Status feed(Source& source);
  void take(FilterResult& result);

  const CancelToken& cancel_;
  FramePtr frame_;
  GraphPtr graph_;
  AVFilterContext* sink_ = nullptr;
  std::vector<Source> sources_;
};

Result<EndsPtr> make_end(const std::string& name, AVFilterContext* filter, EndsPtr next) {
  EndsPtr end(avfilter_inout_alloc());
  if (!end) return failure(FailureKind::kOutOfMemory, "no memory for a filter graph");
  end->name = av_strdup(name.c_str());
  end->filter_ctx = filter;
  end->pad_idx = 0;
  end->next = next.release();
  return end;
}

Status Graph::build(const std::string& text, const std::vector<const Pcm*>& inputs) {
  graph_.reset(avfilter_graph_alloc());
  if (!graph_) return failure(FailureKind::kOutOfMemory, "no memory for a filter graph");
  graph_->nb_threads = 1;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    Source source{.audio = inputs[i]};
    const std::string name = "in" + std::to_string(i);
    const int rc = avfilter_graph_create_filter(&source.filter, avfilter_get_by_name("abuffer"),
                                                name.c_str(), kForm, nullptr, graph_.get());
    if (Status made = av_status(rc, "no filter graph"); !made) return made;
    sources_.push_back(source);
  }
  const int rc = avfilter_graph_create_filter(&sink_, avfilter_get_by_name("abuffersink"), "out",
                                              nullptr, nullptr, graph_.get());
  if (Status made = av_status(rc, "no filter graph"); !made) return made;
  if (Status parsed = parse(text); !parsed) return parsed;
  return av_status(avfilter_graph_config(graph_.get(), nullptr), "the filter graph does not fit");
}

// "Outputs" are the open ends that the text's inputs are joined to, and the other way round.
Status Graph::parse(const std::string& text) {
  EndsPtr sources;
  for (std::size_t i = sources_.size(); i-- > 0;) {
    Result<EndsPtr> end =
        make_end("in" + std::to_string(i), sources_[i].filter, std::move(sources));
    if (!end) return end.failure();
    sources = std::move(*end);
  }
  Result<EndsPtr> sink = make_end("out", sink_, nullptr);
  if (!sink) return sink.failure();
  AVFilterInOut* open_sources = sources.release();
  AVFilterInOut* open_sink = sink->release();
  const std::string whole =
      text + ",aformat=sample_fmts=fltp:sample_rates=48000:channel_layouts=stereo[out]";
  const int rc =
      avfilter_graph_parse_ptr(graph_.get(), whole.c_str(), &open_sink, &open_sources, nullptr);
  const EndsPtr left_sources(open_sources);
  const EndsPtr left_sink(open_sink);
  return av_status(rc, "the filter graph can't be read");
}

Status Graph::feed(Source& source) {
  const std::size_t count = std::min(kFedSamples, source.audio->size() - source.fed);
  if (count == 0) {
    source.closed = true;
    return av_status(av_buffersrc_close(source.filter, static_cast<std::int64_t>(source.fed), 0),
                     "the filter graph refused the end");
  }
  av_frame_unref(frame_.get());
  frame_->format = AV_SAMPLE_FMT_FLTP;
  frame_->sample_rate = kAudioRate;
  frame_->nb_samples = static_cast<int>(count);
  frame_->pts = static_cast<std::int64_t>(source.fed);
  av_channel_layout_default(&frame_->ch_layout, static_cast<int>(kAudioChannels));
  if (Status room = av_status(av_frame_get_buffer(frame_.get(), 0), "no memory for audio"); !room) {
    return room;
  }
  for (std::size_t c = 0; c < kAudioChannels; ++c) {
    const float* from = source.audio->channels[c].data() + source.fed;
    auto* to = reinterpret_cast<float*>(frame_->extended_data[c]);
    for (std::size_t i = 0; i < count; ++i) to[i] = from[i] + (i % 2 == 0 ? kHush : -kHush);
  }
  source.fed += count;
  return av_status(av_buffersrc_add_frame(source.filter, frame_.get()), "the filter graph refused");
}

Status Graph::feed_hungriest() {
  Source* hungriest = nullptr;
  unsigned most = 0;
  for (Source& source : sources_) {
    if (source.closed) continue;
    const unsigned asked = av_buffersrc_get_nb_failed_requests(source.filter);
    if (hungriest == nullptr || asked > most) {
      hungriest = &source;
      most = asked;
    }
  }
  if (hungriest == nullptr) return failure(FailureKind::kMedia, "the filter graph is stuck");
  return feed(*hungriest);
}

void Graph::take(FilterResult& result) {
  for (std::size_t c = 0; c < kAudioChannels; ++c) {
    const auto* samples = reinterpret_cast<const float*>(frame_->extended_data[c]);
    result.audio.channels[c].insert(result.audio.channels[c].end(), samples,
                                    samples + frame_->nb_samples);
  }
  const AVDictionaryEntry* note = nullptr;
  while ((note = av_dict_get(frame_->metadata, "", note, AV_DICT_IGNORE_SUFFIX)) != nullptr) {
    const std::string_view text = note->value;
    double value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ec == std::errc() && std::isfinite(value)) result.notes[note->key] = value;
  }
}

Result<FilterResult> Graph::run() {
  FilterResult result;
  for (;;) {
    if (cancel_.cancelled()) return failure(FailureKind::kCancelled, "the audio was cancelled");
    av_frame_unref(frame_.get());
    const int rc = av_buffersink_get_frame(sink_, frame_.get());
    if (rc == AVERROR_EOF) return result;
    if (rc == AVERROR(EAGAIN)) {
      if (Status fed = feed_hungriest(); !fed) return fed.failure();
      continue;
    }
    if (rc < 0) return av_failure(rc, "the filter graph failed");
    take(result);
  }
}

}  // namespace

Result<FilterResult> run_graph(const std::string& text, const std::vector<const Pcm*>& inputs,
                               const CancelToken& cancel) {
  Graph graph(cancel);
  if (Status built = graph.build(text, inputs); !built) return built.failure();
  return graph.run();
}

}  // namespace pytoon::media
