// Plays a clip by the card's own decoder as long as that can, and otherwise, from the first frame
// that it can't, by another player; a line in the log says why.
//
// Thread rule, blocking and errors: ClipPlayer's. Cutouts are the other player's alone.
#pragma once

#include <memory>

#include "gpu/device.h"
#include "pipeline/media/clip/clip_player.h"

namespace pytoon::media {

// otherwise: of the same order.
std::unique_ptr<ClipPlayer> play_on_card(const ClipOrder& order, const gpu::CudaHandles& card,
                                         std::unique_ptr<ClipPlayer> otherwise);

}  // namespace pytoon::media
