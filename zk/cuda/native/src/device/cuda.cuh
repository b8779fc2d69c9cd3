// SPDX-License-Identifier: Apache-2.0
// NVIDIA's devices, by the CUDA runtime.
#pragma once

#include "device.h"

#include <cuda_runtime.h>

#include <type_traits>
#include <utility>
#include <vector>

namespace opensand {

// Throws for what is not success: what the caller can do about it decides the status.
void check(cudaError_t error, const char *action);

class Mark {
public:
	Mark() { check(cudaEventCreate(&event), "creating an event"); }
	~Mark() { cudaEventDestroy(event); }
	Mark(const Mark &) = delete;

private:
	friend class Device;
	cudaEvent_t event;
};

namespace cuda {

constexpr unsigned THREADS = 128;

// How many blocks of a kernel a multiprocessor must hold, if the kernel says so.
template <class Kernel, class = void>
struct ResidentBlocks {
	static constexpr unsigned value = 1;
};
template <class Kernel>
struct ResidentBlocks<Kernel, std::void_t<decltype(Kernel::resident_blocks)>> {
	static constexpr unsigned value = Kernel::resident_blocks;
};

template <class Kernel>
__global__ void __launch_bounds__(THREADS, ResidentBlocks<Kernel>::value)
	threads(const __grid_constant__ Kernel kernel, uint32_t count) {
	uint32_t i = blockIdx.x * THREADS + threadIdx.x;
	if (i < count)
		kernel(i);
}

template <class Kernel>
__global__ void __launch_bounds__(Kernel::threads)
	blocks(const __grid_constant__ Kernel kernel, unsigned phases) {
	// Not typed: shared memory has no constructors.
	__shared__ alignas(16) unsigned char shared[sizeof(typename Kernel::Shared)];
	auto &memory = *reinterpret_cast<typename Kernel::Shared *>(shared);
	for (unsigned phase = 0; phase < phases; phase++) {
		kernel(phase, blockIdx.x, threadIdx.x, memory);
		__syncthreads();
	}
	// The next block on this multiprocessor, anyone's, finds nothing of ours.
	for (unsigned i = threadIdx.x * 16; i < sizeof(shared); i += Kernel::threads * 16)
		*reinterpret_cast<uint4 *>(shared + i) = make_uint4(0, 0, 0, 0);
}

} // namespace cuda

class Device {
public:
	static const char *version();
	static uint32_t abi() { return OPENSAND_PROVER_ABI; }
	static std::vector<opensand_device> list();

	explicit Device(uint32_t ordinal);
	~Device();
	Device(const Device &) = delete;

	// Lets the calling thread use the device.
	void bind();
	void begin_call() {}
	bool computes_wrongly() { return false; }

	uint64_t free_bytes();
	uint32_t multiprocessors() const { return processors; }

	void *allocate(size_t bytes);
	void release(void *memory) noexcept;
	void *allocate_pinned(size_t bytes);
	void release_pinned(void *memory) noexcept;

	void upload(Stream, void *to, const void *from, size_t bytes);
	void download(Stream, void *to, const void *from, size_t bytes);
	void clear(Stream, void *memory, size_t bytes);

	void wait(Stream);
	void wait(const Mark &);
	void record(Stream, Mark &);
	uint64_t nanoseconds(const Mark &from, const Mark &to);

	template <class Kernel>
	void launch(const Kernel &kernel, uint32_t threads) {
		uint32_t blocks = (threads + cuda::THREADS - 1) / cuda::THREADS;
		cuda::threads<<<blocks, cuda::THREADS, 0, stream(Stream::compute)>>>(kernel, threads);
		check(cudaGetLastError(), "launching a kernel");
	}

	template <class Kernel>
	void launch_blocks(const Kernel &kernel, uint32_t blocks, unsigned phases) {
		cuda::blocks<<<blocks, Kernel::threads, 0, stream(Stream::compute)>>>(kernel, phases);
		check(cudaGetLastError(), "launching a kernel");
	}

	size_t sort_scratch(uint32_t count, unsigned bits);
	unsigned sort(void *scratch, size_t bytes, uint32_t *const keys[2], uint32_t *const values[2],
		uint32_t count, unsigned bits);
	size_t scan_scratch(uint32_t count);
	void scan(void *scratch, size_t bytes, const uint32_t *in, uint32_t *out, uint32_t count);

private:
	cudaStream_t stream(Stream which) const { return streams[which == Stream::copy]; }

	int ordinal;
	uint32_t processors;
	cudaStream_t streams[2] = {};
};

} // namespace opensand
