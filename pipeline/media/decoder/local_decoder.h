// Decodes in this process: what a confined child does, and tests of what is behind the door.
#pragma once

#include "pipeline/media/decoder/file_decoder.h"

namespace pytoon::media {

class LocalDecoder final : public FileDecoder {
 public:
  Result<MediaInfo> inspect(FileKind kind, const std::filesystem::path& file) override;
  Result<MediaInfo> image_header(const std::filesystem::path& file) override;
  Result<gpu::RgbaImage> read_image(const std::filesystem::path& file) override;
  Result<Pcm> read_audio(const std::filesystem::path& file, std::size_t samples_max,
                         const CancelToken& cancel) override;
  Result<std::shared_ptr<const ClipIndex>> read_clip_index(
      const std::filesystem::path& file) override;
  Result<std::optional<std::string>> tagged_clip(const std::filesystem::path& file,
                                                 UnsaidMatrix matrix) override;
  std::unique_ptr<ClipPlayer> open_clip(const ClipOrder& order) override;
};

}  // namespace pytoon::media
