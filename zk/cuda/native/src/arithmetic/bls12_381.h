// SPDX-License-Identifier: Apache-2.0
// The fields of BLS12-381: scalars, coordinates, and coordinates of G2.
#pragma once

#include "field.h"

namespace opensand {

// A constant array, from which unrolled loops take immediate values.
#define OPENSAND_CONSTANT(name, ...) \
	OPENSAND_BOTH static constexpr uint64_t name(unsigned i) { \
		constexpr uint64_t values[] = {__VA_ARGS__}; \
		return values[i]; \
	}
#define OPENSAND_WORDS \
	OPENSAND_BOTH static constexpr uint32_t word32(unsigned i) { \
		return uint32_t(limb(i / 2) >> (32 * (i % 2))); \
	}

struct FrParameters {
	static constexpr unsigned limbs = 4;
	OPENSAND_CONSTANT(limb, 0xffffffff00000001, 0x53bda402fffe5bfe, 0x3339d80809a1d805, 0x73eda753299d7d48)
	// R and R² modulo the modulus.
	OPENSAND_CONSTANT(one, 0x00000001fffffffe, 0x5884b7fa00034802, 0x998c4fefecbc4ff5, 0x1824b159acc5056f)
	OPENSAND_CONSTANT(square, 0xc999e990f3f29c6d, 0x2b6cedcb87925c23, 0x05d314967254398f, 0x0748d9d99f59ff11)
	// 7^((r−1)/2³²), a primitive root of unity of order 2³², as R times it.
	OPENSAND_CONSTANT(root, 0xb9b58d8c5f0e466a, 0x5b1b4c801819d7ec, 0x0af53ae352a31e64, 0x5bf3adda19e9b27b)
	OPENSAND_WORDS
	static constexpr uint64_t inverse = 0xfffffffeffffffff;
	static constexpr uint32_t inverse32 = 0xffffffff;
};

struct FqParameters {
	static constexpr unsigned limbs = 6;
	OPENSAND_CONSTANT(limb, 0xb9feffffffffaaab, 0x1eabfffeb153ffff, 0x6730d2a0f6b0f624, 0x64774b84f38512bf,
		0x4b1ba7b6434bacd7, 0x1a0111ea397fe69a)
	OPENSAND_CONSTANT(one, 0x760900000002fffd, 0xebf4000bc40c0002, 0x5f48985753c758ba, 0x77ce585370525745,
		0x5c071a97a256ec6d, 0x15f65ec3fa80e493)
	OPENSAND_CONSTANT(square, 0xf4df1f341c341746, 0x0a76e6a609d104f1, 0x8de5476c4c95b6d5, 0x67eb88a9939d83c0,
		0x9a793e85b519952d, 0x11988fe592cae3aa)
	OPENSAND_WORDS
	static constexpr uint64_t inverse = 0x89f3fffcfffcfffd;
	static constexpr uint32_t inverse32 = 0xfffcfffd;
};

#undef OPENSAND_CONSTANT
#undef OPENSAND_WORDS

typedef Field<FrParameters> Fr;
typedef Field<FqParameters> Fq;

// c0 + c1·u with u² = −1.
struct Fq2 {
	Fq c0, c1;

	OPENSAND_BOTH static Fq2 zero() { return {Fq::zero(), Fq::zero()}; }
	OPENSAND_BOTH static Fq2 one() { return {Fq::one(), Fq::zero()}; }
	OPENSAND_BOTH bool is_zero() const { return c0.is_zero() && c1.is_zero(); }
	OPENSAND_BOTH friend bool operator==(const Fq2 &a, const Fq2 &b) { return a.c0 == b.c0 && a.c1 == b.c1; }
	OPENSAND_BOTH friend Fq2 operator+(const Fq2 &a, const Fq2 &b) { return {a.c0 + b.c0, a.c1 + b.c1}; }
	OPENSAND_BOTH friend Fq2 operator-(const Fq2 &a, const Fq2 &b) { return {a.c0 - b.c0, a.c1 - b.c1}; }
	OPENSAND_BOTH Fq2 operator-() const { return {-c0, -c1}; }
	OPENSAND_BOTH Fq2 doubled() const { return {c0.doubled(), c1.doubled()}; }

	// Karatsuba's three products.
	OPENSAND_BOTH friend Fq2 operator*(const Fq2 &a, const Fq2 &b) {
		Fq low = a.c0 * b.c0, high = a.c1 * b.c1;
		Fq both = (a.c0 + a.c1) * (b.c0 + b.c1);
		return {low - high, both - low - high};
	}

	OPENSAND_BOTH Fq2 squared() const { return {(c0 + c1) * (c0 - c1), (c0 * c1).doubled()}; }

	OPENSAND_BOTH Fq2 inverse() const {
		Fq norm = (c0.squared() + c1.squared()).inverse();
		return {c0 * norm, -(c1 * norm)};
	}
};

// A primitive root of unity of order 2^log2.
inline Fr root_of_unity(unsigned log2) {
	Fr root;
	for (unsigned i = 0; i < Fr::Parameters::limbs; i++)
		root.limbs[i] = Fr::Parameters::root(i);
	for (unsigned i = log2; i < 32; i++)
		root = root.squared();
	return root;
}

} // namespace opensand
