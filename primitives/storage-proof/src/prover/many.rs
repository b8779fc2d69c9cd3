//! Hashing many inputs of one length at once, which is what keeps vector registers full.

use blake2b_simd::{
	many::{hash_many, HashManyJob},
	Params,
};

use crate::hash::{Hash, Hasher, Native};

/// Inputs hashed by one call: a few times the number of lanes of the widest vectors.
const BATCH: usize = 16;

/// Appends the hash of each input to `output`.
pub(super) fn hash_each<const BYTES: usize>(inputs: &[[u8; BYTES]], output: &mut Vec<Hash>) {
	let mut params = Params::new();
	params.hash_length(32);
	let (batches, rest) = inputs.as_chunks::<BATCH>();
	for batch in batches {
		let mut jobs = batch.each_ref().map(|input| HashManyJob::new(&params, input));
		hash_many(&mut jobs);
		output.extend(jobs.iter().map(|job| {
			let mut hash = [0; 32];
			hash.copy_from_slice(job.to_hash().as_bytes());
			hash
		}));
	}
	output.extend(rest.iter().map(|input| Native::hash(input)));
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
