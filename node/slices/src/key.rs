//! The key of a file, its commitment, and the keys derived from it.

use chacha20poly1305::{AeadInPlace, Key, KeyInit, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use opensand_sealing::{commitment, SALT_BYTES, SECRET_BYTES};
use rand::{rngs::OsRng, RngCore};
use sha2::Sha256;
use zeroize::Zeroizing;

pub use opensand_sealing::FILE_KEY_BYTES;

use crate::cipher::{ContentCipher, NONCE_PREFIX_BYTES};

const DERIVED_BYTES: usize = 32;

const DERIVATION_DOMAIN: &[u8] = b"opensand/file/v1";

/// The key of one file: 32 secret bytes, and the 32 bytes of salt under which they are committed to.
///
/// It is drawn for one content only: two different contents under one key would share a key stream, which gives both
/// away. A changed file gets a new key. It is wiped from memory when it is dropped.
#[derive(Clone)]
pub struct FileKey {
	secret: Zeroizing<[u8; SECRET_BYTES]>,
	salt: Zeroizing<[u8; SALT_BYTES]>,
}

/// What encrypts a file's metadata.
pub(crate) struct MetadataCipher {
	pub(crate) aead: XChaCha20Poly1305,
	/// Key of the hash that makes nonces.
	pub(crate) nonce_key: Zeroizing<[u8; DERIVED_BYTES]>,
}

impl FileKey {
	/// A fresh key from the operating system's randomness.
	pub fn generate() -> Self {
		let mut bytes = Zeroizing::new([0; FILE_KEY_BYTES]);
		OsRng.fill_bytes(&mut bytes[..]);
		Self::from_bytes(&bytes)
	}

	/// The key with these bytes: secret, then salt. Every value is a key.
	pub fn from_bytes(bytes: &[u8; FILE_KEY_BYTES]) -> Self {
		let mut key = Self {
			secret: Zeroizing::new([0; SECRET_BYTES]),
			salt: Zeroizing::new([0; SALT_BYTES]),
		};
		let (secret, salt) = bytes.split_at(SECRET_BYTES);
		key.secret.copy_from_slice(secret);
		key.salt.copy_from_slice(salt);
		key
	}

	/// Secret, then salt.
	pub fn to_bytes(&self) -> Zeroizing<[u8; FILE_KEY_BYTES]> {
		let mut bytes = Zeroizing::new([0; FILE_KEY_BYTES]);
		let (secret, salt) = bytes.split_at_mut(SECRET_BYTES);
		secret.copy_from_slice(&self.secret[..]);
		salt.copy_from_slice(&self.salt[..]);
		bytes
	}

	/// BLAKE2-256 of `opensand/file-key/v1` ‖ salt ‖ secret: what stands on chain, so that a wrong key can be proven.
	///
	/// It hides the key, and nobody finds another key with the same commitment.
	pub fn commitment(&self) -> [u8; 32] {
		commitment(&self.to_bytes(), |message| {
			let mut digest = [0; 32];
			let hash = blake2b_simd::Params::new().hash_length(32).hash(message);
			digest.copy_from_slice(hash.as_bytes());
			digest
		})
	}

	/// What encrypts the content.
	pub(crate) fn content_cipher(&self) -> ContentCipher {
		let mut derived = Zeroizing::new([0; DERIVED_BYTES + NONCE_PREFIX_BYTES]);
		self.expand(b"content", &mut derived[..]);
		let (key, prefix) = derived.split_at(DERIVED_BYTES);
		let mut nonce_prefix = [0; NONCE_PREFIX_BYTES];
		nonce_prefix.copy_from_slice(prefix);
		ContentCipher::new(Key::from_slice(key), nonce_prefix)
	}

	/// Fills the end of the last stripe: with key stream rather than zeros, so that no two shards of a short file are
	/// alike. Its key is used for nothing else.
	pub(crate) fn fill_padding(&self, padding: &mut [u8]) {
		let mut derived = Zeroizing::new([0; DERIVED_BYTES]);
		self.expand(b"padding", &mut derived[..]);
		padding.fill(0);
		XChaCha20Poly1305::new(Key::from_slice(&derived[..]))
			.encrypt_in_place_detached(&XNonce::default(), b"", padding)
			.expect("less than a stripe is far below the cipher's limit of 256 GiB; qed");
	}

	/// What encrypts the metadata.
	pub(crate) fn metadata_cipher(&self) -> MetadataCipher {
		let mut derived = Zeroizing::new([0; 2 * DERIVED_BYTES]);
		self.expand(b"metadata", &mut derived[..]);
		let (key, rest) = derived.split_at(DERIVED_BYTES);
		let mut nonce_key = Zeroizing::new([0; DERIVED_BYTES]);
		nonce_key.copy_from_slice(rest);
		MetadataCipher {
			aead: XChaCha20Poly1305::new(Key::from_slice(key)),
			nonce_key,
		}
	}

	/// HKDF-SHA256 with salt `opensand/file/v1`, the key's bytes as input, and `purpose` as info.
	fn expand(&self, purpose: &[u8], derived: &mut [u8]) {
		Hkdf::<Sha256>::new(Some(DERIVATION_DOMAIN), &self.to_bytes()[..])
			.expand(purpose, derived)
			.expect("no more than 64 bytes are asked, and HKDF-SHA256 gives 8,160; qed");
	}
}

impl core::fmt::Debug for FileKey {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		f.write_str("FileKey(..)")
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	/// Computed independently from the specification in the README.
	#[test]
	fn derived_keys_have_known_answers() {
		let bytes: Vec<u8> = (0..64).collect();
		let key = FileKey::from_bytes(bytes.as_slice().try_into().unwrap());
		let derived = |purpose: &[u8], length| {
			let mut derived = vec![0; length];
			key.expand(purpose, &mut derived);
			hex::encode(derived)
		};
		assert_eq!(
			derived(b"content", 51),
			"a35b13be364d95a6e734a469dc3b3d5d07f99c242619c3107f5f0d94f2f9997f\
			0cd13c3fbb640878e94702b98c182c7ebc317f"
		);
		assert_eq!(
			derived(b"metadata", 64),
			"afc60f083922062ef0697bfb879d4a5efe1521ae6d24904033525309190b4759\
			b32ef18928c7e9b36d16505b7d712baeb837a2820a1280a70c2dde9c91c040f4"
		);
	}
}
