// The frame loop allocates nothing: counts this thread's calls of operator new.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "gpu/cpu/cpu_device.h"
#include "tests/gpu/scene.h"

namespace {

thread_local std::size_t allocations = 0;

// Out of line: inlined into their callers, malloc and free look mismatched to the compiler.
[[gnu::noinline]] void* take(std::size_t size) { return std::malloc(size == 0 ? 1 : size); }
[[gnu::noinline]] void give_back(void* p) { std::free(p); }

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* p = take(size)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { give_back(p); }
void operator delete(void* p, std::size_t) noexcept { give_back(p); }

namespace pytoon::gpu {
namespace {

TEST(CpuCompositor, AllocatesNothingAfterTheFirstFrame) {
  const auto device = make_cpu_device();
  const auto compositor = device->make_compositor();
  const Scene scene = scene_of_all_kinds();
  Composition composition = on_device(*device, scene);
  GuardedFrame frame(scene.frame);
  const std::size_t before_first = allocations;
  ASSERT_TRUE(compositor->compose(composition, frame.view()).ok());
  const std::size_t before_rest = allocations;
  EXPECT_GT(before_rest, before_first);
  for (int n = 0; n < 10; ++n) {
    composition.base[0].x.origin += 0.3;
    composition.incoming[0].y.step -= 0.01;
    composition.mix_256 += 5;
    ASSERT_TRUE(compositor->compose(composition, frame.view()).ok());
  }
  EXPECT_EQ(allocations, before_rest);
}

}  // namespace
}  // namespace pytoon::gpu
