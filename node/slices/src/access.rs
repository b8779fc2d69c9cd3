//! File keys sealed to an account: how access travels over the chain.
//!
//! # Format, version 1
//!
//! ```text
//! byte 0        version, 1
//! bytes 1..33   the sender's ephemeral X25519 public key E
//! bytes 33..    XChaCha20-Poly1305 ciphertext of secret (32 bytes) ‖ salt (32 bytes), then its tag
//! ```
//!
//! Key and nonce are the first 32 and the next 24 bytes of HKDF-SHA256(salt = `opensand/file-access/v1`, ikm =
//! X25519(e, R), info = E ‖ R ‖ genesis ‖ manifest ‖ grantee), where R is the grantee's access key; the associated data
//! is bytes 0..33. E is fresh for each sealing, so no pair of key and nonce is used twice.
//!
//! # What it guarantees
//!
//! - Only the holder of R's secret reads the key, and any changed bit is noticed.
//! - What was sealed for one chain, dataset and account opens for no other ([`Context`]).
//! - The salt travels along, so that whoever opens it can compare the key with its commitment on chain. A sealed key
//!   that opens to something else than the commitment is the sender's fault, whatever it contains.
//! - It does not say who sealed it: the transaction that carries it is signed.
//!
//! Secrets are wiped from memory when they are dropped. What touches them takes the same time for all values.

use chacha20poly1305::{AeadInPlace, Key, KeyInit, Tag, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use rand::rngs::OsRng;
use sha2::Sha256;
use thiserror::Error;
use x25519_dalek::{EphemeralSecret, PublicKey, SharedSecret, StaticSecret};
use zeroize::Zeroizing;

use crate::key::{FileKey, FILE_KEY_BYTES};

/// An X25519 public key: a Montgomery u-coordinate, little endian.
pub type AccessPublicKey = [u8; 32];

/// Bytes of a sealed key.
pub const SEALED_KEY_BYTES: usize = HEADER_BYTES + FILE_KEY_BYTES + TAG_BYTES;

const VERSION: u8 = 1;
const HEADER_BYTES: usize = 1 + 32;
const TAG_BYTES: usize = 16;
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// The shortest account secret that is taken.
const MIN_SECRET_BYTES: usize = 32;

const SEALING_DOMAIN: &[u8] = b"opensand/file-access/v1";
const SECRET_DOMAIN: &[u8] = b"opensand/access-secret/v1";

/// What a sealed key is tied to. It opens under the same context only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Context {
	/// Hash of the chain's first block.
	pub genesis: [u8; 32],
	/// SHA2-256 digest of the dataset's manifest.
	pub manifest: [u8; 32],
	/// The account that is given access: its 32 bytes.
	pub grantee: [u8; 32],
}

/// An account's secret has fewer than 32 bytes, which is no secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("an account's secret of {0} bytes is too short; give the whole seed or secret key")]
pub struct ShortSecret(pub usize);

/// Why a key could not be sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SealKeyError {
	/// The grantee's registered key cannot keep a secret: the grantee has to register another.
	#[error("the grantee's access key is a point of low order; ask it to register another")]
	LowOrderKey,
}

/// Why a sealed key could not be opened.
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

/// The X25519 secret with which an account opens what is sealed to it.
#[derive(Clone)]
pub struct AccessSecret(StaticSecret);

impl AccessSecret {
	/// The access secret of the account with this secret seed or secret key (at least 32 bytes).
	///
	/// It follows from the account's own secret, so it needs no backup of its own, and gives nothing of it away.
	pub fn derive(account_secret: &[u8]) -> Result<Self, ShortSecret> {
		if account_secret.len() < MIN_SECRET_BYTES {
			return Err(ShortSecret(account_secret.len()));
		}
		let mut derived = Zeroizing::new([0; 32]);
		Hkdf::<Sha256>::new(Some(SECRET_DOMAIN), account_secret)
			.expand(b"x25519", &mut derived[..])
			.expect("32 bytes are fewer than the 8,160 that HKDF-SHA256 can give; qed");
		Ok(Self(StaticSecret::from(*derived)))
	}

