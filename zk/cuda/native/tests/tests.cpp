// SPDX-License-Identifier: Apache-2.0
// Tests on the mock device, which runs the kernels of the real one: arithmetic, then the interface against
// naive sums.
#include "../include/opensand_mock.h"
#include "../include/opensand_prover.h"
#include "../src/arithmetic/curve.h"
#include "vectors.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

using namespace opensand;

#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
			exit(1); \
		} \
	} while (0)

#define OK(call) \
	do { \
		opensand_status status = (call); \
		if (status != OPENSAND_OK) { \
			fprintf(stderr, "%s:%d: %s: status %d, %s\n", __FILE__, __LINE__, #call, status, \
				opensand_prover_error()); \
			exit(1); \
		} \
	} while (0)

static std::mt19937_64 rng(1);

template <class T>
static T random_element() {
	uint64_t limbs[T::Parameters::limbs];
	for (uint64_t &limb : limbs)
		limb = rng();
	// Below the modulus, whose second highest bits are set.
	limbs[T::Parameters::limbs - 1] &= T::Parameters::limbs == 4 ? UINT64_MAX >> 2 : UINT64_MAX >> 4;
	return T::from_integer(limbs);
}

// Words of 32 bits as on the device, beside limbs of 64.
template <class T>
static void check_words(const T &a, const T &b) {
	typedef Words<typename T::Parameters> W;
	uint32_t x[W::count], y[W::count], z[W::count];
	a.split(x);
	b.split(y);
	W::multiply(z, x, y);
	CHECK(T::join(z) == a * b);
	W::add(z, x, y);
	CHECK(T::join(z) == a + b);
	W::subtract(z, x, y);
	CHECK(T::join(z) == a - b);
}

template <class T, size_t LIMBS, size_t COUNT>
static void field_laws(const uint64_t (&vectors)[COUNT][6][LIMBS]) {
	for (const auto &vector : vectors) {
		T values[6];
		for (unsigned i = 0; i < 6; i++) {
			uint64_t integer[LIMBS];
			values[i] = T::from_integer(vector[i]);
			values[i].to_integer(integer);
			CHECK(memcmp(integer, vector[i], sizeof(integer)) == 0);
		}
		const T &a = values[0], &b = values[1];
		CHECK(a + b == values[2] && a - b == values[3] && a * b == values[4] && a.inverse() == values[5]);
		for (const T &x : values)
			for (const T &y : values)
				check_words(x, y);
	}
	// The largest representations, whose carries are the longest.
	T largest;
	for (unsigned i = 0; i < LIMBS; i++)
		largest.limbs[i] = T::Parameters::limb(i) - (i == 0);
	check_words(largest, largest);
	for (int i = 0; i < 20000; i++) {
		T a = random_element<T>(), b = random_element<T>(), c = random_element<T>();
		check_words(a, b);
		if (i < 200) {
			CHECK((a + b) * c == a * c + b * c && (a * b) * c == a * (b * c) && a - b == a + -b);
			CHECK(a * a.inverse() == T::one() && a.squared() == a * a && (a - a).is_zero());
		}
	}
	CHECK(T::zero().inverse().is_zero());
}

static Affine<Fq> vector_point(G1, unsigned i) {
	return {Fq::from_integer(vectors::g1[i][0]), Fq::from_integer(vectors::g1[i][1])};
}
static Affine<Fq2> vector_point(G2, unsigned i) {
	auto &v = vectors::g2[i];
	return {
		{Fq::from_integer(v[0]), Fq::from_integer(v[1])}, {Fq::from_integer(v[2]), Fq::from_integer(v[3])}};
}

template <class F>
static bool same(const Point<F> &a, const Point<F> &b) {
	if (a.is_identity() || b.is_identity())
		return a.is_identity() && b.is_identity();
	return a.x * b.zz == b.x * a.zz && a.y * b.zzz == b.y * a.zzz;
}

template <class F>
static Affine<F> affine(const Point<F> &point) {
	return point.affine(point.zzz.inverse());
}

