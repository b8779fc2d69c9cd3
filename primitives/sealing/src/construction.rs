//! The construction that all formats share.

use chacha20poly1305::{AeadInPlace, Key, KeyInit, Tag, XChaCha20Poly1305, XNonce};
use hkdf::{Hkdf, InvalidLength};
use sha2::Sha256;
use thiserror::Error;
use x25519_dalek::{EphemeralSecret, SharedSecret, StaticSecret};
use zeroize::Zeroizing;

/// An X25519 public key: a Montgomery u-coordinate, little endian.
pub type PublicKey = [u8; 32];

/// Version of the format that is written.
pub const VERSION: u8 = 1;
/// Bytes before the ciphertext: the version and the ephemeral key.
pub const HEADER_BYTES: usize = 1 + 32;
/// Bytes after the ciphertext.
pub const TAG_BYTES: usize = 16;
/// Bytes that a sealed message has besides the message.
pub const OVERHEAD: usize = HEADER_BYTES + TAG_BYTES;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// What a message is sealed for. It opens for the same purpose only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Purpose<'a> {
	/// Names a format. No two formats have the same.
	pub domain: &'a [u8],
	/// What the message is tied to: as many items, in the order, as the format says.
	pub context: &'a [[u8; 32]],
}

/// Why a message could not be sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SealError {
	/// The recipient's key cannot keep a secret: ask it for another.
	#[error("the recipient's public key is a point of low order")]
	LowOrderKey,
	/// The buffer is shorter than [`OVERHEAD`], or longer than the cipher's 256 GiB.
	#[error("a message of this length cannot be sealed")]
	WrongLength,
}

/// Why a sealed message could not be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum OpenError {
	/// Fewer than [`OVERHEAD`] bytes.
	#[error("too short for a sealed message")]
	WrongLength,
	/// Sealed in a newer format: update.
	#[error("format version {0} is unknown")]
	UnknownVersion(u8),
	/// The ephemeral key would make the secret predictable; no honest sender sends it.
	#[error("the sender's ephemeral key is a point of low order")]
	LowOrderKey,
	/// Sealed to another key, for another purpose, or changed.
	#[error("sealed to another key or for another purpose, or changed")]
	Unauthentic,
}

/// The X25519 secret of a recipient.
#[derive(Clone)]
pub struct SecretKey {
	secret: StaticSecret,
	public: PublicKey,
}

impl SecretKey {
	/// The key with these secret bytes; every value is a key.
	pub fn from_bytes(bytes: [u8; 32]) -> Self {
		let secret = StaticSecret::from(bytes);
		let public = x25519_dalek::PublicKey::from(&secret).to_bytes();
		Self { secret, public }
	}

	/// The secret bytes.
	pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
		Zeroizing::new(self.secret.to_bytes())
	}

	/// The public key that senders seal to.
	pub fn public_key(&self) -> PublicKey {
		self.public
	}
}

impl core::fmt::Debug for SecretKey {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		f.write_str("SecretKey(..)")
	}
}

/// Seals what stands in `buffer` between [`HEADER_BYTES`] and [`TAG_BYTES`] of room, to `recipient`.
///
/// On failure the buffer is as it was.
pub fn seal_in_place(
	purpose: &Purpose,
	recipient: &PublicKey,
	ephemeral: EphemeralSecret,
	buffer: &mut [u8],
) -> Result<(), SealError> {
	let (header, rest) = buffer
		.split_first_chunk_mut::<HEADER_BYTES>()
		.ok_or(SealError::WrongLength)?;
	let (message, tag) = rest
		.split_last_chunk_mut::<TAG_BYTES>()
		.ok_or(SealError::WrongLength)?;
	let sender = x25519_dalek::PublicKey::from(&ephemeral).to_bytes();
	let shared = ephemeral.diffie_hellman(&(*recipient).into());
	if !shared.was_contributory() {
		return Err(SealError::LowOrderKey);
	}
	let (cipher, nonce) = derive(purpose, &shared, &sender, recipient).map_err(|_| SealError::WrongLength)?;
	let mut written = [VERSION; HEADER_BYTES];
	let [_, key @ ..] = &mut written;
	*key = sender;
	let computed = cipher
		.encrypt_in_place_detached(&nonce, &written, message)
		.map_err(|_| SealError::WrongLength)?;
	*header = written;
	*tag = computed.into();
	Ok(())
}

/// Opens in place what was sealed to `secret`'s public key for `purpose`, and returns the message.
///
/// On failure the buffer is as it was: no unauthentic plaintext is released.
pub fn open_in_place<'a>(
	purpose: &Purpose,
	secret: &SecretKey,
	sealed: &'a mut [u8],
) -> Result<&'a mut [u8], OpenError> {
	let (header, rest) = sealed
		.split_first_chunk_mut::<HEADER_BYTES>()
		.ok_or(OpenError::WrongLength)?;
	let (message, tag) = rest
		.split_last_chunk_mut::<TAG_BYTES>()
		.ok_or(OpenError::WrongLength)?;
	let [version, sender @ ..] = *header;
	if version != VERSION {
		return Err(OpenError::UnknownVersion(version));
	}
	let shared = secret.secret.diffie_hellman(&sender.into());
	if !shared.was_contributory() {
		return Err(OpenError::LowOrderKey);
	}
	let (cipher, nonce) =
		derive(purpose, &shared, &sender, &secret.public).map_err(|_| OpenError::Unauthentic)?;
	cipher
		.decrypt_in_place_detached(&nonce, &*header, message, Tag::from_slice(&*tag))
		.map_err(|_| OpenError::Unauthentic)?;
	Ok(message)
}

/// The cipher and nonce of one sealing. The error cannot happen: 56 bytes are fewer than the 8,160 of HKDF-SHA256.
fn derive(
	purpose: &Purpose,
	shared: &SharedSecret,
	sender: &PublicKey,
	recipient: &PublicKey,
) -> Result<(XChaCha20Poly1305, XNonce), InvalidLength> {
	let mut derived = Zeroizing::new([0; KEY_BYTES + NONCE_BYTES]);
	Hkdf::<Sha256>::new(Some(purpose.domain), shared.as_bytes()).expand_multi_info(
		&[sender, recipient, purpose.context.as_flattened()],
		&mut derived[..],
	)?;
	let (key, nonce) = derived.split_at(KEY_BYTES);
	Ok((
		XChaCha20Poly1305::new(Key::from_slice(key)),
		*XNonce::from_slice(nonce),
	))
}
