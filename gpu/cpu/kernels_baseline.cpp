// Compiled for the least CPU of the architecture: no intrinsics.
#include "gpu/cpu/kernels.h"
#include "gpu/cpu/row_loops.h"

namespace pytoon::gpu {
namespace {

void filter_rows(const std::uint8_t* const* rows, const std::int16_t* weights, std::int16_t* out,
                 int count) {
  loops::filter_rows(rows, weights, out, 0, count);
}

void filter_columns(const std::int16_t* row, const std::int32_t* first, const std::int16_t* weights,
                    std::int16_t* out, int count) {
  loops::filter_columns(row, first, weights, out, 0, count);
}

void filter_pairs(const std::int16_t* row, const std::int32_t* first, const std::int16_t* weights,
                  std::int16_t* out, int count) {
  loops::filter_pairs(row, first, weights, out, 0, count);
}

constexpr Kernels kKernels{loops::luma_row, loops::sum_rows,    loops::chroma_row, filter_rows,
                           filter_columns,  filter_pairs,       loops::hold,       loops::settle,
                           loops::blend,    loops::blend_faded, loops::lerp};

}  // namespace

const Kernels& baseline_kernels() { return kKernels; }

}  // namespace pytoon::gpu
