//! The hash, and what is hashed with it. `PROTOCOL.md`, section 2, has the argument why no input of
//! one kind is an input of another. A leaf is hashed as it is: 256 bytes of input.

use codec::Encode;

/// A BLAKE2b digest of 32 bytes.
pub type Hash = [u8; 32];

/// BLAKE2b with 32 bytes of output, no key, no salt: `sp_io::hashing::blake2_256` in a runtime, [`Native`] elsewhere.
pub trait Hasher {
	/// The hash of `input`.
	fn hash(input: &[u8]) -> Hash;
}

/// Hashes with the machine's own vector instructions.
#[cfg(feature = "std")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Native;

#[cfg(feature = "std")]
impl Hasher for Native {
	fn hash(input: &[u8]) -> Hash {
		let mut output = [0; 32];
		let hash = blake2b_simd::Params::new().hash_length(output.len()).hash(input);
		output.copy_from_slice(hash.as_bytes());
		output
	}
}

const ROOT_TAG: [u8; 16] = *b"opensand/segment";
const DRAW_TAG: [u8; 13] = *b"opensand/draw";

/// The hash of two neighbours in the tree: 64 bytes of input.
pub(crate) fn node<H: Hasher>(left: &Hash, right: &Hash) -> Hash {
	H::hash([*left, *right].as_flattened())
}

/// The root of a segment whose tree over `leaves` leaves has the top `top`: 52 bytes of input.
pub(crate) fn root<H: Hasher>(leaves: u32, top: &Hash) -> Hash {
	(ROOT_TAG, leaves, top).using_encoded(H::hash)
}

/// The randomness of one draw: 81 bytes of input.
pub(crate) fn draw<H: Hasher>(seed: &Hash, provider: &[u8; 32], index: u32) -> Hash {
	(DRAW_TAG, seed, provider, index).using_encoded(H::hash)
}
