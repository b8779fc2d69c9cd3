// SPDX-License-Identifier: Apache-2.0
// Measures a device and the prover plug-in on it, and checks every result against the CPU. Compiled for the
// same device as the plug-in, which it loads at run time; prints one line of JSON a figure.
#include "../../zk/cuda/native/include/opensand_prover.h"
#include "../../zk/cuda/native/src/arithmetic/curve.h"
#include "../../zk/cuda/native/src/core/clock.h"
#include "../../zk/cuda/native/src/core/transform.h"
#include "floors.h"
#include "generators.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

using namespace opensand;

[[noreturn]] static void fail(const std::string &message) {
	fprintf(stderr, "%s\n", message.c_str());
	exit(1);
}

static void require(bool condition, const char *what) {
	if (!condition)
		fail(std::string(what) + " is wrong");
}

static double median(std::vector<double> values) {
	std::sort(values.begin(), values.end());
	return values[values.size() / 2];
}

// Calls f(begin, end) on all processors for parts of 0..count.
static void in_parallel(size_t count, const std::function<void(size_t, size_t)> &f) {
	size_t threads = std::max(1u, std::thread::hardware_concurrency());
	std::vector<std::thread> running;
	for (size_t i = 0; i < threads; i++)
		running.emplace_back([&, i] { f(count * i / threads, count * (i + 1) / threads); });
	for (std::thread &thread : running)
		thread.join();
}

// A number that depends on a seed and i only, so that threads may make lists of them.
static uint64_t mixed(uint64_t seed, uint64_t i) {
	uint64_t x = seed * 0x9e3779b97f4a7c15 + i;
	for (uint64_t factor : {0xbf58476d1ce4e5b9, 0x94d049bb133111eb}) {
		x = (x ^ x >> 30) * factor;
		x ^= x >> 27;
	}
	return x ^ x >> 31;
}

static Fr random_scalar(uint64_t seed, uint64_t i) {
	Fr scalar;
	for (unsigned limb = 0; limb < 4; limb++)
		scalar.limbs[limb] = mixed(seed, 4 * i + limb);
	scalar.limbs[3] >>= 2;
	return scalar;
}

enum class Kind { full, bytes, witness };
static const char *name(Kind kind) {
	return kind == Kind::full ? "full" : kind == Kind::bytes ? "bytes" : "witness";
}

// `witness`: of 16, seven zeros, four ones, four bytes of either sign, one of 32 bits; of 1024 one is
// full-width.
static std::vector<Fr> scalars_of(Kind kind, size_t count, uint64_t seed) {
	std::vector<Fr> bytes, scalars(count);
	for (uint64_t i = 0; i < 256; i++)
		bytes.push_back(Fr::from_small(i));
	in_parallel(count, [&](size_t begin, size_t end) {
		for (size_t i = begin; i < end; i++) {
			uint64_t random = mixed(seed, i), sixteenth = random >> 60;
			const Fr &byte = bytes[random & 255];
			if (kind == Kind::full || (kind == Kind::witness && (random >> 8 & 1023) == 0))
				scalars[i] = random_scalar(seed + 1, i);
			else if (kind == Kind::bytes)
				scalars[i] = byte;
			else if (sixteenth < 7)
				scalars[i] = Fr::zero();
			else if (sixteenth < 11)
				scalars[i] = Fr::one();
			else if (sixteenth < 15)
				scalars[i] = random >> 32 & 1 ? byte : -byte;
			else
				scalars[i] = Fr::from_small(random >> 20 & UINT32_MAX);
		}
	});
	return scalars;
}

// (i+1)·G for i < count: their logarithms are known, and with them every sum of multiples.
template <class F>
static std::vector<Affine<F>> multiples_of(const Affine<F> &generator, size_t count) {
	std::vector<Affine<F>> points(count);
	in_parallel(count, [&](size_t begin, size_t end) {
		constexpr size_t GROUP = 256;
		Point<F> running = Point<F>::from(generator).times(uint32_t(begin + 1));
		std::vector<Point<F>> group;
		std::vector<F> products;
		for (size_t first = begin; first < end; first += GROUP) {
			size_t here = std::min(GROUP, end - first);
			group.clear();
			products.clear();
			F product = F::one();
			for (size_t i = 0; i < here; i++) {
				group.push_back(running);
				products.push_back(product);
				product = product * running.zzz;
				running.add(generator);
			}
			F inverse = product.inverse();
			for (size_t i = here; i-- > 0;) {
				points[first + i] = group[i].affine(inverse * products[i]);
				inverse = inverse * group[i].zzz;
			}
		}
	});
	return points;
}

