#include "pipeline/media/clip/colour_scaler.h"

#include <utility>

#include "pipeline/media/clip/clip_colours.h"

namespace pytoon::media {
namespace {

constexpr int kOne = 1 << 16;

// Left where nothing is said, as H.264 and HEVC have it. Along an axis that has as many samples of
// chroma as of luma they lie upon each other, whatever is said.
void read_siting(const AVFrame& frame, ScalerSide& side) {
  const AVPixFmtDescriptor* const format =
      av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  const AVChromaLocation told = frame.chroma_location;
  const bool centred =
      told == AVCHROMA_LOC_CENTER || told == AVCHROMA_LOC_TOP || told == AVCHROMA_LOC_BOTTOM;
  const bool top = told == AVCHROMA_LOC_TOPLEFT || told == AVCHROMA_LOC_TOP;
  const bool bottom = told == AVCHROMA_LOC_BOTTOMLEFT || told == AVCHROMA_LOC_BOTTOM;
  side.chroma_x = centred && format->log2_chroma_w > 0 ? 128 : 0;
  side.chroma_y = 0;
  if (format->log2_chroma_h > 0 && !top) side.chroma_y = bottom ? 256 : 128;
}

int swscale_matrix(AVColorSpace matrix) {
  switch (matrix) {
    case AVCOL_SPC_FCC:
      return SWS_CS_FCC;
    case AVCOL_SPC_SMPTE240M:
      return SWS_CS_SMPTE240M;
    case AVCOL_SPC_BT2020_NCL:
      return SWS_CS_BT2020;
    case AVCOL_SPC_SMPTE170M:
      return SWS_CS_ITU601;
    default:
      return SWS_CS_ITU709;
  }
}

}  // namespace

ScalerSide side_of(const AVFrame& frame, gpu::Size used) {
  ScalerSide side{frame.format, used, matrix_of(frame.colorspace, {frame.width, frame.height}),
                  is_full_range(frame)};
  read_siting(frame, side);
  return side;
}

Result<ScalerPtr> make_scaler(const ScalerSide& from, const ScalerSide& to) {
  ScalerPtr scaler(sws_alloc_context());
  if (!scaler) return failure(FailureKind::kOutOfMemory, "no memory for a colour conversion");
  const std::pair<const char*, int> options[] = {
      {"srcw", from.size.width},
      {"srch", from.size.height},
      {"dstw", to.size.width},
      {"dsth", to.size.height},
      {"src_format", from.format},
      {"dst_format", to.format},
      {"src_h_chr_pos", from.chroma_x},
      {"src_v_chr_pos", from.chroma_y},
      {"dst_h_chr_pos", to.chroma_x},
      {"dst_v_chr_pos", to.chroma_y},
      {"sws_flags",
       SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP | SWS_BITEXACT}};
  for (const auto& [name, value] : options) av_opt_set_int(scaler.get(), name, value, 0);
  const int set = sws_setColorspaceDetails(
      scaler.get(), sws_getCoefficients(swscale_matrix(from.matrix)), from.full_range ? 1 : 0,
      sws_getCoefficients(swscale_matrix(to.matrix)), to.full_range ? 1 : 0, 0, kOne, kOne);
  const int rc = sws_init_context(scaler.get(), nullptr, nullptr);
  if (rc < 0 || set < 0) return failure(FailureKind::kMedia, "can't convert the clip's colours");
  return scaler;
}

}  // namespace pytoon::media
