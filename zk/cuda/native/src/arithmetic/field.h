// SPDX-License-Identifier: Apache-2.0
// A prime field in Montgomery form, its elements always below the modulus.
#pragma once

#include "chain.h"

namespace opensand {

// Arithmetic by words of 32 bits, as the device does it. `P` names the modulus by `word32` and −1/modulus mod
// 2³² by `inverse32`.
template <class P>
struct Words {
	static constexpr unsigned count = 2 * P::limbs;

	// a < 2·modulus becomes a mod modulus.
	OPENSAND_BOTH static void reduce(uint32_t *a) {
		uint32_t reduced[count];
		Chain chain;
		reduced[0] = chain.subtract(a[0], P::word32(0));
		OPENSAND_UNROLL
		for (unsigned i = 1; i < count; i++)
			reduced[i] = chain.subtract_borrow(a[i], P::word32(i));
		uint32_t below = chain.subtract_last(0, 0);
		OPENSAND_UNROLL
		for (unsigned i = 0; i < count; i++)
			a[i] = below ? a[i] : reduced[i];
	}

	OPENSAND_BOTH static void add(uint32_t *out, const uint32_t *a, const uint32_t *b) {
		Chain chain;
		out[0] = chain.add(a[0], b[0]);
		OPENSAND_UNROLL
		for (unsigned i = 1; i < count; i++)
			out[i] = chain.add_carry(a[i], b[i]);
		reduce(out);
	}

	OPENSAND_BOTH static void subtract(uint32_t *out, const uint32_t *a, const uint32_t *b) {
		Chain chain;
		out[0] = chain.subtract(a[0], b[0]);
		OPENSAND_UNROLL
		for (unsigned i = 1; i < count; i++)
			out[i] = chain.subtract_borrow(a[i], b[i]);
		uint32_t below = chain.subtract_last(0, 0);
		out[0] = chain.add(out[0], P::word32(0) & below);
		OPENSAND_UNROLL
		for (unsigned i = 1; i < count; i++)
			out[i] = chain.add_carry(out[i], P::word32(i) & below);
	}

	// Montgomery's product. Words of weight 2^(32·2k) are summed in one array and those between in another,
	// so that both halves of a product follow each other in a chain, which is one instruction of the device.
	// The arrays change places with each step, which is the shift by a word.
	OPENSAND_BOTH static void multiply(uint32_t *out, const uint32_t *a, const uint32_t *b) {
		uint32_t even[count], odd[count];
		OPENSAND_UNROLL
		for (unsigned i = 0; i < count; i += 2) {
			even[i] = a[i] * b[0];
			even[i + 1] = high(a[i], b[0]);
			odd[i] = a[i + 1] * b[0];
			odd[i + 1] = high(a[i + 1], b[0]);
		}
		divide(even, odd);
		OPENSAND_UNROLL
		for (unsigned i = 1; i < count; i++) {
			if (i % 2)
				step(odd, even, a, b[i]);
			else
				step(even, odd, a, b[i]);
		}
		// The last step had `odd` in the place of `even`.
		Chain chain;
		out[0] = chain.add(even[0], odd[1]);
		OPENSAND_UNROLL
		for (unsigned i = 1; i + 1 < count; i++)
			out[i] = chain.add_carry(even[i], odd[i + 1]);
		out[count - 1] = chain.add_last(even[count - 1], 0);
		reduce(out);
	}

private:
	OPENSAND_BOTH static uint32_t high(uint32_t a, uint32_t b) { return uint32_t((uint64_t(a) * b) >> 32); }

	// Adds the multiple of the modulus that makes even[0] zero.
	OPENSAND_BOTH static void divide(uint32_t *even, uint32_t *odd) {
		uint32_t factor = even[0] * P::inverse32;
		Chain chain;
		odd[0] = chain.low(P::word32(1), factor, odd[0]);
		odd[1] = chain.high_carry(P::word32(1), factor, odd[1]);
		OPENSAND_UNROLL
		for (unsigned i = 2; i < count; i += 2) {
			odd[i] = chain.low_carry(P::word32(i + 1), factor, odd[i]);
			odd[i + 1] = chain.high_carry(P::word32(i + 1), factor, odd[i + 1]);
		}
		even[0] = chain.low(P::word32(0), factor, even[0]);
		even[1] = chain.high_carry(P::word32(0), factor, even[1]);
		OPENSAND_UNROLL
		for (unsigned i = 2; i < count; i += 2) {
			even[i] = chain.low_carry(P::word32(i), factor, even[i]);
			even[i + 1] = chain.high_carry(P::word32(i), factor, even[i + 1]);
		}
		odd[count - 1] = chain.add_last(odd[count - 1], 0);
	}