template <class F>
static Point<F> multiple(const Affine<F> &generator, const Fr &scalar) {
	uint64_t integer[4];
	scalar.to_integer(integer);
	Point<F> sum = Point<F>::identity();
	for (int bit = 255; bit >= 0; bit--) {
		sum = sum.doubled();
		if (integer[bit / 64] >> (bit % 64) & 1)
			sum.add(generator);
	}
	return sum;
}

static Fr sum_in_parallel(size_t count, const std::function<Fr(size_t, size_t)> &part) {
	std::mutex mutex;
	Fr total = Fr::zero();
	in_parallel(count, [&](size_t begin, size_t end) {
		Fr sum = part(begin, end);
		std::lock_guard lock(mutex);
		total = total + sum;
	});
	return total;
}

// Σ (i+1)·sᵢ.
static Fr logarithm(const std::vector<Fr> &scalars) {
	return sum_in_parallel(scalars.size(), [&](size_t begin, size_t end) {
		Fr sum = Fr::zero(), index = Fr::from_small(begin);
		for (size_t i = begin; i < end; i++) {
			index = index + Fr::one();
			sum = sum + scalars[i] * index;
		}
		return sum;
	});
}

// Σ cᵢ·xⁱ.
static Fr evaluate(const std::vector<Fr> &coefficients, const Fr &x) {
	return sum_in_parallel(coefficients.size(), [&](size_t begin, size_t end) {
		Fr sum = Fr::zero(), power = Fr::one();
		for (int bit = 63; bit >= 0; bit--) {
			power = power.squared();
			if (begin >> bit & 1)
				power = power * x;
		}
		for (size_t i = end; i-- > begin;)
			sum = sum * x + coefficients[i];
		return sum * power;
	});
}

// The plug-in's functions.
struct Plugin {
	void *library;
	opensand_prover *prover = nullptr;

	explicit Plugin(const char *path) : library(dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
		if (library == nullptr)
			fail(dlerror());
		init();
	}
	decltype(&opensand_prover_abi) abi;
	decltype(&opensand_prover_version) version;
	decltype(&opensand_prover_error) error;
	decltype(&opensand_prover_devices) devices;
	decltype(&opensand_prover_open) open;
	decltype(&opensand_prover_close) close;
	decltype(&opensand_prover_load_bases) load_bases;
	decltype(&opensand_prover_free_bases) free_bases;
	decltype(&opensand_prover_load_scalars) load_scalars;
	decltype(&opensand_prover_free_scalars) free_scalars;
	decltype(&opensand_prover_load_rows) load_rows;
	decltype(&opensand_prover_free_rows) free_rows;
	decltype(&opensand_prover_quotient) quotient;
	decltype(&opensand_prover_multiply) multiply;
	decltype(&opensand_prover_read_scalars) read_scalars;
	decltype(&opensand_prover_statistics) statistics;

	void check(opensand_status status, const char *call) {
		if (status != OPENSAND_OK)
			fail(std::string(call) + ": status " + std::to_string(status) + ", " + error());
	}

	opensand_statistics now_spent() {
		opensand_statistics result;
		check(statistics(prover, &result), "statistics");
		return result;
	}

private:
	template <class F>
	void find(const char *name, F &function) {
		function = reinterpret_cast<F>(dlsym(library, name));
		if (function == nullptr)
			fail(std::string("the plug-in has no ") + name);
	}
	void init() {
#define OPENSAND_FIND(name) find("opensand_prover_" #name, name)
		OPENSAND_FIND(abi);
		OPENSAND_FIND(version);
		OPENSAND_FIND(error);
		OPENSAND_FIND(devices);
		OPENSAND_FIND(open);
		OPENSAND_FIND(close);
		OPENSAND_FIND(load_bases);
		OPENSAND_FIND(free_bases);
		OPENSAND_FIND(load_scalars);
		OPENSAND_FIND(free_scalars);
		OPENSAND_FIND(load_rows);
		OPENSAND_FIND(free_rows);
		OPENSAND_FIND(quotient);
		OPENSAND_FIND(multiply);
		OPENSAND_FIND(read_scalars);
		OPENSAND_FIND(statistics);
#undef OPENSAND_FIND
	}
};

static constexpr unsigned REPEATS = 5;

