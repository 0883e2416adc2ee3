// The ClipFrames of one segment: decoders that are open, and the frame each shows now as a texture
// of the device. A decoder is opened when first asked for; at most three stay open.
//
// Thread rule: one thread at a time. Blocks on decoding; hears the CancelToken. Errors: kMalformed,
// kNotFound, kIo, kOutOfMemory, kCancelled.
#pragma once

#include <memory>
#include <vector>

#include "base/cancel.h"
#include "gpu/device.h"
#include "pipeline/media/clip/clip_source.h"
#include "pipeline/render/shot_clip.h"

namespace pytoon::render {

class OpenClips final : public ClipFrames {
 public:
  // device must outlive this.
  OpenClips(gpu::Device& device, CancelToken cancel)
      : device_(device), cancel_(std::move(cancel)) {}

  Result<std::shared_ptr<const gpu::Texture>> texture(const ShotClip& clip, int frame) override;

 private:
  struct Open {
    const ShotClip* clip = nullptr;
    std::unique_ptr<media::ClipSource> source;
    std::size_t index = 0;
    std::shared_ptr<const gpu::Texture> texture;  // of frame `index`
  };
  Open& open(const ShotClip& clip);
  Result<std::shared_ptr<const gpu::Texture>> whole(Open& now, std::size_t index);
  Result<std::shared_ptr<const gpu::Texture>> cutout(Open& now, std::size_t index);

  gpu::Device& device_;
  const CancelToken cancel_;
  std::vector<Open> open_;  // latest used last
};

}  // namespace pytoon::render
