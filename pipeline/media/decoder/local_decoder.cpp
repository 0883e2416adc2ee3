#include "pipeline/media/decoder/local_decoder.h"

#include "pipeline/media/audio/audio_file.h"
#include "pipeline/media/clip/clip_source.h"
#include "pipeline/media/clip/inspect_clip.h"
#include "pipeline/media/image/image_file.h"

namespace pytoon::media {

Result<MediaInfo> LocalDecoder::inspect(FileKind kind, const std::filesystem::path& file) {
  if (kind == FileKind::kClip) return inspect_clip(file);
  if (kind == FileKind::kAudio) return inspect_audio(file);
  return inspect_image(file);
}

Result<MediaInfo> LocalDecoder::image_header(const std::filesystem::path& file) {
  return read_image_header(file);
}

Result<gpu::RgbaImage> LocalDecoder::read_image(const std::filesystem::path& file) {
  return media::read_image(file);
}

Result<Pcm> LocalDecoder::read_audio(const std::filesystem::path& file, std::size_t samples_max,
                                     const CancelToken& cancel) {
  return media::read_audio(file, samples_max, cancel);
}

Result<std::shared_ptr<const ClipIndex>> LocalDecoder::read_clip_index(
    const std::filesystem::path& file) {
  return index_clip(file);
}

Result<std::optional<std::string>> LocalDecoder::tagged_clip(const std::filesystem::path& file,
                                                             UnsaidMatrix matrix) {
  return media::tagged_clip(file, matrix);
}

std::unique_ptr<ClipPlayer> LocalDecoder::open_clip(const ClipOrder& order) {
  return std::make_unique<ClipSource>(order);
}

}  // namespace pytoon::media
