//! File keys: sealed to those who may read the file, and committed to on chain.
//!
//! A file key is a secret (32 bytes) ‖ a salt (32 bytes), and is sealed under the domain `opensand/file-access/v1` in a
//! [`Context`]. The salt travels along, so that whoever opens a sealed key can compare it with the commitment. One that
//! does not open, or opens to another key, is the sender's fault, whatever it contains.

use thiserror::Error;
use x25519_dalek::EphemeralSecret;
use zeroize::Zeroizing;

use crate::construction::{
	open_in_place, seal_in_place, OpenError, PublicKey, Purpose, SealError, SecretKey, HEADER_BYTES,
	OVERHEAD, VERSION,
};

/// Bytes of a file key's secret part.
pub const SECRET_BYTES: usize = 32;
/// Bytes of the salt under which a file key is committed to.
pub const SALT_BYTES: usize = 32;
/// Bytes of a file key.
pub const FILE_KEY_BYTES: usize = SECRET_BYTES + SALT_BYTES;
/// Bytes of a sealed file key.
pub const SEALED_KEY_BYTES: usize = FILE_KEY_BYTES + OVERHEAD;

const SEALING_DOMAIN: &[u8] = b"opensand/file-access/v1";
const COMMITMENT_DOMAIN: [u8; 20] = *b"opensand/file-key/v1";

/// What a sealed file key is tied to. It opens under the same context only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Context {
	/// Hash of the chain's first block.
	pub genesis: [u8; 32],
	/// SHA2-256 digest of the dataset's manifest.
	pub manifest: [u8; 32],
	/// The account that is given access: its 32 bytes.
	pub grantee: [u8; 32],
}

impl Context {
	fn items(&self) -> [[u8; 32]; 3] {
		[self.genesis, self.manifest, self.grantee]
	}
}

/// Why a file key could not be sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SealKeyError {
	/// The grantee's key cannot keep a secret: the grantee has to register, or to buy with, another.
	#[error("the grantee's access key is a point of low order; ask it for another")]
	LowOrderKey,
}

/// Why a sealed file key could not be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum OpenKeyError {
	/// Not [`SEALED_KEY_BYTES`] bytes.
	#[error("{0} bytes are no sealed key; ask the owner to grant access again")]
	WrongLength(usize),
	/// Sealed by a newer client: update this one.
	#[error("format version {0} is unknown; update the client")]
	UnknownVersion(u8),
	/// The ephemeral key would make the secret predictable; no honest client sends it.
	#[error("the sender's ephemeral key is a point of low order; ask the owner to grant access again")]
	LowOrderKey,
	/// Sealed to another access key, for another context, or changed.
	#[error(
		"the key was sealed to another access key or for another dataset, chain or account, or was changed"
	)]
	Unauthentic,
}

/// Checks what can be checked of a sealed file key without the secret: its length and its version.
pub fn check_format(sealed: &[u8]) -> Result<&[u8; SEALED_KEY_BYTES], OpenKeyError> {
	let sealed: &[u8; SEALED_KEY_BYTES] = sealed
		.try_into()
		.map_err(|_| OpenKeyError::WrongLength(sealed.len()))?;
	let [version, ..] = sealed;
	match *version {
		VERSION => Ok(sealed),
		other => Err(OpenKeyError::UnknownVersion(other)),
	}
}

/// Seals a file key to the key `recipient` of the grantee that `context` names.
pub fn seal_key(
	context: &Context,
	key: &[u8; FILE_KEY_BYTES],
	recipient: &PublicKey,
	ephemeral: EphemeralSecret,
) -> Result<[u8; SEALED_KEY_BYTES], SealKeyError> {
	let mut sealed = Zeroizing::new([0; SEALED_KEY_BYTES]);
	sealed
		.iter_mut()
		.skip(HEADER_BYTES)
		.zip(key)
		.for_each(|(room, byte)| *room = *byte);
	let purpose = Purpose {
		domain: SEALING_DOMAIN,
		context: &context.items(),
	};
	match seal_in_place(&purpose, recipient, ephemeral, &mut sealed[..]) {
		Ok(()) => Ok(*sealed),
		// The length is right.
		Err(SealError::LowOrderKey | SealError::WrongLength) => Err(SealKeyError::LowOrderKey),
	}
}

/// Opens a file key that was sealed to `secret`'s public key under `context`.
///
/// The caller compares its [`commitment`] with the one on chain.
pub fn open_key(
	context: &Context,
	sealed: &[u8],
	secret: &SecretKey,
) -> Result<Zeroizing<[u8; FILE_KEY_BYTES]>, OpenKeyError> {
	let mut buffer = Zeroizing::new(*check_format(sealed)?);
	let purpose = Purpose {
		domain: SEALING_DOMAIN,
		context: &context.items(),
	};
	let opened = open_in_place(&purpose, secret, &mut buffer[..]).map_err(|error| match error {
		OpenError::WrongLength => OpenKeyError::WrongLength(sealed.len()),
		OpenError::UnknownVersion(version) => OpenKeyError::UnknownVersion(version),
		OpenError::LowOrderKey => OpenKeyError::LowOrderKey,
		OpenError::Unauthentic => OpenKeyError::Unauthentic,
	})?;
	let mut key = Zeroizing::new([0; FILE_KEY_BYTES]);
	key.iter_mut().zip(opened).for_each(|(to, from)| *to = *from);
	Ok(key)
}

/// BLAKE2-256 of `opensand/file-key/v1` ‖ salt ‖ secret: what stands on chain, so that a wrong key can be proven.
///
/// It hides the key, and nobody finds another key with the same commitment. `blake2_256` is `sp_io`'s in a runtime, which
/// has a host function for it, and any other implementation elsewhere.
pub fn commitment(key: &[u8; FILE_KEY_BYTES], blake2_256: impl FnOnce(&[u8]) -> [u8; 32]) -> [u8; 32] {
	let (secret, salt) = key.split_at(SECRET_BYTES);
	let mut message = Zeroizing::new([0; COMMITMENT_DOMAIN.len() + FILE_KEY_BYTES]);
	let parts = COMMITMENT_DOMAIN.iter().chain(salt).chain(secret);
	message.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
	blake2_256(&message[..])
}
