// SPDX-License-Identifier: Apache-2.0
// Where the time goes.
#pragma once

#include "../device/device.h"

#include <mutex>
#include <vector>

namespace opensand {

class Statistics {
public:
	void add(unsigned stage, uint64_t nanoseconds) {
		std::lock_guard lock(mutex);
		stages[stage] += nanoseconds;
		calls[stage]++;
	}

	void add_busy(uint64_t nanoseconds) {
		std::lock_guard lock(mutex);
		busy += nanoseconds;
	}

	void write(opensand_statistics &out) {
		std::lock_guard lock(mutex);
		for (unsigned stage = 0; stage < OPENSAND_STAGES; stage++) {
			out.stage_nanoseconds[stage] = stages[stage];
			out.stage_calls[stage] = calls[stage];
		}
		out.busy_nanoseconds = busy;
	}

private:
	std::mutex mutex;
	uint64_t stages[OPENSAND_STAGES] = {}, calls[OPENSAND_STAGES] = {}, busy = 0;
};

// Times a stage of one call on the device, by spans in which kernels follow each other without a wait for the
// host.
class Stopwatch {
public:
	explicit Stopwatch(Device &device) : device(device) {}

	void start() { device.record(Stream::compute, from); }

	// Waits for the kernels of the span.
	void stop() {
		device.record(Stream::compute, to);
		device.wait(Stream::compute);
		nanoseconds += device.nanoseconds(from, to);
	}

	void report(Statistics &statistics, unsigned stage) const {
		statistics.add(stage, nanoseconds);
		statistics.add_busy(nanoseconds);
	}

	uint64_t elapsed() const { return nanoseconds; }

private:
	Device &device;
	Mark from, to;
	uint64_t nanoseconds = 0;
};

} // namespace opensand