	// Shifts by a word, `odd` having been `even` until now, adds a·b and divides.
	OPENSAND_BOTH static void step(uint32_t *even, uint32_t *odd, const uint32_t *a, uint32_t b) {
		Chain chain;
		even[0] = chain.add(even[0], odd[1]);
		OPENSAND_UNROLL
		for (unsigned i = 0; i + 2 < count; i += 2) {
			odd[i] = chain.low_carry(a[i + 1], b, odd[i + 2]);
			odd[i + 1] = chain.high_carry(a[i + 1], b, odd[i + 3]);
		}
		odd[count - 2] = chain.low_carry(a[count - 1], b, 0);
		odd[count - 1] = chain.high_last(a[count - 1], b, 0);
		even[0] = chain.low(a[0], b, even[0]);
		even[1] = chain.high_carry(a[0], b, even[1]);
		OPENSAND_UNROLL
		for (unsigned i = 2; i < count; i += 2) {
			even[i] = chain.low_carry(a[i], b, even[i]);
			even[i + 1] = chain.high_carry(a[i], b, even[i + 1]);
		}
		odd[count - 1] = chain.add_last(odd[count - 1], 0);
		divide(even, odd);
	}
};

#if !defined(__CUDA_ARCH__)
// Arithmetic by limbs of 64 bits, as the host does it.
template <class P>
struct Limbs {
	static constexpr unsigned count = P::limbs;
	typedef unsigned __int128 Wide;

	static void reduce(uint64_t *a) {
		uint64_t reduced[count], borrow = 0;
		OPENSAND_UNROLL
		for (unsigned i = 0; i < count; i++) {
			Wide difference = Wide(a[i]) - P::limb(i) - borrow;
			reduced[i] = uint64_t(difference);
			borrow = uint64_t(difference >> 64) & 1;
		}
		OPENSAND_UNROLL
		for (unsigned i = 0; i < count; i++)
			a[i] = borrow ? a[i] : reduced[i];
	}

	static void add(uint64_t *out, const uint64_t *a, const uint64_t *b) {
		Wide sum = 0;
		OPENSAND_UNROLL
		for (unsigned i = 0; i < count; i++) {
			sum = Wide(a[i]) + b[i] + uint64_t(sum >> 64);
			out[i] = uint64_t(sum);
		}
		reduce(out);
	}

	static void subtract(uint64_t *out, const uint64_t *a, const uint64_t *b) {
		uint64_t borrow = 0;
		OPENSAND_UNROLL
		for (unsigned i = 0; i < count; i++) {
			Wide difference = Wide(a[i]) - b[i] - borrow;
			out[i] = uint64_t(difference);
			borrow = uint64_t(difference >> 64) & 1;
		}
		Wide sum = 0;
		OPENSAND_UNROLL
		for (unsigned i = 0; i < count; i++) {
			sum = Wide(out[i]) + (P::limb(i) & (0 - borrow)) + uint64_t(sum >> 64);
			out[i] = uint64_t(sum);
		}
	}

	// The top bit of the modulus is zero, which leaves room for both carries of a step in one limb.
	// Not inline: it is most of the work wherever it is called, and copies of it take long to compile.
	__attribute__((noinline)) static void multiply(uint64_t *out, const uint64_t *a, const uint64_t *b) {
		uint64_t sum[count] = {};
		OPENSAND_UNROLL
		for (unsigned i = 0; i < count; i++) {
			Wide product = Wide(a[0]) * b[i] + sum[0];
			uint64_t factor = uint64_t(product) * P::inverse;
			Wide multiple = Wide(factor) * P::limb(0) + uint64_t(product);
			OPENSAND_UNROLL
			for (unsigned j = 1; j < count; j++) {
				product = Wide(a[j]) * b[i] + sum[j] + uint64_t(product >> 64);
				multiple = Wide(factor) * P::limb(j) + uint64_t(product) + uint64_t(multiple >> 64);
				sum[j - 1] = uint64_t(multiple);
			}
			sum[count - 1] = uint64_t(product >> 64) + uint64_t(multiple >> 64);
		}
		OPENSAND_UNROLL
		for (unsigned i = 0; i < count; i++)
			out[i] = sum[i];
		reduce(out);
	}
};
#endif

// An element. Its memory is that of arkworks: limbs of 64 bits, least first.
template <class P>
struct alignas(16) Field {
	typedef P Parameters;
	uint64_t limbs[P::limbs];

