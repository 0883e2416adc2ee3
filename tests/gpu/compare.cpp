#include "tests/gpu/compare.h"

#include <algorithm>
#include <cmath>

namespace pytoon::gpu {
namespace {

// luma(x, y) and chroma(i, j, component) give what `frame` is compared with.
template <typename Luma, typename Chroma>
Error compare_with(const GuardedFrame& frame, const Luma& luma, const Chroma& chroma) {
  double sum = 0;
  double max = 0;
  const auto add = [&](double got, double wanted) {
    sum += std::abs(got - wanted);
    max = std::max(max, std::abs(got - wanted));
  };
  const Size size = frame.size();
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) add(frame.luma(x, y), luma(x, y));
  }
  for (int j = 0; j < size.height / 2; ++j) {
    for (int i = 0; i < size.width; ++i)
      add(frame.chroma(i / 2, j, i % 2), chroma(i / 2, j, i % 2));
  }
  return {sum / (size.width * size.height * 1.5), max};
}

}  // namespace

Error compare(const GuardedFrame& frame, const GuardedFrame& other) {
  return compare_with(
      frame, [&](int x, int y) { return other.luma(x, y); },
      [&](int i, int j, int c) { return other.chroma(i, j, c); });
}

Error compare(const GuardedFrame& frame, ReferenceFrame& reference) {
  return compare_with(
      frame, [&](int x, int y) { return reference.luma_at(x, y); },
      [&](int i, int j, int c) { return reference.chroma_at(i, j, c); });
}

}  // namespace pytoon::gpu
