//! The treasury and what is paid out of it.

use frame_support::{
	parameter_types,
	traits::{
		tokens::{pay::PayFromAccount, UnityAssetBalanceConversion},
		ConstU32, EitherOf,
	},
	PalletId,
};
use frame_system::{EnsureRoot, EnsureRootWithSuccess};
use opensand_primitives::{
	currency::{DEPOSIT_PER_BYTE, SAND},
	AccountId, Balance, BlockNumber,
};
use sp_runtime::{traits::IdentityLookup, Permill};

use super::governance::{origins::Spender, Treasurer};
use crate::{
	constants::time::{live_or_fast, DAYS},
	Balances, Bounties, ChildBounties, Runtime, RuntimeEvent, System, Treasury,
};

parameter_types! {
	pub const TreasuryPalletId: PalletId = PalletId(*b"py/trsry");
	pub TreasuryAccount: AccountId = Treasury::account_id();
	/// How often bounties that were approved are funded.
	pub const SpendPeriod: BlockNumber = live_or_fast(6 * DAYS, 10);
	/// Nothing is burnt: what is not spent stays.
	pub const Burn: Permill = Permill::zero();
	/// For how long an approved spend can be claimed.
	pub const PayoutPeriod: BlockNumber = live_or_fast(30 * DAYS, 200);
	pub const MaxSpend: Balance = Balance::MAX;
}

impl pallet_treasury::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type Currency = Balances;
	type RejectOrigin = EitherOf<EnsureRoot<AccountId>, Treasurer>;
	type SpendPeriod = SpendPeriod;
	type Burn = Burn;
	type PalletId = TreasuryPalletId;
	type BurnDestination = ();
	type SpendFunds = Bounties;
	type MaxApprovals = ConstU32<100>;
	type SpendOrigin = EitherOf<EnsureRootWithSuccess<AccountId, MaxSpend>, Spender>;
	type AssetKind = ();
	type Beneficiary = AccountId;
	type BeneficiaryLookup = IdentityLookup<AccountId>;
	type Paymaster = PayFromAccount<Balances, TreasuryAccount>;
	type BalanceConverter = UnityAssetBalanceConversion;
	type PayoutPeriod = PayoutPeriod;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = ();
	type BlockNumberProvider = System;
	type WeightInfo = pallet_treasury::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	pub const BountyDepositBase: Balance = SAND;
	/// Between a bounty's award and its claim, for objections.
	pub const BountyDepositPayoutDelay: BlockNumber = live_or_fast(4 * DAYS, 5);
	/// A curator who is silent for so long can be replaced.
	pub const BountyUpdatePeriod: BlockNumber = live_or_fast(90 * DAYS, 100);
	pub const CuratorDepositMultiplier: Permill = Permill::from_percent(50);
	pub const CuratorDepositMin: Option<Balance> = Some(10 * SAND);
	pub const CuratorDepositMax: Option<Balance> = Some(500 * SAND);
	pub const BountyValueMinimum: Balance = 10 * SAND;
	pub const ChildBountyValueMinimum: Balance = SAND;
	pub const DataDepositPerByte: Balance = DEPOSIT_PER_BYTE;
}

impl pallet_bounties::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type BountyDepositBase = BountyDepositBase;
	type BountyDepositPayoutDelay = BountyDepositPayoutDelay;
	type BountyUpdatePeriod = BountyUpdatePeriod;
	type CuratorDepositMultiplier = CuratorDepositMultiplier;
	type CuratorDepositMax = CuratorDepositMax;
	type CuratorDepositMin = CuratorDepositMin;
	type BountyValueMinimum = BountyValueMinimum;
	type DataDepositPerByte = DataDepositPerByte;
	type MaximumReasonLength = ConstU32<16_384>;
	type ChildBountyManager = ChildBounties;
	type OnSlash = Treasury;
	type TransferAllAssets = pallet_bounties::TransferFungible<AccountId, Balances>;
	type WeightInfo = pallet_bounties::weights::SubstrateWeight<Runtime>;
}

impl pallet_child_bounties::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type MaxActiveChildBountyCount = ConstU32<100>;
	type ChildBountyValueMinimum = ChildBountyValueMinimum;
	type WeightInfo = pallet_child_bounties::weights::SubstrateWeight<Runtime>;
}
