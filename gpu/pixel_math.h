// The arithmetic of one pixel, shared by every device so that they agree bit for bit: colour
// conversion, sample positions, resampling weights and the rounding of blends. Integers
// throughout, but for positions, which start as double and are rounded once to 1/65536 pixel.
//
// Functions are static constexpr: callable from CUDA kernels with --expt-relaxed-constexpr, and
// private to each translation unit, so that a copy compiled for a newer CPU is never linked into
// code meant for an older one.
//
// Colours with alpha are premultiplied after conversion: a stored sample is the limited-range code
// value times alpha / 255, offset included, so that blending is the same for luma and chroma:
//   frame = colour + frame * (255 - alpha) / 255
//
// Sources: ITU-R BT.709-6 (coefficients 0.2126, 0.7152, 0.0722; 8-bit limited range: luma 219
// steps above 16, chroma 224 steps around 128). Keys 1981, cubic convolution with a = -0.5.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pytoon::gpu {

// Code values a sample may take.
struct Range {
  int low = 0;
  int high = 255;
};
inline constexpr Range kLumaRange{16, 235};
inline constexpr Range kChromaRange{16, 240};
inline constexpr int kChromaNeutral = 128;

// ---- sRGB code values to BT.709 limited range, correctly rounded.
// Y  =  16 + 219 * (1063 R + 3576 G + 361 B) / (5000 * 255)
// Cb = 128 + 112 * (4639 B - 1063 R - 3576 G) / (4639 * 255)
// Cr = 128 + 112 * (3937 R - 3576 G - 361 B) / (3937 * 255)

inline constexpr std::uint32_t kLumaUnit = 5000U * 255U;
inline constexpr std::int64_t kCbUnit = std::int64_t{4639} * 255;
inline constexpr std::int64_t kCrUnit = std::int64_t{3937} * 255;

static constexpr std::uint32_t luma_in_units(std::uint32_t r, std::uint32_t g, std::uint32_t b) {
  return 16U * kLumaUnit + 219U * (1063U * r + 3576U * g + 361U * b);
}

static constexpr std::uint8_t luma(std::uint32_t r, std::uint32_t g, std::uint32_t b) {
  return static_cast<std::uint8_t>((luma_in_units(r, g, b) + kLumaUnit / 2) / kLumaUnit);
}

static constexpr std::uint8_t premultiplied_luma(std::uint32_t r, std::uint32_t g, std::uint32_t b,
                                                 std::uint32_t a) {
  constexpr std::uint64_t kUnit = std::uint64_t{kLumaUnit} * 255U;
  return static_cast<std::uint8_t>((std::uint64_t{luma_in_units(r, g, b)} * a + kUnit / 2) / kUnit);
}

// Opaque pixels under one chroma sample, summed with the siting filter's weights (8 in all).
inline constexpr std::int32_t kSitingWeight = 8;

static constexpr std::uint8_t opaque_chroma(std::int32_t weighted, std::uint32_t unit) {
  const auto offset = static_cast<std::uint32_t>(kChromaNeutral * kSitingWeight) * unit;
  const std::uint32_t scaled = offset + static_cast<std::uint32_t>(112 * weighted);
  return static_cast<std::uint8_t>((scaled + 4U * unit) / (8U * unit));
}
static constexpr std::uint8_t opaque_cb(std::int32_t r, std::int32_t g, std::int32_t b) {
  return opaque_chroma(4639 * b - 1063 * r - 3576 * g, static_cast<std::uint32_t>(kCbUnit));
}
static constexpr std::uint8_t opaque_cr(std::int32_t r, std::int32_t g, std::int32_t b) {
  return opaque_chroma(3937 * r - 3576 * g - 361 * b, static_cast<std::uint32_t>(kCrUnit));
}

// Pixels with alpha under one chroma sample, summed with the filter's weights times their
// alpha, so that transparent pixels add no colour. At most 8 * 255 * 255 a channel.
struct ColourSum {
  std::int32_t r = 0;
  std::int32_t g = 0;
  std::int32_t b = 0;
  std::int32_t weight = 0;  // sum of filter weight * alpha
};