static double milliseconds(uint64_t nanoseconds) { return double(nanoseconds) / 1e6; }

static void multiplications(
	Plugin &plugin, opensand_group group, unsigned log2, const std::vector<Kind> &kinds) {
	size_t count = size_t(1) << log2;
	std::vector<uint32_t> indices(count);
	for (size_t i = 0; i < count; i++)
		indices[i] = uint32_t(i);
	opensand_bases *bases = nullptr;
	uint64_t started = now();
	auto load = [&](const auto &points) {
		started = now();
		plugin.check(
			plugin.load_bases(plugin.prover, group, reinterpret_cast<const uint64_t *>(points.data()),
				indices.data(), count, count, &bases),
			"load_bases");
	};
	if (group == OPENSAND_G1)
		load(multiples_of(generator_g1(), count));
	else
		load(multiples_of(generator_g2(), count));
	double loading = milliseconds(now() - started);
	unsigned stage = group == OPENSAND_G1 ? OPENSAND_STAGE_MULTIPLY_G1 : OPENSAND_STAGE_MULTIPLY_G2;
	for (Kind kind : kinds) {
		std::vector<double> walls, devices, uploads;
		for (unsigned repeat = 0; repeat <= REPEATS; repeat++) {
			std::vector<Fr> values = scalars_of(kind, count, 100 + repeat);
			opensand_scalars *scalars = nullptr;
			uint64_t begin = now();
			plugin.check(plugin.load_scalars(plugin.prover, reinterpret_cast<const uint64_t *>(values.data()),
							 count, &scalars),
				"load_scalars");
			uint64_t uploaded = now();
			uint64_t before = plugin.now_spent().stage_nanoseconds[stage];
			uint64_t sum[36];
			uint64_t multiplying = now();
			plugin.check(plugin.multiply(plugin.prover, &bases, 1, scalars, sum), "multiply");
			uint64_t end = now();
			// The first warms up.
			if (repeat > 0) {
				uploads.push_back(milliseconds(uploaded - begin));
				walls.push_back(milliseconds(end - multiplying));
				devices.push_back(milliseconds(plugin.now_spent().stage_nanoseconds[stage] - before));
			}
			auto agrees = [&](const auto &generator) {
				auto expected = multiple(generator, logarithm(values));
				typedef std::decay_t<decltype(generator.x)> F;
				F coordinates[3];
				memcpy(coordinates, sum, sizeof(coordinates));
				auto z = coordinates[2];
				auto square = z.squared();
				return !z.is_zero() && coordinates[0] * expected.zz == expected.x * square &&
					coordinates[1] * expected.zzz == expected.y * (square * z);
			};
			require(group == OPENSAND_G1 ? agrees(generator_g1()) : agrees(generator_g2()), "a sum");
			plugin.free_scalars(scalars);
		}
		printf("{\"figure\": \"multiply_g%u\", \"log2\": %u, \"scalars\": \"%s\", \"wall_ms\": %.3f, "
			   "\"device_ms\": %.3f, "
			   "\"upload_scalars_ms\": %.3f, \"load_bases_ms\": %.1f}\n",
			group, log2, name(kind), median(walls), median(devices), median(uploads), loading);
	}
	plugin.free_bases(bases);
}

