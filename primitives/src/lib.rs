//! Types that every part of OpenSand shares, and the traits by which pallets meet.
//!
//! A pallet never depends on a sibling pallet's crate: what one needs of another is a trait here, and the
//! runtime wires the two.

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
#![warn(missing_docs)]

extern crate alloc;

pub mod apis;
pub mod chain;
pub mod currency;
pub mod ids;
pub mod inference;
pub mod market;
pub mod models;
pub mod proving;
pub mod storage;
pub mod survival;
#[cfg(feature = "trapdoor")]
pub mod trapdoor;
pub mod work;

pub use chain::{
	AccountId, AccountIndex, Address, Balance, BlockNumber, Hash, Header, Moment, Nonce, Signature,
};
pub use ids::{ArchitectureId, KeyId, ListingId, ModelId, OrderId, PurchaseId, RequestId};
pub use work::worker_key;
