#include "pipeline/media/clip/frame_decoder.h"

#include "pipeline/media/clip/animation_decoder.h"
#include "pipeline/media/clip/clip_decoder.h"

namespace pytoon::media {

Result<std::unique_ptr<FrameDecoder>> open_frames(const ClipIndex& clip, BufferPtr hardware,
                                                  CancelToken cancel, Scrutiny scrutiny) {
  if (is_animation(clip.container)) {
    Result<Animation> animation = read_animation(clip.path, clip.container);
    if (!animation) return animation.failure();
    return open_animation(std::move(*animation), clip.container, std::move(cancel));
  }
  Result<std::unique_ptr<ClipDecoder>> decoder =
      ClipDecoder::open(clip, std::move(hardware), std::move(cancel), scrutiny);
  if (!decoder) return decoder.failure();
  return std::unique_ptr<FrameDecoder>(std::move(*decoder));
}

}  // namespace pytoon::media
