// SPDX-License-Identifier: Apache-2.0
// Sums of the terms of each bucket, however they are distributed, and of buckets by their weights.
#pragma once

#include "../arithmetic/curve.h"

namespace opensand {

// Multiplications over the same scalars that run as one.
constexpr unsigned MAX_BATCH = 8;

// Each thread sums a stretch of the terms, which are in the order of their buckets. A bucket that lies within
// a stretch is done; what a stretch has of its first and last bucket is left to `MergePartials`.
template <class G>
struct SumStretches {
	typedef typename G::Coordinate F;
	static constexpr unsigned resident_blocks = G::blocks_for_terms;
	const uint32_t *buckets, *terms;
	uint32_t count, stretch;
	// Multiples of the bases of each multiplication, which has `buckets_each`.
	const Affine<F> *tables[MAX_BATCH];
	uint32_t buckets_each;
	Point<F> *sums;
	// Two each, their buckets ascending.
	uint32_t *partial_buckets;
	Point<F> *partials;

	OPENSAND_BOTH void operator()(uint32_t i) const {
		uint32_t begin = i * stretch, end = count - begin < stretch ? count : begin + stretch;
		uint32_t bucket = buckets[begin];
		bool first = true;
		Point<F> sum = Point<F>::identity();
		OPENSAND_ROLLED
		for (uint32_t at = begin; at < end; at++) {
			if (buckets[at] != bucket) {
				if (first) {
					partial_buckets[2 * i] = bucket;
					partials[2 * i] = sum;
				} else {
					sums[bucket] = sum;
				}
				first = false;
				bucket = buckets[at];
				sum = Point<F>::identity();
			}
			uint32_t term = terms[at];
			Affine<F> point = tables[bucket / buckets_each][term >> 1];
			if (term & 1)
				point.y = -point.y;
			sum.add(point);
		}
		partial_buckets[2 * i + 1] = bucket;
		partials[2 * i + 1] = sum;
		if (first) {
			partial_buckets[2 * i] = bucket;
			partials[2 * i] = Point<F>::identity();
		}
	}
};

// Sums what is of the same bucket among the partial sums of a block, by a tree. Again the first and the last
// bucket of a block are left to the next level, unless there is one block only.
template <class G>
struct MergePartials {
	typedef typename G::Coordinate F;
	static constexpr unsigned threads = G::merge_threads;
	struct Shared {
		Point<F> points[threads];
		uint32_t buckets[threads], heads[threads];
	};

	const uint32_t *buckets;
	const Point<F> *points;
	uint32_t count;
	bool last;
	Point<F> *sums;
	uint32_t *partial_buckets;
	Point<F> *partials;

	static constexpr unsigned levels = threads == 128 ? 7 : 6;
	static_assert(threads == 1u << levels, "a tree of threads");
	static constexpr unsigned phases = levels + 3;

	OPENSAND_BOTH void operator()(unsigned phase, uint32_t block, uint32_t thread, Shared &shared) const {
		uint32_t start = block * threads;
		uint32_t here = count - start < threads ? count - start : threads;
		if (thread >= here)
			return;
		if (phase == 0) {
			shared.buckets[thread] = buckets[start + thread];
			shared.points[thread] = points[start + thread];
		} else if (phase == 1) {
			uint32_t low = 0, high = thread;
			while (low < high) {
				uint32_t middle = (low + high) / 2;
				if (shared.buckets[middle] < shared.buckets[thread])
					low = middle + 1;
				else
					high = middle;
			}
			shared.heads[thread] = low;
		} else if (phase < 2 + levels) {
			uint32_t distance = 1u << (phase - 2), head = shared.heads[thread], other = thread + distance;
			if ((thread - head) % (2 * distance) == 0 && other < here && shared.heads[other] == head)
				shared.points[thread].add(shared.points[other]);
		} else {
			if (shared.heads[thread] != thread)
				return;
			bool is_first = thread == 0, is_last = shared.heads[here - 1] == thread;
			if (last || !(is_first || is_last)) {
				sums[shared.buckets[thread]] = shared.points[thread];
				return;
			}
			if (is_last) {
				partial_buckets[2 * block + 1] = shared.buckets[thread];
				partials[2 * block + 1] = shared.points[thread];
			}
			if (is_first) {
				partial_buckets[2 * block] = shared.buckets[thread];
				partials[2 * block] = is_last ? Point<F>::identity() : shared.points[thread];
			}
		}
	}
};

// Σ (i+1)·Sᵢ over a group of the buckets of a set.
template <class G>
struct WeighBuckets {
	typedef typename G::Coordinate F;
	const Point<F> *sums;
	// Buckets of a set, and how many at its start are not empty.
	uint32_t set_buckets, used, group, groups;
	Point<F> *out;

	OPENSAND_BOTH void operator()(uint32_t i) const {
		uint32_t low = i % groups * group, high = used - low < group ? used : low + group;
		const Point<F> *set = sums + size_t(i / groups) * set_buckets;
		Point<F> running = Point<F>::identity(), weighted = Point<F>::identity();
		OPENSAND_ROLLED
		for (uint32_t bucket = high; bucket-- > low;) {
			running.add(set[bucket]);
			weighted.add(running);
		}
		weighted.add(running.times(low));
		out[i] = weighted;
	}
};

// Sums of up to `threads` points of a set each.
template <class G>
struct SumPoints {
	typedef typename G::Coordinate F;
	static constexpr unsigned threads = G::merge_threads;
	struct Shared {
		Point<F> points[threads];
	};

	const Point<F> *points;
	uint32_t each, blocks_each;
	Point<F> *out;

	static constexpr unsigned phases = MergePartials<G>::levels + 2;

	OPENSAND_BOTH void operator()(unsigned phase, uint32_t block, uint32_t thread, Shared &shared) const {
		uint32_t start = block % blocks_each * threads;
		uint32_t here = each - start < threads ? each - start : threads;
		if (thread >= here)
			return;
		if (phase == 0) {
			shared.points[thread] = points[size_t(block / blocks_each) * each + start + thread];
		} else if (phase + 1 < phases) {
			uint32_t distance = 1u << (phase - 1);
			if (thread % (2 * distance) == 0 && thread + distance < here)
				shared.points[thread].add(shared.points[thread + distance]);
		} else if (thread == 0) {
			out[block] = shared.points[0];
		}
	}
};

} // namespace opensand
