// A Renderer that draws nothing: a segment is a line of text that says all that decided it, a video
// is its segments' lines. Deterministic like the real one; failures come from hooks.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/hash.h"
#include "pipeline/plan/dependencies.h"
#include "pipeline/render/renderer.h"

namespace pytoon::testing_support {

class FakeRenderer : public render::Renderer {
 public:
  // Asked before a segment is written, and before the video is assembled.
  std::function<Status(int index, plan::SourceKind, const CancelToken&)> on_render;
  std::function<Status()> on_assemble;
  std::function<Status(const CancelToken&)> on_audio;
  // Asked as well, with the encoder that the job names.
  std::function<Status(int index, const std::string& encoder)> on_encode;
  std::vector<render::Encoder> encoder_list{{"fake_encoder", "", false}};

  Status check(const spec::RenderSpec& spec) override {
    if (spec.captions_plan.hook.find("\u2603") == std::string::npos) return ok_status();
    return invalid_field("/captions/hook", "has a glyph that no font has");
  }

  std::vector<render::Encoder> encoders() const override { return encoder_list; }

  Result<std::string> content_key(const render::RenderJob& job, int index) override {
    return key(job, static_cast<std::size_t>(index));
  }

  Result<std::vector<std::string>> content_keys(const render::RenderJob& job) override {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < job.spec.segments.size(); ++i) keys.push_back(key(job, i));
    return keys;
  }

  // As if each segment were drawn on a card and took of it what a test says.
  std::function<Result<render::SegmentCost>(int index)> on_cost;
  render::RenderMachine machine_for(const render::RenderJob& /*job*/,
                                    int compositors) const override {
    render::RenderMachine machine;
    machine.compositors = compositors;
    return machine;
  }
  Result<render::SegmentCost> cost(const render::RenderJob& /*job*/, int index,
                                   const render::RenderMachine& /*machine*/) override {
    return on_cost ? on_cost(index) : render::SegmentCost{};
  }

  int frame_count(const spec::RenderSpec& spec, int index) const override {
    return spec.segments[static_cast<std::size_t>(index)].duration_seconds * 30;
  }

  int compositors_at_once(const render::RenderJob&, int) const override { return 1; }

  Status render_segment(const render::RenderJob& job, int index,
                        const std::filesystem::path& output, const CancelToken& cancel,
                        const std::function<void(int)>& on_progress) override {
    const auto i = static_cast<std::size_t>(index);
    {
      const std::lock_guard lock(mutex_);
      ++calls_[index];
      ++running_;
      most_running_ = std::max(most_running_, running_);
    }
    Status done = on_render ? on_render(index, job.footage[i].kind, cancel) : ok_status();
    if (done && on_encode) done = on_encode(index, job.encoder);
    if (done) {
      on_progress(frame_count(job.spec, index));
      done = write_file_atomically(output, "segment " + key(job, i) + "\n");
    }
    const std::lock_guard lock(mutex_);
    --running_;
    return done;
  }

  Result<media::AudioMeasures> prepare_audio(const render::RenderJob& job,
                                             const std::filesystem::path& output,
                                             const CancelToken& cancel) override {
    if (on_audio) {
      if (Status done = on_audio(cancel); !done) return done.failure();
    }
    const auto sha256 = [](const auto& input) { return input ? input->sha256 : ""; };
    const std::string audio =
        "audio " + sha256(job.inputs.music) + " " + sha256(job.inputs.voice) + "\n";
    if (Status written = write_file_atomically(output, audio); !written) return written.failure();
    return media::AudioMeasures{-14, -2, 3, 1.5, job.inputs.music && job.inputs.voice};
  }

  Status assemble(const render::RenderJob& job, const std::vector<std::filesystem::path>& segments,
                  const std::optional<std::filesystem::path>& audio,
                  const std::filesystem::path& output, const CancelToken& /*cancel*/) override {
    if (on_assemble) {
      if (Status done = on_assemble(); !done) return done;
    }
    std::string video;
    for (std::size_t i = 0; i < job.spec.segments.size(); ++i) {
      const Result<std::string> part = read_file(segments.at(i));
      if (!part) return part.failure();
      if (*part != "segment " + key(job, i) + "\n") {
        return failure(FailureKind::kMedia, "segment " + std::to_string(i) + " is another one");
      }
      video += *part;
    }
    if (audio) {
      const Result<std::string> heard = read_file(*audio);
      if (!heard) return heard.failure();
      video += *heard;
    }
    return write_file_atomically(output, video);
  }

  Status thumbnail(const std::filesystem::path& video,
                   const std::filesystem::path& output) override {
    const Result<std::string> bytes = read_file(video);
    if (!bytes) return bytes.failure();
    return write_file_atomically(output, "thumbnail of " + sha256_hex(*bytes));
  }

  Result<std::string> strip_jpeg(const std::vector<render::FrameRun>& strip) override {
    std::string said;
    for (const render::FrameRun& run : strip) {
      for (const int frame : run.frames) said += "frame " + std::to_string(frame) + "\n";
    }
    return said;
  }

  nlohmann::ordered_json facts(const render::RenderJob& job) const override {
    return {{"device", "fake"}, {"encoder", job.encoder}};
  }

  int calls(int index) const {
    const std::lock_guard lock(mutex_);
    const auto found = calls_.find(index);
    return found == calls_.end() ? 0 : found->second;
  }
  int calls() const {
    const std::lock_guard lock(mutex_);
    int sum = 0;
    for (const auto& entry : calls_) sum += entry.second;
    return sum;
  }
  int most_running() const {
    const std::lock_guard lock(mutex_);
    return most_running_;
  }

  // A segment depends on the files that the plan says, on what it shows itself and on what the one
  // before shows, which it fades from.
  static std::string key(const render::RenderJob& job, std::size_t i) {
    const plan::Dependencies files =
        plan::decided_by(render::timeline_of(job), static_cast<int>(i));
    Sha256 hash;
    hash.field(job.encoder);
    hash.field(std::to_string(job.spec.seed));
    hash.field(std::to_string(i));
    for (const int image : files.images) {
      hash.field(job.inputs.images.at(static_cast<std::size_t>(image)).sha256);
    }
    for (const int clip : files.clips) {
      hash.field(job.inputs.clips.at(static_cast<std::size_t>(clip)).sha256);
    }
    hash.field(std::to_string(static_cast<int>(job.footage[i].kind)));
    if (i > 0) hash.field(std::to_string(static_cast<int>(job.footage[i - 1].kind)));
    return hash.hex();
  }

 private:
  mutable std::mutex mutex_;
  std::map<int, int> calls_;
  int running_ = 0;
  int most_running_ = 0;
};

}  // namespace pytoon::testing_support
