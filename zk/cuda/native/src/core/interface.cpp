// SPDX-License-Identifier: Apache-2.0
// The C interface: checks of arguments, and failures as statuses.
#include "prover.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <system_error>

using namespace opensand;

namespace {

thread_local char last_error[512];

opensand_status fail(opensand_status status, const char *message) noexcept {
	snprintf(last_error, sizeof(last_error), "%s", message);
	return status;
}

template <class Call>
opensand_status guarded(const Call &call) noexcept {
	try {
		call();
		return OPENSAND_OK;
	} catch (const Failure &failure) {
		return fail(failure.status, failure.what());
	} catch (const std::bad_alloc &) {
		return fail(OPENSAND_HOST_FAILURE, "the host has no memory left");
	} catch (const std::exception &error) {
		return fail(OPENSAND_HOST_FAILURE, error.what());
	} catch (...) {
		return fail(OPENSAND_HOST_FAILURE, "unknown failure");
	}
}

void require(bool condition, const char *message) {
	if (!condition)
		throw Failure(OPENSAND_INVALID_ARGUMENT, message);
}

// Scalars and rows are numbered in 32 bits, and threads as well.
constexpr uint64_t MAX_COUNT = uint64_t(1) << 30;

// A call that uses a prover's device.
template <class Call>
opensand_status guarded_on(opensand_prover *prover, const Call &call) noexcept {
	opensand_status status = guarded([&] {
		require(prover != nullptr, "no prover");
		if (prover->lost)
			throw Failure(OPENSAND_DEVICE_LOST, "the device was lost before");
		prover->device.bind();
		prover->device.begin_call();
		call();
	});
	if (status == OPENSAND_DEVICE_LOST)
		prover->lost = true;
	return status;
}

template <class Handle>
void release(Handle *handle) noexcept {
	if (handle == nullptr)
		return;
	// Fails only if the device is lost, and memory is then only forgotten.
	guarded([&] { handle->prover->device.bind(); });
	delete handle;
}

} // namespace

