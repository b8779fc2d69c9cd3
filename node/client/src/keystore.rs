//! Account keys in the JSON form that polkadot.js and its extension export, encrypted by a password.
//!
//! `encoded` is base64 of a 32-byte salt, three little-endian 32-bit scrypt parameters (N, p, r), a 24-byte nonce, and
//! the XSalsa20-Poly1305 encryption of a PKCS#8-like frame around the 64-byte secret and the 32-byte public key. Only
//! the parameters that polkadot.js itself allows are computed, so that a file cannot ask for unbounded work.

use base64::{engine::general_purpose::STANDARD, Engine};
use crypto_secretbox::{
	aead::{Aead, KeyInit},
	Key, Nonce, XSalsa20Poly1305,
};
use schnorrkel::SecretKey;
use serde::Deserialize;
use sp_core::{sr25519, Pair};
use thiserror::Error;
use zeroize::Zeroizing;

/// The parameters N (as its logarithm), p and r that polkadot.js allows.
const SCRYPT_PARAMETERS: [(u8, u32, u32); 6] = [
	(13, 10, 8),
	(14, 5, 8),
	(15, 3, 8),
	(15, 1, 8),
	(16, 2, 8),
	(17, 1, 8),
];

/// Bytes before the ciphertext: salt, parameters, nonce.
const HEADER_BYTES: usize = SALT_BYTES + PARAMETER_BYTES + 24;
const SALT_BYTES: usize = 32;
const PARAMETER_BYTES: usize = 12;

/// What stands around the keys in the plaintext.
const FRAME_START: [u8; 16] = [48, 83, 2, 1, 1, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
const FRAME_MIDDLE: [u8; 5] = [161, 35, 3, 33, 0];

/// Why a keystore file gives no key.
#[derive(Debug, Error)]
pub enum KeystoreError {
	/// Not the JSON of a key.
	#[error("this is no key as polkadot.js exports it: {0}")]
	Json(#[from] serde_json::Error),
	/// Another kind of key or encryption.
	#[error(
		"only sr25519 keys encrypted with scrypt and xsalsa20-poly1305 (version 3) are read, and this one is {0}"
	)]
	Unsupported(String),
	/// Cut off or not base64.
	#[error("its `encoded` part is damaged")]
	Damaged,
	/// Parameters that polkadot.js does not use.
	#[error("its scrypt parameters are none that polkadot.js uses")]
	Parameters,
	/// The authentication failed.
	#[error("the password is wrong, or the file was changed")]
	Password,
}

#[derive(Deserialize)]
struct KeyFile {
	encoded: String,
	encoding: Encoding,
}

#[derive(Deserialize)]
struct Encoding {
	content: Vec<String>,
	r#type: Vec<String>,
	version: String,
}

/// The key pair in `json`.
///
/// # Errors
/// When the file is of another kind or damaged, or the password is wrong.
pub fn decrypt(json: &str, password: &str) -> Result<sr25519::Pair, KeystoreError> {
	Locked::read(json)?.open(password)
}

/// A key pair as its file has it, under a password.
#[derive(Debug)]
pub struct Locked {
	/// Salt, parameters, nonce and ciphertext.
	bytes: Vec<u8>,
	parameters: scrypt::Params,
}

impl Locked {
	/// Reads what polkadot.js exports.
	///
	/// # Errors
	/// When the file is of another kind or damaged.
	pub fn read(json: &str) -> Result<Self, KeystoreError> {
		let KeyFile { encoded, encoding } = serde_json::from_str(json)?;
		let is = |names: &[String], wanted: &[&str]| {
			wanted.iter().all(|name| names.iter().any(|found| found == name))
		};
		if encoding.version != "3"
			|| !is(&encoding.content, &["pkcs8", "sr25519"])
			|| !is(&encoding.r#type, &["scrypt", "xsalsa20-poly1305"])
		{
			return Err(KeystoreError::Unsupported(format!(
				"{}, {}, version {}",
				encoding.content.join(" "),
				encoding.r#type.join(" "),
				encoding.version
			)));
		}
		let bytes = STANDARD
			.decode(encoded.trim())
			.map_err(|_| KeystoreError::Damaged)?;
		let parameters = bytes
			.get(SALT_BYTES..HEADER_BYTES)
			.ok_or(KeystoreError::Damaged)
			.and_then(scrypt_parameters)?;
		Ok(Self { bytes, parameters })
	}

	/// The key pair.
	///
	/// # Errors
	/// When the password is wrong, or what it opens is no key pair.
	pub fn open(&self, password: &str) -> Result<sr25519::Pair, KeystoreError> {
		let (header, ciphertext) = self.bytes.split_at(HEADER_BYTES);
		let (salt, header) = header.split_at(SALT_BYTES);
		let (_, nonce) = header.split_at(PARAMETER_BYTES);
		let mut key = Key::default();
		scrypt::scrypt(password.as_bytes(), salt, &self.parameters, &mut key)
			.map_err(|_| KeystoreError::Parameters)?;
		let plaintext = XSalsa20Poly1305::new(&key)
			.decrypt(Nonce::from_slice(nonce), ciphertext)
			.map_err(|_| KeystoreError::Password)?;
		pair(&Zeroizing::new(plaintext))
	}
}

/// The parameters with which a header begins, if polkadot.js allows them.
fn scrypt_parameters(header: &[u8]) -> Result<scrypt::Params, KeystoreError> {
	let mut words = header.chunks_exact(4).map(|word| {
		word.try_into()
			.map(u32::from_le_bytes)
			.map_err(|_| KeystoreError::Damaged)
	});
	let mut next = || words.next().unwrap_or(Err(KeystoreError::Damaged));
	let (n, p, r) = (next()?, next()?, next()?);
	let (log_n, p, r) = SCRYPT_PARAMETERS
		.into_iter()
		.find(|(log_n, allowed_p, allowed_r)| n == 1 << log_n && p == *allowed_p && r == *allowed_r)
		.ok_or(KeystoreError::Parameters)?;
	scrypt::Params::new(log_n, r, p, 32).map_err(|_| KeystoreError::Parameters)
}

/// The key pair in a decrypted frame; it must be one.
///
/// # Errors
/// When it is anything else, or its halves are of two keys.
pub fn pair(frame: &[u8]) -> Result<sr25519::Pair, KeystoreError> {
	let rest = frame.strip_prefix(&FRAME_START).ok_or(KeystoreError::Damaged)?;
	let (secret, rest) = rest.split_at_checked(64).ok_or(KeystoreError::Damaged)?;
	let public = rest.strip_prefix(&FRAME_MIDDLE).ok_or(KeystoreError::Damaged)?;
	let secret = SecretKey::from_ed25519_bytes(secret).map_err(|_| KeystoreError::Damaged)?;
	let pair = sr25519::Pair::from(secret.to_keypair());
	if pair.public().0 != public {
		return Err(KeystoreError::Damaged);
	}
	Ok(pair)
}

#[cfg(test)]
mod tests {
	use proptest::prelude::*;

