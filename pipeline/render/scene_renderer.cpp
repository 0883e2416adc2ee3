#include "pipeline/render/scene_renderer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "pipeline/media/assembler.h"
#include "pipeline/media/decoder/local_decoder.h"
#include "pipeline/media/image/image_file.h"
#include "pipeline/media/pieces.h"
#include "pipeline/media/segment_writer.h"
#include "pipeline/media/video_probe.h"
#include "pipeline/render/caption_layout.h"
#include "pipeline/render/cost_facts.h"
#include "pipeline/render/open_clips.h"
#include "pipeline/render/scene_builder.h"
#include "pipeline/render/segment_cost.h"

namespace pytoon::render {
namespace {

constexpr int kThumbnailFrame = 30;
constexpr int kPreviewQuality = 85;

// Each pixel the mean of four; the first row lands at `top` of `to`.
void put_halved(const gpu::RgbaImage& image, gpu::RgbaImage& to, int top) {
  for (int y = 0; y < image.size.height / 2; ++y) {
    for (int x = 0; x < image.size.width / 2; ++x) {
      const std::uint8_t* const above = image.at(2 * x, 2 * y);
      const std::uint8_t* const below = image.at(2 * x, 2 * y + 1);
      std::uint8_t* const pixel = to.at(x, top + y);
      for (int c = 0; c < 3; ++c) {
        pixel[c] =
            static_cast<std::uint8_t>((above[c] + above[c + 4] + below[c] + below[c + 4] + 2) / 4);
      }
    }
  }
}

// Composes the frames of one piece of a segment.
class SceneFrames final : public media::FrameSource {
 public:
  SceneFrames(const Scene& scene, gpu::Device& device, media::FileDecoder& decoder,
              const CancelToken& cancel)
      : scene_(scene),
        compositor_(device.make_compositor()),
        clips_(device, decoder, cancel),
        batch_(static_cast<std::size_t>(scene.has_clips() ? 1 : device.batch_frames())) {
    requests_.reserve(batch_.size());
  }

  Status draw(int index, const gpu::Nv12Target& target) override {
    return draw_batch(index, {&target, 1});
  }

  // A clip's decoder has few frames to lend, so that scenes with clips go frame by frame.
  int batch_frames() const override { return static_cast<int>(batch_.size()); }

  Status draw_batch(int first, std::span<const gpu::Nv12Target> targets) override {
    requests_.clear();
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const int frame = scene_.frames().first + first + static_cast<int>(i);
      const Status known = scene_.evaluate(frame, clips_, batch_[i]);
      if (!known) return known;
      requests_.push_back({&batch_[i], targets[i]});
    }
    return compositor_->compose_batch(requests_);
  }

 private:
  const Scene& scene_;
  std::unique_ptr<gpu::Compositor> compositor_;
  OpenClips clips_;
  std::vector<gpu::Composition> batch_;
  std::vector<gpu::FrameRequest> requests_;
};

}  // namespace

SceneRenderer::SceneRenderer(gpu::Device& device, const media::FontLibrary& fonts,
                             media::EncoderChoice encoders, Options options)
    : device_(device),
      fonts_(fonts),
      encoders_(std::move(encoders)),
      options_(options),
      cache_(options.cache_bytes),
      pool_(options.pool ? options.pool : std::make_shared<PiecePool>(1)),
      decoder_(options.decoder ? options.decoder : std::make_shared<media::LocalDecoder>()) {}

Status SceneRenderer::check(const spec::RenderSpec& spec) { return check_captions(spec, fonts_); }

std::vector<Encoder> SceneRenderer::encoders() const {
  std::vector<Encoder> encoders;
  for (const media::EncoderOption& option : encoders_.options) {
    encoders.push_back({option.settings.codec, option.unavailable, option.expected});
  }
  return encoders;
}

const media::EncoderOption& SceneRenderer::encoder_of(const RenderJob& job) const {
  const auto& options = encoders_.options;
  const auto found = std::ranges::find_if(options, [&](const media::EncoderOption& option) {
    return job.encoder.empty() ? option.unavailable.empty() : option.settings.codec == job.encoder;
  });
  return found == options.end() ? options.back() : *found;
}

const media::EncoderSettings& SceneRenderer::settings_of(const RenderJob& job) const {
  return encoder_of(job).settings_for(spec::name_of(job.spec.quality));
}

// NVENC's frames are composed by a CUDA device wherever that is.
std::string SceneRenderer::device_kind_for(const media::EncoderSettings& encoder) const {
  return encoder.takes_cuda_frames() ? "cuda" : device_.kind();
}

