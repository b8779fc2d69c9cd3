//! The OpenSand runtime: composes the pallets into the state transition that every node executes.
//!
//! - [`constants`] has the figures, [`configs`] the pallets' configuration by concern.
//! - [`extensions`] is what a transaction passes through; [`apis`] what the node may ask.
//! - [`genesis`] has the presets that chain specs are made from.
//!
//! Pallet indices are part of the transaction encoding: they are fixed, grouped with room to grow, and a test
//! holds them.

#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
	not(test),
	deny(
		clippy::unwrap_used,
		clippy::expect_used,
		clippy::indexing_slicing,
		clippy::arithmetic_side_effects
	)
)]
// The runtime macro recurses once for every pallet.
#![recursion_limit = "512"]

extern crate alloc;

use alloc::vec::Vec;

#[cfg(feature = "runtime-benchmarks")]
#[macro_use]
mod benchmarks;

pub mod apis;
pub mod configs;
pub mod constants;
pub mod extensions;
pub mod genesis;
pub mod migrations;
pub mod version;

use sp_runtime::generic;

pub use apis::RuntimeApi;
pub use configs::consensus::{SessionKeys, BABE_GENESIS_EPOCH_CONFIG};
pub use extensions::TxExtension;
pub use opensand_primitives::{
	AccountId, AccountIndex, Address, Balance, BlockNumber, Hash, Header, Moment, Nonce, Signature,
};
pub use version::VERSION;

// Brings in `WASM_BINARY` and `WASM_BINARY_BLOATY`.
#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

/// The compiled runtime.
///
/// # Panics
///
/// If the crate was built with `SKIP_WASM_BUILD`: build it again without.
#[cfg(feature = "std")]
#[allow(clippy::expect_used)]
pub fn wasm_binary_unwrap() -> &'static [u8] {
	WASM_BINARY.expect(
		"this program was built with SKIP_WASM_BUILD and carries no runtime; build it again with that variable unset",
	)
}

/// A transaction as it travels: version 4 signed, version 5 general, or bare.
pub type UncheckedExtrinsic = generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;
/// What a version 4 transaction's signer signs.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;
/// A block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// A block with its finality proof.
pub type SignedBlock = generic::SignedBlock<Block>;
/// A block's hash or number.
pub type BlockId = generic::BlockId<Block>;
/// Executes blocks.
pub type Executive = frame_executive::Executive<
	Runtime,
	Block,
	frame_system::ChainContext<Runtime>,
	Runtime,
	AllPalletsWithSystem,
>;

#[frame_support::runtime]
mod runtime {
	use super::*;

	/// The state machine itself; every pallet is configured on it.
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Runtime;

	// 0 to 9: the base.
	#[runtime::pallet_index(0)]
	pub type System = frame_system::Pallet<Runtime>;
	#[runtime::pallet_index(1)]
	pub type Timestamp = pallet_timestamp::Pallet<Runtime>;
	#[runtime::pallet_index(2)]
	pub type Babe = pallet_babe::Pallet<Runtime>;
	#[runtime::pallet_index(3)]
	pub type Balances = pallet_balances::Pallet<Runtime>;
	#[runtime::pallet_index(4)]
	pub type TransactionPayment = pallet_transaction_payment::Pallet<Runtime>;
	#[runtime::pallet_index(5)]
	pub type MultiBlockMigrations = pallet_migrations::Pallet<Runtime>;

	// 10 to 24: consensus and stake. Authorship stands before Session, which it asks for the author; Staking
	// before Session, so that genesis stakers exist when the first validators are elected.
	#[runtime::pallet_index(10)]
	pub type Authorship = pallet_authorship::Pallet<Runtime>;
	#[runtime::pallet_index(11)]
	pub type Staking = pallet_staking::Pallet<Runtime>;
	#[runtime::pallet_index(12)]
	pub type Offences = pallet_offences::Pallet<Runtime>;
	#[runtime::pallet_index(13)]
	pub type Historical = pallet_session::historical::Pallet<Runtime>;
	#[runtime::pallet_index(14)]
	pub type Session = pallet_session::Pallet<Runtime>;
	#[runtime::pallet_index(15)]
	pub type Grandpa = pallet_grandpa::Pallet<Runtime>;
	#[runtime::pallet_index(16)]
	pub type AuthorityDiscovery = pallet_authority_discovery::Pallet<Runtime>;
	#[runtime::pallet_index(17)]
	pub type VoterList = pallet_bags_list::Pallet<Runtime>;
	#[runtime::pallet_index(18)]
	pub type NominationPools = pallet_nomination_pools::Pallet<Runtime>;
	#[runtime::pallet_index(19)]
	pub type DelegatedStaking = pallet_delegated_staking::Pallet<Runtime>;

	// 25 to 39: governance and treasury.
	#[runtime::pallet_index(25)]
	pub type Preimage = pallet_preimage::Pallet<Runtime>;
	#[runtime::pallet_index(26)]
	pub type Scheduler = pallet_scheduler::Pallet<Runtime>;
	#[runtime::pallet_index(27)]
	pub type ConvictionVoting = pallet_conviction_voting::Pallet<Runtime>;
	#[runtime::pallet_index(28)]
	pub type Referenda = pallet_referenda::Pallet<Runtime>;
	#[runtime::pallet_index(29)]
	pub type Origins = configs::governance::pallet_custom_origins::Pallet<Runtime>;
	#[runtime::pallet_index(30)]
	pub type Whitelist = pallet_whitelist::Pallet<Runtime>;
	#[runtime::pallet_index(31)]
	pub type Treasury = pallet_treasury::Pallet<Runtime>;
	#[runtime::pallet_index(32)]
	pub type Bounties = pallet_bounties::Pallet<Runtime>;
	#[runtime::pallet_index(33)]
	pub type ChildBounties = pallet_child_bounties::Pallet<Runtime>;

	// 40 to 59: accounts.
	#[runtime::pallet_index(40)]
	pub type Utility = pallet_utility::Pallet<Runtime>;
	#[runtime::pallet_index(41)]
	pub type Identity = pallet_identity::Pallet<Runtime>;
	#[runtime::pallet_index(42)]
	pub type Proxy = pallet_proxy::Pallet<Runtime>;
	#[runtime::pallet_index(43)]
	pub type Multisig = pallet_multisig::Pallet<Runtime>;
	#[runtime::pallet_index(44)]
	pub type Vesting = pallet_vesting::Pallet<Runtime>;

	// 60 to 89: the project's own: models, inference, storage, and later work and communities.
	#[runtime::pallet_index(60)]
	pub type Models = pallet_models::Pallet<Runtime>;
	#[runtime::pallet_index(61)]
	pub type Inference = pallet_inference::Pallet<Runtime>;
	#[runtime::pallet_index(62)]
	pub type Dsm = pallet_dsm::Pallet<Runtime>;
}

#[cfg(test)]
mod tests;
