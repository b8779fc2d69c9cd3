//! Stake: elections, rewards, slashes, pools.

use frame_election_provider_support::{
	bounds::{ElectionBounds, ElectionBoundsBuilder},
	onchain, SequentialPhragmen,
};
use frame_support::{
	parameter_types,
	traits::{tokens::imbalance::ResolveTo, ConstBool, ConstU32, ConstU8},
	PalletId,
};
use frame_system::EnsureRoot;
use opensand_primitives::{AccountId, Balance};
use pallet_nomination_pools::adapter::DelegateStake;
use sp_core::U256;
use sp_runtime::{curve::PiecewiseLinear, traits::Convert, FixedU128, Perbill, SaturatedConversion};
use sp_staking::{currency_to_vote::U128CurrencyToVote, EraIndex, SessionIndex};

use super::{governance::RootOrNetworkParameters, treasury::TreasuryAccount, voter_bags::BAG_THRESHOLDS};
use crate::{
	Balances, DelegatedStaking, NominationPools, Runtime, RuntimeEvent, RuntimeFreezeReason,
	RuntimeHoldReason, Session, Staking, System, Timestamp, VoterList,
};

/// `live` on a live network; `fast` with the feature `fast-runtime`.
const fn live_or_fast(live: u32, fast: u32) -> u32 {
	crate::constants::time::live_or_fast(live, fast)
}

parameter_types! {
	/// An era is six hours.
	pub const SessionsPerEra: SessionIndex = live_or_fast(6, 1);
	/// Unbonded stake is free, and no longer answers for offences, after seven days.
	pub const BondingDuration: EraIndex = live_or_fast(28, 3);
	/// A slash can be cancelled for a day less than that.
	pub const SlashDeferDuration: EraIndex = live_or_fast(24, 2);
	/// Eras whose rewards can still be claimed: three weeks.
	pub const HistoryDepth: u32 = 84;
	/// Validators at most, however many governance asks for.
	pub const MaxAuthorities: u32 = 100;
	/// Stakers whose votes an election counts, those with most stake first.
	///
	/// The election runs whole in one block, so this and the next bound keep it within the block.
	pub const MaxElectingVoters: u32 = 1_000;
	/// Candidates that an election considers. With more than this it fails, so genesis caps their number at it, and
	/// whoever raises that cap has to raise this first.
	pub const MaxElectableTargets: u32 = 300;
	pub ElectionLimits: ElectionBounds = ElectionBoundsBuilder::default()
		.voters_count(MaxElectingVoters::get().into())
		.targets_count(MaxElectableTargets::get().into())
		.build();
	/// Nominators of one validator that one payout transaction pays.
	pub const MaxExposurePageSize: u32 = 256;
}

/// The election: sequential Phragmén over the voter list, at the end of the last session but one of an era.
pub struct OnChainElection;

impl onchain::Config for OnChainElection {
	type Sort = ConstBool<true>;
	type System = Runtime;
	type Solver = SequentialPhragmen<AccountId, Perbill>;
	type DataProvider = Staking;
	type MaxWinnersPerPage = MaxAuthorities;
	type MaxBackersPerWinner = MaxElectingVoters;
	type Bounds = ElectionLimits;
	type WeightInfo = frame_election_provider_support::weights::SubstrateWeight<Runtime>;
}

pallet_staking_reward_curve::build! {
	const REWARD_CURVE: PiecewiseLinear<'static> = curve!(
		min_inflation: 0_025_000,
		max_inflation: 0_100_000,
		// Stakers are paid most when half of the supply is at stake.
		ideal_stake: 0_500_000,
		falloff: 0_050_000,
		max_piece_count: 40,
		test_precision: 0_005_000,
	);
}

parameter_types! {
	pub const RewardCurve: &'static PiecewiseLinear<'static> = &REWARD_CURVE;
}

/// Sizes for the staking pallet's own benchmarks.
pub struct StakingBenchmarks;

impl pallet_staking::BenchmarkingConfig for StakingBenchmarks {
	type MaxNominators = MaxElectingVoters;
	type MaxValidators = MaxElectableTargets;
}

