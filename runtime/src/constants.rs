//! Figures that more than one concern refers to: time, block limits, fees.

/// Time, counted in slots of consensus and in expected blocks.
pub mod time {
	use opensand_primitives::{BlockNumber, Moment};

	/// Length of a slot.
	pub const SLOT_DURATION_MS: Moment = 2_000;
	/// `(numerator, denominator)` of the probability that a slot has at least one author while all authorities
	/// are online.
	pub const PRIMARY_PROBABILITY: (u64, u64) = (1, 3);
	/// Mean time between blocks that follows from the two above. Governance counts blocks by it.
	pub const EXPECTED_BLOCK_TIME_MS: Moment =
		SLOT_DURATION_MS * PRIMARY_PROBABILITY.1 / PRIMARY_PROBABILITY.0;

	/// Expected blocks in a minute.
	pub const MINUTES: BlockNumber = (60_000 / EXPECTED_BLOCK_TIME_MS) as BlockNumber;
	/// Expected blocks in an hour.
	pub const HOURS: BlockNumber = 60 * MINUTES;
	/// Expected blocks in a day.
	pub const DAYS: BlockNumber = 24 * HOURS;

	/// Slots in an epoch, which is also a session: one hour.
	///
	/// The fast runtime's 40 slots (80 s) are about the least that is safe: an epoch without any block stalls
	/// nothing but costs a skipped session, and its probability is (2/3)^40 = 9 in 10^8.
	pub const EPOCH_DURATION_IN_SLOTS: u64 = if cfg!(feature = "fast-runtime") { 40 } else { 1_800 };

	/// `live` on a live network; `fast` with the feature `fast-runtime`.
	pub const fn live_or_fast(live: BlockNumber, fast: BlockNumber) -> BlockNumber {
		if cfg!(feature = "fast-runtime") {
			fast
		} else {
			live
		}
	}
}

/// What a block may hold.
pub mod block {
	use frame_support::weights::{constants::WEIGHT_REF_TIME_PER_SECOND, Weight};
	use sp_runtime::Perbill;

	/// Execution time of a full block: a third of the 2 s slot.
	///
	/// The author spends it on building, a peer spends it again on importing, and the rest is left for the
	/// network, so that the next slot's author builds on this block. Proof size is unbounded on a sovereign chain.
	pub const MAXIMUM_BLOCK_WEIGHT: Weight = Weight::from_parts(WEIGHT_REF_TIME_PER_SECOND * 2 / 3, u64::MAX);
	/// Share of a block that ordinary transactions may fill.
	pub const NORMAL_DISPATCH_RATIO: Perbill = Perbill::from_percent(75);
	/// Share of a block that `on_initialize` is expected to take; a single transaction may not need it.
	pub const AVERAGE_ON_INITIALIZE_RATIO: Perbill = Perbill::from_percent(10);
	/// Bytes of extrinsics in a full block.
	pub const MAXIMUM_BLOCK_LENGTH: u32 = 5 * 1024 * 1024;

	/// A share of a weight.
	// A share is at most one, so the product is at most the weight.
	#[allow(clippy::arithmetic_side_effects)]
	pub fn share(of: Perbill, weight: Weight) -> Weight {
		of * weight
	}
}

/// Prices of transactions and of existing.
pub mod fee {
	use opensand_primitives::{
		currency::{MICROSAND, MILLISAND},
		Balance,
	};

	/// An account with less than this is removed.
	pub const EXISTENTIAL_DEPOSIT: Balance = 10 * MILLISAND;
	/// Price of a picosecond of execution at multiplier 1: about 1 mSAND for an empty transaction, 6.7 SAND for
	/// a whole block.
	pub const PER_PICOSECOND: Balance = 10;
	/// Price of a byte of transaction.
	pub const PER_BYTE: Balance = 10 * MICROSAND;
	/// Percent of every fee that its block's author is paid; the treasury has the rest.
	pub const AUTHOR_PERCENT: u32 = 20;
}

/// How addresses look and what the token is called.
pub mod identity {
	/// SS58 prefix of addresses; they begin with `os`. Not taken in the SS58 registry.
	pub const SS58_PREFIX: u16 = 11_689;
	/// The token's symbol.
	pub const TOKEN_SYMBOL: &str = "SAND";
}