// Double and add over the bits of an integer.
template <class F>
static Point<F> naive_multiple(const Point<F> &point, const Fr &scalar) {
	uint64_t integer[4];
	scalar.to_integer(integer);
	Point<F> sum = Point<F>::identity();
	for (int bit = 255; bit >= 0; bit--) {
		sum = sum.doubled();
		if (integer[bit / 64] >> (bit % 64) & 1)
			sum.add(point);
	}
	return sum;
}

template <class G>
static void curve_laws() {
	typedef typename G::Coordinate F;
	typedef Point<F> P;
	P one = P::from(vector_point(G(), 0));
	for (unsigned i = 0; i < sizeof(vectors::factors) / sizeof(*vectors::factors); i++) {
		P expected = P::from(vector_point(G(), i));
		CHECK(same(one.times(vectors::factors[i]), expected));
		CHECK(same(naive_multiple(one, Fr::from_small(vectors::factors[i])), expected));
	}
	P identity = P::identity();
	P minus = naive_multiple(one, -Fr::one());
	CHECK(same(minus, P::from(-vector_point(G(), 0))));
	P a = naive_multiple(one, random_element<Fr>()), b = naive_multiple(one, random_element<Fr>());
	P sum = a, swapped = b, mixed = a, twice = a, opposite = a, nothing = a;
	sum.add(b);
	swapped.add(a);
	mixed.add(affine(b));
	CHECK(same(sum, swapped) && same(sum, mixed));
	twice.add(a);
	CHECK(same(twice, a.doubled()) && same(P::twice(affine(a)), twice));
	P mixed_twice = a;
	mixed_twice.add(affine(a));
	CHECK(same(mixed_twice, twice));
	opposite.add(-affine(a));
	CHECK(opposite.is_identity());
	nothing.add(identity);
	CHECK(same(nothing, a));
	identity.add(a);
	CHECK(same(identity, a));
	CHECK(P::identity().doubled().is_identity());
}

// A prover on the mock device.
struct Prover {
	opensand_prover *handle = nullptr;
	explicit Prover(uint64_t limit = 0) { OK(opensand_prover_open(0, limit, &handle)); }
	~Prover() { opensand_prover_close(handle); }
};

static uint32_t group_of(G1) { return OPENSAND_G1; }
static uint32_t group_of(G2) { return OPENSAND_G2; }

template <class G>
static opensand_bases *load(const Prover &prover, const std::vector<Affine<typename G::Coordinate>> &points,
	const std::vector<uint32_t> &indices, size_t scalars) {
	opensand_bases *bases = nullptr;
	OK(opensand_prover_load_bases(prover.handle, group_of(G()),
		reinterpret_cast<const uint64_t *>(points.data()), indices.data(), points.size(), scalars, &bases));
	return bases;
}

static opensand_scalars *load(const Prover &prover, const std::vector<Fr> &values) {
	opensand_scalars *scalars = nullptr;
	OK(opensand_prover_load_scalars(
		prover.handle, reinterpret_cast<const uint64_t *>(values.data()), values.size(), &scalars));
	return scalars;
}

template <class F>
static bool same_jacobian(const F *sum, const Point<F> &expected) {
	F square = sum[2].squared();
	return same(Point<F>{sum[0], sum[1], square, square * sum[2]}, expected);
}

static Fr power_of_two(unsigned exponent) {
	Fr power = Fr::one();
	for (unsigned i = 0; i < exponent; i++)
		power = power.doubled();
	return power;
}

// Every class of scalars, with the edges of each.
static Fr scalar_of_class(unsigned kind, size_t i) {
	Fr value;
	switch (kind) {
	case 0:
		return Fr::zero();
	case 1:
		return i % 3 == 0 ? -Fr::one() : Fr::one();
	case 2:
		value = Fr::from_small(rng() % 256);
		return i % 2 ? value : -value;
	case 3:
		value = Fr::from_small(rng() >> (rng() % 62));
		return i % 2 ? value : -value;
	case 4:
		return random_element<Fr>();
	case 5:
		value = power_of_two(unsigned(i % 256));
		return i % 5 == 0 ? -value
			: i % 5 == 1  ? value - Fr::one()
			: i % 5 == 2  ? Fr::one() - value
			: i % 5 == 3  ? value + Fr::one()
						  : value;
	case 6: {
		// Around r/2, where absolute values are largest.
		Fr half = -Fr::one() * Fr::from_small(2).inverse();
		return half + Fr::from_small(i % 7) - Fr::from_small(3);
	}
	default:
		return scalar_of_class(unsigned(rng() % 7), i);
	}
}
constexpr unsigned CLASSES = 8;

