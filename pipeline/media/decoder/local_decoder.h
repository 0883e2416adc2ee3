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
};

}  // namespace pytoon::media
