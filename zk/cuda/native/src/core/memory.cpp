// SPDX-License-Identifier: Apache-2.0
#include "memory.h"

#include <algorithm>

namespace opensand {

// Sizes are multiples of this, which lets sizes that differ little share memory.
static constexpr size_t GRANULE = 64 << 10;

Memory::~Memory() {
	for (auto [memory, bytes] : used) {
		try {
			device.clear(Stream::copy, memory, bytes);
			device.wait(Stream::copy);
		} catch (const Failure &) {
			// The device is lost, and its memory with it.
		}
		device.release(memory);
	}
	drop_unused();
}

void *Memory::acquire(size_t bytes) {
	bytes = std::max((bytes + GRANULE - 1) / GRANULE, size_t(1)) * GRANULE;
	std::lock_guard lock(mutex);
	if (void *memory = reuse(bytes))
		return memory;
	if (allocated + bytes > limit)
		drop_unused();
	if (bytes > limit || allocated > limit - bytes)
		throw Failure(OPENSAND_OUT_OF_MEMORY,
			std::to_string(bytes) + " bytes more than the " + std::to_string(allocated) +
				" in use would exceed the limit of " + std::to_string(limit) + " bytes of device memory");
	void *memory;
	try {
		memory = device.allocate(bytes);
	} catch (const Failure &failure) {
		if (failure.status != OPENSAND_OUT_OF_MEMORY || unused.empty())
			throw;
		drop_unused();
		memory = device.allocate(bytes);
	}
	try {
		used.emplace(memory, bytes);
	} catch (...) {
		device.release(memory);
		throw;
	}
	allocated += bytes;
	peak = std::max(peak, allocated);
	return memory;
}

void *Memory::reuse(size_t bytes) {
	auto found = unused.lower_bound(bytes);
	if (found == unused.end() || found->first > bytes + bytes / 4)
		return nullptr;
	void *memory = found->second;
	used.emplace(memory, found->first);
	idle -= found->first;
	unused.erase(found);
	return memory;
}

void Memory::overwrite(void *memory) {
	std::lock_guard lock(mutex);
	auto entry = used.find(memory);
	if (entry != used.end())
		device.clear(Stream::compute, memory, entry->second);
}

void Memory::release(void *memory, bool secret) noexcept {
	std::lock_guard lock(mutex);
	auto entry = used.find(memory);
	if (entry == used.end())
		return;
	size_t bytes = entry->second;
	used.erase(entry);
	try {
		if (secret) {
			device.clear(Stream::copy, memory, bytes);
			device.wait(Stream::copy);
		}
		unused.emplace(bytes, memory);
		idle += bytes;
	} catch (...) {
		allocated -= bytes;
		device.release(memory);
	}
}

void Memory::drop_unused() noexcept {
	for (auto [bytes, memory] : unused) {
		allocated -= bytes;
		device.release(memory);
	}
	unused.clear();
	idle = 0;
}

Memory::Usage Memory::usage() {
	std::lock_guard lock(mutex);
	return {allocated, peak, limit};
}

uint64_t Memory::available() {
	std::lock_guard lock(mutex);
	uint64_t in_use = allocated - idle;
	return std::min(limit - std::min(limit, in_use), device.free_bytes() + idle);
}

} // namespace opensand
