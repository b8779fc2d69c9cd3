// SPDX-License-Identifier: Apache-2.0
// Points of y² = x³ + b over a field F. b is not needed to add.
#pragma once

#include "bls12_381.h"

namespace opensand {

// A point that is not the identity.
template <class F>
struct Affine {
	F x, y;

	OPENSAND_BOTH Affine operator-() const { return {x, -y}; }
};

// (X/ZZ, Y/ZZZ) with ZZ³ = ZZZ², and the identity if ZZ = 0: the cheapest form to add affine points to.
template <class F>
struct Point {
	F x, y, zz, zzz;

	OPENSAND_BOTH static Point identity() { return {F::zero(), F::zero(), F::zero(), F::zero()}; }
	OPENSAND_BOTH static Point from(const Affine<F> &point) { return {point.x, point.y, F::one(), F::one()}; }
	OPENSAND_BOTH bool is_identity() const { return zz.is_zero(); }

	OPENSAND_BOTH static Point twice(const Affine<F> &point) {
		F u = point.y.doubled();
		F v = u.squared();
		F w = u * v;
		return tangent(point.x, point.y, v, w, v, w);
	}

	// This and the next are rarely the innermost work, and too large to be there more than once in a kernel.
	OPENSAND_BOTH_ONCE Point doubled() const {
		if (is_identity())
			return *this;
		F u = y.doubled();
		F v = u.squared();
		F w = u * v;
		return tangent(x, y, v, w, v * zz, w * zzz);
	}

	OPENSAND_BOTH_ONCE void add(const Point &other) {
		if (other.is_identity())
			return;
		if (is_identity()) {
			*this = other;
			return;
		}
		F u = x * other.zz;
		F s = y * other.zzz;
		F p = other.x * zz - u;
		F r = other.y * zzz - s;
		if (p.is_zero()) {
			*this = r.is_zero() ? doubled() : identity();
			return;
		}
		F pp = p.squared();
		F ppp = p * pp;
		zz = zz * other.zz * pp;
		zzz = zzz * other.zzz * ppp;
		chord(u * pp, s * ppp, ppp, r);
	}

	OPENSAND_BOTH void add(const Affine<F> &other) {
		if (is_identity()) {
			*this = from(other);
			return;
		}
		F p = other.x * zz - x;
		F r = other.y * zzz - y;
		if (p.is_zero()) {
			*this = r.is_zero() ? twice(other) : identity();
			return;
		}
		F pp = p.squared();
		F ppp = p * pp;
		zz = zz * pp;
		zzz = zzz * ppp;
		chord(x * pp, y * ppp, ppp, r);
	}

	// factor·this.
	OPENSAND_BOTH Point times(uint32_t factor) const {
		Point result = identity();
		OPENSAND_ROLLED
		for (int bit = 31; bit >= 0; bit--) {
			result = result.doubled();
			if (factor >> bit & 1)
				result.add(*this);
		}
		return result;
	}

	// The same point, if 1/ZZZ is given.
	OPENSAND_BOTH Affine<F> affine(const F &inverse_zzz) const {
		F inverse_z = zz * inverse_zzz;
		return {x * inverse_z.squared(), y * inverse_zzz};
	}

private:
	OPENSAND_BOTH static Point tangent(
		const F &x, const F &y, const F &v, const F &w, const F &zz, const F &zzz) {
		F s = x * v;
		F square = x.squared();
		F m = square.doubled() + square;
		F x3 = m.squared() - s.doubled();
		return {x3, m * (s - x3) - w * y, zz, zzz};
	}

	OPENSAND_BOTH void chord(const F &q, const F &yppp, const F &ppp, const F &r) {
		x = r.squared() - ppp - q.doubled();
		y = r * (q - x) - yppp;
	}
};

// The two groups, for templates.
struct G1 {
	typedef Fq Coordinate;
	// Of the kernel that sums terms, on a multiprocessor: bounds its registers.
	static constexpr unsigned blocks_for_terms = 3;
	static constexpr unsigned merge_threads = 128;
};
struct G2 {
	typedef Fq2 Coordinate;
	static constexpr unsigned blocks_for_terms = 1;
	static constexpr unsigned merge_threads = 64;
};

} // namespace opensand
