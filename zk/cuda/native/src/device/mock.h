// SPDX-License-Identifier: Apache-2.0
// A device that is the CPU: kernels are loops over their threads, and whatever can go wrong does so on
// demand.
#pragma once

#include "device.h"

#include <chrono>
#include <cstring>
#include <memory>
#include <vector>

namespace opensand {

class Mark {
	friend class Device;
	std::chrono::steady_clock::time_point time;
};

class Device {
public:
	static const char *version();
	static uint32_t abi();
	static std::vector<opensand_device> list();

	explicit Device(uint32_t ordinal);

	// Lets the calling thread use the device.
	void bind() {}
	// A call of the interface begins to use the device.
	void begin_call();
	// What a device that computes wrongly would do to the coordinates Y of sums.
	bool computes_wrongly();

	uint64_t free_bytes();
	uint32_t multiprocessors() const { return 2; }

	void *allocate(size_t bytes);
	void release(void *memory) noexcept;
	void *allocate_pinned(size_t bytes) { return ::operator new(bytes); }
	void release_pinned(void *memory) noexcept { ::operator delete(memory); }

	void upload(Stream, void *to, const void *from, size_t bytes) { copy(to, from, bytes); }
	void download(Stream, void *to, const void *from, size_t bytes) { copy(to, from, bytes); }
	void clear(Stream, void *memory, size_t bytes) {
		operate();
		memset(memory, 0, bytes);
	}

	void wait(Stream) { operate(); }
	void wait(const Mark &) { operate(); }
	void record(Stream, Mark &mark) { mark.time = std::chrono::steady_clock::now(); }
	uint64_t nanoseconds(const Mark &from, const Mark &to) {
		return uint64_t(std::chrono::duration_cast<std::chrono::nanoseconds>(to.time - from.time).count());
	}

	template <class Kernel>
	void launch(const Kernel &kernel, uint32_t threads) {
		operate();
		for (uint32_t i = 0; i < threads; i++)
			kernel(i);
	}

	// Threads of a block share memory and meet after each phase.
	template <class Kernel>
	void launch_blocks(const Kernel &kernel, uint32_t blocks, unsigned phases) {
		operate();
		auto shared = std::make_unique<typename Kernel::Shared>();
		for (uint32_t block = 0; block < blocks; block++)
			for (unsigned phase = 0; phase < phases; phase++)
				for (uint32_t thread = 0; thread < Kernel::threads; thread++)
					kernel(phase, block, thread, *shared);
		memset(static_cast<void *>(shared.get()), 0, sizeof(*shared));
	}

	// Sorts pairs by the lowest bits of their keys; returns in which of the two arrays they are then.
	size_t sort_scratch(uint32_t, unsigned) { return 1; }
	unsigned sort(
		void *, size_t, uint32_t *const keys[2], uint32_t *const values[2], uint32_t count, unsigned bits);
	// out[i] = Σ in[j] over j < i.
	size_t scan_scratch(uint32_t) { return 1; }
	void scan(void *, size_t, const uint32_t *in, uint32_t *out, uint32_t count);

private:
	void copy(void *to, const void *from, size_t bytes) {
		operate();
		memcpy(to, from, bytes);
	}
	// Counts an operation, and fails if it is the one that shall.
	static void operate();
};

} // namespace opensand
