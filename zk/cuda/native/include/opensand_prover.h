/*
 * What the node asks of a prover plug-in: the arithmetic of Groth16 proofs over BLS12-381 that is worth a device.
 *
 * Any shared library that exports these functions is a plug-in; the CUDA one and the mock device of the tests are two of them.
 *
 * Numbers. Scalars (Fr) are 4 and coordinates (Fq) 6 little-endian limbs of 64 bits in Montgomery form, with R = 2^256 and
 * R = 2^384, below the modulus: the memory of arkworks' field elements. A point of G1 is affine, x then y (12 limbs); of G2
 * likewise, with coordinates in Fq2 as c0 then c1 (24 limbs). No base is the identity. Sums come back in Jacobian coordinates
 * X, Y, Z (18 or 36 limbs), with Z = 0 for the identity.
 *
 * Errors. Every call returns a status. It leaves its outputs untouched unless that is OPENSAND_OK, and
 * opensand_prover_error() then tells the calling thread more in English. No call throws, aborts or exits.
 *
 * Threads. Any call may be made from any thread at any time. Calls block until their result is there. A prover queues what its
 * device cannot do at once, and a handle may be freed while other calls that do not use it are running.
 *
 * Lifetimes. Handles belong to the prover that made them and must be freed before it is closed. Arrays are read during the
 * call only.
 *
 * Secrets. Scalars are secret. Memory that held them, or anything computed from them, is overwritten before it is freed or
 * given to another use.
 */
#ifndef OPENSAND_PROVER_H
#define OPENSAND_PROVER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define OPENSAND_EXPORT __attribute__((visibility("default")))
#else
#define OPENSAND_EXPORT
#endif

/* The version of this interface. A node takes a plug-in of its own version only. */
#define OPENSAND_PROVER_ABI 1u

typedef int32_t opensand_status;
enum {
	OPENSAND_OK = 0,
	/* There is no such device, or no driver. Prove on the CPU. */
	OPENSAND_NO_DEVICE = 1,
	/* The driver is older than the plug-in needs, or the device is older than it was compiled for. Update it. */
	OPENSAND_UNSUPPORTED = 2,
	/* Device or pinned memory, or the limit set for it, does not suffice. The prover stays usable. */
	OPENSAND_OUT_OF_MEMORY = 3,
	/* The device failed or is gone. Only a new process can use it again; every further call answers the same. */
	OPENSAND_DEVICE_LOST = 4,
	/* Null pointers, lengths that do not fit each other, or another prover's handle. */
	OPENSAND_INVALID_ARGUMENT = 5,
	/* The host could not give memory or a thread. The prover stays usable. */
	OPENSAND_HOST_FAILURE = 6,
};

/* Which group points are of. */
typedef uint32_t opensand_group;
enum { OPENSAND_G1 = 1, OPENSAND_G2 = 2 };

/* One device. Texts end with a zero byte. */
typedef struct {
	char name[96];
	/* Of the driver, as its maker writes it. */
	char driver[32];
	/* All memory, and what is free at this moment, in bytes. */
	uint64_t memory_bytes;
	uint64_t free_bytes;
	/* NVIDIA's compute capability, or zeros. */
	uint32_t compute_major;
	uint32_t compute_minor;
	uint32_t multiprocessors;
	uint32_t reserved;
} opensand_device;

/* What a prover spends its time on. */
enum {
	/* Copies of bases, rows and scalars to the device. */
	OPENSAND_STAGE_UPLOAD = 0,
	/* Sparse products A·z and B·z. */
	OPENSAND_STAGE_ROWS = 1,
	/* Transforms, and the products on the coset. */
	OPENSAND_STAGE_TRANSFORM = 2,
	OPENSAND_STAGE_MULTIPLY_G1 = 3,
	OPENSAND_STAGE_MULTIPLY_G2 = 4,
	/* Waiting for the device while other calls used it. */
	OPENSAND_STAGE_QUEUE = 5,
	OPENSAND_STAGES = 6,
};

/* Sums since the prover was opened. */
typedef struct {
	/* Nanoseconds and calls for each stage; time on the device where the device can tell. */
	uint64_t stage_nanoseconds[OPENSAND_STAGES];
	uint64_t stage_calls[OPENSAND_STAGES];
	/* Nanoseconds in which at least one kernel ran. */
	uint64_t busy_nanoseconds;
	/* Device memory that the prover has now, its largest value so far, and its limit, in bytes. */
	uint64_t device_bytes;
	uint64_t peak_device_bytes;
	uint64_t limit_bytes;
} opensand_statistics;

