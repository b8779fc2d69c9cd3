// SPDX-License-Identifier: Apache-2.0
// Copies between the caller's memory and the device's, through pinned memory, while kernels run.
#pragma once

#include "../device/device.h"

#include <mutex>

namespace opensand {

// Overwrites memory in a way that compilers do not leave out.
inline void erase(void *memory, size_t bytes) {
	volatile unsigned char *bytes_of = static_cast<unsigned char *>(memory);
	for (size_t i = 0; i < bytes; i++)
		bytes_of[i] = 0;
}

// Pinned memory of the host.
class Pinned {
public:
	Pinned(Device &device, size_t bytes)
		: device(device), data(device.allocate_pinned(bytes)), bytes(bytes) {}
	~Pinned() {
		erase(data, bytes);
		device.release_pinned(data);
	}
	Pinned(const Pinned &) = delete;

	char *get() const { return static_cast<char *>(data); }

private:
	Device &device;
	void *data;
	size_t bytes;
};

class Staging {
public:
	explicit Staging(Device &device) : device(device), slots{{device, SLOT}, {device, SLOT}} {}

	void upload(void *to, const void *from, size_t bytes, bool secret);
	void download(void *to, const void *from, size_t bytes);

private:
	// Large enough for the bus to be busy, small enough that filling the first costs little.
	static constexpr size_t SLOT = 4 << 20;

	Device &device;
	std::mutex mutex;
	Pinned slots[2];
	Mark marks[2];
};

} // namespace opensand
