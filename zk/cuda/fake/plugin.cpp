/*
 * Plug-ins that are of no use, each in its own way: what a node has to notice. One of these is defined:
 *
 * FAKE_NO_DEVICE      no device
 * FAKE_OLD_DRIVER     a driver that is too old
 * FAKE_OTHER_VERSION  another version of the interface, with nothing else in it
 * FAKE_NO_PLUGIN      a shared library that is no plug-in
 * FAKE_OFF_CURVE      a device that takes everything and answers with what is no point
 */
#include "opensand_prover.h"

#include <cstdlib>
#include <cstring>

#if defined(FAKE_NO_PLUGIN)

extern "C" OPENSAND_EXPORT int nothing_of_use() { return 0; }

#elif defined(FAKE_OTHER_VERSION)

extern "C" OPENSAND_EXPORT uint32_t opensand_prover_abi(void) { return OPENSAND_PROVER_ABI + 1; }

#else

#if defined(FAKE_NO_DEVICE)
static const opensand_status refusal = OPENSAND_NO_DEVICE;
static const char *const reason = "this machine has no device";
#elif defined(FAKE_OLD_DRIVER)
static const opensand_status refusal = OPENSAND_UNSUPPORTED;
static const char *const reason = "the driver is too old";
#else
static const opensand_status refusal = OPENSAND_OK;
static const char *const reason = "";
#endif

/* A handle, with what the calls have to know of it. */
struct Handle {
	uint64_t value;
};

template <typename T> static opensand_status give(T **handle, uint64_t value) {
	auto *made = static_cast<Handle *>(std::malloc(sizeof(Handle)));
	made->value = value;
	*handle = reinterpret_cast<T *>(made);
	return OPENSAND_OK;
}

extern "C" {

uint32_t opensand_prover_abi(void) { return OPENSAND_PROVER_ABI; }
const char *opensand_prover_version(void) { return "fake 0.0.0"; }
const char *opensand_prover_error(void) { return reason; }

opensand_status opensand_prover_devices(opensand_device *devices, uint32_t capacity, uint32_t *count) {
	*count = 0;
	if (refusal != OPENSAND_OK)
		return refusal;
	*count = 1;
	if (capacity > 0) {
		std::memset(devices, 0, sizeof *devices);
		/* A text without an end. */
		std::memset(devices->name, 'x', sizeof devices->name);
		devices->memory_bytes = devices->free_bytes = uint64_t(1) << 30;
	}
	return OPENSAND_OK;
}

opensand_status opensand_prover_open(uint32_t, uint64_t, opensand_prover **prover) {
	return refusal != OPENSAND_OK ? refusal : give(prover, 0);
}
void opensand_prover_close(opensand_prover *prover) { std::free(prover); }

opensand_status opensand_prover_load_bases(opensand_prover *, opensand_group group, const uint64_t *, const uint32_t *, uint64_t,
	uint64_t, opensand_bases **bases) {
	return give(bases, group == OPENSAND_G1 ? 18 : 36);
}
void opensand_prover_free_bases(opensand_bases *bases) { std::free(bases); }

opensand_status opensand_prover_load_scalars(opensand_prover *, const uint64_t *, uint64_t, opensand_scalars **scalars) {
	return give(scalars, 0);
}
void opensand_prover_free_scalars(opensand_scalars *scalars) { std::free(scalars); }

opensand_status opensand_prover_load_rows(opensand_prover *, const opensand_matrices *, opensand_rows **rows) {
	return give(rows, 0);
}
void opensand_prover_free_rows(opensand_rows *rows) { std::free(rows); }

opensand_status opensand_prover_quotient(opensand_prover *, const opensand_rows *, const opensand_scalars *,
	opensand_scalars **products) {
	return give(products, 0);
}

/* Coordinates of all ones, below the modulus: (1, 1) is on neither curve. */
opensand_status opensand_prover_multiply(opensand_prover *, const opensand_bases *const *bases, uint32_t count,
	const opensand_scalars *, uint64_t *sums) {
	for (uint32_t i = 0; i < count; i++)
		for (uint64_t limb = reinterpret_cast<const Handle *>(bases[i])->value; limb > 0; limb--)
			*sums++ = 1;
	return OPENSAND_OK;
}

/* At the modulus or above. */
opensand_status opensand_prover_read_scalars(opensand_prover *, const opensand_scalars *, uint64_t *values, uint64_t count) {
	std::memset(values, 0xff, count * 32);
	return OPENSAND_OK;
}

opensand_status opensand_prover_statistics(opensand_prover *, opensand_statistics *statistics) {
	std::memset(statistics, 0, sizeof *statistics);
	return OPENSAND_OK;
}

}

#endif
