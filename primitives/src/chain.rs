//! The chain's basic types.

use sp_runtime::{
	generic,
	traits::{BlakeTwo256, IdentifyAccount, Verify},
	MultiAddress, MultiSignature,
};

/// A signature of any of the supported schemes: sr25519, ed25519 or ecdsa.
pub type Signature = MultiSignature;
/// The 32-byte public identity of an account.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// The index that an address may name an account by; no pallet hands such indices out.
pub type AccountIndex = ();
/// How an extrinsic names an account.
pub type Address = MultiAddress<AccountId, AccountIndex>;
/// An amount of SAND in its smallest unit; one SAND is 10^12 of them.
pub type Balance = u128;
/// The height of a block.
pub type BlockNumber = u32;
/// The number of transactions that an account has sent.
pub type Nonce = u32;
/// A BLAKE2-256 hash.
pub type Hash = sp_core::H256;
/// Milliseconds since the Unix epoch.
pub type Moment = u64;
/// A block's header.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
