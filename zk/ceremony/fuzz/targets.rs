//! What the fuzz targets do with arbitrary bytes. `tests/corpus.rs` runs the same on the committed corpora.

use blake2::{digest::consts::U32, Blake2b, Digest};
use opensand_zk_ceremony::{import, Ceremony, Powers};
use std::io::Cursor;

/// The bytes with a right checksum, which mutations of a file almost never have.
fn sealed(bytes: &[u8], tag: &[u8]) -> Vec<u8> {
	let mut sealed = bytes.to_vec();
	if let Some(body) = bytes.len().checked_sub(32) {
		let mut hasher = Blake2b::<U32>::new();
		hasher.update((tag.len() as u64).to_le_bytes());
		hasher.update(tag);
		hasher.update(&bytes[..body]);
		sealed[body..].copy_from_slice(&hasher.finalize());
	}
	sealed
}

/// A ceremony has one encoding.
pub fn ceremony(bytes: &[u8]) {
	for bytes in [bytes, &sealed(bytes, b"OpenSand/ceremony-file/v1")] {
		if let Ok(ceremony) = Ceremony::from_bytes(bytes) {
			assert_eq!(ceremony.to_bytes(), bytes);
		}
	}
}

/// Powers of tau have one encoding, and verification of any points ends.
pub fn powers(bytes: &[u8]) {
	for bytes in [bytes, &sealed(bytes, b"OpenSand/ceremony-powers-file/v1")] {
		if let Ok((powers, digest)) = Powers::from_bytes(bytes) {
			assert_eq!(powers.to_bytes(), (bytes.to_vec(), digest));
			let _ = powers.verify(digest);
		}
	}
}

/// What is imported can be written and read again.
pub fn import_powers(bytes: &[u8]) {
	for log2 in [1, 2] {
		if let Ok(powers) = import(&mut Cursor::new(bytes), log2, &mut |_, _| ()) {
			let (file, digest) = powers.to_bytes();
			assert_eq!(Powers::from_bytes(&file), Ok((powers, digest)));
		}
	}
}
