/*
 * What the mock device adds to the plug-in interface, so that tests can make it fail.
 *
 * A plan is a list of words separated by commas. The environment's OPENSAND_MOCK holds the first;
 * opensand_mock_plan() replaces it and sets all counts to zero.
 *
 *   abi                  opensand_prover_abi() answers another version.
 *   no-device            There is no device.
 *   old-driver           The driver is too old.
 *   devices=N            There are N devices (default 1).
 *   memory=BYTES         A device has so much memory (default 8 GiB).
 *   out-of-memory=K      The K-th allocation of device memory fails.
 *   lost=K               The device is lost within the K-th call that uses it, and stays lost.
 *   lost-operation=K     The device is lost at the K-th copy or kernel.
 *   hang=K               The K-th call that uses the device does not return for an hour.
 *   wrong=K              The K-th multiplication and all later ones give the negatives of their sums.
 *
 * Counts start at 1. Calls that use the device are load_bases, load_scalars, load_rows, quotient, multiply
 * and read_scalars, in the order in which they reach it.
 */
#ifndef OPENSAND_MOCK_H
#define OPENSAND_MOCK_H

#include "opensand_prover.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Null or "" is a device without faults. OPENSAND_INVALID_ARGUMENT for a word that is not in the list. A
 * device that was lost is found again, but provers opened on it are not. */
OPENSAND_EXPORT opensand_status opensand_mock_plan(const char *plan);

#ifdef __cplusplus
}
#endif

#endif
