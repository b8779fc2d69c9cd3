//! What governance decides of the market.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use opensand_primitives::{storage::WindowIndex, Balance, BlockNumber};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_runtime::Perbill;

/// Parameters of the market. Periods are in blocks.
#[derive(
	Clone,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	TypeInfo,
	MaxEncodedLen,
	Serialize,
	Deserialize,
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MarketParameters {
	/// Leaves that a window, or a first proof, asks of a provider.
	pub samples: u32,
	/// Collateral that a shard reserves, per MiB or part of one.
	pub collateral_per_mib: Balance,
	/// From an acceptance to the deadline of its first proof.
	pub activation_blocks: BlockNumber,
	/// From an order to the deadline for all its shards.
	pub placing_blocks: BlockNumber,
	/// In which a repair's reward rises to the whole pot; after that an order that has too few shards is lost.
	pub repair_blocks: BlockNumber,
	/// For how long a jailed provider may not come back.
	pub jail_blocks: BlockNumber,
	/// From `drain` to the first block in which a provider can leave.
	pub exit_blocks: BlockNumber,
	/// The part of a pot that a repair pays at first.
	pub repair_floor: Perbill,
	/// The part of a shard's collateral that handing it over costs.
	pub hand_over_share: Perbill,
	/// The part of a shard's collateral that failing its first proof costs.
	pub lapse_share: Perbill,
	/// The part of its reserved collateral that a fault costs a provider.
	pub fault_slash: Perbill,
	/// Faults in a row that jail a provider.
	pub fault_limit: u32,
	/// The most windows to come that an order is paid for.
	pub max_windows: WindowIndex,
	/// The utilisation that the price floor steers to.
	pub target_utilisation: Perbill,
	/// By which part the floor changes in a window in which all or nothing is utilised.
	pub price_step: Perbill,
	/// The lowest price floor, per MiB and window.
	pub price_min: Balance,
	/// The highest price floor.
	pub price_max: Balance,
}

/// The longest period that governance can set: a year of blocks of a second.
const MAX_PERIOD: BlockNumber = 31_557_600;
/// The most windows to come: ten years of hours.
const MAX_WINDOWS: WindowIndex = 87_660;
/// So that a gap in a provider's history is shorter than two of its entries, on which settlement relies.
const MAX_FAULT_LIMIT: u32 = 128;
/// So that escrows and collateral of the largest orders fit into a balance by far.
const MAX_AMOUNT: Balance = 1 << 80;

impl MarketParameters {
	/// Whether every parameter is within its bounds. `proof_bytes` is the longest proof for [`samples`](Self::samples),
	/// and `remembered` the number of blocks whose hashes the chain keeps.
	///
	/// - `samples`: at least 1, and so many that their proof fits into a call.
	/// - `collateral_per_mib`: at least 1; `price_min` ≤ `price_max`, and neither of these amounts above 2^80.
	/// - `activation_blocks`: at least 2, and few enough that the hash that draws the leaves is still known.
	/// - `placing_blocks`, `repair_blocks`, `jail_blocks`, `exit_blocks`: at least 2, at most 31,557,600.
	/// - `fault_limit`: 1 to 128; `max_windows`: 1 to 87,660.
	/// - `target_utilisation` and `price_step`: less than the whole; shares may be anything from nothing to the whole.
	pub fn are_within_bounds(&self, proof_bytes: u32, remembered: BlockNumber) -> bool {
		let periods = [
			self.placing_blocks,
			self.repair_blocks,
			self.jail_blocks,
			self.exit_blocks,
		];
		self.samples >= 1
			&& self.samples <= opensand_storage_proof::MAX_SAMPLES
			&& proof_bytes <= crate::MAX_PROOF_BYTES
			&& (1..=MAX_AMOUNT).contains(&self.collateral_per_mib)
			&& self.price_min <= self.price_max
			&& self.price_max <= MAX_AMOUNT
			&& self.activation_blocks >= 2
			&& self.activation_blocks < remembered
			&& periods.iter().all(|period| (2..=MAX_PERIOD).contains(period))
			&& (1..=MAX_FAULT_LIMIT).contains(&self.fault_limit)
			&& (1..=MAX_WINDOWS).contains(&self.max_windows)
			&& self.target_utilisation < Perbill::one()
			&& self.price_step < Perbill::one()
	}
}
