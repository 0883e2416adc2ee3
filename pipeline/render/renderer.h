// The one door to films: a validated spec and its inputs -> encoded segments -> a finished file.
//
// Thread rule: all methods may be called from any thread, render_segment for several segments at
// once: it waits while the renderer's own threads encode the pieces of all of them. All block.
// Errors: kCancelled, kStorageFull, kOutOfMemory, kMedia, kEncoder, kMalformed (an input that no
// longer decodes), kNotFound (an input that is gone), kDeviceLost (whatever it was that failed: the
// GPU is gone, and this process can draw no more).
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"
#include "pipeline/media/audio/audio_writer.h"
#include "pipeline/media/media_info.h"
#include "pipeline/plan/segment_source.h"
#include "pipeline/plan/timeline.h"
#include "pipeline/render/render_cost.h"
#include "pipeline/spec/render_spec.h"

namespace pytoon::render {

// Of a file that is not needed for what is asked, path and hash may be empty: drawing a segment
// takes the files of plan::drawn_from(), its content key the hashes of plan::decided_by().
struct Inputs {
  std::vector<plan::InputFile> images;  // in the spec's order
  std::vector<plan::InputFile> clips;   // likewise
  std::optional<plan::InputFile> mask;
  std::optional<plan::InputFile> logo;  // brand_safe only
  std::optional<plan::InputFile> music;
  std::optional<plan::InputFile> voice;
  // What is known of images and clips that are not here, by hash: enough for a segment's cost.
  std::map<std::string, media::MediaInfo> known;

  bool has_audio() const { return music || voice; }
};

struct RenderJob {
  spec::RenderSpec spec;
  Inputs inputs;
  std::vector<plan::SegmentSource> footage;  // one a segment
  // Of Renderer::encoders(): all segments of a video are made with one. "" is the best that can be
  // used here.
  std::string encoder;
};

// Which frames a segment owns and what each shows.
inline plan::Timeline timeline_of(const RenderJob& job) {
  std::vector<plan::SourceKind> sources;
  for (const plan::SegmentSource& footage : job.footage) sources.push_back(footage.kind);
  return plan::make_timeline(job.spec, sources);
}

// Frames of one segment, numbered in the whole video.
struct FrameRun {
  RenderJob job;
  std::vector<int> frames;
};

// An encoder that a job may name.
struct Encoder {
  std::string name;         // "h264_nvenc", "libx264"
  std::string unavailable;  // why it can't be used here; "" when it can
  bool expected = false;    // a job that has to do without it here is degraded
};

class Renderer {
 public:
  virtual ~Renderer() = default;

  // What can be refused before a job is taken: captions that do not fit or lack glyphs. Faults
  // point into the job request: /captions/hook, /captions/beats/2, /captions/cta.
  virtual Status check(const spec::RenderSpec& spec) = 0;
  // Best first. The last can always be used: what a job falls back to.
  virtual std::vector<Encoder> encoders() const = 0;
  // A hash of all that determines a segment's bytes. Also for an encoder that can't be used here,
  // so that what another machine made with it is recognised. Opens no file.
  virtual Result<std::string> content_key(const RenderJob& job, int index) = 0;
  // Those of all segments.
  virtual Result<std::vector<std::string>> content_keys(const RenderJob& job) = 0;
  // How this process would render segments of the job, with so many compositors at once in each.
  virtual RenderMachine machine_for(const RenderJob& job, int compositors) const = 0;
  // What the segment will take of the GPU there. Needs no file: of those that are here it reads the
  // heads, what is not here is counted at its largest (render_cost.h). Decodes nothing; lays out
  // captions and indexes clips, once for this and for rendering.
  virtual Result<SegmentCost> cost(const RenderJob& job, int index,
                                   const RenderMachine& machine) = 0;
  // Frames of segment `index`.
  virtual int frame_count(const spec::RenderSpec& spec, int index) const = 0;
  // The most compositors that segment `index` has at the same time on this machine: one for each of
  // its pieces in work. Each takes device memory for itself; textures are shared.
  virtual int compositors_at_once(const RenderJob& job, int index) const = 0;
  // Writes the segment's MP4 atomically. on_progress gets the frames done so far. kEncoder when the
  // job's encoder fails or can't be used: another one may do.
  virtual Status render_segment(const RenderJob& job, int index,
                                const std::filesystem::path& output, const CancelToken& cancel,
                                const std::function<void(int)>& on_progress) = 0;
  // Makes the job's audio, of which there must be some, as a file for assemble(). Needs no
  // segments and may run beside them. Looks at the spec and the inputs only.
  virtual Result<media::AudioMeasures> prepare_audio(const RenderJob& job,
                                                     const std::filesystem::path& output,
                                                     const CancelToken& cancel) = 0;
  // Joins the segments, which must be all of them in order, and the audio, if there is one, into
  // output.mp4.
  virtual Status assemble(const RenderJob& job, const std::vector<std::filesystem::path>& segments,
                          const std::optional<std::filesystem::path>& audio,
                          const std::filesystem::path& output, const CancelToken& cancel) = 0;
  // Frame 30 of a video, or its last, as a JPEG.
  virtual Status thumbnail(const std::filesystem::path& video,
                           const std::filesystem::path& output) = 0;
  // Frames of the whole video as one JPEG of half its edges, each below the one before it,
  // composed as render_segment() composes them and not encoded. Needs the files of their segments.
  virtual Result<std::string> strip_jpeg(const std::vector<FrameRun>& strip) = 0;
  // For metadata.json: device, encoder, how often a frame crosses between host and device memory,
  // font substitutions.
  virtual nlohmann::ordered_json facts(const RenderJob& job) const = 0;
};

}  // namespace pytoon::render
