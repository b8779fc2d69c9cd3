//! Worker identities and the credit for checked work.

use crate::Balance;

/// The key with which a worker's node signs results; it holds no funds.
pub mod worker_key {
	mod app {
		use sp_application_crypto::{app_crypto, sr25519};
		use sp_core::crypto::KeyTypeId;
		app_crypto!(sr25519, KeyTypeId(*b"work"));
	}

	/// Keystore type of worker keys.
	pub const KEY_TYPE: sp_core::crypto::KeyTypeId = sp_core::crypto::KeyTypeId(*b"work");

	sp_application_crypto::with_pair! {
		/// A worker's key pair.
		pub type Pair = app::Pair;
	}
	/// A worker's public key.
	pub type Public = app::Public;
	/// A worker's signature.
	pub type Signature = app::Signature;
}

/// Where checked, asked-for work is credited (AI-MPoW).
pub trait WorkSink<AccountId> {
	/// `worker` did work that the chain verified and somebody paid `value` for.
	fn credit(worker: &AccountId, value: Balance);
}

impl<AccountId> WorkSink<AccountId> for () {
	fn credit(_: &AccountId, _: Balance) {}
}
