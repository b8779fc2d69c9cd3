// SPDX-License-Identifier: Apache-2.0
// The device that this library is compiled for. Each has a class `Device` of the same members, and `Mark`, a
// point in a stream.
#pragma once

#include "failure.h"

namespace opensand {

// Kernels run in one, copies of what they do not use yet in the other.
enum class Stream { compute, copy };

} // namespace opensand

#if defined(__CUDACC__)
#include "cuda.cuh"
#else
#include "mock.h"
#endif
