//! Governance: referenda on tracks, and what executes their outcome.

pub mod origins;
pub mod tracks;

use core::cmp::Ordering;

use frame_support::{
	parameter_types,
	traits::{
		fungible::HoldConsideration, tokens::currency::ActiveIssuanceOf, ConstU32, EitherOf,
		LinearStoragePrice, PrivilegeCmp,
	},
	weights::Weight,
};
use frame_system::{EnsureRoot, EnsureSigned, RawOrigin};
use opensand_primitives::{
	currency::{DEPOSIT_PER_BYTE, DEPOSIT_PER_ITEM, SAND},
	AccountId, Balance, BlockNumber,
};
use sp_runtime::Perbill;

pub use origins::{
	pallet_custom_origins, AuditModel, NetworkParameters, ProverKeys, ReferendumCanceller, ReferendumKiller,
	TrainingData, Treasurer, WhitelistedCaller,
};
pub use tracks::TracksInfo;

use super::RuntimeBlockWeights;
use crate::{
	constants::{
		block,
		time::{live_or_fast, DAYS},
	},
	Balances, OriginCaller, Preimage, Referenda, Runtime, RuntimeCall, RuntimeEvent, RuntimeHoldReason,
	RuntimeOrigin, Scheduler, System, Treasury,
};

/// Root, or the track that sets parameters.
pub type RootOrNetworkParameters = EitherOf<EnsureRoot<AccountId>, NetworkParameters>;
/// Root, or the track that accepts verifying keys.
pub type RootOrProverKeys = EitherOf<EnsureRoot<AccountId>, ProverKeys>;
/// Root, or the track that decides on training data.
pub type RootOrTrainingData = EitherOf<EnsureRoot<AccountId>, TrainingData>;
/// Root, or the track that replaces the audit model.
pub type RootOrAuditModel = EitherOf<EnsureRoot<AccountId>, AuditModel>;

impl pallet_custom_origins::Config for Runtime {}

parameter_types! {
	pub const PreimageBaseDeposit: Balance = DEPOSIT_PER_ITEM;
	pub const PreimageByteDeposit: Balance = DEPOSIT_PER_BYTE;
	pub const PreimageHoldReason: RuntimeHoldReason = RuntimeHoldReason::Preimage(pallet_preimage::HoldReason::Preimage);
}

impl pallet_preimage::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type Currency = Balances;
	type ManagerOrigin = EnsureRoot<AccountId>;
	type Consideration = HoldConsideration<
		AccountId,
		Balances,
		PreimageHoldReason,
		LinearStoragePrice<PreimageBaseDeposit, PreimageByteDeposit, Balance>,
	>;
	type WeightInfo = pallet_preimage::weights::SubstrateWeight<Runtime>;
}

/// Which origin may cancel what another scheduled: Root everything, every other its own.
pub struct OriginPrivilege;

impl PrivilegeCmp<OriginCaller> for OriginPrivilege {
	fn cmp_privilege(left: &OriginCaller, right: &OriginCaller) -> Option<Ordering> {
		match (left, right) {
			(left, right) if left == right => Some(Ordering::Equal),
			(OriginCaller::system(RawOrigin::Root), _) => Some(Ordering::Greater),
			(_, OriginCaller::system(RawOrigin::Root)) => Some(Ordering::Less),
			_ => None,
		}
	}
}

parameter_types! {
	pub SchedulerWeight: Weight = block::share(Perbill::from_percent(80), RuntimeBlockWeights::get().max_block);
}

impl pallet_scheduler::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeOrigin = RuntimeOrigin;
	type PalletsOrigin = OriginCaller;
	type RuntimeCall = RuntimeCall;
	type MaximumWeight = SchedulerWeight;
	type ScheduleOrigin = EnsureRoot<AccountId>;
	type OriginPrivilegeCmp = OriginPrivilege;
	type MaxScheduledPerBlock = ConstU32<50>;
	type Preimages = Preimage;
	type BlockNumberProvider = System;
	type WeightInfo = pallet_scheduler::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	/// For how long a vote of conviction 1 stays locked after it helped to decide.
	pub const VoteLockingPeriod: BlockNumber = live_or_fast(7 * DAYS, 2);
}

impl pallet_conviction_voting::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type Currency = Balances;
	type Polls = Referenda;
	type MaxTurnout = ActiveIssuanceOf<Balances, AccountId>;
	type MaxVotes = ConstU32<512>;
	type VoteLockingPeriod = VoteLockingPeriod;
	type BlockNumberProvider = System;
	type VotingHooks = ();
	type WeightInfo = pallet_conviction_voting::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	pub const SubmissionDeposit: Balance = SAND;
	/// A referendum without a decision deposit lapses after this time.
	pub const UndecidingTimeout: BlockNumber = live_or_fast(14 * DAYS, 100);
	/// Alarms are set at every block, so that short periods end when they should.
	pub const AlarmInterval: BlockNumber = 1;
}

impl pallet_referenda::Config for Runtime {
	type RuntimeCall = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type Scheduler = Scheduler;
	type Currency = Balances;
	type SubmitOrigin = frame_support::traits::AsEnsureOriginWithArg<EnsureSigned<AccountId>>;
	type CancelOrigin = EitherOf<EnsureRoot<AccountId>, ReferendumCanceller>;
	type KillOrigin = EitherOf<EnsureRoot<AccountId>, ReferendumKiller>;
	type Slash = Treasury;
	type Votes = Balance;
	type Tally = pallet_conviction_voting::TallyOf<Runtime>;
	type SubmissionDeposit = SubmissionDeposit;
	type MaxQueued = ConstU32<100>;
	type UndecidingTimeout = UndecidingTimeout;
	type AlarmInterval = AlarmInterval;
	type Tracks = TracksInfo;
	type Preimages = Preimage;
	type BlockNumberProvider = System;
	type WeightInfo = pallet_referenda::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	/// For how long anyone may execute a call that won its referendum before it was whitelisted.
	pub const DeferredDispatchExpiration: BlockNumber = live_or_fast(28 * DAYS, 200);
}

impl pallet_whitelist::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	// There is no body of experts to vouch for a call. Root whitelists emergency measures in advance; the short
	// track then puts one into force when it is needed.
	type WhitelistOrigin = EnsureRoot<AccountId>;
	type DispatchWhitelistedOrigin = EitherOf<EnsureRoot<AccountId>, WhitelistedCaller>;
	type Preimages = Preimage;
	type DeferredDispatchExpiration = DeferredDispatchExpiration;
	type BlockNumberProvider = System;
	type WeightInfo = pallet_whitelist::weights::SubstrateWeight<Runtime>;
}
