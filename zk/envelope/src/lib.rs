//! The sealed envelope in which a private input travels to the worker that will prove with it.
//!
//! # Format, version 1
//!
//! ```text
//! byte 0        version, 1
//! bytes 1..33   the sender's ephemeral X25519 public key E
//! bytes 33..    XChaCha20-Poly1305 ciphertext of salt (32 bytes) ‖ input (one byte an int8 value), then its tag
//! ```
//!
//! Key and nonce are the first 32 and the next 24 bytes of
//! HKDF-SHA256(salt = `opensand/envelope/v1`, ikm = X25519(e, R), info = E ‖ R ‖ genesis ‖ model ‖ worker), where
//! R is the worker's public key; the associated data is bytes 0..33.
//!
//! # What it guarantees
//!
//! - Only the holder of R's secret reads salt and input, and any changed bit is noticed. E is fresh for each
//!   envelope and forgotten at once, so the sender cannot be made to open it later.
//! - An envelope is tied to one chain, model and worker by [`Context`]. Nobody can therefore copy it from the chain
//!   into a request for another model, whose output might give the input away.
//! - It does not hide the input's length, which the model fixes, and does not say who sealed it: the request
//!   that carries it is signed.
//!
//! Secrets are wiped from memory when they are dropped.

#![warn(missing_docs)]

use chacha20poly1305::{
	aead::{Aead, Payload},
	Key, KeyInit, XChaCha20Poly1305, XNonce,
};
use hkdf::Hkdf;
use rand::rngs::OsRng;
use sha2::Sha256;
use thiserror::Error;
use x25519_dalek::{EphemeralSecret, SharedSecret, StaticSecret};
use zeroize::Zeroizing;

/// An X25519 public key: a Montgomery u-coordinate, little endian.
pub type PublicKey = [u8; 32];
/// The salt under which an input is hashed into the statement.
pub type Salt = [u8; 32];

/// Version of the format that [`seal`] writes.
pub const VERSION: u8 = 1;
/// Bytes that an envelope has besides the input.
pub const OVERHEAD: usize = HEADER_BYTES + SALT_BYTES + TAG_BYTES;
/// Longest input that can be sealed, in bytes.
pub const MAX_INPUT_BYTES: usize = 1 << 20;

const DOMAIN: &[u8] = b"opensand/envelope/v1";
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
const SALT_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
const HEADER_BYTES: usize = 1 + 32;

/// What an envelope is tied to. It opens under the same context only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Context {
	/// Hash of the chain's first block.
	pub genesis: [u8; 32],
	/// Id of the model that is asked.
	pub model: [u8; 32],
	/// Account of the worker that is asked.
	pub worker: [u8; 32],
}

/// Why an input could not be sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SealError {
	/// The worker's registered key cannot keep a secret: ask another worker.
	#[error("the recipient's public key is a point of low order; choose another worker")]
	LowOrderKey,
	/// The input is longer than [`MAX_INPUT_BYTES`].
	#[error("the input has {0} bytes, and at most {MAX_INPUT_BYTES} can be sealed")]
	TooLong(usize),
}

/// Why an envelope could not be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum OpenError {
	/// The length is less than [`OVERHEAD`] or more than [`OVERHEAD`] + [`MAX_INPUT_BYTES`].
	#[error("{0} bytes are no envelope")]
	WrongLength(usize),
	/// Sealed by a newer client: update the node.
	#[error("format version {0} is unknown; update the node")]
	UnknownVersion(u8),
	/// The ephemeral key would make the secret predictable; no honest client sends it.
	#[error("the sender's ephemeral key is a point of low order")]
	LowOrderKey,
	/// Sealed to another key, for another context, or changed on the way.
	#[error("the envelope was sealed to another key or context, or was changed")]
	Unauthentic,
}

/// The long-term X25519 secret of a worker.
#[derive(Clone)]
pub struct SecretKey(StaticSecret);

impl SecretKey {
	/// A fresh key from the operating system's randomness.
	pub fn generate() -> Self {
		Self(StaticSecret::random_from_rng(OsRng))
	}

	/// The key with the given 32 secret bytes; every value is a key.
	pub fn from_bytes(bytes: [u8; 32]) -> Self {
		Self(StaticSecret::from(bytes))
	}

	/// The secret bytes.
	pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
		Zeroizing::new(self.0.to_bytes())
	}

	/// The public key that clients seal to.
	pub fn public_key(&self) -> PublicKey {
		x25519_dalek::PublicKey::from(&self.0).to_bytes()
	}
}

