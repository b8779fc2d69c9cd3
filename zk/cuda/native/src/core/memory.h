// SPDX-License-Identifier: Apache-2.0
// Device memory within a limit, accounted, kept for the next use, and overwritten after use if it held
// secrets.
#pragma once

#include "../device/device.h"

#include <map>
#include <mutex>

namespace opensand {

class Memory {
public:
	Memory(Device &device, uint64_t limit) : device(device), limit(limit) {}
	~Memory();
	Memory(const Memory &) = delete;

	void *acquire(size_t bytes);
	// Among the kernels, after those that are queued.
	void overwrite(void *memory);
	// No kernel or copy that uses the memory may be running.
	void release(void *memory, bool secret) noexcept;

	struct Usage {
		uint64_t bytes, peak, limit;
	};
	Usage usage();
	// What could still be acquired.
	uint64_t available();

private:
	void *reuse(size_t bytes);
	void drop_unused() noexcept;

	Device &device;
	const uint64_t limit;
	std::mutex mutex;
	// All that was allocated, and how much of it is in `unused`.
	uint64_t allocated = 0, peak = 0, idle = 0;
	std::map<void *, size_t> used;
	std::multimap<size_t, void *> unused;
};

// `count` values on the device.
template <class T>
class Buffer {
public:
	Buffer() = default;
	Buffer(Memory &memory, size_t count, bool secret)
		: memory(&memory),
		  secret(secret),
		  data(static_cast<T *>(memory.acquire(count * sizeof(T)))),
		  count(count) {}
	Buffer(Buffer &&other) noexcept { *this = std::move(other); }
	Buffer &operator=(Buffer &&other) noexcept {
		std::swap(memory, other.memory);
		std::swap(secret, other.secret);
		std::swap(data, other.data);
		std::swap(count, other.count);
		return *this;
	}
	~Buffer() { free(); }

	void free() {
		if (data != nullptr)
			memory->release(data, secret);
		data = nullptr;
	}

	T *get() const { return data; }
	size_t size() const { return count; }
	size_t bytes() const { return count * sizeof(T); }

private:
	Memory *memory = nullptr;
	bool secret = false;
	T *data = nullptr;
	size_t count = 0;
};

} // namespace opensand
