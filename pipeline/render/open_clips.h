// The ClipFrames of one segment: clips that are open, and the frame each shows now as a texture of
// the device. A clip is opened when first asked for; at most three stay open. A device's card
// decodes what it can; all else is the FileDecoder's.
//
// Thread rule: one thread at a time. Blocks on decoding; hears the CancelToken. Errors:
// ClipPlayer's.
#pragma once

#include <memory>
#include <vector>

#include "base/cancel.h"
#include "gpu/device.h"
#include "pipeline/media/decoder/file_decoder.h"
#include "pipeline/render/shot_clip.h"

namespace pytoon::render {

class OpenClips final : public ClipFrames {
 public:
  // device and decoder must outlive this.
  OpenClips(gpu::Device& device, media::FileDecoder& decoder, CancelToken cancel)
      : device_(device), decoder_(decoder), cancel_(std::move(cancel)) {}

  Result<std::shared_ptr<const gpu::Texture>> texture(const ShotClip& clip, int frame) override;

 private:
  struct Open {
    const ShotClip* clip = nullptr;
    std::unique_ptr<media::ClipPlayer> player;
    std::size_t index = 0;
    std::shared_ptr<const gpu::Texture> texture;  // of frame `index`
  };
  Open& open(const ShotClip& clip);
  Result<std::shared_ptr<const gpu::Texture>> whole(Open& now, std::size_t index);
  Result<std::shared_ptr<const gpu::Texture>> cutout(Open& now, std::size_t index);

  gpu::Device& device_;
  media::FileDecoder& decoder_;
  const CancelToken cancel_;
  std::vector<Open> open_;  // latest used last
};

}  // namespace pytoon::render