extern "C" {

uint32_t opensand_prover_abi(void) { return Device::abi(); }

const char *opensand_prover_version(void) { return Device::version(); }

const char *opensand_prover_error(void) { return last_error; }

opensand_status opensand_prover_devices(opensand_device *devices, uint32_t capacity, uint32_t *count) {
	if (count != nullptr)
		*count = 0;
	return guarded([&] {
		require(count != nullptr && (devices != nullptr || capacity == 0), "no place for devices");
		std::vector<opensand_device> found = Device::list();
		std::copy_n(found.begin(), std::min<size_t>(capacity, found.size()), devices);
		*count = uint32_t(found.size());
	});
}

opensand_status opensand_prover_open(uint32_t device, uint64_t memory_limit, opensand_prover **prover) {
	return guarded([&] {
		require(prover != nullptr, "no place for the prover");
		*prover = new opensand_prover(device, memory_limit);
	});
}

void opensand_prover_close(opensand_prover *prover) {
	if (prover == nullptr)
		return;
	guarded([&] { prover->device.bind(); });
	delete prover;
}

opensand_status opensand_prover_load_bases(opensand_prover *prover, opensand_group group,
	const uint64_t *points, const uint32_t *indices, uint64_t count, uint64_t scalars,
	opensand_bases **bases) {
	return guarded_on(prover, [&] {
		require(
			bases != nullptr && (count == 0 || (points != nullptr && indices != nullptr)), "null pointers");
		require(group == OPENSAND_G1 || group == OPENSAND_G2, "no such group");
		require(scalars <= MAX_COUNT && count <= scalars, "more points than scalars, or too many");
		for (uint64_t i = 0; i < count; i++)
			require(indices[i] < scalars && (i == 0 || indices[i - 1] < indices[i]),
				"indices that do not ascend, or too large");
		auto result = std::make_unique<opensand_bases>();
		result->prover = prover;
		result->group = group;
		result->count = count;
		result->scalars = scalars;
		load_bases(*prover, points, indices, *result);
		*bases = result.release();
	});
}

void opensand_prover_free_bases(opensand_bases *bases) { release(bases); }

opensand_status opensand_prover_load_scalars(
	opensand_prover *prover, const uint64_t *values, uint64_t count, opensand_scalars **scalars) {
	return guarded_on(prover, [&] {
		require(scalars != nullptr && (count == 0 || values != nullptr), "null pointers");
		require(count <= MAX_COUNT, "too many scalars");
		auto result = std::make_unique<opensand_scalars>(prover, count);
		prover->upload(result->values.get(), values, count * sizeof(Fr), true);
		prover->execute([&] { result->classify(); });
		*scalars = result.release();
	});
}

void opensand_prover_free_scalars(opensand_scalars *scalars) { release(scalars); }

opensand_status opensand_prover_load_rows(
	opensand_prover *prover, const opensand_matrices *matrices, opensand_rows **rows) {
	return guarded_on(prover, [&] {
		require(matrices != nullptr && rows != nullptr && matrices->starts[0] != nullptr &&
				matrices->starts[1] != nullptr,
			"null pointers");
		require(matrices->variables <= MAX_COUNT && matrices->domain <= MAX_COUNT &&
				matrices->coefficient_count <= MAX_COUNT,
			"too many rows, columns or coefficients");
		uint64_t domain = matrices->domain;
		require(domain != 0 && (domain & (domain - 1)) == 0 && matrices->constraints <= domain &&
				matrices->public_variables <= domain - matrices->constraints &&
				matrices->public_variables <= matrices->variables,
			"a domain that the rows do not fit");
		require(matrices->coefficient_count == 0 || matrices->coefficients != nullptr, "null pointers");
		for (unsigned matrix : {0, 1})
			require(
				matrices->starts[matrix][matrices->constraints] == 0 || matrices->entries[matrix] != nullptr,
				"null pointers");
		auto result = std::make_unique<opensand_rows>();
		result->prover = prover;
		result->variables = matrices->variables;
		result->constraints = matrices->constraints;
		result->public_variables = matrices->public_variables;
		result->log2 = unsigned(__builtin_ctzll(domain));
		load_rows(*prover, *matrices, *result);
		*rows = result.release();
	});
}

void opensand_prover_free_rows(opensand_rows *rows) { release(rows); }

opensand_status opensand_prover_quotient(opensand_prover *prover, const opensand_rows *rows,
	const opensand_scalars *z, opensand_scalars **products) {
	return guarded_on(prover, [&] {
		require(rows != nullptr && z != nullptr && products != nullptr, "null pointers");
		require(rows->prover == prover && z->prover == prover, "another prover's handle");
		require(rows->variables == z->count, "not as many scalars as columns");
		auto result = std::make_unique<opensand_scalars>(prover, size_t(1) << rows->log2);
		quotient(*prover, *rows, *z, *result);
		*products = result.release();
	});
}

opensand_status opensand_prover_multiply(opensand_prover *prover, const opensand_bases *const *bases,
	uint32_t count, const opensand_scalars *scalars, uint64_t *sums) {
	return guarded_on(prover, [&] {
		require(scalars != nullptr && (count == 0 || (bases != nullptr && sums != nullptr)), "null pointers");
		require(scalars->prover == prover, "another prover's handle");
		if (count == 0)
			return;
		std::vector<const opensand_bases *> all(bases, bases + count);
		for (const opensand_bases *one : all) {
			require(one != nullptr, "null pointers");
			require(one->prover == prover, "another prover's handle");
			require(one->group == all[0]->group, "bases of two groups");
			require(one->scalars == scalars->count, "not as many scalars as the bases are for");
		}
		multiply(*prover, all[0]->group, all, *scalars, sums);
	});
}

opensand_status opensand_prover_read_scalars(
	opensand_prover *prover, const opensand_scalars *scalars, uint64_t *values, uint64_t count) {
	return guarded_on(prover, [&] {
		require(scalars != nullptr && (count == 0 || values != nullptr), "null pointers");
		require(scalars->prover == prover, "another prover's handle");
		require(count <= scalars->count, "more than there are");
		prover->staging.download(values, scalars->values.get(), count * sizeof(Fr));
	});
}

opensand_status opensand_prover_statistics(opensand_prover *prover, opensand_statistics *statistics) {
	return guarded([&] {
		require(prover != nullptr && statistics != nullptr, "null pointers");
		opensand_statistics result = {};
		prover->statistics.write(result);
		Memory::Usage usage = prover->memory.usage();
		result.device_bytes = usage.bytes;
		result.peak_device_bytes = usage.peak;
		result.limit_bytes = usage.limit;
		*statistics = result;
	});
}

} // extern "C"