static constexpr std::int64_t cb_in_units(const ColourSum& s) {
  return 112 * (std::int64_t{4639} * s.b - std::int64_t{1063} * s.r - std::int64_t{3576} * s.g) +
         kChromaNeutral * kCbUnit * s.weight;
}

static constexpr std::int64_t cr_in_units(const ColourSum& s) {
  return 112 * (std::int64_t{3937} * s.r - std::int64_t{3576} * s.g - std::int64_t{361} * s.b) +
         kChromaNeutral * kCrUnit * s.weight;
}

// All arguments at least 0, unit above 0.
static constexpr std::uint8_t rounded_ratio(std::int64_t value, std::int64_t unit) {
  return static_cast<std::uint8_t>((value + unit / 2) / unit);
}

// ---- Positions and weights.

inline constexpr int kFractionBits = 16;
inline constexpr int kWeightBits = 14;
inline constexpr int kWeightOne = 1 << kWeightBits;

// Where frame sample i falls in a texture, in 1/65536 sample. |origin + step * i| below 2^24.
static constexpr std::int64_t texture_position(double origin, double step, int i) {
  const double scaled = (origin + step * (i + 0.5) - 0.5) * (1 << kFractionBits) + 0.5;
  const auto truncated = static_cast<std::int64_t>(scaled);
  return truncated - (static_cast<double>(truncated) > scaled ? 1 : 0);
}

// The Sampling of chroma planes that goes with a luma Sampling: chroma lies on even columns and
// between two rows, in frame and texture alike. The step is the same.
static constexpr double chroma_origin_x(double origin, double step) {
  return origin / 2 + (1 - step) / 4;
}
static constexpr double chroma_origin_y(double origin) { return origin / 2; }

// Catmull-Rom weights of the four samples around a position; their sum is kWeightOne exactly.
struct Weights {
  std::int16_t tap[4];
};

static constexpr Weights catmull_rom(std::uint32_t fraction) {
  const auto f = static_cast<std::int64_t>(fraction);
  constexpr std::int64_t kOne = std::int64_t{1} << kFractionBits;
  constexpr int kShift = 3 * kFractionBits + 1 - kWeightBits;  // +1: the polynomials are doubled
  constexpr std::int64_t kHalf = std::int64_t{1} << (kShift - 1);
  const std::int64_t outer_left = (((2 * kOne - f) * f - kOne * kOne) * f + kHalf) >> kShift;
  const std::int64_t left =
      (((3 * f - 5 * kOne) * f) * f + 2 * kOne * kOne * kOne + kHalf) >> kShift;
  const std::int64_t right = (((4 * kOne - 3 * f) * f + kOne * kOne) * f + kHalf) >> kShift;
  const std::int64_t outer_right = (((f - kOne) * f) * f + kHalf) >> kShift;
  const std::int64_t rest = kWeightOne - outer_left - left - right - outer_right;
  const bool nearer_left = f < kOne / 2;
  return {{static_cast<std::int16_t>(outer_left),
           static_cast<std::int16_t>(left + (nearer_left ? rest : 0)),
           static_cast<std::int16_t>(right + (nearer_left ? 0 : rest)),
           static_cast<std::int16_t>(outer_right)}};
}

// Where the four samples around a position begin, and their weights.
struct alignas(16) Tap {
  Weights weights;
  std::int32_t first;  // within -3 .. size - 1: beyond those all four repeat an edge
};

// Of frame sample i in a texture of `size` samples along this axis.
static constexpr Tap tap_at(double origin, double step, int i, int size) {
  constexpr std::int64_t kMargin = 3;
  const std::int64_t position = texture_position(origin, step, i);
  const std::int64_t first = (position >> kFractionBits) - 1;
  const std::int64_t raised = first < -kMargin ? -kMargin : first;
  const std::int64_t held = raised > size - 1 ? size - 1 : raised;
  const auto fraction = static_cast<std::uint32_t>(position & ((1 << kFractionBits) - 1));
  return {catmull_rom(fraction), static_cast<std::int32_t>(held)};
}

