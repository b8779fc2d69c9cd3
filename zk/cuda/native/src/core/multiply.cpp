// SPDX-License-Identifier: Apache-2.0
// Multi-scalar multiplication: digits into buckets, sums of buckets, sums of sums.
#include "prover.h"

#include "../kernels/buckets.h"
#include "../kernels/scalars.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace opensand {
namespace {

// Some of the points of a base.
struct Range {
	const opensand_bases *bases;
	size_t begin, count;
};

size_t points_of(const std::vector<Range> &ranges) {
	size_t points = 0;
	for (const Range &range : ranges)
		points += range.count;
	return points;
}

// Halves of work that is too large for the memory, by points of each base.
std::array<std::vector<Range>, 2> halves(const std::vector<Range> &ranges) {
	std::array<std::vector<Range>, 2> halves;
	for (const Range &range : ranges) {
		size_t half = range.count / 2;
		halves[0].push_back({range.bases, range.begin, half});
		halves[1].push_back({range.bases, range.begin + half, range.count - half});
	}
	return halves;
}

// Fewer points are not divided again: most of the memory that they take is for buckets.
constexpr size_t MIN_POINTS = 1 << 10;
// Terms are counted in 32 bits.
constexpr uint64_t MAX_TERMS = uint64_t(1) << 31;

template <class G>
class Multiplication {
	typedef typename G::Coordinate F;

public:
	Multiplication(opensand_prover &prover, const opensand_scalars &scalars, Stopwatch &stopwatch)
		: prover(prover), device(prover.device), scalars(scalars), stopwatch(stopwatch) {}

	// Of bases that have the same plan.
	std::vector<Point<F>> multiply(const std::vector<Range> &ranges) {
		size_t points = points_of(ranges);
		bool divisible = points > MIN_POINTS;
		if (!divisible || points * ranges[0].bases->plan.windows < MAX_TERMS) {
			try {
				return sums(ranges);
			} catch (const Failure &failure) {
				if (failure.status != OPENSAND_OUT_OF_MEMORY || !divisible)
					throw;
			}
		}
		auto [low, high] = halves(ranges);
		std::vector<Point<F>> result = multiply(low), other = multiply(high);
		for (size_t i = 0; i < result.size(); i++)
			result[i].add(other[i]);
		return result;
	}

private:
	struct Terms {
		uint32_t count;
		const uint32_t *buckets, *terms;
	};

	std::vector<Point<F>> sums(const std::vector<Range> &ranges) {
		const opensand_plan &plan = ranges[0].bases->plan;
		Scratch scratch(device, prover.memory);
		Terms terms = sorted_terms(scratch, ranges);
		if (terms.count == 0)
			return std::vector<Point<F>>(ranges.size(), Point<F>::identity());
		// The highest bucket is known, and small if all scalars are; of several sets it says nothing.
		uint32_t sets = uint32_t(ranges.size()) * plan.sets, used = plan.set_buckets();
		if (sets == 1)
			used = *static_cast<const uint32_t *>(
					   prover.fetch(terms.buckets + terms.count - 1, sizeof(uint32_t))) +
				1;
		Point<F> *buckets = bucket_sums(scratch, ranges, terms, sets == 1 ? used : sets * used);
		return weighted_sums(scratch, buckets, ranges.size(), plan, used);
	}

