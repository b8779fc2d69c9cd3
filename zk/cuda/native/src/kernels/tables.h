// SPDX-License-Identifier: Apache-2.0
// Tables of multiples 2^k·P.
#pragma once

#include "../arithmetic/curve.h"

namespace opensand {

template <class G>
struct DoublePoints {
	typedef typename G::Coordinate F;
	const Affine<F> *points;
	unsigned doublings;
	Point<F> *out;

	OPENSAND_BOTH void operator()(uint32_t i) const {
		Point<F> point = Point<F>::twice(points[i]);
		OPENSAND_ROLLED
		for (unsigned k = 1; k < doublings; k++)
			point = point.doubled();
		out[i] = point;
	}
};

// Makes points affine, a group by one inversion. None is the identity: neither curve has a point of even
// order.
template <class G>
struct MakeAffine {
	typedef typename G::Coordinate F;
	static constexpr uint32_t group = 64;
	const Point<F> *points;
	uint32_t count;
	Affine<F> *out;

	OPENSAND_BOTH void operator()(uint32_t i) const {
		uint32_t begin = i * group, end = count - begin < group ? count : begin + group;
		F product = F::one();
		OPENSAND_ROLLED
		for (uint32_t at = begin; at < end; at++) {
			// Until its place is needed.
			out[at].x = product;
			product = product * points[at].zzz;
		}
		F inverse = product.inverse();
		OPENSAND_ROLLED
		for (uint32_t at = end; at-- > begin;) {
			F inverse_zzz = inverse * out[at].x;
			inverse = inverse * points[at].zzz;
			out[at] = points[at].affine(inverse_zzz);
		}
	}
};

} // namespace opensand
