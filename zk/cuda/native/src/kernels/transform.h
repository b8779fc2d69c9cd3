// SPDX-License-Identifier: Apache-2.0
// Transforms over the roots of unity, by passes over tiles that fit shared memory.
#pragma once

#include "../arithmetic/bls12_381.h"

namespace opensand {

// ξⁱ for i below n, where ξ is a primitive 2n-th root of unity: all roots that a transform of length n and
// its coset need.
struct MakePowers {
	static constexpr uint32_t run = 64;
	// ξ^(2^k).
	Fr squares[32];
	uint32_t count;
	Fr *out;

	OPENSAND_BOTH void operator()(uint32_t i) const {
		uint32_t begin = i * run, end = count - begin < run ? count : begin + run;
		Fr power = Fr::one();
		OPENSAND_ROLLED
		for (unsigned k = 0; k < 32; k++)
			if (begin >> k & 1)
				power = power * squares[k];
		OPENSAND_ROLLED
		for (uint32_t at = begin; at < end; at++) {
			out[at] = power;
			power = power * squares[0];
		}
	}
};

OPENSAND_BOTH uint32_t reversed_bits(uint32_t value, unsigned bits) {
	uint32_t result = 0;
	for (unsigned i = 0; i < bits; i++)
		result |= (value >> i & 1) << (bits - 1 - i);
	return result;
}

// Some stages of transforms, in place. Inverse stages go from values in order to coefficients in the order of
// their reversed bits, and leave out the division by n; forward stages go back. A pass does the stages whose
// pairs differ in bits `low` to `low + bits − 1` of their places.
//
// A pass over the lowest bits can do both, and between them multiply coefficient i by ξⁱ: values on the roots
// then become values on the odd coset.
struct TransformPass {
	static constexpr unsigned threads = 256;
	static constexpr unsigned tile_bits = 10;
	static constexpr uint32_t tile = 1u << tile_bits;
	struct Shared {
		// Halves of elements apart, so that neighbours in a warp use all banks.
		struct alignas(16) Half {
			uint64_t limbs[2];
		} low[tile], high[tile];

		OPENSAND_BOTH Fr get(uint32_t i) const {
			return {{low[i].limbs[0], low[i].limbs[1], high[i].limbs[0], high[i].limbs[1]}};
		}
		OPENSAND_BOTH void set(uint32_t i, const Fr &value) {
			low[i] = {{value.limbs[0], value.limbs[1]}};
			high[i] = {{value.limbs[2], value.limbs[3]}};
		}
	};

	Fr *values;
	const Fr *powers;
	unsigned log2, low, bits;
	bool inverse, coset, forward;

	// A tile is 2^bits places of the sub-transform times as many neighbouring columns as fit.
	OPENSAND_BOTH unsigned columns_log2() const { return low == 0 ? 0 : tile_bits - bits; }
	OPENSAND_BOTH uint32_t tile_size() const { return 1u << (bits + columns_log2()); }
	OPENSAND_BOTH uint32_t blocks() const { return uint32_t((uint64_t(1) << log2) / tile_size()); }
	OPENSAND_BOTH unsigned phase_count() const { return 2 + inverse * bits + coset + forward * bits; }

	OPENSAND_BOTH void operator()(unsigned phase, uint32_t block, uint32_t thread, Shared &shared) const {
		if (phase == 0) {
			for (uint32_t at = thread; at < tile_size(); at += threads)
				shared.set(at, values[place(block, at)]);
			return;
		}
		phase--;
		if (inverse && phase < bits) {
			for (uint32_t pair = thread; pair < tile_size() / 2; pair += threads)
				split(block, pair, bits - 1 - phase, shared);
			return;
		}
		phase -= inverse * bits;
		if (coset && phase == 0) {
			for (uint32_t at = thread; at < tile_size(); at += threads)
				shared.set(at, shared.get(at) * powers[reversed_bits(place(block, at), log2)]);
			return;
		}
		phase -= coset;
		if (forward && phase < bits) {
			for (uint32_t pair = thread; pair < tile_size() / 2; pair += threads)
				join(block, pair, phase, shared);
			return;
		}
		for (uint32_t at = thread; at < tile_size(); at += threads)
			values[place(block, at)] = shared.get(at);
	}

private:
	// Where an element of the tile is in `values`.
	OPENSAND_BOTH uint32_t place(uint32_t block, uint32_t at) const {
		unsigned columns = columns_log2();
		uint32_t row = at >> columns, column = at & ((1u << columns) - 1);
		if (low == 0)
			return (block << bits) + row;
		uint32_t blocks_log2 = low - columns;
		uint32_t inner = ((block & ((1u << blocks_log2) - 1)) << columns) + column;
		return ((block >> blocks_log2) << (low + bits)) + (row << low) + inner;
	}

	// The first place of a pair in the tile; the exponent of its root is that of its place among 2^(low +
	// stage) pairs.
	OPENSAND_BOTH uint32_t first(uint32_t block, uint32_t pair, unsigned stage, uint32_t &exponent) const {
		unsigned columns = columns_log2();
		uint32_t row = pair >> columns, column = pair & ((1u << columns) - 1);
		uint32_t below = row & ((1u << stage) - 1);
		row = (row >> stage) << (stage + 1) | below;
		uint32_t at = row << columns | column;
		exponent = (place(block, at) & ((1u << (low + stage)) - 1)) << (log2 - low - stage);
		return at;
	}

	OPENSAND_BOTH void split(uint32_t block, uint32_t pair, unsigned stage, Shared &shared) const {
		uint32_t exponent, at = first(block, pair, stage, exponent),
						   other = at + (1u << (stage + columns_log2()));
		Fr u = shared.get(at), v = shared.get(other);
		shared.set(at, u + v);
		// ξ^−e = −ξ^(n−e).
		shared.set(other, exponent == 0 ? u - v : (v - u) * powers[(1u << log2) - exponent]);
	}

	OPENSAND_BOTH void join(uint32_t block, uint32_t pair, unsigned stage, Shared &shared) const {
		uint32_t exponent, at = first(block, pair, stage, exponent),
						   other = at + (1u << (stage + columns_log2()));
		Fr u = shared.get(at), v = shared.get(other);
		if (exponent != 0)
			v = v * powers[exponent];
		shared.set(at, u + v);
		shared.set(other, u - v);
	}
};

// a·b·factor, into a.
struct MultiplyValues {
	Fr *a;
	const Fr *b;
	Fr factor;

	OPENSAND_BOTH void operator()(uint32_t i) const { a[i] = a[i] * b[i] * factor; }
};

} // namespace opensand