// Points of known logarithms, so that a sum is one multiplication: mostly distinct, some equal and some
// opposite.
template <class G>
struct Points {
	typedef typename G::Coordinate F;
	std::vector<Affine<F>> points;
	std::vector<Fr> logarithms;

	explicit Points(size_t count) {
		Point<F> generator = Point<F>::from(vector_point(G(), 0)), running = generator;
		Fr logarithm = Fr::one();
		for (size_t i = 0; i < count; i++) {
			if (i % 16 == 13)
				push(points.back(), logarithms.back());
			else if (i % 16 == 14)
				push(-points.back(), -logarithms.back());
			else
				push(affine(running), logarithm);
			running.add(running.doubled());
			running.add(generator);
			logarithm = logarithm.doubled() + logarithm + Fr::one();
		}
	}

	Point<F> sum(const std::vector<uint32_t> &indices, const std::vector<Fr> &scalars) const {
		Fr sum = Fr::zero();
		for (size_t i = 0; i < indices.size(); i++)
			sum = sum + scalars[indices[i]] * logarithms[i];
		return naive_multiple(Point<F>::from(vector_point(G(), 0)), sum);
	}

private:
	void push(Affine<F> point, Fr logarithm) {
		points.push_back(point);
		logarithms.push_back(logarithm);
	}
};

static std::vector<uint32_t> some_indices(size_t count, size_t scalars) {
	std::vector<uint32_t> indices;
	for (size_t i = 0; i < scalars && indices.size() < count; i++)
		if (scalars - i == count - indices.size() || rng() % scalars < count)
			indices.push_back(uint32_t(i));
	return indices;
}

template <class G>
static void multiplications(size_t count, uint64_t limit) {
	typedef typename G::Coordinate F;
	Prover prover(limit);
	Points<G> points(count);
	size_t scalar_count = count + count / 3 + 1;
	std::vector<uint32_t> indices = some_indices(count, scalar_count);
	opensand_bases *bases = load<G>(prover, points.points, indices, scalar_count);
	for (unsigned kind = 0; kind < CLASSES; kind++) {
		std::vector<Fr> values;
		for (size_t i = 0; i < scalar_count; i++)
			values.push_back(scalar_of_class(kind, i));
		opensand_scalars *scalars = load(prover, values);
		F sum[3];
		OK(opensand_prover_multiply(prover.handle, &bases, 1, scalars, reinterpret_cast<uint64_t *>(sum)));
		CHECK(same_jacobian(sum, points.sum(indices, values)));
		opensand_prover_free_scalars(scalars);
	}
	opensand_statistics statistics;
	OK(opensand_prover_statistics(prover.handle, &statistics));
	CHECK(statistics.stage_calls[group_of(G()) == OPENSAND_G1 ? OPENSAND_STAGE_MULTIPLY_G1
															  : OPENSAND_STAGE_MULTIPLY_G2] == CLASSES);
	CHECK(statistics.peak_device_bytes <= statistics.limit_bytes && statistics.busy_nanoseconds > 0);
	opensand_prover_free_bases(bases);
}

// A few points against double-and-add of each, without logarithms.
template <class G>
static void naive_multiplications() {
	typedef typename G::Coordinate F;
	Prover prover;
	Points<G> points(17);
	std::vector<uint32_t> indices;
	for (uint32_t i = 0; i < 17; i++)
		indices.push_back(i);
	opensand_bases *bases = load<G>(prover, points.points, indices, 17);
	for (unsigned kind = 0; kind < CLASSES; kind++) {
		std::vector<Fr> values;
		Point<F> expected = Point<F>::identity();
		for (size_t i = 0; i < 17; i++) {
			values.push_back(scalar_of_class(kind, 50 * i));
			expected.add(naive_multiple(Point<F>::from(points.points[i]), values[i]));
		}
		opensand_scalars *scalars = load(prover, values);
		F sum[3];
		OK(opensand_prover_multiply(prover.handle, &bases, 1, scalars, reinterpret_cast<uint64_t *>(sum)));
		CHECK(same_jacobian(sum, expected));
		opensand_prover_free_scalars(scalars);
	}
	opensand_prover_free_bases(bases);
}

