// SPDX-License-Identifier: Apache-2.0
#include "prover.h"

#include "clock.h"

using namespace opensand;

static uint64_t limit_or_default(Device &device, uint64_t limit) {
	device.bind();
	return limit != 0 ? limit : device.free_bytes() / 10 * 9;
}

opensand_prover::opensand_prover(uint32_t ordinal, uint64_t memory_limit)
	: device(ordinal),
	  memory(device, limit_or_default(device, memory_limit)),
	  staging(device),
	  results(device, RESULTS) {}

void opensand_prover::execute(std::function<void()> task) {
	uint64_t waited = executor.run([&] {
		device.bind();
		task();
	});
	statistics.add(OPENSAND_STAGE_QUEUE, waited);
}

void opensand_prover::upload(void *to, const void *from, size_t bytes, bool secret) {
	if (bytes == 0)
		return;
	uint64_t started = now();
	staging.upload(to, from, bytes, secret);
	statistics.add(OPENSAND_STAGE_UPLOAD, now() - started);
}

const void *opensand_prover::fetch(const void *from, size_t bytes) {
	if (bytes > RESULTS)
		throw Failure(OPENSAND_INVALID_ARGUMENT, "too many results");
	device.download(Stream::compute, results.get(), from, bytes);
	device.wait(Stream::compute);
	return results.get();
}

void opensand_scalars::classify() {
	if (count == 0)
		return;
	Stopwatch stopwatch(prover->device);
	stopwatch.start();
	prover->device.launch(Classify{values.get(), integers.get()}, uint32_t(count));
	stopwatch.stop();
	prover->statistics.add_busy(stopwatch.elapsed());
}