	use super::*;

	/// Exported by polkadot.js: the development account Alice, under the password `whoisalice`.
	pub const ALICE: &str = r#"{
		"encoded": "DumgApKCTqoCty1OZW/8WS+sgo6RdpHhCwAkA2IoDBMAgAAAAQAAAAgAAAB6IG/q24EeVf0JqWqcBd5m2tKq5BlyY84IQ8oamLn9DZe9Ouhgunr7i36J1XxUnTI801axqL/ym1gil0U8440Qvj0lFVKwGuxq38zuifgoj0B3Yru0CI6QKEvQPU5xxj4MpyxdSxP+2PnTzYao0HDH0fulaGvlAYXfqtU89xrx2/z9z7IjSwS3oDFPXRQ9kAdDebtyCVreZ9Otw9v3",
		"encoding": { "content": ["pkcs8", "sr25519"], "type": ["scrypt", "xsalsa20-poly1305"], "version": "3" },
		"address": "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
		"meta": { "genesisHash": "", "name": "Alice", "whenCreated": 1718265838755 }
	}"#;

	#[test]
	fn an_exported_key_is_the_account() {
		let exported = decrypt(ALICE, "whoisalice").unwrap();
		let alice = sr25519::Pair::from_string("//Alice", None).unwrap();
		assert_eq!(exported.public(), alice.public());
		assert_eq!(exported.to_raw_vec(), alice.to_raw_vec());
	}

	#[test]
	fn a_wrong_password_is_told_from_a_damaged_file() {
		assert!(matches!(decrypt(ALICE, "whoisbob"), Err(KeystoreError::Password)));
		let cut = ALICE.replace("z7IjSwS3oDFPXRQ9kAdDebtyCVreZ9Otw9v3", "");
		assert!(matches!(
			decrypt(&cut, "whoisalice"),
			Err(KeystoreError::Password)
		));
		let short = ALICE.replace("\"DumgApKCTqoCty1OZW", "\"");
		assert!(matches!(
			decrypt(&short, "whoisalice"),
			Err(KeystoreError::Damaged | KeystoreError::Parameters)
		));
		let empty = r#"{"encoded":"","encoding":{"content":["pkcs8","sr25519"],"type":["scrypt","xsalsa20-poly1305"],"version":"3"}}"#;
		assert!(matches!(decrypt(empty, ""), Err(KeystoreError::Damaged)));
		assert!(matches!(decrypt("{}", ""), Err(KeystoreError::Json(_))));
	}

	#[test]
	fn other_kinds_and_costly_parameters_are_refused() {
		for (from, to) in [("sr25519", "ed25519"), ("scrypt", "none"), ("\"3\"", "\"2\"")] {
			let other = ALICE.replace(from, to);
			assert!(
				matches!(decrypt(&other, "whoisalice"), Err(KeystoreError::Unsupported(_))),
				"{to}"
			);
		}
		// N as 2^31.
		assert!(matches!(
			scrypt_parameters(&[0, 0, 0, 128, 1, 0, 0, 0, 8, 0, 0, 0]),
			Err(KeystoreError::Parameters)
		));
	}

	#[test]
	fn a_frame_of_two_different_keys_is_refused() {
		let secret = |uri: &str| {
			let raw = sr25519::Pair::from_string(uri, None).unwrap().to_raw_vec();
			SecretKey::from_bytes(&raw).unwrap().to_ed25519_bytes()
		};
		let public = |uri: &str| sr25519::Pair::from_string(uri, None).unwrap().public().0;
		let frame = |secret: &[u8], public: &[u8]| [&FRAME_START, secret, &FRAME_MIDDLE, public].concat();
		assert!(pair(&frame(&secret("//Alice"), &public("//Alice"))).is_ok());
		assert!(pair(&frame(&secret("//Alice"), &public("//Bob"))).is_err());
		assert!(pair(&frame(&secret("//Alice"), &[])).is_err());
	}

	proptest! {
		#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

		#[test]
		fn no_frame_panics(frame: Vec<u8>) {
			prop_assert!(pair(&frame).is_err());
		}

		#[test]
		fn no_file_panics(encoded in "[A-Za-z0-9+/]{0,160}={0,2}") {
			let file = serde_json::json!({
				"encoded": encoded,
				"encoding": {
					"content": ["pkcs8", "sr25519"],
					"type": ["scrypt", "xsalsa20-poly1305"],
					"version": "3",
				},
			});
			prop_assert!(decrypt(&file.to_string(), "").is_err());
		}
	}
}