// More bases than run as one, of several plans and sizes, also none.
static void batches() {
	Prover prover;
	constexpr size_t SCALARS = 17000;
	std::vector<Fr> values;
	for (size_t i = 0; i < SCALARS; i++)
		values.push_back(scalar_of_class(7, i));
	opensand_scalars *scalars = load(prover, values);
	Points<G1> points(SCALARS);
	std::vector<opensand_bases *> bases;
	std::vector<Point<Fq>> expected;
	for (size_t count : {100, 0, 1, 2000, 500, 600, 700, 800, 900, 1000, 16500}) {
		std::vector<uint32_t> indices = some_indices(count, SCALARS);
		bases.push_back(
			load<G1>(prover, {points.points.begin(), points.points.begin() + count}, indices, SCALARS));
		expected.push_back(points.sum(indices, values));
	}
	std::vector<Fq> sums(3 * bases.size());
	OK(opensand_prover_multiply(prover.handle, bases.data(), uint32_t(bases.size()), scalars,
		reinterpret_cast<uint64_t *>(sums.data())));
	for (size_t i = 0; i < bases.size(); i++) {
		CHECK(same_jacobian(&sums[3 * i], expected[i]));
		opensand_prover_free_bases(bases[i]);
	}
	opensand_prover_free_scalars(scalars);
}

struct Matrices {
	std::vector<uint32_t> starts[2], entries[2];
	std::vector<Fr> coefficients;
	opensand_matrices raw = {};

	Matrices(size_t variables, size_t constraints, size_t public_variables, size_t domain) {
		for (unsigned kind : {1, 2, 3, 4, 5})
			for (size_t i = 0; i < 40; i++)
				coefficients.push_back(scalar_of_class(kind, i));
		for (unsigned matrix : {0, 1}) {
			starts[matrix].push_back(0);
			for (size_t row = 0; row < constraints; row++) {
				size_t terms = row % 97 == 5 ? 500 : rng() % 6;
				for (size_t i = 0; i < terms; i++) {
					entries[matrix].push_back(uint32_t(rng() % variables));
					entries[matrix].push_back(uint32_t(rng() % coefficients.size()));
				}
				starts[matrix].push_back(uint32_t(entries[matrix].size() / 2));
			}
			raw.starts[matrix] = starts[matrix].data();
			raw.entries[matrix] = entries[matrix].data();
		}
		raw.variables = variables;
		raw.constraints = constraints;
		raw.public_variables = public_variables;
		raw.domain = domain;
		raw.coefficients = reinterpret_cast<const uint64_t *>(coefficients.data());
		raw.coefficient_count = coefficients.size();
	}

	std::vector<Fr> product(unsigned matrix, const std::vector<Fr> &z) const {
		std::vector<Fr> values(raw.domain, Fr::zero());
		for (size_t row = 0; row < raw.constraints; row++)
			for (uint32_t at = starts[matrix][row]; at < starts[matrix][row + 1]; at++)
				values[row] =
					values[row] + z[entries[matrix][2 * at]] * coefficients[entries[matrix][2 * at + 1]];
		for (size_t i = 0; matrix == 0 && i < raw.public_variables; i++)
			values[raw.constraints + i] = z[i];
		return values;
	}
};

// The value at x of the polynomial through values on the n-th roots of unity, by Lagrange's formula:
// (xⁿ − 1)/n · Σ vᵢ·ωⁱ/(x − ωⁱ).
static Fr lagrange(const std::vector<Fr> &values, const Fr &x, const std::vector<Fr> &roots) {
	Fr sum = Fr::zero(), product = Fr::one(), power = x;
	std::vector<Fr> prefix;
	for (const Fr &root : roots) {
		prefix.push_back(product);
		product = product * (x - root);
	}
	Fr inverse = product.inverse();
	for (size_t i = roots.size(); i-- > 0;) {
		sum = sum + values[i] * roots[i] * inverse * prefix[i];
		inverse = inverse * (x - roots[i]);
	}
	for (size_t n = 1; n < values.size(); n *= 2)
		power = power.squared();
	return (power - Fr::one()) * Fr::from_small(values.size()).inverse() * sum;
}