// Rows of three entries in A and two in B, with small coefficients.
static void quotients(Plugin &plugin, unsigned log2, Kind kind) {
	size_t n = size_t(1) << log2, variables = n, constraints = n - 1;
	std::vector<uint32_t> starts[2], entries[2];
	std::vector<Fr> coefficients;
	for (uint64_t i = 0; i < 256; i++)
		coefficients.push_back(Fr::from_small(i + 1));
	for (unsigned matrix : {0, 1}) {
		size_t terms = 3 - matrix;
		for (size_t row = 0; row <= constraints; row++)
			starts[matrix].push_back(uint32_t(row * terms));
		entries[matrix].resize(2 * terms * constraints);
		for (size_t at = 0; at < terms * constraints; at++) {
			// Near the row, as a compiler of circuits leaves them.
			entries[matrix][2 * at] = uint32_t((at / terms + mixed(matrix, at) % 1024) % variables);
			entries[matrix][2 * at + 1] = uint32_t(mixed(matrix + 2, at) % 256);
		}
	}
	opensand_matrices matrices = {variables, constraints, 1, n, {starts[0].data(), starts[1].data()},
		{entries[0].data(), entries[1].data()}, reinterpret_cast<const uint64_t *>(coefficients.data()),
		coefficients.size()};
	opensand_rows *rows = nullptr;
	plugin.check(plugin.load_rows(plugin.prover, &matrices, &rows), "load_rows");
	std::vector<Fr> z = scalars_of(kind, variables, 7);
	opensand_scalars *scalars = nullptr;
	plugin.check(
		plugin.load_scalars(plugin.prover, reinterpret_cast<const uint64_t *>(z.data()), variables, &scalars),
		"load_scalars");
	std::vector<double> walls, sparse, transforms;
	std::vector<Fr> products(n);
	for (unsigned repeat = 0; repeat <= REPEATS; repeat++) {
		opensand_statistics before = plugin.now_spent();
		opensand_scalars *result = nullptr;
		uint64_t begin = now();
		plugin.check(plugin.quotient(plugin.prover, rows, scalars, &result), "quotient");
		uint64_t end = now();
		opensand_statistics after = plugin.now_spent();
		auto spent = [&](unsigned stage) {
			return milliseconds(after.stage_nanoseconds[stage] - before.stage_nanoseconds[stage]);
		};
		if (repeat > 0) {
			walls.push_back(milliseconds(end - begin));
			sparse.push_back(spent(OPENSAND_STAGE_ROWS));
			transforms.push_back(spent(OPENSAND_STAGE_TRANSFORM));
		} else {
			plugin.check(
				plugin.read_scalars(plugin.prover, result, reinterpret_cast<uint64_t *>(products.data()), n),
				"read_scalars");
		}
		plugin.free_scalars(result);
	}
	// At one point of the coset: (xⁿ − 1)/n · Σ vᵢ·ωⁱ/(x − ωⁱ), and xⁿ = −1.
	Fr root = root_of_unity(log2), x = root_of_unity(log2 + 1);
	size_t place = mixed(9, log2) % n;
	for (size_t i = 0; i < place; i++)
		x = x * root;
	Fr value[2];
	for (unsigned matrix : {0, 1}) {
		value[matrix] = sum_in_parallel(n, [&](size_t begin, size_t end) {
			Fr power = Fr::one(), sum = Fr::zero();
			for (int bit = 63; bit >= 0; bit--) {
				power = power.squared();
				if (begin >> bit & 1)
					power = power * root;
			}
			constexpr size_t GROUP = 1024;
			std::vector<Fr> numerators, prefixes, denominators;
			for (size_t first = begin; first < end; first += GROUP) {
				numerators.clear();
				prefixes.clear();
				denominators.clear();
				Fr product = Fr::one();
				for (size_t row = first; row < std::min(end, first + GROUP); row++) {
					Fr dot = Fr::zero();
					if (row < constraints)
						for (uint32_t at = starts[matrix][row]; at < starts[matrix][row + 1]; at++)
							dot =
								dot + z[entries[matrix][2 * at]] * coefficients[entries[matrix][2 * at + 1]];
					else if (matrix == 0)
						dot = z[row - constraints];
					numerators.push_back(dot * power);
					prefixes.push_back(product);
					denominators.push_back(x - power);
					product = product * denominators.back();
					power = power * root;
				}
				Fr inverse = product.inverse();
				for (size_t i = numerators.size(); i-- > 0;) {
					sum = sum + numerators[i] * inverse * prefixes[i];
					inverse = inverse * denominators[i];
				}
			}
			return sum;
		});
	}
	Fr factor = Fr::from_small(2) * Fr::from_small(n).inverse();
	require(products[place] == value[0] * value[1] * factor.squared(), "a product on the coset");
	printf("{\"figure\": \"quotient\", \"log2\": %u, \"scalars\": \"%s\", \"wall_ms\": %.3f, \"rows_ms\": "
		   "%.3f, \"transforms_ms\": %.3f}\n",
		log2, name(kind), median(walls), median(sparse), median(transforms));
	plugin.free_scalars(scalars);
	plugin.free_rows(rows);
}