impl pallet_staking::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeHoldReason = RuntimeHoldReason;
	type OldCurrency = Balances;
	type Currency = Balances;
	type CurrencyBalance = Balance;
	type CurrencyToVote = U128CurrencyToVote;
	type UnixTime = Timestamp;
	type ElectionProvider = onchain::OnChainExecution<OnChainElection>;
	type GenesisElectionProvider = onchain::OnChainExecution<OnChainElection>;
	type NominationsQuota = pallet_staking::FixedNominationsQuota<16>;
	type HistoryDepth = HistoryDepth;
	type RewardRemainder = ResolveTo<TreasuryAccount, Balances>;
	type Slash = ResolveTo<TreasuryAccount, Balances>;
	// Rewards are minted.
	type Reward = ();
	type SessionsPerEra = SessionsPerEra;
	type BondingDuration = BondingDuration;
	type SlashDeferDuration = SlashDeferDuration;
	// It can slash by hand, so it is nobody's but Root's.
	type AdminOrigin = EnsureRoot<AccountId>;
	type SessionInterface = Self;
	type EraPayout = pallet_staking::ConvertCurve<RewardCurve>;
	type NextNewSession = Session;
	type MaxExposurePageSize = MaxExposurePageSize;
	type MaxValidatorSet = MaxAuthorities;
	type VoterList = VoterList;
	type TargetList = pallet_staking::UseValidatorsMap<Self>;
	type MaxUnlockingChunks = ConstU32<32>;
	type MaxControllersInDeprecationBatch = ConstU32<100>;
	type EventListeners = (NominationPools, DelegatedStaking);
	// Stake is either one's own or in a pool, so that it cannot vote twice.
	type Filter = pallet_nomination_pools::AllPoolMembers<Runtime>;
	type BenchmarkingConfig = StakingBenchmarks;
	type WeightInfo = pallet_staking::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	pub const BagThresholds: &'static [u64] = &BAG_THRESHOLDS;
}

impl pallet_bags_list::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type ScoreProvider = Staking;
	type BagThresholds = BagThresholds;
	type MaxAutoRebagPerBlock = ConstU32<10>;
	type Score = u64;
	type WeightInfo = pallet_bags_list::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	pub const DelegatedStakingPalletId: PalletId = PalletId(*b"py/dlstk");
	/// Share of a slash that whoever applies it to a pool's member is paid.
	pub const DelegatedSlashReward: Perbill = Perbill::from_percent(1);
}

impl pallet_delegated_staking::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type PalletId = DelegatedStakingPalletId;
	type Currency = Balances;
	type OnSlash = ResolveTo<TreasuryAccount, Balances>;
	type SlashRewardFraction = DelegatedSlashReward;
	type RuntimeHoldReason = RuntimeHoldReason;
	type CoreStaking = Staking;
}

parameter_types! {
	pub const NominationPoolsPalletId: PalletId = PalletId(*b"py/nopls");
	/// More than the bonding duration, so that a slash finds every pool that it applies to.
	pub const MaxUnbondingPools: u32 = BondingDuration::get().saturating_add(4);
}

/// A balance as a 256-bit number.
pub struct BalanceToU256;

impl Convert<Balance, U256> for BalanceToU256 {
	fn convert(balance: Balance) -> U256 {
		U256::from(balance)
	}
}

/// A 256-bit number as a balance, the largest one if it does not fit.
pub struct U256ToBalance;

impl Convert<U256, Balance> for U256ToBalance {
	fn convert(number: U256) -> Balance {
		number.saturated_into()
	}
}

impl pallet_nomination_pools::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type Currency = Balances;
	type RuntimeFreezeReason = RuntimeFreezeReason;
	type RewardCounter = FixedU128;
	type PalletId = NominationPoolsPalletId;
	type MaxPointsToBalance = ConstU8<10>;
	type MaxUnbonding = ConstU32<8>;
	type BalanceToU256 = BalanceToU256;
	type U256ToBalance = U256ToBalance;
	type StakeAdapter = DelegateStake<Self, Staking, DelegatedStaking>;
	type MaxUnbondingPools = MaxUnbondingPools;
	type MaxMetadataLen = ConstU32<256>;
	type AdminOrigin = RootOrNetworkParameters;
	type BlockNumberProvider = System;
	type Filter = pallet_staking::AllStakers<Runtime>;
	type WeightInfo = pallet_nomination_pools::weights::SubstrateWeight<Runtime>;
}