static void quotients(unsigned log2) {
	size_t n = size_t(1) << log2,
		   public_variables = n > 4 ? 3
		: n > 1						? 1
									: 0,
		   constraints = n - public_variables - n / 8;
	size_t variables = n / 2 + 5;
	Prover prover;
	Matrices matrices(variables, constraints, public_variables, n);
	opensand_rows *rows = nullptr;
	OK(opensand_prover_load_rows(prover.handle, &matrices.raw, &rows));
	std::vector<Fr> z;
	for (size_t i = 0; i < variables; i++)
		z.push_back(scalar_of_class(7, i));
	opensand_scalars *scalars = load(prover, z), *products = nullptr;
	OK(opensand_prover_quotient(prover.handle, rows, scalars, &products));
	std::vector<Fr> values(n);
	OK(opensand_prover_read_scalars(prover.handle, products, reinterpret_cast<uint64_t *>(values.data()), n));
	std::vector<Fr> a = matrices.product(0, z), b = matrices.product(1, z), roots;
	Fr root = root_of_unity(log2), offset = root_of_unity(log2 + 1), power = Fr::one();
	CHECK(offset.squared() == root);
	for (size_t i = 0; i < n; i++) {
		roots.push_back(power);
		power = power * root;
	}
	for (size_t i = 0; i < n; i += 1 + n / 40)
		CHECK(values[i] == lagrange(a, offset * roots[i], roots) * lagrange(b, offset * roots[i], roots));
	opensand_prover_free_scalars(products);
	opensand_prover_free_scalars(scalars);
	opensand_prover_free_rows(rows);
}

static void arguments() {
	Prover prover, other;
	std::vector<Fr> values(4, Fr::one());
	opensand_scalars *scalars = load(prover, values), *foreign = load(other, values), *none = nullptr;
	Points<G1> points(4);
	opensand_bases *bases = load<G1>(prover, points.points, {0, 1, 2, 3}, 4);
	Points<G2> points2(1);
	opensand_bases *bases2 = load<G2>(prover, points2.points, {2}, 4);
	uint64_t sums[2 * 36];
	const opensand_bases *mixed[] = {bases, bases2};
	CHECK(opensand_prover_multiply(prover.handle, mixed, 2, scalars, sums) == OPENSAND_INVALID_ARGUMENT);
	CHECK(opensand_prover_multiply(prover.handle, mixed, 1, foreign, sums) == OPENSAND_INVALID_ARGUMENT);
	CHECK(strlen(opensand_prover_error()) > 0);
	CHECK(opensand_prover_multiply(other.handle, mixed, 1, foreign, sums) == OPENSAND_INVALID_ARGUMENT);
	CHECK(opensand_prover_multiply(prover.handle, nullptr, 1, scalars, sums) == OPENSAND_INVALID_ARGUMENT);
	OK(opensand_prover_multiply(prover.handle, nullptr, 0, scalars, nullptr));
	uint32_t unordered[] = {1, 0}, outside[] = {0, 4};
	const uint64_t *raw = reinterpret_cast<const uint64_t *>(points.points.data());
	opensand_bases *no_bases = nullptr;
	CHECK(opensand_prover_load_bases(prover.handle, OPENSAND_G1, raw, unordered, 2, 4, &no_bases) ==
		OPENSAND_INVALID_ARGUMENT);
	CHECK(opensand_prover_load_bases(prover.handle, OPENSAND_G1, raw, outside, 2, 4, &no_bases) ==
		OPENSAND_INVALID_ARGUMENT);
	CHECK(opensand_prover_load_bases(prover.handle, 3, raw, outside, 1, 4, &no_bases) ==
		OPENSAND_INVALID_ARGUMENT);
	CHECK(opensand_prover_load_scalars(nullptr, nullptr, 0, &none) == OPENSAND_INVALID_ARGUMENT);
	Matrices matrices(4, 3, 1, 4);
	opensand_rows *rows = nullptr;
	matrices.raw.domain = 3;
	CHECK(opensand_prover_load_rows(prover.handle, &matrices.raw, &rows) == OPENSAND_INVALID_ARGUMENT);
	matrices.raw.domain = 2;
	CHECK(opensand_prover_load_rows(prover.handle, &matrices.raw, &rows) == OPENSAND_INVALID_ARGUMENT);
	matrices.raw.domain = 4;
	matrices.raw.coefficient_count = 0;
	matrices.starts[0] = {0, 1, 1, 1};
	matrices.raw.starts[0] = matrices.starts[0].data();
	matrices.entries[0] = {0, 0};
	matrices.raw.entries[0] = matrices.entries[0].data();
	CHECK(opensand_prover_load_rows(prover.handle, &matrices.raw, &rows) == OPENSAND_INVALID_ARGUMENT);
	CHECK(none == nullptr && no_bases == nullptr && rows == nullptr);
	opensand_prover_free_bases(bases);
	opensand_prover_free_bases(bases2);
	opensand_prover_free_scalars(scalars);
	opensand_prover_free_scalars(foreign);
	opensand_prover_free_scalars(nullptr);
	opensand_prover_close(nullptr);
}

