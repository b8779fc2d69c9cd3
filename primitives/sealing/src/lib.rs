//! Sealing to an X25519 key: who knows the public key seals, and only the holder of the secret opens.
//!
//! # Format, version 1
//!
//! ```text
//! byte 0        version, 1
//! bytes 1..33   the sender's ephemeral X25519 public key E
//! bytes 33..    XChaCha20-Poly1305 ciphertext of the message, then its tag (16 bytes)
//! ```
//!
//! Key and nonce are the first 32 and the next 24 bytes of HKDF-SHA256(salt = domain, ikm = X25519(e, R), info = E ‖ R ‖
//! context), where R is the recipient's public key, and domain and context are those of the [`Purpose`]; the associated
//! data is bytes 0..33.
//!
//! # What it guarantees
//!
//! - Only the holder of R's secret reads the message, and any changed bit is noticed.
//! - E is fresh for each sealing, which [`EphemeralSecret`] sees to, so no pair of key and nonce is used twice; it is
//!   forgotten at once, so the sender cannot be made to open it later.
//! - What was sealed for one purpose opens for no other.
//! - Who knows the secret can show it to a third party, which then finds the same: the message, or that there is none.
//!   The chain judges complaints about sold file keys so ([`open_key`]).
//! - It does not hide the message's length, and does not say who sealed it: the transaction that carries it is signed.
//!
//! Secrets are wiped from memory when they are dropped. What touches them takes the same time for all values. The crate is
//! `no_std`, needs no allocator, and no function panics, whatever bytes it is given.

#![no_std]
#![cfg_attr(
	not(test),
	deny(
		clippy::unwrap_used,
		clippy::expect_used,
		clippy::indexing_slicing,
		clippy::arithmetic_side_effects
	)
)]
#![warn(missing_docs)]

#[cfg(test)]
extern crate std;

mod construction;
mod file_key;

#[cfg(test)]
mod tests;

pub use construction::{
	open_in_place, seal_in_place, OpenError, PublicKey, Purpose, SealError, SecretKey, HEADER_BYTES,
	OVERHEAD, TAG_BYTES, VERSION,
};
pub use file_key::{
	check_format, commitment, open_key, seal_key, Context, OpenKeyError, SealKeyError, FILE_KEY_BYTES,
	SALT_BYTES, SEALED_KEY_BYTES, SECRET_BYTES,
};
pub use x25519_dalek::EphemeralSecret;