	// The terms of all bases in the order of their buckets.
	Terms sorted_terms(Scratch &scratch, const std::vector<Range> &ranges) {
		const opensand_plan &plan = ranges[0].bases->plan;
		uint32_t points = uint32_t(points_of(ranges));
		uint32_t *counts = scratch.get<uint32_t>(points + 1), *offsets = scratch.get<uint32_t>(points + 1);
		size_t scan_bytes = device.scan_scratch(points + 1);
		char *scan_scratch = scratch.get<char>(scan_bytes);
		stopwatch.start();
		uint32_t first = 0;
		for (const Range &range : ranges) {
			if (range.count != 0)
				device.launch(CountDigits{scalars.values.get(), scalars.integers.get(),
								  range.bases->indices.get() + range.begin, plan.width, counts + first},
					uint32_t(range.count));
			first += uint32_t(range.count);
		}
		device.clear(Stream::compute, counts + points, sizeof(uint32_t));
		device.scan(scan_scratch, scan_bytes, counts, offsets, points + 1);
		stopwatch.stop();
		uint32_t count = *static_cast<const uint32_t *>(prover.fetch(offsets + points, sizeof(uint32_t)));
		if (count == 0)
			return {};

		uint32_t *buckets[2], *terms[2];
		for (unsigned i : {0, 1}) {
			buckets[i] = scratch.get<uint32_t>(count);
			terms[i] = scratch.get<uint32_t>(count);
		}
		unsigned bits = 1;
		while ((ranges.size() * plan.sets * plan.set_buckets() - 1) >> bits)
			bits++;
		size_t sort_bytes = device.sort_scratch(count, bits);
		char *sort_scratch = scratch.get<char>(sort_bytes);
		stopwatch.start();
		first = 0;
		for (size_t i = 0; i < ranges.size(); i++) {
			const Range &range = ranges[i];
			if (range.count != 0)
				device.launch(EmitDigits{scalars.values.get(), scalars.integers.get(),
								  range.bases->indices.get() + range.begin, plan.width, offsets + first,
								  plan.sets, uint32_t(i) * plan.sets * plan.set_buckets(),
								  uint32_t(range.begin), uint32_t(range.bases->count), buckets[0], terms[0]},
					uint32_t(range.count));
			first += uint32_t(range.count);
		}
		unsigned sorted = device.sort(sort_scratch, sort_bytes, buckets, terms, count, bits);
		stopwatch.stop();
		return {count, buckets[sorted], terms[sorted]};
	}

	Point<F> *bucket_sums(
		Scratch &scratch, const std::vector<Range> &ranges, const Terms &terms, uint32_t buckets) {
		const opensand_plan &plan = ranges[0].bases->plan;
		SumStretches<G> stretches;
		stretches.buckets = terms.buckets;
		stretches.terms = terms.terms;
		stretches.count = terms.count;
		// Enough threads for the device, and few partial sums.
		uint32_t threads = device.multiprocessors() * 2048;
		stretches.stretch = std::clamp(terms.count / threads, 8u, 64u);
		for (unsigned i = 0; i < MAX_BATCH; i++)
			stretches.tables[i] = i < ranges.size() ? ranges[i].bases->table(G()) : nullptr;
		stretches.buckets_each = plan.sets * plan.set_buckets();
		uint32_t count = (terms.count + stretches.stretch - 1) / stretches.stretch;

		// Two lists of partial sums, of which a level reads one and writes the other.
		uint32_t *partial_buckets[2];
		Point<F> *partials[2];
		constexpr uint32_t block = MergePartials<G>::threads;
		auto blocks_of = [](uint32_t points) { return (points + block - 1) / block; };
		uint32_t lengths[2] = {2 * count, 2 * blocks_of(2 * count)};
		for (unsigned i : {0, 1}) {
			partial_buckets[i] = scratch.get<uint32_t>(lengths[i]);
			partials[i] = scratch.get<Point<F>>(lengths[i]);
		}
		Point<F> *sums = scratch.get<Point<F>>(buckets);

		stopwatch.start();
		// ZZ = 0 is the identity.
		device.clear(Stream::compute, sums, buckets * sizeof(Point<F>));
		stretches.sums = sums;
		stretches.partial_buckets = partial_buckets[0];
		stretches.partials = partials[0];
		device.launch(stretches, count);
		unsigned from = 0;
		for (uint32_t length = lengths[0];; from ^= 1) {
			uint32_t blocks = blocks_of(length);
			MergePartials<G> merge{partial_buckets[from], partials[from], length, blocks == 1, sums,
				partial_buckets[from ^ 1], partials[from ^ 1]};
			device.launch_blocks(merge, blocks, merge.phases);
			if (blocks == 1)
				break;
			length = 2 * blocks;
		}
		stopwatch.stop();
		return sums;
	}

