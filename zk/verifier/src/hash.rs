//! Hashing to the scalar field and to identifiers.

use ark_bls12_381::Fr;
use ark_ff::PrimeField;
use blake2::{digest::consts::U32, Blake2b, Blake2b512, Digest};

/// BLAKE2b-512 of a domain tag and the given parts, reduced modulo the group order r.
///
/// The tag is preceded by its length. 512 bits reduced modulo a 255-bit prime are within 2^-257 of uniform. Callers
/// pass parts of fixed length, or lengths as parts of their own, so that the concatenation is injective.
pub fn hash_to_field(tag: &[u8], parts: &[&[u8]]) -> Fr {
	Fr::from_le_bytes_mod_order(&hash_512(tag, parts))
}

/// BLAKE2b-512 of a domain tag, preceded by its length, and the given parts.
pub fn hash_512(tag: &[u8], parts: &[&[u8]]) -> [u8; 64] {
	let mut hasher = Blake2b512::new();
	hasher.update((tag.len() as u64).to_le_bytes());
	hasher.update(tag);
	for part in parts {
		hasher.update(part);
	}
	hasher.finalize().into()
}

/// BLAKE2b-256, the hash of the chain's identifiers.
pub(crate) fn blake2_256(bytes: &[u8]) -> [u8; 32] {
	Blake2b::<U32>::digest(bytes).into()
}
