// Marks a function as one that both the CUDA kernels and plain C++ compile: tests run the kernels'
// own code on the host. The one place of the tree that asks which compiler is at work.
#pragma once

#ifdef __CUDACC__
#define PYTOON_HOST_DEVICE __host__ __device__ __forceinline__
#else
#define PYTOON_HOST_DEVICE inline
#endif