// Four bytes of a column to one sample in 1/64 code value: -2040 .. 18360 at most.
inline constexpr int kRowBits = 6;
static constexpr std::int16_t filter_down(std::int16_t a, std::int16_t b, std::int16_t c,
                                          std::int16_t d, const std::int16_t* w) {
  constexpr int kShift = kWeightBits - kRowBits;
  return static_cast<std::int16_t>(
      (a * w[0] + b * w[1] + c * w[2] + d * w[3] + (1 << (kShift - 1))) >> kShift);
}

// The weighted sum of four such samples to a code value that may overshoot: -64 .. 323 at most.
static constexpr std::int16_t rounded_across(std::int32_t sum) {
  constexpr int kShift = kWeightBits + kRowBits;
  return static_cast<std::int16_t>((sum + (1 << (kShift - 1))) >> kShift);
}

// Of four samples `stride` apart.
static constexpr std::int16_t filter_across(const std::int16_t* s, std::ptrdiff_t stride,
                                            const std::int16_t* w) {
  return rounded_across(s[0] * w[0] + s[stride] * w[1] + s[2 * stride] * w[2] +
                        s[3 * stride] * w[3]);
}

static constexpr std::int16_t hold(std::int16_t value, std::int16_t low, std::int16_t high) {
  const std::int16_t raised = value < low ? low : value;
  return raised > high ? high : raised;
}

// ---- Blends.

// round(value / 255) for value up to 255 * 255.
static constexpr std::uint16_t div255(std::uint16_t value) {
  const auto t = static_cast<std::uint16_t>(value + 128);
  return static_cast<std::uint16_t>(static_cast<std::uint16_t>(t + (t >> 8)) >> 8);
}

// Takes the overshoot of resampling from a premultiplied colour, so that edges get no halo: where
// alpha came out above 255 the colour shrinks by 255 / alpha, then it is held to what its alpha,
// held to 0 .. 255 itself, allows. 1024 (1 - 255 / (255 + e)) is taken as 4 e - 7 e e / 512: off by
// less than 0.1 % up to e = 37, where two straight edges meet, and by 0.7 % at the most.
static constexpr std::uint8_t settle(std::int16_t colour, std::int16_t alpha, Range range) {
  const auto value = static_cast<std::uint16_t>(colour < 0 ? 0 : colour);
  const auto excess = static_cast<std::uint16_t>(alpha > 255 ? alpha - 255 : 0);
  const auto square = static_cast<std::uint16_t>(7 * excess * excess);
  const auto shrink = static_cast<std::uint16_t>(4 * excess - (square >> 9));
  const auto removed = static_cast<std::uint16_t>(value * shrink);
  const auto kept = static_cast<std::int16_t>(value - (removed >> 10));
  const auto held = static_cast<std::uint16_t>(hold(alpha, 0, 255));
  const std::uint16_t low = div255(static_cast<std::uint16_t>(range.low * held));
  const std::uint16_t high = div255(static_cast<std::uint16_t>(range.high * held));
  return static_cast<std::uint8_t>(
      hold(kept, static_cast<std::int16_t>(low), static_cast<std::int16_t>(high)));
}

// colour is settled.
static constexpr std::uint8_t blend(std::uint16_t frame, std::uint16_t colour,
                                    std::uint16_t alpha) {
  const std::uint16_t kept = div255(static_cast<std::uint16_t>(frame * (255 - alpha)));
  return static_cast<std::uint8_t>(colour + kept);
}

// The same with the layer's opacity, 0 .. 256, rounded once; at 256 it equals blend().
static constexpr std::uint8_t blend_faded(std::uint32_t frame, std::uint32_t colour,
                                          std::uint32_t alpha, std::uint32_t opacity_256) {
  const std::uint32_t sum =
      frame * (65280U - alpha * opacity_256) + 255U * opacity_256 * colour + 32640U;
  const std::uint32_t in_255 = sum >> 8;
  return static_cast<std::uint8_t>((in_255 + 1 + (in_255 >> 8)) >> 8);
}

static constexpr std::uint8_t lerp(std::uint16_t from, std::uint16_t to, std::uint16_t weight_256) {
  const auto sum = static_cast<std::uint16_t>(from * (256 - weight_256) + to * weight_256 + 128);
  return static_cast<std::uint8_t>(sum >> 8);
}

}  // namespace pytoon::gpu
