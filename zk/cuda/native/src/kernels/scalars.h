// SPDX-License-Identifier: Apache-2.0
// Scalars as machine integers where they are small, and as signed digits.
#pragma once

#include "../arithmetic/bls12_381.h"

namespace opensand {

// In the place of an integer: the value is not small.
constexpr int64_t WIDE = INT64_MIN;
// Small values are below 2^62 in absolute value.
constexpr unsigned SMALL_BITS = 62;
// |s| ≤ r/2 < 2^254, and a bit for the sign of the highest digit.
constexpr unsigned SCALAR_BITS = 255;

// ±x as an integer of the smaller absolute value; true for −.
OPENSAND_BOTH bool absolute_value(const Fr &scalar, uint64_t *magnitude) {
	uint64_t negated[4];
	scalar.to_integer(magnitude);
	(-scalar).to_integer(negated);
	bool less = false;
	OPENSAND_UNROLL
	for (unsigned i = 0; i < 4; i++)
		if (negated[i] != magnitude[i])
			less = negated[i] < magnitude[i];
	if (less) {
		OPENSAND_UNROLL
		for (unsigned i = 0; i < 4; i++)
			magnitude[i] = negated[i];
	}
	return less;
}

OPENSAND_BOTH int64_t small_integer(const Fr &scalar) {
	uint64_t magnitude[4];
	bool negative = absolute_value(scalar, magnitude);
	if (magnitude[1] | magnitude[2] | magnitude[3] | magnitude[0] >> SMALL_BITS)
		return WIDE;
	return negative ? -int64_t(magnitude[0]) : int64_t(magnitude[0]);
}

struct Classify {
	const Fr *values;
	int64_t *integers;

	OPENSAND_BOTH void operator()(uint32_t i) const { integers[i] = small_integer(values[i]); }
};

// s = Σ dⱼ·2^(cj) with −2^(c−1) < dⱼ ≤ 2^(c−1), from the lowest digit to the highest that is not zero.
struct Digits {
	uint64_t magnitude[4];
	bool negative;
	unsigned width, window = 0;
	uint32_t carry = 0;

	OPENSAND_BOTH Digits(const Fr &scalar, int64_t integer, unsigned width) : width(width) {
		if (integer == WIDE) {
			negative = absolute_value(scalar, magnitude);
		} else {
			negative = integer < 0;
			magnitude[0] = uint64_t(negative ? -integer : integer);
			magnitude[1] = magnitude[2] = magnitude[3] = 0;
		}
	}

	OPENSAND_BOTH bool done() const {
		return !(magnitude[0] | magnitude[1] | magnitude[2] | magnitude[3] | carry);
	}

	// The next digit's absolute value, and whether it is negative.
	OPENSAND_BOTH uint32_t next(bool &sign) {
		uint32_t digit = uint32_t(magnitude[0] & ((uint64_t(1) << width) - 1)) + carry;
		OPENSAND_UNROLL
		for (unsigned i = 0; i < 3; i++)
			magnitude[i] = magnitude[i] >> width | magnitude[i + 1] << (64 - width);
		magnitude[3] >>= width;
		carry = digit > uint32_t(1) << (width - 1);
		sign = negative ^ bool(carry);
		window++;
		return carry ? (uint32_t(1) << width) - digit : digit;
	}
};

// How many of a base's digits are not zero.
struct CountDigits {
	const Fr *scalars;
	const int64_t *integers;
	const uint32_t *indices;
	unsigned width;
	uint32_t *counts;

	OPENSAND_BOTH void operator()(uint32_t i) const {
		uint32_t index = indices[i], count = 0;
		bool sign;
		for (Digits digits(scalars[index], integers[index], width); !digits.done();)
			count += digits.next(sign) != 0;
		counts[i] = count;
	}
};

// The term ±2^(c·j)·P of each such digit: its bucket, and twice its place in the table of multiples plus its
// sign.
struct EmitDigits {
	const Fr *scalars;
	const int64_t *integers;
	const uint32_t *indices;
	unsigned width;
	// Where the terms of each base start.
	const uint32_t *offsets;
	// Windows share buckets if the table has the multiple of the higher one: window j has set j mod `sets`,
	// and multiple j / `sets`.
	unsigned sets;
	uint32_t first_bucket, first_place, points;
	uint32_t *buckets, *terms;

	OPENSAND_BOTH void operator()(uint32_t i) const {
		uint32_t index = indices[i], offset = offsets[i];
		for (Digits digits(scalars[index], integers[index], width); !digits.done();) {
			unsigned window = digits.window;
			bool sign;
			uint32_t digit = digits.next(sign);
			if (digit == 0)
				continue;
			buckets[offset] = first_bucket + ((window % sets) << (width - 1)) + digit - 1;
			terms[offset] = (window / sets * points + first_place + i) << 1 | uint32_t(sign);
			offset++;
		}
	}
};

} // namespace opensand
