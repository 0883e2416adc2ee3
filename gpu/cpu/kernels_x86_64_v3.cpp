// Compiled with -march=x86-64-v3: the resampling loops in AVX2, which g++ does not find by itself;
// the others vectorise as they stand. Taps are fetched by 8- and 16-byte loads, not by gather
// instructions, which are slow on many CPUs. Tails repeat samples already done: no overrun.
#include <immintrin.h>

#include <cstddef>

#include "gpu/cpu/kernels.h"
#include "gpu/cpu/row_loops.h"

namespace pytoon::gpu {
namespace {

constexpr int kLanes = 16;  // samples written by one step of each loop

__m256i load_256(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
__m128i load_128(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
__m128i load_64(const void* p) { return _mm_loadl_epi64(static_cast<const __m128i*>(p)); }

__m256i two_weights(const std::int16_t* w) {
  const std::uint32_t low = static_cast<std::uint16_t>(w[0]);
  const std::uint32_t high = static_cast<std::uint16_t>(w[1]);
  return _mm256_set1_epi32(static_cast<int>(low | high << 16));
}

__m256i weigh_rows(__m256i ab, __m256i cd, __m256i w_ab, __m256i w_cd) {
  constexpr int kShift = kWeightBits - kRowBits;
  const __m256i sum = _mm256_add_epi32(_mm256_madd_epi16(ab, w_ab), _mm256_madd_epi16(cd, w_cd));
  return _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(1 << (kShift - 1))), kShift);
}

void filter_rows(const std::uint8_t* const* rows, const std::int16_t* weights, std::int16_t* out,
                 int count) {
  if (count < kLanes) {
    loops::filter_rows(rows, weights, out, 0, count);
    return;
  }
  const __m256i w_ab = two_weights(weights);
  const __m256i w_cd = two_weights(weights + 2);
  const auto step = [&](std::ptrdiff_t i) {
    const __m256i a = _mm256_cvtepu8_epi16(load_128(rows[0] + i));
    const __m256i b = _mm256_cvtepu8_epi16(load_128(rows[1] + i));
    const __m256i c = _mm256_cvtepu8_epi16(load_128(rows[2] + i));
    const __m256i d = _mm256_cvtepu8_epi16(load_128(rows[3] + i));
    const __m256i low =
        weigh_rows(_mm256_unpacklo_epi16(a, b), _mm256_unpacklo_epi16(c, d), w_ab, w_cd);
    const __m256i high =
        weigh_rows(_mm256_unpackhi_epi16(a, b), _mm256_unpackhi_epi16(c, d), w_ab, w_cd);
    void* to = out + i;
    _mm256_storeu_si256(static_cast<__m256i*>(to), _mm256_packs_epi32(low, high));
  };
  for (std::ptrdiff_t i = 0; i + kLanes <= count; i += kLanes) step(i);
  step(count - kLanes);
}

// Eight sums, of which each 128-bit half holds every other pair, to code values; see store_words.
__m256i round_sums(__m256i sums) {
  constexpr int kShift = kWeightBits + kRowBits;
  return _mm256_srai_epi32(_mm256_add_epi32(sums, _mm256_set1_epi32(1 << (kShift - 1))), kShift);
}

// Stored in order: the halves' pairs of words take turns.
void store_words(__m256i first_eight, __m256i last_eight, std::int16_t* out) {
  const __m256i words = _mm256_packs_epi32(first_eight, last_eight);
  const __m128i even = _mm256_castsi256_si128(words);
  const __m128i odd = _mm256_extracti128_si256(words, 1);
  void* to = out;
  _mm_storeu_si128(static_cast<__m128i*>(to), _mm_unpacklo_epi32(even, odd));
  _mm_storeu_si128(static_cast<__m128i*>(to) + 1, _mm_unpackhi_epi32(even, odd));
}

// Four samples' taps times weights, two partial sums each.
__m256i weigh_four(const std::int16_t* row, const std::int32_t* first,
                   const std::int16_t* weights) {
  const __m128i low = _mm_unpacklo_epi64(load_64(row + first[0]), load_64(row + first[1]));
  const __m128i high = _mm_unpacklo_epi64(load_64(row + first[2]), load_64(row + first[3]));
  return _mm256_madd_epi16(_mm256_set_m128i(high, low), load_256(weights));
}

void filter_columns(const std::int16_t* row, const std::int32_t* first, const std::int16_t* weights,
                    std::int16_t* out, int count) {
  if (count < kLanes) {
    loops::filter_columns(row, first, weights, out, 0, count);
    return;
  }
  const auto eight = [&](std::ptrdiff_t i) {
    return round_sums(_mm256_hadd_epi32(weigh_four(row, first + i, weights + 4 * i),
                                        weigh_four(row, first + i + 4, weights + 4 * i + 16)));
  };
  const auto step = [&](std::ptrdiff_t i) { store_words(eight(i), eight(i + 8), out + i); };
  for (std::ptrdiff_t i = 0; i + kLanes <= count; i += kLanes) step(i);
  step(count - kLanes);
}

// Two pairs' taps times weights: partial sums u u v v in each half.
__m256i weigh_two_pairs(const std::int16_t* row, const std::int32_t* first,
                        const std::int16_t* weights) {
  const __m256i part = _mm256_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15,  //
                                        0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
  const __m256i taps = _mm256_set_m128i(load_128(row + std::ptrdiff_t{2} * first[1]),
                                        load_128(row + std::ptrdiff_t{2} * first[0]));
  const __m256i twice = _mm256_permute4x64_epi64(_mm256_castsi128_si256(load_128(weights)), 0x50);
  return _mm256_madd_epi16(_mm256_shuffle_epi8(taps, part), twice);
}

void filter_pairs(const std::int16_t* row, const std::int32_t* first, const std::int16_t* weights,
                  std::int16_t* out, int count) {
  constexpr int kPairs = kLanes / 2;
  if (count < kPairs) {
    loops::filter_pairs(row, first, weights, out, 0, count);
    return;
  }
  const auto four = [&](std::ptrdiff_t i) {
    return round_sums(_mm256_hadd_epi32(weigh_two_pairs(row, first + i, weights + 4 * i),
                                        weigh_two_pairs(row, first + i + 2, weights + 4 * i + 8)));
  };
  const auto step = [&](std::ptrdiff_t i) { store_words(four(i), four(i + 4), out + 2 * i); };
  for (std::ptrdiff_t i = 0; i + kPairs <= count; i += kPairs) step(i);
  step(count - kPairs);
}

constexpr Kernels kKernels{loops::luma_row, loops::sum_rows,    loops::chroma_row, filter_rows,
                           filter_columns,  filter_pairs,       loops::hold,       loops::settle,
                           loops::blend,    loops::blend_faded, loops::lerp};

}  // namespace

const Kernels& x86_64_v3_kernels() { return kKernels; }

}  // namespace pytoon::gpu
