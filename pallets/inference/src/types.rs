//! Types that only this pallet stores.

use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{
	traits::Get, BoundedVec, CloneNoBound, DebugNoBound, DefaultNoBound, EqNoBound, PartialEqNoBound,
};
use opensand_primitives::AccountId;
use scale_info::TypeInfo;

/// The workers that offer a model, in the order in which they came, and whose turn it is.
#[derive(
	CloneNoBound,
	PartialEqNoBound,
	EqNoBound,
	DebugNoBound,
	DefaultNoBound,
	Encode,
	Decode,
	TypeInfo,
	MaxEncodedLen,
)]
#[scale_info(skip_type_params(Max))]
pub struct ProviderList<Max: Get<u32>> {
	/// The workers.
	pub accounts: BoundedVec<AccountId, Max>,
	/// Position, modulo the number of workers, at which the search for the next unnamed request starts.
	pub next: u32,
}

impl<Max: Get<u32>> ProviderList<Max> {
	/// The workers with their positions, from the one whose turn it is, once around.
	pub fn turns(&self) -> impl Iterator<Item = (u32, &AccountId)> {
		let start = (self.next as usize).checked_rem(self.accounts.len()).unwrap_or(0);
		let positions = (0u32..).zip(self.accounts.iter());
		positions.clone().skip(start).chain(positions.take(start))
	}
}

/// The part of the queue of receipts that is in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct QueueRange {
	/// Position of the oldest entry.
	pub first: u64,
	/// Position of the next entry to come.
	pub next: u64,
}
