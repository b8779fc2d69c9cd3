//! Hashing many inputs of one length at once, which is what keeps vector registers full.

use blake2b_simd::{
	many::{hash_many, HashManyJob},
	Params,
};

#[cfg(target_arch = "x86_64")]
use super::avx512::{Avx512, LANES};
use crate::hash::Hash;

/// Inputs hashed by one call of `blake2b_simd`: a few times the number of its lanes.
const BATCH: usize = 64;

/// Appends the hash of each input to `output`.
pub(super) fn hash_each<const BYTES: usize>(inputs: &[[u8; BYTES]], output: &mut Vec<Hash>) {
	#[cfg(target_arch = "x86_64")]
	if let Some(avx512) = Avx512::detect() {
		return hash_wide(avx512, inputs, output);
	}
	hash_narrow(inputs, output);
}

#[cfg(target_arch = "x86_64")]
fn hash_wide<const BYTES: usize>(avx512: Avx512, inputs: &[[u8; BYTES]], output: &mut Vec<Hash>) {
	let (batches, rest) = inputs.as_chunks::<LANES>();
	output.extend(batches.iter().flat_map(|batch| avx512.hash(batch)));
	hash_narrow(rest, output);
}

fn hash_narrow<const BYTES: usize>(inputs: &[[u8; BYTES]], output: &mut Vec<Hash>) {
	let mut params = Params::new();
	params.hash_length(32);
	for batch in inputs.chunks(BATCH) {
		let mut jobs: Vec<_> = batch
			.iter()
			.map(|input| HashManyJob::new(&params, input))
			.collect();
		hash_many(&mut jobs);
		output.extend(jobs.iter().map(|job| {
			let mut hash = [0; 32];
			hash.copy_from_slice(job.to_hash().as_bytes());
			hash
		}));
	}
}

/// Appends the level above `level` to `above`: the hash of each pair, and the last hash as it is if it has no partner.
pub(super) fn hash_level(level: &[Hash], above: &mut Vec<Hash>) {
	let (pairs, single) = level.as_flattened().as_chunks::<64>();
	hash_each(pairs, above);
	above.extend(Hash::try_from(single));
}

/// The `count` levels above `lowest`, after `lowest` itself.
pub(super) fn levels(lowest: Vec<Hash>, count: u32) -> Vec<Vec<Hash>> {
	let mut level = lowest;
	let mut levels = Vec::new();
	for _ in 0..count {
		let mut above = Vec::with_capacity(level.len().div_ceil(2));
		hash_level(&level, &mut above);
		levels.push(core::mem::replace(&mut level, above));
	}
	levels.push(level);
	levels
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{Hasher, Native};

	fn check<const BYTES: usize>() {
		let inputs: Vec<[u8; BYTES]> = (0..37u8)
			.map(|number| core::array::from_fn(|at| (at as u8).wrapping_mul(31).wrapping_add(number)))
			.collect();
		for count in 0..=inputs.len() {
			let inputs = &inputs[..count];
			let expected: Vec<Hash> = inputs.iter().map(|input| Native::hash(input)).collect();
			let mut narrow = Vec::new();
			hash_narrow(inputs, &mut narrow);
			assert_eq!(narrow, expected, "{count} inputs of {BYTES} bytes");
			let mut best = Vec::new();
			hash_each(inputs, &mut best);
			assert_eq!(
				best, expected,
				"{count} inputs of {BYTES} bytes, with the widest vectors"
			);
		}
	}

	#[test]
	fn every_way_to_hash_gives_the_same() {
		check::<8>();
		check::<64>();
		check::<128>();
		check::<136>();
		check::<256>();
	}
}
