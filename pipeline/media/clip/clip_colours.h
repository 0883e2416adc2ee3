// What a clip's colours mean, by its tags or, where they are silent, by a documented guess.
//
// Matrix: as tagged; untagged BT.709 above 576 rows or from 1280 columns on, else BT.601, as
// players take it. Primaries: BT.2020 and the P3s are converted to BT.709's; those of SD are taken
// as BT.709's, as players do. Transfer: HLG and PQ are tone-mapped, a white of 203 cd/m2 (ITU-R
// BT.2408-7 section 2) becoming white; all others are taken as they are.
//
// Thread rule: pure.
#pragma once

#include <string>

#include "gpu/image.h"
#include "pipeline/media/gst/ffmpeg.h"

namespace pytoon::media {

// The matrix to read a frame of this size by.
AVColorSpace matrix_of(AVColorSpace told, gpu::Size size);
bool is_full_range(const AVFrame& frame);
// Whether code values mean what they mean in BT.709, but for matrix and range.
bool is_plain(AVColorPrimaries primaries, AVColorTransferCharacteristic transfer);
// libavfilter's chain from frames like this one to 8-bit 4:2:0 BT.709 limited range with chroma at
// the left, in the size wanted. stored: what of the frame is used, from its top left.
std::string conversion_chain(const AVFrame& like, gpu::Size stored, gpu::Size wanted);
// The same from any frames to 8-bit RGBA of their size.
std::string cutout_chain(const AVFrame& like);

}  // namespace pytoon::media
