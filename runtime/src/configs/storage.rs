//! Storage orders, and the sale of licences for what they store.

use frame_support::{parameter_types, traits::tokens::imbalance::ResolveTo, PalletId};
use opensand_primitives::{
	currency::{MICROSAND, SAND},
	Balance, BlockNumber,
};
use opensand_storage_proof::SegmentMerkle;
use pallet_dsm::{HostHasher, MarketParameters};
use sp_runtime::Perbill;

use super::{
	ai::{ByteDeposit, ItemDeposit},
	governance::{RootOrNetworkParameters, RootOrTrainingData},
	treasury::TreasuryAccount,
};
use crate::{
	constants::time::{live_or_fast, DAYS, HOURS},
	Balances, Runtime, RuntimeHoldReason,
};

parameter_types! {
	pub const StoragePalletId: PalletId = PalletId(*b"os/store");
	pub const WindowBlocks: BlockNumber = live_or_fast(HOURS, 10);
	/// Bounds the number of providers: 6,000 with windows of an hour.
	pub const JudgedPerBlock: u32 = 10;
	pub const DeliveryBlocks: BlockNumber = live_or_fast(DAYS, 20);
	pub const ConfirmationBlocks: BlockNumber = live_or_fast(DAYS, 20);
	/// Many times the fees that a wrong delivery costs its buyer.
	pub const DeliveryBond: Balance = SAND;
	/// The market until governance decides otherwise.
	pub const InitialParameters: MarketParameters = MarketParameters {
		samples: 32,
		// About what a provider earns in a year at the lowest price.
		collateral_per_mib: 100 * MICROSAND,
		activation_blocks: live_or_fast(3 * HOURS, 60),
		placing_blocks: live_or_fast(2 * DAYS, 200),
		repair_blocks: live_or_fast(DAYS, 60),
		jail_blocks: live_or_fast(7 * DAYS, 100),
		exit_blocks: live_or_fast(7 * DAYS, 50),
		repair_floor: Perbill::from_percent(10),
		hand_over_share: Perbill::from_percent(10),
		lapse_share: Perbill::from_percent(1),
		fault_slash: Perbill::from_percent(1),
		fault_limit: if cfg!(feature = "fast-runtime") { 2 } else { 6 },
		// Two years of hours.
		max_windows: 17_532,
		target_utilisation: Perbill::from_percent(70),
		price_step: Perbill::from_percent(1),
		price_min: PRICE_MIN,
		price_max: 1_000_000 * PRICE_MIN,
	};
}

/// The lowest price per MiB and window: 7.5 SAND for a TiB in a month of hourly windows.
const PRICE_MIN: Balance = 10_000;

impl pallet_dsm::Config for Runtime {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Possession = SegmentMerkle<HostHasher>;
	type Randomness = pallet_babe::ParentBlockRandomness<Runtime>;
	type Treasury = ResolveTo<TreasuryAccount, Balances>;
	type ParameterOrigin = RootOrNetworkParameters;
	type StrikeOrigin = RootOrTrainingData;
	type InitialParameters = InitialParameters;
	type PalletId = StoragePalletId;
	type WindowBlocks = WindowBlocks;
	type JudgedPerBlock = JudgedPerBlock;
	type DepositPerItem = ItemDeposit;
	type DepositPerByte = ByteDeposit;
	type DeliveryBlocks = DeliveryBlocks;
	type ConfirmationBlocks = ConfirmationBlocks;
	type DeliveryBond = DeliveryBond;
	type WeightInfo = pallet_dsm::weights::SubstrateWeight<Runtime>;
}
