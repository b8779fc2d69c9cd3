// SPDX-License-Identifier: Apache-2.0
// What a call needs on the device only until it ends.
#pragma once

#include "memory.h"

#include <vector>

namespace opensand {

// All of it may hold secrets. It outlives the kernels that use it, also when a call fails between them.
class Scratch {
public:
	Scratch(Device &device, Memory &memory) : device(device), memory(memory) {}
	Scratch(const Scratch &) = delete;
	~Scratch() {
		try {
			for (void *part : parts)
				memory.overwrite(part);
			device.wait(Stream::compute);
		} catch (const Failure &) {
			// The device is lost, and runs nothing.
		}
		for (void *part : parts)
			memory.release(part, false);
	}

	template <class T>
	T *get(size_t count) {
		parts.reserve(parts.size() + 1);
		parts.push_back(memory.acquire(count * sizeof(T)));
		return static_cast<T *>(parts.back());
	}

private:
	Device &device;
	Memory &memory;
	std::vector<void *> parts;
};

} // namespace opensand
