// SPDX-License-Identifier: Apache-2.0
#include "prover.h"

#include "../kernels/transform.h"

#include <algorithm>

namespace opensand {
namespace {

void check(const opensand_matrices &matrices, unsigned matrix) {
	const uint32_t *starts = matrices.starts[matrix];
	bool valid = starts[0] == 0;
	for (uint64_t row = 0; valid && row < matrices.constraints; row++)
		valid = starts[row] <= starts[row + 1];
	for (uint64_t at = 0; valid && at < starts[matrices.constraints]; at++) {
		const uint32_t *entry = matrices.entries[matrix] + 2 * at;
		valid = entry[0] < matrices.variables && entry[1] < matrices.coefficient_count;
	}
	if (!valid)
		throw Failure(OPENSAND_INVALID_ARGUMENT,
			"rows that do not ascend, or columns or coefficients that do not exist");
}

opensand_rows::Matrix load(opensand_prover &prover, const opensand_matrices &matrices, unsigned matrix) {
	const uint32_t *starts = matrices.starts[matrix];
	std::vector<uint32_t> piece_starts, row_starts;
	row_starts.reserve(matrices.constraints + 1);
	piece_starts.reserve(matrices.constraints + 1);
	for (uint64_t row = 0; row < matrices.constraints; row++) {
		row_starts.push_back(uint32_t(piece_starts.size()));
		for (uint64_t at = starts[row]; at < starts[row + 1]; at += PIECE_ENTRIES)
			piece_starts.push_back(uint32_t(at));
	}
	opensand_rows::Matrix result;
	result.pieces = piece_starts.size();
	row_starts.push_back(uint32_t(piece_starts.size()));
	piece_starts.push_back(starts[matrices.constraints]);
	const Entry *entries = reinterpret_cast<const Entry *>(matrices.entries[matrix]);
	result.entries = prover.uploaded(entries, starts[matrices.constraints]);
	result.piece_starts = prover.uploaded(piece_starts.data(), piece_starts.size());
	result.row_starts = prover.uploaded(row_starts.data(), row_starts.size());
	return result;
}

// A·z or B·z, padded with zeros.
void multiply_rows(opensand_prover &prover, const opensand_rows &rows, unsigned matrix,
	const opensand_scalars &z, Fr *pieces, Fr *out) {
	Device &device = prover.device;
	const opensand_rows::Matrix &sparse = rows.matrices[matrix];
	device.clear(Stream::compute, out, sizeof(Fr) << rows.log2);
	if (sparse.pieces != 0) {
		device.launch(MultiplyPieces{sparse.entries.get(), sparse.piece_starts.get(), rows.coefficients.get(),
						  rows.small_coefficients.get(), z.values.get(), z.integers.get(), pieces},
			uint32_t(sparse.pieces));
		device.launch(SumPieces{pieces, sparse.row_starts.get(), out}, uint32_t(rows.constraints));
	}
	if (matrix == 0 && rows.public_variables != 0)
		device.launch(CopyValues{z.values.get(), out + rows.constraints}, uint32_t(rows.public_variables));
}

} // namespace

void load_rows(opensand_prover &prover, const opensand_matrices &matrices, opensand_rows &rows) {
	for (unsigned matrix : {0, 1}) {
		check(matrices, matrix);
		rows.matrices[matrix] = load(prover, matrices, matrix);
	}
	const Fr *coefficients = reinterpret_cast<const Fr *>(matrices.coefficients);
	rows.coefficients = prover.uploaded(coefficients, matrices.coefficient_count);
	rows.small_coefficients = Buffer<int64_t>(prover.memory, matrices.coefficient_count, false);
	rows.powers = Buffer<Fr>(prover.memory, size_t(1) << rows.log2, false);
	prover.execute([&] {
		if (matrices.coefficient_count != 0)
			prover.device.launch(ClassifyCoefficients{rows.coefficients.get(), rows.small_coefficients.get()},
				uint32_t(matrices.coefficient_count));
		make_powers(prover.device, rows.powers.get(), rows.log2);
		prover.device.wait(Stream::compute);
	});
}

void quotient(opensand_prover &prover, const opensand_rows &rows, const opensand_scalars &z,
	opensand_scalars &products) {
	Device &device = prover.device;
	prover.execute([&] {
		size_t domain = size_t(1) << rows.log2;
		Scratch scratch(device, prover.memory);
		size_t pieces = std::max(rows.matrices[0].pieces, rows.matrices[1].pieces);
		Fr *sums = scratch.get<Fr>(pieces), *a = products.values.get(), *b = scratch.get<Fr>(domain);
		Stopwatch sparse(device), transforms(device);
		sparse.start();
		multiply_rows(prover, rows, 0, z, sums, a);
		multiply_rows(prover, rows, 1, z, sums, b);
		sparse.stop();
		transforms.start();
		extend(device, a, rows.powers.get(), rows.log2);
		extend(device, b, rows.powers.get(), rows.log2);
		// Both were left n times as large.
		Fr size = Fr::from_small(domain);
		device.launch(MultiplyValues{a, b, size.squared().inverse()}, uint32_t(domain));
		device.launch(Classify{a, products.integers.get()}, uint32_t(domain));
		transforms.stop();
		sparse.report(prover.statistics, OPENSAND_STAGE_ROWS);
		transforms.report(prover.statistics, OPENSAND_STAGE_TRANSFORM);
	});
}

} // namespace opensand
