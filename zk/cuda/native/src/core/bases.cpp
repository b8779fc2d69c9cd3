// SPDX-License-Identifier: Apache-2.0
#include "prover.h"

#include <algorithm>
#include <limits>

namespace opensand {
namespace {

// Below this, launches cost more than additions: all bases share one plan, so that they can be multiplied
// together.
constexpr size_t FEW = 1 << 14;
constexpr unsigned FEW_WIDTH = 12;
constexpr unsigned MIN_WIDTH = 4, MAX_WIDTH = 24;
// A term has 31 bits for its place in the table.
constexpr uint64_t MAX_PLACES = uint64_t(1) << 31;

opensand_plan plan_of(unsigned width, size_t count, size_t point_bytes, uint64_t table_bytes) {
	opensand_plan plan;
	plan.width = width;
	plan.windows = (SCALAR_BITS + width - 1) / width;
	uint64_t fitting = std::min(table_bytes / (count * point_bytes), MAX_PLACES / count);
	plan.multiples = unsigned(std::clamp<uint64_t>(fitting, 1, plan.windows));
	plan.sets = (plan.windows + plan.multiples - 1) / plan.multiples;
	plan.multiples = (plan.windows + plan.sets - 1) / plan.sets;
	return plan;
}

// The plan of the fewest additions, in units of adding an affine point.
opensand_plan best_plan(size_t count, size_t point_bytes, uint64_t table_bytes) {
	if (count <= FEW)
		return plan_of(FEW_WIDTH, count, point_bytes, table_bytes);
	opensand_plan best = {};
	uint64_t best_cost = std::numeric_limits<uint64_t>::max();
	for (unsigned width = MIN_WIDTH; width <= MAX_WIDTH; width++) {
		opensand_plan plan = plan_of(width, count, point_bytes, table_bytes);
		// Two additions a bucket, of the dearer kind.
		uint64_t cost = uint64_t(plan.windows) * count + uint64_t(plan.sets) * plan.set_buckets() * 3;
		if (cost < best_cost) {
			best = plan;
			best_cost = cost;
		}
	}
	return best;
}

template <class G>
void make_table(
	opensand_prover &prover, const opensand_plan &plan, size_t count, Affine<typename G::Coordinate> *table) {
	typedef typename G::Coordinate F;
	// Points at a time, which bounds the scratch.
	constexpr size_t PART = 1 << 18;
	prover.execute([&] {
		Scratch scratch(prover.device, prover.memory);
		Point<F> *multiples = scratch.get<Point<F>>(std::min(count, PART));
		for (unsigned k = 1; k < plan.multiples; k++)
			for (size_t begin = 0; begin < count; begin += PART) {
				uint32_t part = uint32_t(std::min(count - begin, PART));
				const Affine<F> *from = table + (k - 1) * count + begin;
				prover.device.launch(DoublePoints<G>{from, plan.width * plan.sets, multiples}, part);
				MakeAffine<G> affine{multiples, part, table + k * count + begin};
				prover.device.launch(affine, (part + affine.group - 1) / affine.group);
			}
	});
}

template <class G>
void load(opensand_prover &prover, const uint64_t *points, opensand_bases &bases,
	Buffer<Affine<typename G::Coordinate>> &table) {
	typedef Affine<typename G::Coordinate> Base;
	// A quarter of what is left: there are other bases, and multiplying takes memory too.
	bases.plan = best_plan(bases.count, sizeof(Base), prover.memory.available() / 4);
	try {
		table = Buffer<Base>(prover.memory, bases.plan.multiples * bases.count, false);
	} catch (const Failure &failure) {
		if (failure.status != OPENSAND_OUT_OF_MEMORY || bases.plan.multiples == 1)
			throw;
		bases.plan = best_plan(bases.count, sizeof(Base), 0);
		table = Buffer<Base>(prover.memory, bases.count, false);
	}
	prover.upload(table.get(), points, bases.count * sizeof(Base), false);
	make_table<G>(prover, bases.plan, bases.count, table.get());
}

} // namespace

void load_bases(
	opensand_prover &prover, const uint64_t *points, const uint32_t *indices, opensand_bases &bases) {
	if (bases.count == 0)
		return;
	bases.indices = prover.uploaded(indices, bases.count);
	if (bases.group == OPENSAND_G1)
		load<G1>(prover, points, bases, bases.g1);
	else
		load<G2>(prover, points, bases, bases.g2);
}

} // namespace opensand
