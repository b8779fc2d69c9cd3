// SPDX-License-Identifier: Apache-2.0
#include "cuda.cuh"

#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_scan.cuh>

#include <cstdio>
#include <cstring>

#if !defined(OPENSAND_TARGETS)
#define OPENSAND_TARGETS unknown targets
#endif
#define OPENSAND_TEXT_OF(...) #__VA_ARGS__
#define OPENSAND_TEXT(...) OPENSAND_TEXT_OF(__VA_ARGS__)

namespace opensand {
namespace cuda {
__global__ void probe() {}
} // namespace cuda

namespace {

opensand_status status_of(cudaError_t error) {
	switch (error) {
	case cudaErrorNoDevice:
	case cudaErrorInvalidDevice:
		return OPENSAND_NO_DEVICE;
	case cudaErrorInsufficientDriver: {
		// Said of a missing driver too.
		int driver = 0;
		return cudaDriverGetVersion(&driver) == cudaSuccess && driver == 0 ? OPENSAND_NO_DEVICE
																		   : OPENSAND_UNSUPPORTED;
	}
	case cudaErrorNoKernelImageForDevice:
	case cudaErrorInvalidDeviceFunction:
	case cudaErrorUnsupportedPtxVersion:
	case cudaErrorInvalidPtx:
	case cudaErrorJitCompilerNotFound:
	case cudaErrorCompatNotSupportedOnDevice:
	case cudaErrorSystemDriverMismatch:
		return OPENSAND_UNSUPPORTED;
	case cudaErrorMemoryAllocation:
		return OPENSAND_OUT_OF_MEMORY;
	default:
		// Most of the others are sticky, and none is expected.
		return OPENSAND_DEVICE_LOST;
	}
}

} // namespace

void check(cudaError_t error, const char *action) {
	if (error == cudaSuccess)
		return;
	// Of errors that are not sticky nothing is left for the next check.
	cudaGetLastError();
	opensand_status status = status_of(error);
	bool no_driver = error == cudaErrorInsufficientDriver && status == OPENSAND_NO_DEVICE;
	throw Failure(status,
		std::string(action) + ": " + (no_driver ? "there is no NVIDIA driver" : cudaGetErrorString(error)));
}

const char *Device::version() {
	return "cuda 0.1.0 (CUDA " OPENSAND_TEXT(__CUDACC_VER_MAJOR__) "." OPENSAND_TEXT(
		__CUDACC_VER_MINOR__) "; " OPENSAND_TEXT(OPENSAND_TARGETS) ")";
}

std::vector<opensand_device> Device::list() {
	int count = 0, driver = 0;
	check(cudaGetDeviceCount(&count), "looking for devices");
	check(cudaDriverGetVersion(&driver), "asking for the driver's version");
	if (count == 0)
		throw Failure(OPENSAND_NO_DEVICE, "the driver has no device");
	std::vector<opensand_device> devices(count);
	for (int i = 0; i < count; i++) {
		cudaDeviceProp properties;
		check(cudaGetDeviceProperties(&properties, i), "asking for a device's properties");
		opensand_device &device = devices[i];
		memset(&device, 0, sizeof(device));
		snprintf(device.name, sizeof(device.name), "%s", properties.name);
		snprintf(device.driver, sizeof(device.driver), "CUDA %d.%d", driver / 1000, driver % 1000 / 10);
		device.memory_bytes = properties.totalGlobalMem;
		device.compute_major = uint32_t(properties.major);
		device.compute_minor = uint32_t(properties.minor);
		device.multiprocessors = uint32_t(properties.multiProcessorCount);
		size_t free = 0, total = 0;
		check(cudaSetDevice(i), "choosing a device");
		check(cudaMemGetInfo(&free, &total), "asking for free memory");
		device.free_bytes = free;
	}
	return devices;
}

Device::Device(uint32_t number) : ordinal(int(number)) {
	int count = 0;
	check(cudaGetDeviceCount(&count), "looking for devices");
	if (number >= uint32_t(count))
		throw Failure(OPENSAND_NO_DEVICE, "there is no device of this number");
	check(cudaSetDevice(ordinal), "choosing a device");
	int value = 0;
	check(
		cudaDeviceGetAttribute(&value, cudaDevAttrMultiProcessorCount, ordinal), "counting multiprocessors");
	processors = uint32_t(value);
	// Tells here, not within a proof, if there is no code for the device.
	cudaFuncAttributes attributes;
	check(cudaFuncGetAttributes(&attributes, reinterpret_cast<const void *>(cuda::probe)),
		"looking for code for the device");
	for (cudaStream_t &stream : streams)
		check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "creating a stream");
}

