// SPDX-License-Identifier: Apache-2.0
// What the device can do at most: the figures that all others are to be compared with.
#pragma once

#include "../../zk/cuda/native/src/arithmetic/bls12_381.h"
#include "../../zk/cuda/native/src/device/device.h"

#include <algorithm>
#include <cstdio>
#include <vector>

namespace opensand {

// Multiply-adds of 32 bits in eight chains a thread, the device's widest form of them: 32·32 + 64 bits.
struct MultiplyAdds {
	static constexpr uint32_t rounds = 2048, chains = 8;
	uint64_t *out;

	OPENSAND_BOTH void operator()(uint32_t i) const {
		uint64_t sums[chains];
		uint32_t factor = i | 1;
		OPENSAND_UNROLL
		for (uint32_t k = 0; k < chains; k++)
			sums[k] = i + k;
		OPENSAND_ROLLED
		for (uint32_t round = 0; round < rounds; round++) {
			OPENSAND_UNROLL
			for (uint32_t k = 0; k < chains; k++)
				sums[k] += uint64_t(uint32_t(sums[k])) * factor;
		}
		uint64_t sum = 0;
		OPENSAND_UNROLL
		for (uint32_t k = 0; k < chains; k++)
			sum ^= sums[k];
		out[i] = sum;
	}
};

// Products in a field, two chains a thread.
template <class F>
struct Products {
	static constexpr uint32_t rounds = 256;
	F *out;

	OPENSAND_BOTH void operator()(uint32_t i) const {
		F a = F::from_small(i + 3), b = F::from_small(i + 5), c = a;
		OPENSAND_ROLLED
		for (uint32_t round = 0; round < rounds; round++) {
			a = a * c;
			b = b * c;
		}
		out[i] = a + b;
	}
};

struct CopyWords {
	struct alignas(16) Word {
		uint64_t halves[2];
	};
	const Word *from;
	Word *to;

	OPENSAND_BOTH void operator()(uint32_t i) const { to[i] = from[i]; }
};

// The best of some runs, in seconds: a floor is what the device can do, not what it mostly does.
template <class Run>
double best_seconds(Device &device, Stream stream, const Run &run) {
	Mark from, to;
	double best = 1e9;
	for (unsigned repeat = 0; repeat < 6; repeat++) {
		device.record(stream, from);
		run();
		device.record(stream, to);
		device.wait(stream);
		best = std::min(best, double(std::max<uint64_t>(device.nanoseconds(from, to), 1)) / 1e9);
	}
	return best;
}

template <class F>
double products_a_second(Device &device, void *memory, uint32_t threads) {
	Products<F> kernel{static_cast<F *>(memory)};
	double seconds = best_seconds(device, Stream::compute, [&] { device.launch(kernel, threads); });
	return 2.0 * kernel.rounds * threads / seconds;
}

// With copies of 2^log2 bytes.
inline void measure_floors(Device &device, unsigned log2) {
	size_t bytes = size_t(1) << log2;
	char *memory[2] = {
		static_cast<char *>(device.allocate(bytes)), static_cast<char *>(device.allocate(bytes))};
	void *pinned = device.allocate_pinned(bytes);
	device.clear(Stream::compute, memory[0], bytes);
	device.clear(Stream::compute, memory[1], bytes);
	uint32_t threads = uint32_t(std::min<size_t>(device.multiprocessors() * 16384, bytes / 48));

	MultiplyAdds adds{reinterpret_cast<uint64_t *>(memory[0])};
	double seconds = best_seconds(device, Stream::compute, [&] { device.launch(adds, threads); });
	printf("{\"figure\": \"floor\", \"multiply_adds_a_second\": %.4g, \"fr_products_a_second\": %.4g, "
		   "\"fq_products_a_second\": %.4g}\n",
		double(adds.rounds) * adds.chains * threads / seconds,
		products_a_second<Fr>(device, memory[0], threads), products_a_second<Fq>(device, memory[0], threads));

	CopyWords copy{
		reinterpret_cast<CopyWords::Word *>(memory[0]), reinterpret_cast<CopyWords::Word *>(memory[1])};
	double inside = best_seconds(
		device, Stream::compute, [&] { device.launch(copy, uint32_t(bytes / sizeof(CopyWords::Word))); });
	double there =
		best_seconds(device, Stream::copy, [&] { device.upload(Stream::copy, memory[0], pinned, bytes); });
	double back =
		best_seconds(device, Stream::copy, [&] { device.download(Stream::copy, pinned, memory[0], bytes); });
	printf("{\"figure\": \"floor\", \"copy_bytes\": %zu, \"memory_read_and_written_gb_s\": %.1f, "
		   "\"to_device_gb_s\": %.1f, "
		   "\"from_device_gb_s\": %.1f}\n",
		bytes, 2.0 * double(bytes) / inside / 1e9, double(bytes) / there / 1e9, double(bytes) / back / 1e9);
	device.release_pinned(pinned);
	device.release(memory[0]);
	device.release(memory[1]);
}

} // namespace opensand