typedef struct opensand_prover opensand_prover;
typedef struct opensand_bases opensand_bases;
typedef struct opensand_scalars opensand_scalars;
typedef struct opensand_rows opensand_rows;

/* The matrices A and B of a constraint system, by rows, with coefficients as indices into a table of distinct ones. */
typedef struct {
	/* Columns: the length of z. */
	uint64_t variables;
	uint64_t constraints;
	/* The first `public_variables` columns get a row each in A, after the constraints, with a one in it. */
	uint64_t public_variables;
	/* Rows of the domain: a power of two, at least constraints + public_variables. Rows that are not named are zero. */
	uint64_t domain;
	/* For A and B: `constraints` + 1 offsets into the entries. */
	const uint32_t *starts[2];
	/* For A and B: column and index of the coefficient, an entry after the other. */
	const uint32_t *entries[2];
	/* The table, 4 limbs each. */
	const uint64_t *coefficients;
	uint64_t coefficient_count;
} opensand_matrices;

/* The plug-in's OPENSAND_PROVER_ABI. */
OPENSAND_EXPORT uint32_t opensand_prover_abi(void);

/* The plug-in's name, version and what it was compiled for, such as "cuda 0.1.0 (CUDA 13.0; sm_80 sm_89 sm_90)". */
OPENSAND_EXPORT const char *opensand_prover_version(void);

/* What the last call of this thread that failed had to say. Valid until the thread's next call. */
OPENSAND_EXPORT const char *opensand_prover_error(void);

/* Writes at most `capacity` devices, and how many there are. With no driver, or no device, `*count` is 0 and the status says why:
 * OPENSAND_NO_DEVICE or OPENSAND_UNSUPPORTED. */
OPENSAND_EXPORT opensand_status opensand_prover_devices(opensand_device *devices, uint32_t capacity, uint32_t *count);

/* Opens a device by its place in the list. `memory_limit` bounds what the prover takes of its memory, in bytes; 0 for nine tenths of
 * what is free now. */
OPENSAND_EXPORT opensand_status opensand_prover_open(uint32_t device, uint64_t memory_limit, opensand_prover **prover);

/* Frees the prover and whatever of it is left. Null is allowed. */
OPENSAND_EXPORT void opensand_prover_close(opensand_prover *prover);

/* Uploads `count` points, once for a key, and prepares them to be multiplied again and again. The point at place i is multiplied by the
 * scalar at indices[i] of `scalars`; indices ascend strictly. `count` may be 0. */
OPENSAND_EXPORT opensand_status opensand_prover_load_bases(opensand_prover *prover, opensand_group group,
	const uint64_t *points, const uint32_t *indices, uint64_t count, uint64_t scalars, opensand_bases **bases);
OPENSAND_EXPORT void opensand_prover_free_bases(opensand_bases *bases);

/* Uploads scalars, and classifies them: zeros, small integers of either sign, the rest. */
OPENSAND_EXPORT opensand_status opensand_prover_load_scalars(opensand_prover *prover, const uint64_t *values, uint64_t count,
	opensand_scalars **scalars);
OPENSAND_EXPORT void opensand_prover_free_scalars(opensand_scalars *scalars);

/* Uploads the matrices of a constraint system, once for a key. */
OPENSAND_EXPORT opensand_status opensand_prover_load_rows(opensand_prover *prover, const opensand_matrices *matrices,
	opensand_rows **rows);
OPENSAND_EXPORT void opensand_prover_free_rows(opensand_rows *rows);

/* A·z and B·z are values of two polynomials of degrees below n, the domain, on the n-th roots of unity. Makes the n products of their
 * values at ξωⁱ, in the order of i, where ω is arkworks' n-th and ξ its 2n-th root of unity. */
OPENSAND_EXPORT opensand_status opensand_prover_quotient(opensand_prover *prover, const opensand_rows *rows,
	const opensand_scalars *z, opensand_scalars **products);

/* Σ sᵢ·Pᵢ for each of `count` bases, all of one group and for as many scalars as there are, into `sums` one after the other. */
OPENSAND_EXPORT opensand_status opensand_prover_multiply(opensand_prover *prover, const opensand_bases *const *bases,
	uint32_t count, const opensand_scalars *scalars, uint64_t *sums);

/* Copies scalars back to the host, 4 limbs each, `count` of them: for tests and for measuring. */
OPENSAND_EXPORT opensand_status opensand_prover_read_scalars(opensand_prover *prover, const opensand_scalars *scalars,
	uint64_t *values, uint64_t count);

OPENSAND_EXPORT opensand_status opensand_prover_statistics(opensand_prover *prover, opensand_statistics *statistics);

#ifdef __cplusplus
}
#endif

#endif
