//! The commitment scheme behind one trait, so that it can be revisited without touching those who use it.

use core::marker::PhantomData;

use crate::{
	claims::Claim,
	draw::draw,
	hash::Hasher,
	proof::{proof_bound, PossessionProof},
	verify::{verify, PossessionError},
};

/// A way to commit to segments with 32 bytes each, to draw leaves of them, and to prove that one has the leaves.
pub trait PossessionScheme {
	/// The leaf, counted over everything that `provider` holds, that sample `index` under `seed` asks for; see [`draw()`].
	fn draw(seed: &[u8; 32], provider: &[u8; 32], index: u32, total_leaves: u64) -> u64;

	/// Checks that the encoded `proof` shows the leaves that the claims, in the order in which they were drawn, ask for.
	fn verify(claims: &[Claim], proof: &[u8]) -> Result<(), PossessionError>;

	/// The longest encoding, in bytes, of a valid proof for `samples` claims.
	fn proof_bound(samples: u32) -> u32;
}

/// Binary Merkle trees over segments, hashed by `H`: the scheme of this crate.
pub struct SegmentMerkle<H>(PhantomData<H>);

impl<H: Hasher> PossessionScheme for SegmentMerkle<H> {
	fn draw(seed: &[u8; 32], provider: &[u8; 32], index: u32, total_leaves: u64) -> u64 {
		draw::<H>(seed, provider, index, total_leaves)
	}

	fn verify(claims: &[Claim], proof: &[u8]) -> Result<(), PossessionError> {
		verify::<H>(claims, &PossessionProof::from_bytes(proof)?)
	}

	fn proof_bound(samples: u32) -> u32 {
		proof_bound(samples)
	}
}
