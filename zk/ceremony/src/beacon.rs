//! Factors from a public random value.

use crate::{contribution::Beacon, hash::Digest};
use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, Field};
use opensand_zk_verifier::hash::{hash_512, hash_to_field};

const SEED_TAG: &[u8] = b"OpenSand/ceremony-beacon/v1";
const STEP_TAG: &[u8] = b"OpenSand/ceremony-beacon-step/v1";
const FACTOR_TAG: &[u8] = b"OpenSand/ceremony-beacon-factor/v1";

/// The factors that a beacon gives after a transcript: the value and the transcript are hashed, the hash is hashed 2^k times,
/// and each factor is a hash of the result. That takes time, so that whoever hears the value first cannot yet choose.
pub(crate) fn factors(transcript: &Digest, beacon: &Beacon, count: usize) -> Vec<Fr> {
	let mut state = hash_512(SEED_TAG, &[transcript, &beacon.value]);
	for _ in 0..1u64 << beacon.iterations_log2 {
		state = hash_512(STEP_TAG, &[&state]);
	}
	(0..count as u64)
		.map(|index| {
			let factor = hash_to_field(FACTOR_TAG, &[&state, &index.to_le_bytes()]);
			// Has probability 2^-255.
			if factor == Fr::ZERO {
				Fr::ONE
			} else {
				factor
			}
		})
		.collect()
}
