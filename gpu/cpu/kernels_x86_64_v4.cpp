// Compiled with -march=x86-64-v4: the resampling loops in AVX-512, which g++ does not find by
// itself; the others vectorise as they stand. The taps of a step's samples are fetched in one load
// of the row and sorted in the register. Tails repeat samples already done, and loads are masked:
// no overrun.
#include <immintrin.h>

#include <cstddef>

#include "gpu/cpu/kernels.h"
#include "gpu/cpu/row_loops.h"

namespace pytoon::gpu {
namespace {

constexpr int kLanes = 32;   // samples written by one step of each loop
constexpr int kWindow = 32;  // samples of the row in a register

__m512i load_512(const void* p) { return _mm512_loadu_si512(p); }
__m256i load_256(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
__m128i load_128(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }

__m512i two_weights(const std::int16_t* w) {
  const std::uint32_t low = static_cast<std::uint16_t>(w[0]);
  const std::uint32_t high = static_cast<std::uint16_t>(w[1]);
  return _mm512_set1_epi32(static_cast<int>(low | high << 16));
}

template <int kShift>
__m512i round_off(__m512i sums) {
  return _mm512_srai_epi32(_mm512_add_epi32(sums, _mm512_set1_epi32(1 << (kShift - 1))), kShift);
}

__m512i weigh_rows(__m512i ab, __m512i cd, __m512i w_ab, __m512i w_cd) {
  return round_off<kWeightBits - kRowBits>(
      _mm512_add_epi32(_mm512_madd_epi16(ab, w_ab), _mm512_madd_epi16(cd, w_cd)));
}

void filter_rows(const std::uint8_t* const* rows, const std::int16_t* weights, std::int16_t* out,
                 int count) {
  if (count < kLanes) {
    loops::filter_rows(rows, weights, out, 0, count);
    return;
  }
  const __m512i w_ab = two_weights(weights);
  const __m512i w_cd = two_weights(weights + 2);
  const auto step = [&](std::ptrdiff_t i) {
    const __m512i a = _mm512_cvtepu8_epi16(load_256(rows[0] + i));
    const __m512i b = _mm512_cvtepu8_epi16(load_256(rows[1] + i));
    const __m512i c = _mm512_cvtepu8_epi16(load_256(rows[2] + i));
    const __m512i d = _mm512_cvtepu8_epi16(load_256(rows[3] + i));
    const __m512i low =
        weigh_rows(_mm512_unpacklo_epi16(a, b), _mm512_unpacklo_epi16(c, d), w_ab, w_cd);
    const __m512i high =
        weigh_rows(_mm512_unpackhi_epi16(a, b), _mm512_unpackhi_epi16(c, d), w_ab, w_cd);
    _mm512_storeu_si512(out + i, _mm512_packs_epi32(low, high));
  };
  for (std::ptrdiff_t i = 0; i + kLanes <= count; i += kLanes) step(i);
  step(count - kLanes);
}

// The first `samples`, 1 to kWindow, from `row` on.
__m512i load_window(const std::int16_t* row, int samples) {
  return _mm512_maskz_loadu_epi16(_bzhi_u32(~0U, static_cast<unsigned>(samples)), row);
}

// The lowest word of each 64 bits, four times.
__m512i four_times(__m512i words) {
  const __m512i lowest = _mm512_set_epi64(0x0908090809080908, 0x0100010001000100,  //
                                          0x0908090809080908, 0x0100010001000100,  //
                                          0x0908090809080908, 0x0100010001000100,  //
                                          0x0908090809080908, 0x0100010001000100);
  return _mm512_shuffle_epi8(words, lowest);
}

// Two partial sums a sample, of sixteen samples in two registers, to one sum each. The quarters of
// the result hold samples that lie apart; store_words() knows.
__m512i add_partial(__m512i first_half, __m512i last_half) {
  const __m512 a = _mm512_castsi512_ps(first_half);
  const __m512 b = _mm512_castsi512_ps(last_half);
  return _mm512_add_epi32(_mm512_castps_si512(_mm512_shuffle_ps(a, b, 0x88)),
                          _mm512_castps_si512(_mm512_shuffle_ps(a, b, 0xdd)));
}

// Thirty-two sums of add_partial() to code values, stored in order: each quarter holds every fourth
// pair of words.
void store_words(__m512i first_half, __m512i last_half, std::int16_t* out) {
  constexpr int kShift = kWeightBits + kRowBits;
  const __m512i words =
      _mm512_packs_epi32(round_off<kShift>(first_half), round_off<kShift>(last_half));
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  _mm512_storeu_si512(out, _mm512_permutexvar_epi32(order, words));
}

// Whether the taps of all neighbours of a step, `Group` by `Group`, lie `most` apart or less.
template <int Group>
bool are_near(const std::int32_t* first, int most) {
  std::uint32_t apart = 0;
  for (int i = 0; i < 4 * Group; i += Group) {
    apart |= static_cast<std::uint32_t>(first[i + Group - 1] - first[i]);
  }
  return apart <= static_cast<std::uint32_t>(most);
}

// Eight samples' taps times weights, two partial sums each. They lie within a window.
__m512i weigh_eight(const std::int16_t* row, const std::int32_t* first,
                    const std::int16_t* weights) {
  const __m512i window = load_window(row + first[0], first[7] - first[0] + 4);
  const __m256i from = _mm256_sub_epi32(load_256(first), _mm256_set1_epi32(first[0]));
  const __m512i taps = _mm512_add_epi16(four_times(_mm512_cvtepi32_epi64(from)),
                                        _mm512_set1_epi64(0x0003000200010000));
  return _mm512_madd_epi16(_mm512_permutexvar_epi16(taps, window), load_512(weights));
}

void filter_columns(const std::int16_t* row, const std::int32_t* first, const std::int16_t* weights,
                    std::int16_t* out, int count) {
  if (count < kLanes) {
    loops::filter_columns(row, first, weights, out, 0, count);
    return;
  }
  const auto sixteen = [&](std::ptrdiff_t i) {
    return add_partial(weigh_eight(row, first + i, weights + 4 * i),
                       weigh_eight(row, first + i + 8, weights + 4 * i + 32));
  };
  const auto step = [&](int i) {
    if (are_near<8>(first + i, kWindow - 4)) {
      store_words(sixteen(i), sixteen(i + 16), out + i);
    } else {
      loops::filter_columns(row, first, weights, out, i, i + kLanes);
    }
  };
  for (int i = 0; i + kLanes <= count; i += kLanes) step(i);
  step(count - kLanes);
}

// Four pairs' taps times weights: partial sums u u v v in each quarter. They lie within a window.
__m512i weigh_four_pairs(const std::int16_t* row, const std::int32_t* first,
                         const std::int16_t* weights) {
  const __m512i twice = _mm512_setr_epi64(0, 0, 1, 1, 2, 2, 3, 3);
  const __m512i window =
      load_window(row + std::ptrdiff_t{2} * first[0], 2 * (first[3] - first[0] + 4));
  const __m128i from = _mm_sub_epi32(load_128(first), _mm_set1_epi32(first[0]));
  const __m512i pairs = _mm512_castsi256_si512(_mm256_cvtepi32_epi64(_mm_slli_epi32(from, 1)));
  const __m512i parts = _mm512_set4_epi32(0x00070005, 0x00030001, 0x00060004, 0x00020000);
  const __m512i taps = _mm512_add_epi16(four_times(_mm512_permutexvar_epi64(twice, pairs)), parts);
  const __m512i weighed =
      _mm512_permutexvar_epi64(twice, _mm512_castsi256_si512(load_256(weights)));
  return _mm512_madd_epi16(_mm512_permutexvar_epi16(taps, window), weighed);
}

void filter_pairs(const std::int16_t* row, const std::int32_t* first, const std::int16_t* weights,
                  std::int16_t* out, int count) {
  constexpr int kPairs = kLanes / 2;
  if (count < kPairs) {
    loops::filter_pairs(row, first, weights, out, 0, count);
    return;
  }
  const auto eight = [&](std::ptrdiff_t i) {
    return add_partial(weigh_four_pairs(row, first + i, weights + 4 * i),
                       weigh_four_pairs(row, first + i + 4, weights + 4 * i + 16));
  };
  const auto step = [&](int i) {
    if (are_near<4>(first + i, kWindow / 2 - 4)) {
      store_words(eight(i), eight(i + 8), out + std::ptrdiff_t{2} * i);
    } else {
      loops::filter_pairs(row, first, weights, out, i, i + kPairs);
    }
  };
  for (int i = 0; i + kPairs <= count; i += kPairs) step(i);
  step(count - kPairs);
}

constexpr Kernels kKernels{loops::luma_row, loops::sum_rows,    loops::chroma_row, filter_rows,
                           filter_columns,  filter_pairs,       loops::hold,       loops::settle,
                           loops::blend,    loops::blend_faded, loops::lerp};

}  // namespace

const Kernels& x86_64_v4_kernels() { return kKernels; }

}  // namespace pytoon::gpu
