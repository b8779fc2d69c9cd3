// SPDX-License-Identifier: Apache-2.0
// What is behind the handles of the interface.
#pragma once

#include "executor.h"
#include "memory.h"
#include "scratch.h"
#include "staging.h"
#include "statistics.h"
#include "transform.h"

#include "../kernels/rows.h"
#include "../kernels/tables.h"

#include <atomic>
#include <vector>

struct opensand_prover {
	opensand_prover(uint32_t ordinal, uint64_t memory_limit);

	opensand::Device device;
	opensand::Memory memory;
	opensand::Statistics statistics;
	opensand::Staging staging;
	// For the few numbers that come back in the middle of a call; used by the executor only.
	opensand::Pinned results;
	// Last: its thread uses all of the above.
	opensand::Executor executor;

	// The device was lost, and every further call shall say so.
	std::atomic<bool> lost = false;

	static constexpr size_t RESULTS = 256 << 10;

	// Runs a task that launches kernels.
	void execute(std::function<void()> task);

	// Copies to the device, from any thread.
	void upload(void *to, const void *from, size_t bytes, bool secret);

	template <class T>
	opensand::Buffer<T> uploaded(const T *values, size_t count) {
		opensand::Buffer<T> buffer(memory, count, false);
		upload(buffer.get(), values, buffer.bytes(), false);
		return buffer;
	}

	// Copies what kernels have made to `results`, and waits for it. Within a task.
	const void *fetch(const void *from, size_t bytes);
};

struct opensand_scalars {
	opensand_prover *prover;
	opensand::Buffer<opensand::Fr> values;
	// The same, or WIDE.
	opensand::Buffer<int64_t> integers;
	size_t count;

	opensand_scalars(opensand_prover *prover, size_t count)
		: prover(prover),
		  values(prover->memory, count, true),
		  integers(prover->memory, count, true),
		  count(count) {}

	// Fills `integers`. Within a task.
	void classify();
};

// How the digits of scalars are divided among buckets.
struct opensand_plan {
	// Bits of a digit, and digits of a scalar.
	unsigned width, windows;
	// Windows j and j + sets share buckets: the table has 2^(width·sets·k)·P for k < multiples.
	unsigned sets, multiples;

	uint32_t set_buckets() const { return uint32_t(1) << (width - 1); }
	bool operator==(const opensand_plan &other) const { return width == other.width && sets == other.sets; }
};

struct opensand_bases {
	opensand_prover *prover;
	opensand_group group;
	opensand_plan plan;
	// How many points there are, and for how many scalars.
	size_t count, scalars;
	opensand::Buffer<uint32_t> indices;
	// `multiples` times `count` points.
	opensand::Buffer<opensand::Affine<opensand::Fq>> g1;
	opensand::Buffer<opensand::Affine<opensand::Fq2>> g2;

	const opensand::Affine<opensand::Fq> *table(opensand::G1) const { return g1.get(); }
	const opensand::Affine<opensand::Fq2> *table(opensand::G2) const { return g2.get(); }
};

struct opensand_rows {
	opensand_prover *prover;
	size_t variables, constraints, public_variables;
	unsigned log2;
	struct Matrix {
		opensand::Buffer<opensand::Entry> entries;
		// Where pieces start among the entries, and rows among the pieces.
		opensand::Buffer<uint32_t> piece_starts, row_starts;
		size_t pieces;
	} matrices[2];
	opensand::Buffer<opensand::Fr> coefficients;
	opensand::Buffer<int64_t> small_coefficients;
	// ξⁱ, i < n.
	opensand::Buffer<opensand::Fr> powers;
};

namespace opensand {

void load_bases(
	opensand_prover &prover, const uint64_t *points, const uint32_t *indices, opensand_bases &bases);
void load_rows(opensand_prover &prover, const opensand_matrices &matrices, opensand_rows &rows);
// n products into `products`.
void quotient(opensand_prover &prover, const opensand_rows &rows, const opensand_scalars &z,
	opensand_scalars &products);
// 18 or 36 limbs each into `sums`.
void multiply(opensand_prover &prover, opensand_group group, const std::vector<const opensand_bases *> &bases,
	const opensand_scalars &scalars, uint64_t *sums);

} // namespace opensand
