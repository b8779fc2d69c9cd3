// SPDX-License-Identifier: Apache-2.0
// Sparse products, with machine integers where values allow it.
#pragma once

#include "scalars.h"

namespace opensand {

// Small coefficients are below 2^31 in absolute value, so that a piece's integers fit 128 bits.
constexpr unsigned COEFFICIENT_BITS = 31;
// Entries that a thread takes: long rows are for several.
constexpr uint32_t PIECE_ENTRIES = 32;

struct ClassifyCoefficients {
	const Fr *values;
	int64_t *integers;

	OPENSAND_BOTH void operator()(uint32_t i) const {
		int64_t integer = small_integer(values[i]);
		uint64_t magnitude = uint64_t(integer < 0 ? -integer : integer);
		integers[i] = integer == WIDE || magnitude >> COEFFICIENT_BITS ? WIDE : integer;
	}
};

struct Entry {
	uint32_t column, coefficient;
};

// The sum of one piece of a row.
struct MultiplyPieces {
	const Entry *entries;
	const uint32_t *starts;
	const Fr *coefficients;
	const int64_t *small_coefficients;
	const Fr *z;
	const int64_t *small_z;
	Fr *out;

	OPENSAND_BOTH void operator()(uint32_t piece) const {
		__int128 sum = 0;
		Fr wide = Fr::zero();
		for (uint32_t at = starts[piece]; at < starts[piece + 1]; at++) {
			Entry entry = entries[at];
			int64_t value = small_z[entry.column], factor = small_coefficients[entry.coefficient];
			if (value != WIDE && factor != WIDE)
				sum += __int128(value) * factor;
			else if (factor == 1)
				wide = wide + z[entry.column];
			else if (factor == -1)
				wide = wide - z[entry.column];
			else
				wide = wide + z[entry.column] * coefficients[entry.coefficient];
		}
		if (sum != 0) {
			unsigned __int128 magnitude = sum < 0 ? -(unsigned __int128)sum : (unsigned __int128)sum;
			uint64_t limbs[4] = {uint64_t(magnitude), uint64_t(magnitude >> 64), 0, 0};
			Fr value = Fr::from_integer(limbs);
			wide = sum < 0 ? wide - value : wide + value;
		}
		out[piece] = wide;
	}
};

// Rows are the sums of their pieces.
struct SumPieces {
	const Fr *pieces;
	const uint32_t *starts;
	Fr *out;

	OPENSAND_BOTH void operator()(uint32_t row) const {
		Fr sum = Fr::zero();
		for (uint32_t piece = starts[row]; piece < starts[row + 1]; piece++)
			sum = sum + pieces[piece];
		out[row] = sum;
	}
};

struct CopyValues {
	const Fr *from;
	Fr *out;

	OPENSAND_BOTH void operator()(uint32_t i) const { out[i] = from[i]; }
};

} // namespace opensand