	OPENSAND_BOTH static Field zero() { return {}; }

	OPENSAND_BOTH static Field one() {
		Field result;
		OPENSAND_UNROLL
		for (unsigned i = 0; i < P::limbs; i++)
			result.limbs[i] = P::one(i);
		return result;
	}

	OPENSAND_BOTH bool is_zero() const {
		uint64_t any = 0;
		OPENSAND_UNROLL
		for (unsigned i = 0; i < P::limbs; i++)
			any |= limbs[i];
		return any == 0;
	}

	OPENSAND_BOTH friend bool operator==(const Field &a, const Field &b) {
		uint64_t any = 0;
		OPENSAND_UNROLL
		for (unsigned i = 0; i < P::limbs; i++)
			any |= a.limbs[i] ^ b.limbs[i];
		return any == 0;
	}

#if defined(__CUDA_ARCH__)
#define OPENSAND_OPERATION(operation) \
	{ \
		uint32_t x[2 * P::limbs], y[2 * P::limbs], z[2 * P::limbs]; \
		a.split(x); \
		b.split(y); \
		Words<P>::operation(z, x, y); \
		return join(z); \
	}
#else
#define OPENSAND_OPERATION(operation) \
	{ \
		Field result; \
		Limbs<P>::operation(result.limbs, a.limbs, b.limbs); \
		return result; \
	}
#endif
	OPENSAND_BOTH friend Field operator+(const Field &a, const Field &b) OPENSAND_OPERATION(add) OPENSAND_BOTH
		friend Field operator-(const Field &a, const Field &b) OPENSAND_OPERATION(subtract)

			OPENSAND_BOTH friend Field operator*(const Field &a, const Field &b) {
#if defined(__CUDA_ARCH__)
		if (P::limbs > 4)
			return product(a, b);
		else
			return product_in_place(a, b);
#else
		return product_in_place(a, b);
#endif
	}

	OPENSAND_BOTH static Field product_in_place(const Field &a, const Field &b) OPENSAND_OPERATION(multiply)
#undef OPENSAND_OPERATION

#if defined(__CUDACC__)
		// The 600 instructions of a product of coordinates are there once in a kernel: a copy for each of a
		// curve operation's products would not fit the instruction cache. By value, which is in registers.
		__device__ __noinline__ static Field product(const Field a, const Field b) {
		return product_in_place(a, b);
	}
#endif

	OPENSAND_BOTH Field operator-() const { return zero() - *this; }
	OPENSAND_BOTH Field doubled() const { return *this + *this; }
	OPENSAND_BOTH Field squared() const { return *this * *this; }

	// Of an integer below the modulus.
	OPENSAND_BOTH static Field from_integer(const uint64_t *integer) {
		Field value, square;
		OPENSAND_UNROLL
		for (unsigned i = 0; i < P::limbs; i++) {
			value.limbs[i] = integer[i];
			square.limbs[i] = P::square(i);
		}
		return value * square;
	}

	OPENSAND_BOTH static Field from_small(uint64_t integer) {
		uint64_t limbs[P::limbs] = {integer};
		return from_integer(limbs);
	}

	// As an integer below the modulus.
	OPENSAND_BOTH void to_integer(uint64_t *integer) const {
		Field unit = {};
		unit.limbs[0] = 1;
		Field value = *this * unit;
		OPENSAND_UNROLL
		for (unsigned i = 0; i < P::limbs; i++)
			integer[i] = value.limbs[i];
	}

	// 1/x by Fermat, and 0 for 0.
	OPENSAND_BOTH_ONCE Field inverse() const {
		Field result = one();
		OPENSAND_ROLLED
		for (int bit = 64 * P::limbs - 1; bit >= 0; bit--) {
			uint64_t exponent = P::limb(unsigned(bit) / 64) - (bit < 64 ? 2 : 0);
			result = result.squared();
			if (exponent >> (bit % 64) & 1)
				result = result * *this;
		}
		return result;
	}

	OPENSAND_BOTH void split(uint32_t *words) const {
		OPENSAND_UNROLL
		for (unsigned i = 0; i < P::limbs; i++) {
			words[2 * i] = uint32_t(limbs[i]);
			words[2 * i + 1] = uint32_t(limbs[i] >> 32);
		}
	}

	OPENSAND_BOTH static Field join(const uint32_t *words) {
		Field result;
		OPENSAND_UNROLL
		for (unsigned i = 0; i < P::limbs; i++)
			result.limbs[i] = words[2 * i] | uint64_t(words[2 * i + 1]) << 32;
		return result;
	}
};

} // namespace opensand
