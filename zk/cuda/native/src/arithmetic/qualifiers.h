// SPDX-License-Identifier: Apache-2.0
// One source for kernels and for the CPU that checks them.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__CUDACC__)
#define OPENSAND_BOTH __host__ __device__ __forceinline__
// For what is large and called often: a copy each would not fit the instruction cache.
#define OPENSAND_BOTH_ONCE __host__ __device__ __noinline__
#define OPENSAND_UNROLL _Pragma("unroll")
#define OPENSAND_ROLLED _Pragma("unroll 1")
#else
#define OPENSAND_BOTH inline
#define OPENSAND_BOTH_ONCE inline
#define OPENSAND_UNROLL _Pragma("GCC unroll 16")
#define OPENSAND_ROLLED
#endif
