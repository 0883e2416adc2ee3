#include "pipeline/media/clip/clip_colours.h"

namespace pytoon::media {
namespace {

constexpr int kWhiteNits = 203;
// HLG is made for such a display, and most PQ is graded on one.
constexpr double kPeakNits = 1000;
// Light up to this share of white stays as it is; what is brighter, up to the peak, shares the
// rest.
constexpr double kKnee = 0.95;

bool is_hdr(AVColorTransferCharacteristic transfer) {
  return transfer == AVCOL_TRC_ARIB_STD_B67 || transfer == AVCOL_TRC_SMPTE2084;
}

// The light of HDR, white at 1, to what a display of SDR shows; linear both.
std::string tone_mapped(const std::string& format) {
  return ",format=" + format + ",zscale=p=" + std::to_string(AVCOL_PRI_BT709) +
         ",tonemap=mobius:param=" + std::to_string(kKnee) +
         ":desat=0:peak=" + std::to_string(kPeakNits / kWhiteNits);
}

int wide_primaries(const AVFrame& like) {
  return like.color_primaries == AVCOL_PRI_UNSPECIFIED ? AVCOL_PRI_BT2020 : like.color_primaries;
}

// The numbers of ITU-T H.273, which zimg and FFmpeg share. Where chroma lies zimg asks the frame.
std::string as_coded(const AVFrame& like, int primaries, int transfer) {
  const AVColorSpace matrix = matrix_of(like.colorspace, {like.width, like.height});
  return "pin=" + std::to_string(primaries) + ":tin=" + std::to_string(transfer) +
         ":min=" + std::to_string(matrix) + ":rin=" + (is_full_range(like) ? "full" : "limited");
}

std::string as_wanted(int transfer, gpu::Size size) {
  return "p=" + std::to_string(AVCOL_PRI_BT709) + ":t=" + std::to_string(transfer) +
         ":m=" + std::to_string(AVCOL_SPC_BT709) +
         ":r=limited:c=left:w=" + std::to_string(size.width) + ":h=" + std::to_string(size.height) +
         ",format=yuv420p";
}

}  // namespace

AVColorSpace matrix_of(AVColorSpace told, gpu::Size size) {
  switch (told) {
    case AVCOL_SPC_BT709:
    case AVCOL_SPC_FCC:
    case AVCOL_SPC_SMPTE240M:
    case AVCOL_SPC_RGB:
    case AVCOL_SPC_SMPTE170M:
    case AVCOL_SPC_BT2020_NCL:
      return told;
    case AVCOL_SPC_BT470BG:
      return AVCOL_SPC_SMPTE170M;  // the same matrix
    case AVCOL_SPC_BT2020_CL:
      return AVCOL_SPC_BT2020_NCL;
    default:
      return size.height > 576 || size.width >= 1280 ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
  }
}

bool is_full_range(const AVFrame& frame) {
  return frame.color_range == AVCOL_RANGE_JPEG || frame.format == AV_PIX_FMT_YUVJ420P ||
         frame.format == AV_PIX_FMT_YUVJ422P || frame.format == AV_PIX_FMT_YUVJ444P;
}

bool is_plain(AVColorPrimaries primaries, AVColorTransferCharacteristic transfer) {
  const bool wide = primaries == AVCOL_PRI_BT2020 || primaries == AVCOL_PRI_SMPTE431 ||
                    primaries == AVCOL_PRI_SMPTE432;
  return !wide && !is_hdr(transfer);
}

std::string conversion_chain(const AVFrame& like, gpu::Size stored, gpu::Size wanted) {
  const std::string crop = "crop=w=" + std::to_string(stored.width) +
                           ":h=" + std::to_string(stored.height) + ":x=0:y=0:exact=1,";
  const std::string begin = stored == gpu::Size{like.width, like.height} ? "" : crop;
  if (is_plain(like.color_primaries, like.color_trc)) {
    return begin + "zscale=" + as_coded(like, AVCOL_PRI_BT709, AVCOL_TRC_BT709) + ":" +
           as_wanted(AVCOL_TRC_BT709, wanted);
  }
  if (!is_hdr(like.color_trc)) {
    // Greys keep their code values whatever the curve; only its shape counts.
    const bool srgb = like.color_trc == AVCOL_TRC_IEC61966_2_1;
    const int transfer = srgb ? AVCOL_TRC_IEC61966_2_1 : AVCOL_TRC_BT709;
    return begin + "zscale=" + as_coded(like, wide_primaries(like), transfer) + ":" +
           as_wanted(transfer, wanted);
  }
  return begin + "zscale=" + as_coded(like, wide_primaries(like), like.color_trc) +
         ":t=linear:npl=" + std::to_string(kWhiteNits) + tone_mapped("gbrpf32le") +
         ",zscale=" + as_wanted(AVCOL_TRC_BT709, wanted);
}

std::string cutout_chain(const AVFrame& like) {
  const AVPixFmtDescriptor* const format =
      av_pix_fmt_desc_get(static_cast<AVPixelFormat>(like.format));
  // Greys without chroma are RGB's greys, as animations have them.
  const bool coded = (format->flags & AV_PIX_FMT_FLAG_RGB) == 0 && format->nb_components > 2;
  if (!coded) return "format=rgba";
  const std::string rgb = ":m=gbr:r=full,format=gbrap,format=rgba";
  if (is_plain(like.color_primaries, like.color_trc)) {
    const std::string same = std::to_string(AVCOL_PRI_BT709);
    return "zscale=" + as_coded(like, AVCOL_PRI_BT709, AVCOL_TRC_BT709) + ":p=" + same +
           ":t=" + same + rgb;
  }
  const int transfer = is_hdr(like.color_trc) ? like.color_trc : AVCOL_TRC_BT709;
  const std::string primaries = std::to_string(AVCOL_PRI_BT709);
  const std::string begin = "zscale=" + as_coded(like, wide_primaries(like), transfer);
  if (!is_hdr(like.color_trc)) return begin + ":p=" + primaries + ":t=" + primaries + rgb;
  return begin + ":t=linear:npl=" + std::to_string(kWhiteNits) + tone_mapped("gbrapf32le") +
         ",zscale=t=" + primaries + rgb;
}

}  // namespace pytoon::media