ImageMaker SceneRenderer::maker_of(const RenderJob& job) const {
  const media::EncoderSettings& encoder = settings_of(job);
  return {device_kind_for(encoder), encoder.fingerprint(),
          fonts_.fingerprint(job.spec.style.caption.font)};
}

Result<std::string> SceneRenderer::content_key(const RenderJob& job, int index) {
  const auto captions = captions_of(job, {device_, fonts_, cache_, *decoder_});
  if (!captions) return captions.failure();
  return render::content_key(job, timeline_of(job), **captions, index, maker_of(job));
}

Result<std::vector<std::string>> SceneRenderer::content_keys(const RenderJob& job) {
  const auto captions = captions_of(job, {device_, fonts_, cache_, *decoder_});
  if (!captions) return captions.failure();
  const plan::Timeline timeline = timeline_of(job);
  const ImageMaker maker = maker_of(job);
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < timeline.segments.size(); ++i) {
    keys.push_back(render::content_key(job, timeline, **captions, static_cast<int>(i), maker));
  }
  return keys;
}

RenderMachine SceneRenderer::machine_for(const RenderJob& job, int compositors) const {
  RenderMachine machine;
  machine.encoder = settings_of(job);
  machine.composes_on_cuda = device_kind_for(machine.encoder) == "cuda";
  machine.decodes_clips = device_.cuda_handles().has_value();
  machine.batch_frames = device_.batch_frames();
  machine.compositors = compositors;
  return machine;
}

Result<SegmentCost> SceneRenderer::cost(const RenderJob& job, int index,
                                        const RenderMachine& machine) {
  auto facts = facts_for_cost(job, index, {device_, fonts_, cache_, *decoder_});
  if (!facts) return facts.failure();
  return segment_cost(job, index, *facts, machine);
}

int SceneRenderer::frame_count(const spec::RenderSpec& spec, int index) const {
  return spec.segments.at(static_cast<std::size_t>(index)).duration_seconds * spec.output.fps;
}

// On the CPU device a compositor takes memory that nobody has to count.
int SceneRenderer::pieces_at_once() const {
  return device_.cuda_handles() ? options_.gpu_pieces_at_once : 0;
}

int SceneRenderer::compositors_at_once(const RenderJob& job, int index) const {
  const auto pieces = media::pieces_of(frame_count(job.spec, index), settings_of(job));
  int most = std::min(static_cast<int>(pieces.size()), pool_->threads());
  if (pieces_at_once() > 0) most = std::min(most, pieces_at_once());
  return most;
}

// Compositor, decoder and encoder stand on one device, and each tells its loss in its own way:
// NVENC as an encoder that fails, NVDEC as a clip that can't be read. None of that is the job's
// fault.
Status SceneRenderer::render_segment(const RenderJob& job, int index,
                                     const std::filesystem::path& output, const CancelToken& cancel,
                                     const std::function<void(int)>& on_progress) {
  Status drawn = draw_segment(job, index, output, cancel, on_progress);
  if (drawn) return drawn;
  const Status device = device_.check();
  if (device) return drawn;
  return failure(device.failure().kind,
                 device.failure().detail + " (seen as: " + drawn.failure().detail + ")");
}

Status SceneRenderer::draw_segment(const RenderJob& job, int index,
                                   const std::filesystem::path& output, const CancelToken& cancel,
                                   const std::function<void(int)>& on_progress) {
  const media::EncoderOption& encoder = encoder_of(job);
  if (!encoder.unavailable.empty()) {
    return failure(FailureKind::kEncoder,
                   encoder.settings.codec + " can't be used here: " + encoder.unavailable);
  }
  const plan::FrameSpan span = timeline_of(job).segments.at(static_cast<std::size_t>(index));
  Result<std::shared_ptr<const Scene>> scene =
      build_scene(job, span, {device_, fonts_, cache_, *decoder_});
  if (!scene) return scene.failure();
  media::SegmentOrder order;
  order.format = {job.spec.output.size(), job.spec.output.fps};
  order.encoder = settings_of(job);
  order.cuda = encoders_.cuda;
  order.frame_count = span.count();
  order.output = output;
  order.cancel = cancel;
  order.on_progress = on_progress;
  order.pieces_at_once = pieces_at_once();
  const auto make_frames = [&](const CancelToken& stop) {
    return std::make_shared<SceneFrames>(**scene, device_, *decoder_, stop);
  };
  // A hardware encoder has one piece a segment, whose thread waits for a session: not one of the
  // pool's, which others' pieces need.
  media::PiecesInTurn in_turn;
  const bool hardware = encoder.settings.takes_cuda_frames();
  media::PieceExecutor& executor = hardware ? static_cast<media::PieceExecutor&>(in_turn) : *pool_;
  return media::write_segment(make_frames, order, executor);
}

