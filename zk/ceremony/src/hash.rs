//! Short hashes under tags, as in `zk/PROTOCOL.md`: a tag is preceded by its length. The long ones are the verifier's.

use blake2::{digest::consts::U32, Blake2b, Digest as _};

/// A BLAKE2b-256 hash.
pub type Digest = [u8; 32];

/// A hash of parts that come one after the other. Callers give parts of fixed length, or their lengths before them.
pub(crate) struct Hasher(Blake2b<U32>);

impl Hasher {
	/// Nothing but the tag yet.
	pub fn new(tag: &[u8]) -> Self {
		let mut hasher = Blake2b::<U32>::new();
		hasher.update((tag.len() as u64).to_le_bytes());
		hasher.update(tag);
		Self(hasher)
	}

	/// Adds a part.
	pub fn update(&mut self, part: &[u8]) {
		self.0.update(part);
	}

	/// The hash.
	pub fn finish(self) -> Digest {
		self.0.finalize().into()
	}
}

/// The hash of some parts under a tag.
pub(crate) fn hash(tag: &[u8], parts: &[&[u8]]) -> Digest {
	let mut hasher = Hasher::new(tag);
	parts.iter().for_each(|part| hasher.update(part));
	hasher.finish()
}
