//! What the fuzz targets do with arbitrary bytes. `tests/corpus.rs` runs the same on the committed corpora.

use blake2::{digest::consts::U32, Blake2b, Digest};
use opensand_zk_prover::{Bundle, FamilyFolder, Mask, ProvingKey, FAMILY_FILE, MANIFEST_FILE, MASK_LEN};

/// A proving key has one encoding. The bytes are tried as they are and with a right checksum, which mutations of a
/// file almost never have.
pub fn proving_key(bytes: &[u8]) {
	let mut sealed = bytes.to_vec();
	if let Some(body) = bytes.len().checked_sub(32) {
		let checksum = Blake2b::<U32>::digest(&bytes[..body]);
		sealed[body..].copy_from_slice(&checksum);
	}
	for bytes in [bytes, &sealed] {
		if let Ok(key) = ProvingKey::from_bytes(bytes) {
			assert_eq!(key.to_bytes(), bytes);
		}
	}
}

/// Any manifest is an error where the files it names are missing.
pub fn bundle(bytes: &[u8]) {
	let directory = tempfile::tempdir().expect("a temporary directory can be made");
	std::fs::write(directory.path().join(MANIFEST_FILE), bytes).expect("a temporary file can be written");
	assert!(Bundle::read(directory.path()).is_err());
}

/// So is any manifest of a key family.
pub fn family(bytes: &[u8]) {
	let directory = tempfile::tempdir().expect("a temporary directory can be made");
	std::fs::write(directory.path().join(FAMILY_FILE), bytes).expect("a temporary file can be written");
	assert!(FamilyFolder::read(directory.path()).is_err());
}

/// A mask has one encoding.
pub fn mask(bytes: &[u8]) {
	let Ok(bytes) = <[u8; MASK_LEN]>::try_from(bytes) else {
		return;
	};
	if let Some(mask) = Mask::from_bytes(&bytes) {
		assert_eq!(*mask.to_bytes(), bytes);
	}
}
