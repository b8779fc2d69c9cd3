// SPDX-License-Identifier: Apache-2.0
#include "staging.h"

#include <algorithm>
#include <cstring>

namespace opensand {

void Staging::upload(void *to, const void *from, size_t bytes, bool secret) {
	std::lock_guard lock(mutex);
	unsigned slot = 0;
	for (size_t done = 0; done < bytes; slot ^= 1) {
		size_t part = std::min(bytes - done, SLOT);
		// Its last copy was the one before the last.
		if (done >= 2 * SLOT)
			device.wait(marks[slot]);
		memcpy(slots[slot].get(), static_cast<const char *>(from) + done, part);
		device.upload(Stream::copy, static_cast<char *>(to) + done, slots[slot].get(), part);
		device.record(Stream::copy, marks[slot]);
		done += part;
	}
	device.wait(Stream::copy);
	if (secret)
		for (Pinned &pinned : slots)
			erase(pinned.get(), std::min(bytes, SLOT));
}

void Staging::download(void *to, const void *from, size_t bytes) {
	std::lock_guard lock(mutex);
	for (size_t done = 0; done < bytes;) {
		size_t part = std::min(bytes - done, SLOT);
		device.download(Stream::copy, slots[0].get(), static_cast<const char *>(from) + done, part);
		device.wait(Stream::copy);
		memcpy(static_cast<char *>(to) + done, slots[0].get(), part);
		done += part;
	}
	erase(slots[0].get(), std::min(bytes, SLOT));
}

} // namespace opensand
