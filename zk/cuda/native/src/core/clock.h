// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

namespace opensand {

// Nanoseconds of a clock that never goes back.
inline uint64_t now() {
	auto time = std::chrono::steady_clock::now().time_since_epoch();
	return uint64_t(std::chrono::duration_cast<std::chrono::nanoseconds>(time).count());
}

} // namespace opensand
