// SPDX-License-Identifier: Apache-2.0
// Chains of 32-bit additions and multiplications through a carry: PTX on the device, the same steps in C++
// elsewhere.
#pragma once

#include "qualifiers.h"

namespace opensand {

// The carry between steps. On the device it is the condition code, which nothing between the steps touches.
struct Chain {
#if defined(__CUDA_ARCH__)
#define OPENSAND_STEP(name, instruction) \
	OPENSAND_BOTH uint32_t name(uint32_t a, uint32_t b) { \
		uint32_t result; \
		asm volatile(instruction " %0, %1, %2;" : "=r"(result) : "r"(a), "r"(b)); \
		return result; \
	}
#define OPENSAND_STEP_3(name, instruction) \
	OPENSAND_BOTH uint32_t name(uint32_t a, uint32_t b, uint32_t c) { \
		uint32_t result; \
		asm volatile(instruction " %0, %1, %2, %3;" : "=r"(result) : "r"(a), "r"(b), "r"(c)); \
		return result; \
	}
	OPENSAND_STEP(add, "add.cc.u32")
	OPENSAND_STEP(add_carry, "addc.cc.u32")
	OPENSAND_STEP(add_last, "addc.u32")
	OPENSAND_STEP(subtract, "sub.cc.u32")
	OPENSAND_STEP(subtract_borrow, "subc.cc.u32")
	OPENSAND_STEP(subtract_last, "subc.u32")
	OPENSAND_STEP_3(low, "mad.lo.cc.u32")
	OPENSAND_STEP_3(low_carry, "madc.lo.cc.u32")
	OPENSAND_STEP_3(high_carry, "madc.hi.cc.u32")
	OPENSAND_STEP_3(high_last, "madc.hi.u32")
#undef OPENSAND_STEP
#undef OPENSAND_STEP_3
#else
	// Of additions the carry, of subtractions the borrow.
	uint32_t carry = 0;

	uint32_t add(uint32_t a, uint32_t b) { return sum(a, b, 0); }
	uint32_t add_carry(uint32_t a, uint32_t b) { return sum(a, b, carry); }
	uint32_t add_last(uint32_t a, uint32_t b) { return sum(a, b, carry); }
	uint32_t subtract(uint32_t a, uint32_t b) { return difference(a, b, 0); }
	uint32_t subtract_borrow(uint32_t a, uint32_t b) { return difference(a, b, carry); }
	uint32_t subtract_last(uint32_t a, uint32_t b) { return difference(a, b, carry); }
	// The low or high half of a·b, plus c.
	uint32_t low(uint32_t a, uint32_t b, uint32_t c) { return sum(a * b, c, 0); }
	uint32_t low_carry(uint32_t a, uint32_t b, uint32_t c) { return sum(a * b, c, carry); }
	uint32_t high_carry(uint32_t a, uint32_t b, uint32_t c) { return sum(high(a, b), c, carry); }
	uint32_t high_last(uint32_t a, uint32_t b, uint32_t c) { return sum(high(a, b), c, carry); }

private:
	static uint32_t high(uint32_t a, uint32_t b) { return uint32_t((uint64_t(a) * b) >> 32); }
	uint32_t sum(uint32_t a, uint32_t b, uint32_t c) {
		uint64_t result = uint64_t(a) + b + c;
		carry = uint32_t(result >> 32);
		return uint32_t(result);
	}
	uint32_t difference(uint32_t a, uint32_t b, uint32_t c) {
		uint64_t result = uint64_t(a) - b - c;
		carry = uint32_t(result >> 63);
		return uint32_t(result);
	}
#endif
};

} // namespace opensand