Device::~Device() {
	cudaSetDevice(ordinal);
	for (cudaStream_t stream : streams)
		cudaStreamDestroy(stream);
}

void Device::bind() { check(cudaSetDevice(ordinal), "choosing a device"); }

uint64_t Device::free_bytes() {
	size_t free = 0, total = 0;
	check(cudaMemGetInfo(&free, &total), "asking for free memory");
	return free;
}

void *Device::allocate(size_t bytes) {
	void *memory = nullptr;
	check(cudaMalloc(&memory, bytes), "allocating device memory");
	return memory;
}

void Device::release(void *memory) noexcept { cudaFree(memory); }

void *Device::allocate_pinned(size_t bytes) {
	void *memory = nullptr;
	check(cudaMallocHost(&memory, bytes), "allocating pinned memory");
	return memory;
}

void Device::release_pinned(void *memory) noexcept { cudaFreeHost(memory); }

void Device::upload(Stream which, void *to, const void *from, size_t bytes) {
	check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream(which)), "copying to the device");
}

void Device::download(Stream which, void *to, const void *from, size_t bytes) {
	check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream(which)), "copying from the device");
}

void Device::clear(Stream which, void *memory, size_t bytes) {
	check(cudaMemsetAsync(memory, 0, bytes, stream(which)), "clearing device memory");
}

void Device::wait(Stream which) { check(cudaStreamSynchronize(stream(which)), "waiting for the device"); }

void Device::wait(const Mark &mark) { check(cudaEventSynchronize(mark.event), "waiting for the device"); }

void Device::record(Stream which, Mark &mark) {
	check(cudaEventRecord(mark.event, stream(which)), "recording an event");
}

uint64_t Device::nanoseconds(const Mark &from, const Mark &to) {
	float milliseconds = 0;
	check(cudaEventElapsedTime(&milliseconds, from.event, to.event), "reading a time");
	return uint64_t(double(milliseconds) * 1e6);
}

size_t Device::sort_scratch(uint32_t count, unsigned bits) {
	size_t bytes = 0;
	cub::DoubleBuffer<uint32_t> keys(nullptr, nullptr), values(nullptr, nullptr);
	check(cub::DeviceRadixSort::SortPairs(
			  nullptr, bytes, keys, values, count, 0, int(bits), stream(Stream::compute)),
		"sizing a sort");
	return bytes;
}

unsigned Device::sort(void *scratch, size_t bytes, uint32_t *const keys[2], uint32_t *const values[2],
	uint32_t count, unsigned bits) {
	cub::DoubleBuffer<uint32_t> key(keys[0], keys[1]), value(values[0], values[1]);
	check(cub::DeviceRadixSort::SortPairs(
			  scratch, bytes, key, value, count, 0, int(bits), stream(Stream::compute)),
		"sorting");
	// Both are in the buffers of the same number, as both are copied in each pass.
	return unsigned(key.selector);
}

size_t Device::scan_scratch(uint32_t count) {
	size_t bytes = 0;
	check(cub::DeviceScan::ExclusiveSum(nullptr, bytes, static_cast<const uint32_t *>(nullptr),
			  static_cast<uint32_t *>(nullptr), count, stream(Stream::compute)),
		"sizing a scan");
	return bytes;
}

void Device::scan(void *scratch, size_t bytes, const uint32_t *in, uint32_t *out, uint32_t count) {
	check(cub::DeviceScan::ExclusiveSum(scratch, bytes, in, out, count, stream(Stream::compute)), "scanning");
}

} // namespace opensand