impl core::fmt::Debug for SecretKey {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		f.write_str("SecretKey(..)")
	}
}

/// What an envelope held. It is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
	/// The salt of the input's hash.
	pub salt: Zeroizing<Salt>,
	/// The input, one byte an int8 value in two's complement.
	pub input: Zeroizing<Vec<u8>>,
}

impl core::fmt::Debug for Opened {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		f.write_str("Opened(..)")
	}
}

/// Seals `salt` and `input` (one byte an int8 value) to the worker's public key `recipient`.
pub fn seal(
	context: &Context,
	salt: &Salt,
	input: &[u8],
	recipient: &PublicKey,
) -> Result<Vec<u8>, SealError> {
	if input.len() > MAX_INPUT_BYTES {
		return Err(SealError::TooLong(input.len()));
	}
	let secret = EphemeralSecret::random_from_rng(OsRng);
	let ephemeral = x25519_dalek::PublicKey::from(&secret).to_bytes();
	let shared = secret.diffie_hellman(&(*recipient).into());
	if !shared.was_contributory() {
		return Err(SealError::LowOrderKey);
	}
	let (cipher, nonce) = derive(&shared, &ephemeral, recipient, context);

	let mut plaintext = Zeroizing::new(Vec::with_capacity(SALT_BYTES + input.len()));
	plaintext.extend_from_slice(salt);
	plaintext.extend_from_slice(input);
	let header = header(&ephemeral);
	let ciphertext = cipher
		.encrypt(
			&nonce,
			Payload {
				msg: &plaintext,
				aad: &header,
			},
		)
		.map_err(|_| SealError::TooLong(input.len()))?;
	Ok([&header[..], &ciphertext].concat())
}

/// Opens an envelope that was sealed to `secret`'s public key under `context`.
pub fn open(context: &Context, envelope: &[u8], secret: &SecretKey) -> Result<Opened, OpenError> {
	if !(OVERHEAD..=OVERHEAD + MAX_INPUT_BYTES).contains(&envelope.len()) {
		return Err(OpenError::WrongLength(envelope.len()));
	}
	let (header, ciphertext) = envelope.split_at(HEADER_BYTES);
	if header[0] != VERSION {
		return Err(OpenError::UnknownVersion(header[0]));
	}
	let mut ephemeral = [0u8; 32];
	ephemeral.copy_from_slice(&header[1..]);
	let shared = secret.0.diffie_hellman(&ephemeral.into());
	if !shared.was_contributory() {
		return Err(OpenError::LowOrderKey);
	}
	let (cipher, nonce) = derive(&shared, &ephemeral, &secret.public_key(), context);

	let plaintext = cipher
		.decrypt(
			&nonce,
			Payload {
				msg: ciphertext,
				aad: header,
			},
		)
		.map(Zeroizing::new)
		.map_err(|_| OpenError::Unauthentic)?;
	let (front, input) = plaintext.split_at(SALT_BYTES);
	let mut salt = Zeroizing::new([0u8; SALT_BYTES]);
	salt.copy_from_slice(front);
	Ok(Opened {
		salt,
		input: Zeroizing::new(input.to_vec()),
	})
}

fn header(ephemeral: &PublicKey) -> [u8; HEADER_BYTES] {
	let mut header = [VERSION; HEADER_BYTES];
	header[1..].copy_from_slice(ephemeral);
	header
}

/// The cipher and nonce of one envelope. The ephemeral key is fresh, so no pair of them is used twice.
fn derive(
	shared: &SharedSecret,
	ephemeral: &PublicKey,
	recipient: &PublicKey,
	context: &Context,
) -> (XChaCha20Poly1305, XNonce) {
	let info: [&[u8]; 5] = [
		ephemeral,
		recipient,
		&context.genesis,
		&context.model,
		&context.worker,
	];
	let mut derived = Zeroizing::new([0u8; KEY_BYTES + NONCE_BYTES]);
	Hkdf::<Sha256>::new(Some(DOMAIN), shared.as_bytes())
		.expand_multi_info(&info, &mut derived[..])
		.expect("56 bytes are fewer than the 8,160 that HKDF-SHA256 can give; qed");
	let (key, nonce) = derived.split_at(KEY_BYTES);
	(
		XChaCha20Poly1305::new(Key::from_slice(key)),
		*XNonce::from_slice(nonce),
	)
}

#[cfg(test)]
mod tests;
