//! The proof and its encoding.

use alloc::vec::Vec;
use codec::{Compact, CompactLen, Decode, Encode, Error, Input};
use scale_info::TypeInfo;

use crate::{
	hash::Hash,
	layout::{LEAF_BYTES, MAX_SAMPLES, SEGMENT_LEVELS},
	verify::PossessionError,
};

/// The most hashes that a proof carries.
const MAX_NODES: u32 = MAX_SAMPLES.saturating_mul(SEGMENT_LEVELS);

/// The leaves that were asked for, and the hashes that join them to their segments' roots.
///
/// For a set of claims exactly one proof is valid:
///
/// - `leaves`: in the order of the claims, each leaf once;
/// - `nodes`: segment after segment in the order of their first claims; within a segment level after level, from the
///   leaves upwards, and within a level from left to right; of each pair that only one member of is known, the other.
///
/// Its SCALE encoding is the two lists, each with its length in compact form.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, TypeInfo)]
pub struct PossessionProof {
	/// Leaves, at most [`MAX_SAMPLES`].
	pub leaves: Vec<[u8; LEAF_BYTES as usize]>,
	/// Hashes of subtrees without a leaf that is shown, at most 15 for each leaf.
	pub nodes: Vec<Hash>,
}

impl PossessionProof {
	/// Decodes a proof that `bytes` hold, and nothing else.
	pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, PossessionError> {
		let proof = Self::decode(&mut bytes).map_err(|_| PossessionError::Undecodable)?;
		if bytes.is_empty() {
			Ok(proof)
		} else {
			Err(PossessionError::Undecodable)
		}
	}
}

/// Refuses more than [`MAX_SAMPLES`] leaves, or more hashes than they can need, before it reads them; memory grows with
/// what was read, not with what was announced.
impl Decode for PossessionProof {
	fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
		Ok(Self {
			leaves: decode_list(input, MAX_SAMPLES)?,
			nodes: decode_list(input, MAX_NODES)?,
		})
	}
}

fn decode_list<I: Input, const BYTES: usize>(input: &mut I, limit: u32) -> Result<Vec<[u8; BYTES]>, Error> {
	let Compact(length) = Compact::<u32>::decode(input)?;
	if length > limit {
		return Err("more than a possession proof can need".into());
	}
	let mut list = Vec::new();
	for _ in 0..length {
		let mut item = [0; BYTES];
		input.read(&mut item)?;
		list.push(item);
	}
	Ok(list)
}

/// The longest encoding, in bytes, of a valid proof for `samples` claims (at most [`MAX_SAMPLES`]): every claim about
/// another full segment, so that no paths are shared.
pub fn proof_bound(samples: u32) -> u32 {
	let leaves = samples.min(MAX_SAMPLES);
	let nodes = leaves.saturating_mul(SEGMENT_LEVELS);
	let lengths = [leaves, nodes].map(|count| Compact::<u32>::compact_len(&count) as u32);
	let contents = [leaves.saturating_mul(LEAF_BYTES), nodes.saturating_mul(32)];
	lengths.into_iter().chain(contents).fold(0, u32::saturating_add)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn proof(leaves: usize, nodes: usize) -> PossessionProof {
		PossessionProof {
			leaves: vec![[1; 256]; leaves],
			nodes: vec![[2; 32]; nodes],
		}
	}

	#[test]
	fn the_encoding_is_the_only_one() {
		for (leaves, nodes) in [(0, 0), (1, 0), (64, 960)] {
			let proof = proof(leaves, nodes);
			let bytes = proof.encode();
			assert_eq!(PossessionProof::from_bytes(&bytes).as_ref(), Ok(&proof));
			let longer = [&bytes[..], &[0]].concat();
			assert_eq!(
				PossessionProof::from_bytes(&longer),
				Err(PossessionError::Undecodable)
			);
			for length in 0..bytes.len() {
				let shorter = PossessionProof::from_bytes(&bytes[..length]);
				assert_eq!(shorter, Err(PossessionError::Undecodable));
			}
		}
	}

	#[test]
	fn lengths_have_one_form() {
		// 1 and 0 as two-byte compact integers, which one-byte ones would do for.
		let wide = [&[0b101, 0][..], &[1; 256], &[0]].concat();
		assert_eq!(
			PossessionProof::from_bytes(&wide),
			Err(PossessionError::Undecodable)
		);
		assert_eq!(
			PossessionProof::from_bytes(&[0, 0b01, 0]),
			Err(PossessionError::Undecodable)
		);
	}

	#[test]
	fn what_no_proof_needs_is_refused_before_it_is_read() {
		for (leaves, nodes) in [(65, 0), (0, 961)] {
			let bytes = proof(leaves, nodes).encode();
			assert_eq!(
				PossessionProof::from_bytes(&bytes),
				Err(PossessionError::Undecodable)
			);
		}
		// Four thousand million leaves announced, none there.
		let announced = [0b11, 0xff, 0xff, 0xff, 0xff];
		assert_eq!(
			PossessionProof::from_bytes(&announced),
			Err(PossessionError::Undecodable)
		);
	}

	#[test]
	fn the_bound_is_the_longest_encoding() {
		for samples in [0, 1, 4, 5, 32, 63, 64] {
			let longest = proof(samples, samples * 15).encode().len();
			assert_eq!(proof_bound(samples as u32) as usize, longest);
		}
		assert_eq!(proof_bound(u32::MAX), proof_bound(MAX_SAMPLES));
		assert!(proof_bound(32) <= 24 * 1024);
	}
}