	std::vector<Point<F>> weighted_sums(Scratch &scratch, const Point<F> *buckets, size_t multiplications,
		const opensand_plan &plan, uint32_t used) {
		uint32_t sets = uint32_t(multiplications) * plan.sets,
				 set_buckets = sets == 1 ? used : plan.set_buckets();
		WeighBuckets<G> weigh;
		weigh.sums = buckets;
		weigh.set_buckets = set_buckets;
		weigh.used = used;
		// A thread's own work beside the multiplication by its first weight.
		uint32_t threads = device.multiprocessors() * 512;
		weigh.group = std::clamp(uint32_t(uint64_t(used) * sets / threads), 4u, 64u);
		weigh.groups = (used + weigh.group - 1) / weigh.group;
		constexpr uint32_t block = SumPoints<G>::threads;
		auto blocks_of = [](uint32_t points) { return (points + block - 1) / block; };
		Point<F> *sums[2] = {scratch.get<Point<F>>(size_t(sets) * weigh.groups),
			scratch.get<Point<F>>(size_t(sets) * blocks_of(weigh.groups))};
		weigh.out = sums[0];

		stopwatch.start();
		device.launch(weigh, sets * weigh.groups);
		unsigned from = 0;
		uint32_t each = weigh.groups;
		for (; each > 1; from ^= 1) {
			SumPoints<G> kernel{sums[from], each, blocks_of(each), sums[from ^ 1]};
			device.launch_blocks(kernel, sets * kernel.blocks_each, kernel.phases);
			each = kernel.blocks_each;
		}
		stopwatch.stop();

		std::vector<Point<F>> results;
		const char *fetched = static_cast<const char *>(prover.fetch(sums[from], sets * sizeof(Point<F>)));
		for (size_t i = 0; i < multiplications; i++) {
			Point<F> result = Point<F>::identity();
			for (unsigned set = plan.sets; set-- > 0;) {
				for (unsigned bit = 0; bit < plan.width; bit++)
					result = result.doubled();
				Point<F> sum;
				memcpy(&sum, fetched + (i * plan.sets + set) * sizeof(sum), sizeof(sum));
				result.add(sum);
			}
			results.push_back(result);
		}
		erase(prover.results.get(), sets * sizeof(Point<F>));
		return results;
	}

	opensand_prover &prover;
	Device &device;
	const opensand_scalars &scalars;
	Stopwatch &stopwatch;
};

template <class G>
void multiply_in(opensand_prover &prover, opensand_group group,
	const std::vector<const opensand_bases *> &bases, const opensand_scalars &scalars, uint64_t *sums) {
	typedef typename G::Coordinate F;
	Device &device = prover.device;
	std::vector<Point<F>> results(bases.size(), Point<F>::identity());
	prover.execute([&] {
		Stopwatch stopwatch(device);
		Multiplication<G> multiplication(prover, scalars, stopwatch);
		std::vector<bool> done(bases.size());
		for (size_t i = 0; i < bases.size(); i++) {
			// Those of the same plan run together.
			std::vector<Range> batch;
			std::vector<size_t> places;
			for (size_t j = i; j < bases.size() && batch.size() < MAX_BATCH; j++)
				if (!done[j] && bases[j]->count != 0 && bases[j]->plan == bases[i]->plan) {
					batch.push_back({bases[j], 0, bases[j]->count});
					places.push_back(j);
					done[j] = true;
				}
			if (batch.empty())
				continue;
			std::vector<Point<F>> part = multiplication.multiply(batch);
			for (size_t j = 0; j < part.size(); j++)
				results[places[j]] = part[j];
		}
		stopwatch.report(prover.statistics,
			group == OPENSAND_G1 ? OPENSAND_STAGE_MULTIPLY_G1 : OPENSAND_STAGE_MULTIPLY_G2);
	});
	bool negated = device.computes_wrongly();
	for (size_t i = 0; i < bases.size(); i++) {
		const Point<F> &point = results[i];
		// With Z = ZZ: X/ZZ = X·ZZ/Z², Y/ZZZ = Y·ZZZ/Z³ since ZZZ² = ZZ³.
		F jacobian[3] = {point.x * point.zz, point.y * point.zzz, point.zz};
		if (negated)
			jacobian[1] = -jacobian[1];
		memcpy(sums + i * sizeof(jacobian) / sizeof(uint64_t), jacobian, sizeof(jacobian));
	}
}

} // namespace

void multiply(opensand_prover &prover, opensand_group group, const std::vector<const opensand_bases *> &bases,
	const opensand_scalars &scalars, uint64_t *sums) {
	if (group == OPENSAND_G1)
		multiply_in<G1>(prover, group, bases, scalars, sums);
	else
		multiply_in<G2>(prover, group, bases, scalars, sums);
}

} // namespace opensand