// One transform, resident, without reordering: values in order, coefficients in the order of their reversed
// bits.
static void transforms(Device &device, unsigned log2) {
	size_t n = size_t(1) << log2, bytes = n * sizeof(Fr);
	auto allocate = [&] { return static_cast<Fr *>(device.allocate(bytes)); };
	Fr *powers = allocate(), *values = allocate();
	Fr *host = static_cast<Fr *>(device.allocate_pinned(bytes));
	make_powers(device, powers, log2);
	std::vector<Fr> coefficients(n);
	in_parallel(n, [&](size_t begin, size_t end) {
		for (size_t i = begin; i < end; i++)
			coefficients[i] = random_scalar(11, i);
	});
	for (size_t i = 0; i < n; i++) {
		size_t reversed = 0;
		for (unsigned bit = 0; bit < log2; bit++)
			reversed |= (i >> bit & 1) << (log2 - 1 - bit);
		host[reversed] = coefficients[i];
	}
	device.upload(Stream::compute, values, host, bytes);
	std::vector<double> forward, inverse;
	Mark marks[3];
	for (unsigned repeat = 0; repeat <= REPEATS; repeat++) {
		device.record(Stream::compute, marks[0]);
		transform_forward(device, values, powers, log2);
		device.record(Stream::compute, marks[1]);
		if (repeat == 0) {
			device.download(Stream::compute, host, values, bytes);
			device.wait(Stream::compute);
			for (uint64_t i = 0; i < 3; i++) {
				size_t place = mixed(13, i) % n;
				Fr x = Fr::one(), root = root_of_unity(log2);
				for (size_t j = 0; j < place; j++)
					x = x * root;
				require(host[place] == evaluate(coefficients, x), "a transform");
			}
			device.record(Stream::compute, marks[1]);
		}
		transform_inverse(device, values, powers, log2);
		device.record(Stream::compute, marks[2]);
		device.wait(Stream::compute);
		if (repeat > 0) {
			forward.push_back(milliseconds(device.nanoseconds(marks[0], marks[1])));
			inverse.push_back(milliseconds(device.nanoseconds(marks[1], marks[2])));
		} else {
			// There and back is n times the identity.
			device.download(Stream::compute, host, values, bytes);
			device.wait(Stream::compute);
			Fr size = Fr::from_small(n);
			for (size_t i = 0; i < n; i += 1 + n / 1000) {
				size_t reversed = 0;
				for (unsigned bit = 0; bit < log2; bit++)
					reversed |= (i >> bit & 1) << (log2 - 1 - bit);
				require(host[reversed] == coefficients[i] * size, "an inverse transform");
			}
		}
	}
	printf("{\"figure\": \"transform\", \"log2\": %u, \"forward_ms\": %.3f, \"inverse_ms\": %.3f}\n", log2,
		median(forward), median(inverse));
	device.release_pinned(host);
	device.release(values);
	device.release(powers);
}

int main(int count, char **arguments) {
	setvbuf(stdout, nullptr, _IOLBF, 0);
	if (count != 5)
		fail("usage: opensand-gpu-bench PLUGIN floors|transforms|g1|g2|quotients MIN_LOG2 MAX_LOG2");
	std::string part = arguments[2];
	unsigned low = unsigned(atoi(arguments[3])), high = unsigned(atoi(arguments[4]));
	try {
		if (part == "floors" || part == "transforms") {
			Device device(0);
			device.bind();
			if (part == "floors")
				measure_floors(device, high);
			for (unsigned log2 = low; part == "transforms" && log2 <= high; log2++)
				transforms(device, log2);
			return 0;
		}
		Plugin plugin(arguments[1]);
		opensand_device device;
		uint32_t devices;
		plugin.check(plugin.devices(&device, 1, &devices), "devices");
		plugin.check(plugin.open(0, 0, &plugin.prover), "open");
		printf("{\"figure\": \"device\", \"name\": \"%s\", \"driver\": \"%s\", \"plugin\": \"%s\", "
			   "\"memory_bytes\": %llu}\n",
			device.name, device.driver, plugin.version(), (unsigned long long)device.memory_bytes);
		for (unsigned log2 = low; log2 <= high; log2++) {
			if (part == "g1")
				multiplications(plugin, OPENSAND_G1, log2, {Kind::full, Kind::bytes, Kind::witness});
			else if (part == "g2")
				multiplications(plugin, OPENSAND_G2, log2, {Kind::full, Kind::witness});
			else if (part == "quotients")
				for (Kind kind : {Kind::full, Kind::witness})
					quotients(plugin, log2, kind);
			else
				fail("no such part: " + part);
		}
		opensand_statistics spent = plugin.now_spent();
		printf("{\"figure\": \"memory\", \"part\": \"%s\", \"peak_device_bytes\": %llu}\n", part.c_str(),
			(unsigned long long)spent.peak_device_bytes);
		plugin.close(plugin.prover);
	} catch (const std::exception &error) {
		fail(error.what());
	}
}
