// SPDX-License-Identifier: Apache-2.0
#include "mock.h"

#include "../../include/opensand_mock.h"

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace opensand {
namespace {

// A fault that happens at one count; 0 for never.
struct Fault {
	uint64_t at = 0, count = 0;

	bool happens() { return ++count == at; }
	bool has_happened() { return ++count >= at && at != 0; }
};

struct Plan {
	bool other_abi = false, no_device = false, old_driver = false, is_lost = false;
	uint64_t devices = 1, memory = uint64_t(8) << 30;
	Fault out_of_memory, lost_call, lost_operation, hang, wrong;
	// The call that has begun loses the device at its next operation.
	bool losing = false;

	bool parse(const std::string &text) {
		for (size_t begin = 0; begin < text.size();) {
			size_t end = std::min(text.find(',', begin), text.size());
			if (!word(text.substr(begin, end - begin)))
				return false;
			begin = end + 1;
		}
		return true;
	}

private:
	bool word(const std::string &word) {
		size_t equals = word.find('=');
		if (equals == std::string::npos) {
			for (auto [name, flag] :
				{std::pair("abi", &other_abi), {"no-device", &no_device}, {"old-driver", &old_driver}})
				if (word == name)
					return *flag = true;
			return word.empty();
		}
		char *rest;
		uint64_t number = strtoull(word.c_str() + equals + 1, &rest, 10);
		if (*rest != 0 || rest == word.c_str() + equals + 1)
			return false;
		std::string name = word.substr(0, equals);
		for (auto [known, value] : {std::pair("devices", &devices), {"memory", &memory},
				 {"out-of-memory", &out_of_memory.at}, {"lost", &lost_call.at},
				 {"lost-operation", &lost_operation.at}, {"hang", &hang.at}, {"wrong", &wrong.at}})
			if (name == known) {
				*value = number;
				return true;
			}
		return false;
	}
};

struct State {
	std::mutex mutex;
	Plan plan;
	uint64_t used = 0;
	std::unordered_map<void *, size_t> sizes;

	State() {
		const char *text = getenv("OPENSAND_MOCK");
		if (text != nullptr && !plan.parse(text)) {
			fprintf(stderr, "OPENSAND_MOCK is not a plan of failures: %s\n", text);
			plan = Plan();
		}
	}
};

State &state() {
	// Never destroyed: threads may outlive static objects.
	static State *state = new State;
	return *state;
}

[[noreturn]] void lost() { throw Failure(OPENSAND_DEVICE_LOST, "the mock device is lost"); }

} // namespace

const char *Device::version() { return "mock 0.1.0 (a device on the CPU, for tests)"; }

uint32_t Device::abi() {
	State &mock = state();
	std::lock_guard lock(mock.mutex);
	return OPENSAND_PROVER_ABI + mock.plan.other_abi;
}

std::vector<opensand_device> Device::list() {
	State &mock = state();
	std::lock_guard lock(mock.mutex);
	if (mock.plan.no_device || mock.plan.devices == 0)
		throw Failure(OPENSAND_NO_DEVICE, "there is no mock device");
	if (mock.plan.old_driver)
		throw Failure(OPENSAND_UNSUPPORTED, "the mock device's driver is too old");
	std::vector<opensand_device> devices(mock.plan.devices);
	for (size_t i = 0; i < devices.size(); i++) {
		opensand_device &device = devices[i];
		memset(&device, 0, sizeof(device));
		snprintf(device.name, sizeof(device.name), "Mock device %zu", i);
		snprintf(device.driver, sizeof(device.driver), "1.0");
		device.memory_bytes = mock.plan.memory;
		device.free_bytes = mock.plan.memory - std::min(mock.used, mock.plan.memory);
		device.multiprocessors = 2;
	}
	return devices;
}

Device::Device(uint32_t ordinal) {
	if (ordinal >= list().size())
		throw Failure(OPENSAND_NO_DEVICE, "there is no mock device of this number");
}

void Device::begin_call() {
	State &mock = state();
	bool hangs;
	{
		std::lock_guard lock(mock.mutex);
		if (mock.plan.lost_call.happens())
			mock.plan.losing = true;
		hangs = mock.plan.hang.happens();
	}
	if (hangs)
		std::this_thread::sleep_for(std::chrono::hours(1));
}

bool Device::computes_wrongly() {
	State &mock = state();
	std::lock_guard lock(mock.mutex);
	return mock.plan.wrong.has_happened();
}

uint64_t Device::free_bytes() {
	State &mock = state();
	std::lock_guard lock(mock.mutex);
	return mock.plan.memory - std::min(mock.used, mock.plan.memory);
}

void *Device::allocate(size_t bytes) {
	State &mock = state();
	std::lock_guard lock(mock.mutex);
	if (mock.plan.is_lost)
		lost();
	if (mock.plan.out_of_memory.happens() || bytes > mock.plan.memory - std::min(mock.used, mock.plan.memory))
		throw Failure(OPENSAND_OUT_OF_MEMORY, "the mock device has no memory left");
	// Not zeros, so that nothing relies on them; aligned as the device's memory is.
	void *memory = ::operator new(bytes, std::align_val_t(256));
	memset(memory, 0xa5, bytes);
	mock.sizes[memory] = bytes;
	mock.used += bytes;
	return memory;
}

void Device::release(void *memory) noexcept {
	State &mock = state();
	std::lock_guard lock(mock.mutex);
	auto size = mock.sizes.find(memory);
	if (size == mock.sizes.end())
		return;
	mock.used -= size->second;
	mock.sizes.erase(size);
	::operator delete(memory, std::align_val_t(256));
}

void Device::operate() {
	State &mock = state();
	std::lock_guard lock(mock.mutex);
	if (mock.plan.lost_operation.happens() || mock.plan.losing)
		mock.plan.is_lost = true;
	if (mock.plan.is_lost)
		lost();
}

unsigned Device::sort(
	void *, size_t, uint32_t *const keys[2], uint32_t *const values[2], uint32_t count, unsigned bits) {
	operate();
	constexpr unsigned DIGIT = 11;
	unsigned from = 0;
	for (unsigned shift = 0; shift < bits; shift += DIGIT, from ^= 1) {
		std::vector<uint32_t> starts((1u << DIGIT) + 1);
		auto digit = [&](uint32_t i) { return keys[from][i] >> shift & ((1u << DIGIT) - 1); };
		for (uint32_t i = 0; i < count; i++)
			starts[digit(i) + 1]++;
		for (uint32_t i = 0; i < 1u << DIGIT; i++)
			starts[i + 1] += starts[i];
		for (uint32_t i = 0; i < count; i++) {
			uint32_t at = starts[digit(i)]++;
			keys[from ^ 1][at] = keys[from][i];
			values[from ^ 1][at] = values[from][i];
		}
	}
	return from;
}

void Device::scan(void *, size_t, const uint32_t *in, uint32_t *out, uint32_t count) {
	operate();
	uint32_t sum = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t value = in[i];
		out[i] = sum;
		sum += value;
	}
}

} // namespace opensand

extern "C" opensand_status opensand_mock_plan(const char *text) {
	using namespace opensand;
	try {
		Plan plan;
		if (!plan.parse(text == nullptr ? "" : text))
			return OPENSAND_INVALID_ARGUMENT;
		State &mock = state();
		std::lock_guard lock(mock.mutex);
		mock.plan = plan;
		return OPENSAND_OK;
	} catch (const std::exception &) {
		return OPENSAND_HOST_FAILURE;
	}
}