// Each failure in its turn at each place where it can happen: a status, outputs untouched, and all works
// again without it.
static void failures() {
	opensand_prover *prover = nullptr;
	uint32_t count;
	OK(opensand_mock_plan("no-device"));
	CHECK(opensand_prover_devices(nullptr, 0, &count) == OPENSAND_NO_DEVICE && count == 0);
	CHECK(opensand_prover_open(0, 0, &prover) == OPENSAND_NO_DEVICE && prover == nullptr);
	OK(opensand_mock_plan("old-driver"));
	CHECK(opensand_prover_devices(nullptr, 0, &count) == OPENSAND_UNSUPPORTED);
	OK(opensand_mock_plan("abi,devices=2"));
	CHECK(opensand_prover_abi() != OPENSAND_PROVER_ABI);
	OK(opensand_prover_devices(nullptr, 0, &count));
	CHECK(count == 2);
	CHECK(opensand_mock_plan("nonsense") == OPENSAND_INVALID_ARGUMENT);
	CHECK(opensand_mock_plan("lost=x") == OPENSAND_INVALID_ARGUMENT);
	OK(opensand_mock_plan(nullptr));
	CHECK(opensand_prover_abi() == OPENSAND_PROVER_ABI);

	Points<G1> points(40);
	std::vector<uint32_t> indices = some_indices(40, 40);
	std::vector<Fr> values;
	for (size_t i = 0; i < 40; i++)
		values.push_back(scalar_of_class(7, i));
	Point<Fq> expected = points.sum(indices, values);
	Matrices matrices(40, 20, 3, 32);
	// One proof's calls, until one fails.
	auto proof = [&](const Prover &prover, Fq *sum) {
		opensand_bases *bases = nullptr;
		opensand_scalars *scalars = nullptr, *products = nullptr;
		opensand_rows *rows = nullptr;
		opensand_status status = opensand_prover_load_bases(prover.handle, OPENSAND_G1,
			reinterpret_cast<const uint64_t *>(points.points.data()), indices.data(), 40, 40, &bases);
		if (status == OPENSAND_OK)
			status = opensand_prover_load_scalars(
				prover.handle, reinterpret_cast<const uint64_t *>(values.data()), 40, &scalars);
		if (status == OPENSAND_OK)
			status = opensand_prover_load_rows(prover.handle, &matrices.raw, &rows);
		if (status == OPENSAND_OK)
			status = opensand_prover_quotient(prover.handle, rows, scalars, &products);
		if (status == OPENSAND_OK)
			status = opensand_prover_multiply(
				prover.handle, &bases, 1, scalars, reinterpret_cast<uint64_t *>(sum));
		opensand_prover_free_bases(bases);
		opensand_prover_free_scalars(scalars);
		opensand_prover_free_scalars(products);
		opensand_prover_free_rows(rows);
		return status;
	};
	for (const char *fault : {"out-of-memory", "lost", "lost-operation"}) {
		int failed = 0;
		for (unsigned at = 1;; at += 1 + at / 8) {
			OK(opensand_mock_plan((std::string(fault) + "=" + std::to_string(at)).c_str()));
			Prover prover;
			Fq sum[3] = {};
			opensand_status status = proof(prover, sum);
			bool is_memory = fault[0] == 'o';
			if (status == OPENSAND_OK) {
				CHECK(same_jacobian(sum, expected));
				// Some allocations have a second try.
				if (at > 20)
					break;
				if (!is_memory && at > 5)
					break;
				continue;
			}
			failed++;
			CHECK(status == (is_memory ? OPENSAND_OUT_OF_MEMORY : OPENSAND_DEVICE_LOST));
			CHECK(sum[2].is_zero());
			CHECK(proof(prover, sum) == (is_memory ? OPENSAND_OK : OPENSAND_DEVICE_LOST));
			CHECK(!is_memory || same_jacobian(sum, expected));
		}
		CHECK(failed >= 5);
	}
	OK(opensand_mock_plan("wrong=2"));
	{
		Prover prover;
		Fq sum[3];
		OK(proof(prover, sum));
		CHECK(same_jacobian(sum, expected));
		OK(proof(prover, sum));
		CHECK(!same_jacobian(sum, expected));
	}
	OK(opensand_mock_plan("memory=20000000"));
	{
		Prover prover;
		opensand_statistics statistics;
		OK(opensand_prover_statistics(prover.handle, &statistics));
		CHECK(statistics.limit_bytes == 18000000);
	}
	OK(opensand_mock_plan(nullptr));
}

