//! The sealed envelope in which a private input travels to the worker that will prove with it.
//!
//! # Format
//!
//! That of `opensand-sealing`, under the domain `opensand/envelope/v1`. The message is salt (32 bytes) ‖ input (one byte
//! an int8 value); the context is genesis ‖ model ‖ worker.
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

use opensand_sealing::{open_in_place, seal_in_place, EphemeralSecret, Purpose, HEADER_BYTES};
use rand::{rngs::OsRng, RngCore};
use thiserror::Error;
use zeroize::Zeroizing;

pub use opensand_sealing::{PublicKey, VERSION};

/// The salt under which an input is hashed into the statement.
pub type Salt = [u8; 32];

/// Bytes that an envelope has besides the input.
pub const OVERHEAD: usize = opensand_sealing::OVERHEAD + SALT_BYTES;
/// Longest input that can be sealed, in bytes.
pub const MAX_INPUT_BYTES: usize = 1 << 20;

const DOMAIN: &[u8] = b"opensand/envelope/v1";
const SALT_BYTES: usize = 32;

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

impl Context {
	fn items(&self) -> [[u8; 32]; 3] {
		[self.genesis, self.model, self.worker]
	}
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
pub struct SecretKey(opensand_sealing::SecretKey);

impl SecretKey {
	/// A fresh key from the operating system's randomness.
	pub fn generate() -> Self {
		let mut bytes = Zeroizing::new([0; 32]);
		OsRng.fill_bytes(&mut bytes[..]);
		Self::from_bytes(*bytes)
	}

	/// The key with the given 32 secret bytes; every value is a key.
	pub fn from_bytes(bytes: [u8; 32]) -> Self {
		Self(opensand_sealing::SecretKey::from_bytes(bytes))
	}

	/// The secret bytes.
	pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
		self.0.to_bytes()
	}

	/// The public key that clients seal to.
	pub fn public_key(&self) -> PublicKey {
		self.0.public_key()
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
	let mut envelope = Zeroizing::new(vec![0; input.len() + OVERHEAD]);
	let (front, back) = envelope[HEADER_BYTES..].split_at_mut(SALT_BYTES);
	front.copy_from_slice(salt);
	back[..input.len()].copy_from_slice(input);
	let purpose = Purpose {
		domain: DOMAIN,
		context: &context.items(),
	};
	let ephemeral = EphemeralSecret::random_from_rng(OsRng);
	seal_in_place(&purpose, recipient, ephemeral, &mut envelope).map_err(|error| match error {
		opensand_sealing::SealError::LowOrderKey => SealError::LowOrderKey,
		opensand_sealing::SealError::WrongLength => SealError::TooLong(input.len()),
	})?;
	Ok(core::mem::take(&mut *envelope))
}

/// Opens an envelope that was sealed to `secret`'s public key under `context`.
pub fn open(context: &Context, envelope: &[u8], secret: &SecretKey) -> Result<Opened, OpenError> {
	if !(OVERHEAD..=OVERHEAD + MAX_INPUT_BYTES).contains(&envelope.len()) {
		return Err(OpenError::WrongLength(envelope.len()));
	}
	let mut buffer = Zeroizing::new(envelope.to_vec());
	let purpose = Purpose {
		domain: DOMAIN,
		context: &context.items(),
	};
	let message = open_in_place(&purpose, &secret.0, &mut buffer).map_err(|error| match error {
		opensand_sealing::OpenError::WrongLength => OpenError::WrongLength(envelope.len()),
		opensand_sealing::OpenError::UnknownVersion(version) => OpenError::UnknownVersion(version),
		opensand_sealing::OpenError::LowOrderKey => OpenError::LowOrderKey,
		opensand_sealing::OpenError::Unauthentic => OpenError::Unauthentic,
	})?;
	let (front, input) = message.split_at(SALT_BYTES);
	let mut salt = Zeroizing::new([0u8; SALT_BYTES]);
	salt.copy_from_slice(front);
	Ok(Opened {
		salt,
		input: Zeroizing::new(input.to_vec()),
	})
}

#[cfg(test)]
mod tests;
