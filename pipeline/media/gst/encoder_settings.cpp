#include "pipeline/media/gst/video_encoder.h"

namespace pytoon::media {

namespace {

std::string thousands(int kilo) { return std::to_string(kilo) + "000"; }

// The quick presets are quicker here, at the same look for a few bytes more: still pictures moved
// slowly need no guess where B-frames stand, no divided blocks and no fine search for sub-pixel
// motion, and eight frames of looking ahead do what ten did (docs/adr/0015-qualities.md). Who asks
// for a slower preset gets all of it.
std::string for_stills(const std::string& preset) {
  if (preset == "veryfast") return ":b-adapt=0:partitions=none:subme=1:rc-lookahead=8";
  const bool coarse_already = preset == "ultrafast" || preset == "superfast";
  return coarse_already ? ":b-adapt=0:partitions=none" : "";
}

// Pinned: the level and the stream's parameter sets must not follow from the pictures. x264's
// stitchable keeps content out of the headers; b-pyramid none keeps the reordering at one frame.
// vbv-init: a piece's buffer is full when it begins, as with_limit() assumes.
//
// cpu-independent: without it x264 r3095 gives other bytes on another instruction set, and with
// AVX2 even from run to run (its macroblock tree then depends on memory nobody wrote).
//
// sync-lookahead: a thread for looking ahead would hold four frames more, and save no time.
//
// ultrafast alone turns the 8x8 transform off; without it the stream is not of the High profile.
NamedValues x264_options(const EncoderSettings& settings) {
  std::string parameters =
      "stitchable=1:b-pyramid=none:repeat-headers=0:aud=0:cpu-independent=1:vbv-init=1";
  if (settings.preset == "ultrafast") parameters += ":8x8dct=1";
  parameters += for_stills(settings.preset);
  if (settings.threads > 1) parameters += ":sync-lookahead=0";
  NamedValues options{
      {"preset", settings.preset},
      {"profile", "high"},
      {"level", "4.0"},
      {"crf", std::to_string(settings.crf)},
      {"g", std::to_string(settings.gop_frames)},
      {"bf", std::to_string(settings.b_frames)},
      {"refs", std::to_string(settings.reference_frames)},
      {"threads", std::to_string(settings.threads)},
      {"flags", "+cgop+global_header"},
      {"colorspace", "bt709"},
      {"color_primaries", "bt709"},
      {"color_trc", "bt709"},
      {"color_range", "tv"},
      {"chroma_sample_location", "left"},
      {"x264-params", parameters},
  };
  if (settings.max_bitrate_kbps > 0) {
    options.emplace_back("maxrate", thousands(settings.max_bitrate_kbps));
    options.emplace_back("bufsize", thousands(settings.vbv_buffer_kbits));
  }
  return options;
}

// NVENC's key frames are all IDR frames, one each `g` frames, so that its sequences are closed. No
// lookahead: it would move key frames to scene cuts. B-frames are no references: one frame of
// reordering. With a target quality libavcodec drops the buffer size; the peak rate stays a limit.
// Sources: Video Codec SDK 11.1, nvEncodeAPI.h; libavcodec 59, nvenc.c.
NamedValues nvenc_options(const EncoderSettings& settings) {
  return NamedValues{
      {"preset", settings.preset},
      {"tune", "hq"},
      {"profile", "high"},
      {"level", "4.0"},
      {"rc", "vbr"},
      {"cq", std::to_string(settings.crf)},
      {"b", "0"},
      {"maxrate", thousands(settings.max_bitrate_kbps)},
      {"g", std::to_string(settings.gop_frames)},
      {"bf", std::to_string(settings.b_frames)},
      {"b_ref_mode", "disabled"},
      {"coder", "cabac"},
      {"aud", "0"},
      {"delay", std::to_string(kNvencDelayFrames)},
      {"flags", "+cgop+global_header"},
      {"colorspace", "bt709"},
      {"color_primaries", "bt709"},
      {"color_trc", "bt709"},
      {"color_range", "tv"},
      {"chroma_sample_location", "left"},
  };
}

}  // namespace

Result<NamedValues> encoder_options(const EncoderSettings& settings) {
  if (settings.codec == kCodecX264) return x264_options(settings);
  if (settings.codec == kCodecNvenc) return nvenc_options(settings);
  return failure(FailureKind::kMedia, "the encoder " + settings.codec + " is not supported");
}

int frames_held(const EncoderSettings& settings) {
  // What waits for its packet, a group of B-frames that waits for its P-frame, and the one going
  // in.
  return settings.takes_cuda_frames() ? kNvencDelayFrames + settings.b_frames + 1 + 1 : 0;
}

std::string EncoderSettings::fingerprint() const {
  std::string text = "codec=" + codec + ";avcodec=" + std::to_string(avcodec_version() >> 16) +
                     ";input=nv12;units=slices";
  if (const Result<NamedValues> options = encoder_options(*this)) {
    for (const auto& [name, value] : *options) text += ";" + name + "=" + value;
  }
  // How pieces.h divides segments and keeps to the limit.
  if (!takes_cuda_frames())
    text += ";pieces=" + std::to_string(piece_frames) + ";limit=pieces;alone=2";
  return text;
}

}  // namespace pytoon::media
