// The door through which the bytes of strangers become facts, pixels, samples and frames. Who holds
// one need not know whether they are decoded here (LocalDecoder) or in a confined process
// (ChildDecoder).
//
// Thread rule: any thread. Blocks while the file is decoded. Errors: what each of the functions
// behind it says (image_file.h, audio_file.h, inspect_clip.h, clip_index.h); kInvalid or kMalformed
// when the file broke or overran its decoder; kUnavailable when no decoder can be had.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"
#include "gpu/image.h"
#include "pipeline/media/audio/pcm.h"
#include "pipeline/media/clip/clip_player.h"
#include "pipeline/media/clip/matrix_tag.h"
#include "pipeline/media/media_info.h"

namespace pytoon::media {

enum class FileKind { kImage, kClip, kAudio };

// Decoders in processes of their own that died: what they did ("inspect-image", "inspect-clip",
// "inspect-audio", "image-header", "image", "audio", "clip-index", "clip-tag",
// "clip") and of what they died
// ("cpu", "time", on the clock; "forbidden", a system call of an attack; "killed", from outside;
// "crash"; "exit", without an answer; "host", with the process that they are made of).
struct DecoderDeaths {
  std::string task;
  std::string reason;
  std::uint64_t count = 0;
};

class FileDecoder {
 public:
  virtual ~FileDecoder() = default;

  // Decodes all of the file to be sure.
  virtual Result<MediaInfo> inspect(FileKind kind, const std::filesystem::path& file) = 0;
  // Of an image by its head alone.
  virtual Result<MediaInfo> image_header(const std::filesystem::path& file) = 0;
  virtual Result<gpu::RgbaImage> read_image(const std::filesystem::path& file) = 0;
  virtual Result<Pcm> read_audio(const std::filesystem::path& file, std::size_t samples_max,
                                 const CancelToken& cancel) = 0;
  virtual Result<std::shared_ptr<const ClipIndex>> read_clip_index(
      const std::filesystem::path& file) = 0;
  // The clip written anew with its colours' matrix told; nothing: it may stay as it is.
  virtual Result<std::optional<std::string>> tagged_clip(const std::filesystem::path& file,
                                                         UnsaidMatrix matrix) = 0;
  // Frames in host memory. Opens nothing yet: that is the first frame's. This must outlive the
  // player.
  virtual std::unique_ptr<ClipPlayer> open_clip(const ClipOrder& order) = 0;
  // Since it was made; none where files are decoded in this process.
  virtual std::vector<DecoderDeaths> deaths() const { return {}; }
};

}  // namespace pytoon::media