Result<media::AudioMeasures> SceneRenderer::prepare_audio(const RenderJob& job,
                                                          const std::filesystem::path& output,
                                                          const CancelToken& cancel) {
  media::AudioOrder order;
  if (job.inputs.music) order.music = job.inputs.music->path;
  if (job.inputs.voice) order.voice = job.inputs.voice->path;
  order.music_level_db = job.spec.audio_plan.music_level_db;
  order.voice_level_db = job.spec.audio_plan.voice_level_db;
  order.duck_music = job.spec.audio_plan.duck_music;
  order.duration_seconds = job.spec.target_duration_seconds;
  order.output = output;
  order.cancel = cancel;
  return media::write_audio(order, *decoder_);
}

Status SceneRenderer::assemble(const RenderJob& job,
                               const std::vector<std::filesystem::path>& segments,
                               const std::optional<std::filesystem::path>& audio,
                               const std::filesystem::path& output, const CancelToken& cancel) {
  CHECK(segments.size() == job.spec.segments.size(), "assembly takes every segment");
  media::AssemblyOrder order;
  order.format = {job.spec.output.size(), job.spec.output.fps};
  order.segments = segments;
  order.audio = audio;
  order.output = output;
  order.cancel = cancel;
  return media::assemble(order);
}

Status SceneRenderer::thumbnail(const std::filesystem::path& video,
                                const std::filesystem::path& output) {
  Result<gpu::RgbaImage> frame = media::decode_frame(video, kThumbnailFrame);
  if (!frame) return frame.failure();
  return media::write_jpeg(*frame, output);
}

// Frames below each other begin at multiples of 16 rows for our sizes, so that no block of the JPEG
// lies in two of them: each looks as it would alone, but for the colour of its outermost rows,
// between which decoders interpolate.
Result<std::string> SceneRenderer::strip_jpeg(const std::vector<FrameRun>& strip) {
  int count = 0;
  for (const FrameRun& run : strip) count += static_cast<int>(run.frames.size());
  CHECK(count > 0, "a strip has frames");
  const gpu::Size size = strip.front().job.spec.output.size();
  const int half_height = size.height / 2;
  gpu::RgbaImage image({size.width / 2, count * half_height}, {0, 0, 0, 255});
  int top = 0;
  for (const FrameRun& run : strip) {
    if (Status drawn = draw_run(run, image, top); !drawn) return drawn.failure();
    top += static_cast<int>(run.frames.size()) * half_height;
  }
  return media::jpeg_of(image, kPreviewQuality);
}

Status SceneRenderer::draw_run(const FrameRun& run, gpu::RgbaImage& strip, int top) {
  const auto [first, last] = std::minmax_element(run.frames.begin(), run.frames.end());
  Result<std::shared_ptr<const Scene>> scene =
      build_scene(run.job, {*first, *last + 1}, {device_, fonts_, cache_, *decoder_});
  if (!scene) return scene.failure();
  const gpu::Size size = run.job.spec.output.size();
  const auto luma_bytes =
      static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height);
  std::vector<std::uint8_t> bytes(luma_bytes * 3 / 2);
  const auto pitch_bytes = static_cast<std::size_t>(size.width);
  const gpu::HostNv12View view{size, bytes.data(), pitch_bytes, bytes.data() + luma_bytes,
                               pitch_bytes};
  SceneFrames frames(**scene, device_, *decoder_, CancelToken());
  for (const int frame : run.frames) {
    if (Status drawn = frames.draw(frame - *first, view); !drawn) return drawn;
    const Result<gpu::RgbaImage> image = media::image_of(view);
    if (!image) return image.failure();
    put_halved(*image, strip, top);
    top += size.height / 2;
  }
  return ok_status();
}

nlohmann::ordered_json SceneRenderer::facts(const RenderJob& job) const {
  const media::EncoderSettings& encoder = settings_of(job);
  // A frame that a CUDA device composes leaves it once, unless its encoder reads it there.
  const bool crosses = device_.cuda_handles().has_value() && !encoder.takes_cuda_frames();
  nlohmann::ordered_json substitutions = nlohmann::ordered_json::array();
  if (const auto used = fonts_.substitution(job.spec.style.caption.font)) {
    substitutions.push_back({{"wanted", used->wanted}, {"used", used->used}});
  }
  return {{"device", device_.kind()},
          {"encoder", encoder.codec},
          {"encoder_preset", encoder.preset},
          {"quality", spec::name_of(job.spec.quality)},
          {"crossings_per_frame", crosses ? 1 : 0},
          {"font_substitutions", substitutions}};
}

}  // namespace pytoon::render
