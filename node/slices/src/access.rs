//! File keys sealed to an account: how access travels over the chain.
//!
//! Format and guarantees are `opensand-sealing`'s, under the domain `opensand/file-access/v1`: only the holder of the
//! grantee's secret reads the key, and what was sealed for one chain, dataset and account opens for no other
//! ([`Context`]). This module has the randomness, and the secrets that follow from an account's own.
//!
//! Secrets are wiped from memory when they are dropped. What touches them takes the same time for all values.

use hkdf::Hkdf;
use opensand_sealing::{self as sealing, EphemeralSecret, SecretKey};
use rand::rngs::OsRng;
use sha2::Sha256;
use thiserror::Error;
use zeroize::Zeroizing;

pub use opensand_sealing::{
	Context, OpenKeyError, PublicKey as AccessPublicKey, SealKeyError, SEALED_KEY_BYTES,
};

use crate::key::FileKey;

/// The shortest account secret that is taken.
const MIN_SECRET_BYTES: usize = 32;

const SECRET_DOMAIN: &[u8] = b"opensand/access-secret/v1";
const PURCHASE_DOMAIN: &[u8] = b"opensand/purchase-secret/v1";

/// An account's secret has fewer than 32 bytes, which is no secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("an account's secret of {0} bytes is too short; give the whole seed or secret key")]
pub struct ShortSecret(pub usize);

/// The X25519 secret with which an account opens what is sealed to it.
#[derive(Clone)]
pub struct AccessSecret(SecretKey);

impl AccessSecret {
	/// The access secret of the account with this secret seed or secret key (at least 32 bytes).
	///
	/// It follows from the account's own secret, so it needs no backup of its own, and gives nothing of it away.
	pub fn derive(account_secret: &[u8]) -> Result<Self, ShortSecret> {
		Self::expand(SECRET_DOMAIN, account_secret, &[b"x25519"])
	}

	/// The secret of one purchase on the chain with this genesis hash, of the account with this secret.
	///
	/// `salt` is random for each purchase, and stands on chain beside the public key. The secret opens what is delivered
	/// for this purchase and nothing else, so a buyer that [discloses](Self::disclose) it gives nothing more away.
	pub fn for_purchase(
		account_secret: &[u8],
		genesis: &[u8; 32],
		salt: &[u8; 16],
	) -> Result<Self, ShortSecret> {
		Self::expand(PURCHASE_DOMAIN, account_secret, &[genesis, salt])
	}

	/// HKDF-SHA256 of an account's secret.
	fn expand(domain: &[u8], account_secret: &[u8], info: &[&[u8]]) -> Result<Self, ShortSecret> {
		if account_secret.len() < MIN_SECRET_BYTES {
			return Err(ShortSecret(account_secret.len()));
		}
		let mut derived = Zeroizing::new([0; 32]);
		Hkdf::<Sha256>::new(Some(domain), account_secret)
			.expand_multi_info(info, &mut derived[..])
			.expect("32 bytes are fewer than the 8,160 that HKDF-SHA256 can give; qed");
		Ok(Self(SecretKey::from_bytes(*derived)))
	}

	/// The public key that is registered on chain, or bought with.
	pub fn public_key(&self) -> AccessPublicKey {
		self.0.public_key()
	}

	/// The secret itself, with which anyone opens what was sealed to it: for disputing a delivery, and only for
	/// [a purchase's](Self::for_purchase) secret.
	pub fn disclose(&self) -> Zeroizing<[u8; 32]> {
		self.0.to_bytes()
	}
}

impl core::fmt::Debug for AccessSecret {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		f.write_str("AccessSecret(..)")
	}
}

/// Seals a file's key to the key `recipient` of the grantee that `context` names.
pub fn seal_key(
	context: &Context,
	key: &FileKey,
	recipient: &AccessPublicKey,
) -> Result<[u8; SEALED_KEY_BYTES], SealKeyError> {
	let ephemeral = EphemeralSecret::random_from_rng(OsRng);
	sealing::seal_key(context, &key.to_bytes(), recipient, ephemeral)
}

/// Opens a key that was sealed to `secret`'s public key under `context`.
///
/// The caller compares [`FileKey::commitment`] with the one on chain; [`crate::decode`] does it with the manifest's.
pub fn open_key(context: &Context, sealed: &[u8], secret: &AccessSecret) -> Result<FileKey, OpenKeyError> {
	sealing::open_key(context, sealed, &secret.0).map(|key| FileKey::from_bytes(&key))
}
