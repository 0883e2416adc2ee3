// Marks a function as one that both the CUDA kernels and plain C++ compile: tests run the kernels'
// own code on the host. The one place of the tree that asks which compiler is at work.
#pragma once

#ifdef __CUDACC__
#define PYTOON_HOST_DEVICE __host__ __device__ __forceinline__
// Before loops whose turns must not all be in flight at once: they would take too many registers.
#define PYTOON_ROLLED _Pragma("unroll 1")
#define PYTOON_PAIRWISE _Pragma("unroll 2")
#else
#define PYTOON_HOST_DEVICE inline
#define PYTOON_ROLLED
#define PYTOON_PAIRWISE
#endif