	/// The public key that is registered on chain.
	pub fn public_key(&self) -> AccessPublicKey {
		PublicKey::from(&self.0).to_bytes()
	}
}

impl core::fmt::Debug for AccessSecret {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		f.write_str("AccessSecret(..)")
	}
}

/// Seals a file's key to the access key `recipient` of the grantee that `context` names.
pub fn seal_key(
	context: &Context,
	key: &FileKey,
	recipient: &AccessPublicKey,
) -> Result<[u8; SEALED_KEY_BYTES], SealKeyError> {
	let secret = EphemeralSecret::random_from_rng(OsRng);
	let ephemeral = PublicKey::from(&secret).to_bytes();
	let shared = secret.diffie_hellman(&(*recipient).into());
	if !shared.was_contributory() {
		return Err(SealKeyError::LowOrderKey);
	}
	let (cipher, nonce) = derive(&shared, &ephemeral, recipient, context);

	let mut sealed = [0; SEALED_KEY_BYTES];
	let (header, body) = sealed.split_at_mut(HEADER_BYTES);
	header[0] = VERSION;
	header[1..].copy_from_slice(&ephemeral);
	let (content, tag) = body.split_at_mut(FILE_KEY_BYTES);
	content.copy_from_slice(&key.to_bytes()[..]);
	let computed = cipher
		.encrypt_in_place_detached(&nonce, header, content)
		.expect("64 bytes are far below the cipher's limit of 256 GiB; qed");
	tag.copy_from_slice(&computed);
	Ok(sealed)
}

/// Opens a key that was sealed to `secret`'s public key under `context`.
///
/// The caller compares [`FileKey::commitment`] with the one on chain; [`crate::decode`] does it with the manifest's.
pub fn open_key(context: &Context, sealed: &[u8], secret: &AccessSecret) -> Result<FileKey, OpenKeyError> {
	if sealed.len() != SEALED_KEY_BYTES {
		return Err(OpenKeyError::WrongLength(sealed.len()));
	}
	let (header, body) = sealed.split_at(HEADER_BYTES);
	if header[0] != VERSION {
		return Err(OpenKeyError::UnknownVersion(header[0]));
	}
	let mut ephemeral = [0; 32];
	ephemeral.copy_from_slice(&header[1..]);
	let shared = secret.0.diffie_hellman(&ephemeral.into());
	if !shared.was_contributory() {
		return Err(OpenKeyError::LowOrderKey);
	}
	let (cipher, nonce) = derive(&shared, &ephemeral, &secret.public_key(), context);

	let (content, tag) = body.split_at(FILE_KEY_BYTES);
	let mut key = Zeroizing::new([0; FILE_KEY_BYTES]);
	key.copy_from_slice(content);
	cipher
		.decrypt_in_place_detached(&nonce, header, &mut key[..], Tag::from_slice(tag))
		.map_err(|_| OpenKeyError::Unauthentic)?;
	Ok(FileKey::from_bytes(&key))
}

/// The cipher and nonce of one sealing.
fn derive(
	shared: &SharedSecret,
	ephemeral: &AccessPublicKey,
	recipient: &AccessPublicKey,
	context: &Context,
) -> (XChaCha20Poly1305, XNonce) {
	let info: [&[u8]; 5] = [
		ephemeral,
		recipient,
		&context.genesis,
		&context.manifest,
		&context.grantee,
	];
	let mut derived = Zeroizing::new([0u8; KEY_BYTES + NONCE_BYTES]);
	Hkdf::<Sha256>::new(Some(SEALING_DOMAIN), shared.as_bytes())
		.expand_multi_info(&info, &mut derived[..])
		.expect("56 bytes are fewer than the 8,160 that HKDF-SHA256 can give; qed");
	let (key, nonce) = derived.split_at(KEY_BYTES);
	(
		XChaCha20Poly1305::new(Key::from_slice(key)),
		*XNonce::from_slice(nonce),
	)
}