// Calls from several threads at a time give what they give alone, and statistics count them all.
static void threads() {
	Prover prover;
	Points<G1> points(1000);
	std::vector<uint32_t> indices = some_indices(1000, 1000);
	opensand_bases *bases = load<G1>(prover, points.points, indices, 1000);
	std::vector<std::vector<Fr>> values(4);
	for (auto &list : values)
		for (size_t i = 0; i < 1000; i++)
			list.push_back(scalar_of_class(7, i));
	std::vector<std::thread> running;
	for (const auto &list : values)
		running.emplace_back([&] {
			for (int i = 0; i < 4; i++) {
				opensand_scalars *scalars = load(prover, list);
				Fq sum[3];
				OK(opensand_prover_multiply(
					prover.handle, &bases, 1, scalars, reinterpret_cast<uint64_t *>(sum)));
				CHECK(same_jacobian(sum, points.sum(indices, list)));
				opensand_prover_free_scalars(scalars);
			}
		});
	for (std::thread &thread : running)
		thread.join();
	opensand_statistics statistics;
	OK(opensand_prover_statistics(prover.handle, &statistics));
	CHECK(statistics.stage_calls[OPENSAND_STAGE_MULTIPLY_G1] == 16);
	opensand_prover_free_bases(bases);
}

static unsigned passed = 0;
template <class Test>
static void run(const char *name, const Test &test) {
	test();
	printf("%s: ok\n", name);
	fflush(stdout);
	passed++;
}

int main() {
	setvbuf(stdout, nullptr, _IOLBF, 0);
	run("scalar field", [] { field_laws<Fr>(vectors::fr); });
	run("coordinate field", [] { field_laws<Fq>(vectors::fq); });
	run("G1", curve_laws<G1>);
	run("G2", curve_laws<G2>);
	run("few points of G1", naive_multiplications<G1>);
	run("few points of G2", naive_multiplications<G2>);
	run("multiplications in G1", [] {
		for (size_t count : {1, 2, 1000})
			multiplications<G1>(count, 0);
	});
	run("with one set of buckets", [] { multiplications<G1>(16500, 0); });
	run("with several sets of buckets", [] { multiplications<G1>(16500, 64 << 20); });
	run("with memory for a part at a time", [] { multiplications<G1>(9000, 9 << 20); });
	run("multiplications in G2", [] {
		for (size_t count : {1, 700})
			multiplications<G2>(count, 0);
	});
	run("batches", batches);
	run("quotients", [] {
		for (unsigned log2 : {0, 1, 2, 5, 9, 10, 11, 12, 14})
			quotients(log2);
	});
	run("arguments", arguments);
	run("failures", failures);
	run("threads", threads);
	printf("%u passed\n", passed);
}
