//! Who makes blocks, who finalises them, and how cheating is proved.

use alloc::vec::Vec;

use frame_support::{parameter_types, traits::ConstU128};
use opensand_primitives::{currency::deposit, AccountId};
use sp_consensus_babe::{AllowedSlots, BabeEpochConfiguration};
use sp_runtime::{
	impl_opaque_keys,
	traits::{ConvertInto, OpaqueKeys},
};
use sp_session::MembershipProof;

use super::staking::{BondingDuration, MaxAuthorities, MaxElectingVoters, SessionsPerEra};
use crate::{
	constants::time, AuthorityDiscovery, Babe, Balances, Grandpa, Historical, Offences, Runtime,
	RuntimeEvent, Session, Staking,
};

impl_opaque_keys! {
	/// The keys with which a validator's node acts; registered with `session.setKeys` and a proof of ownership.
	pub struct SessionKeys {
		pub grandpa: Grandpa,
		pub babe: Babe,
		pub authority_discovery: AuthorityDiscovery,
	}
}

/// BABE's parameters from genesis on: primary slots alone, because only their lottery is weighted.
pub const BABE_GENESIS_EPOCH_CONFIG: BabeEpochConfiguration = BabeEpochConfiguration {
	c: time::PRIMARY_PROBABILITY,
	allowed_slots: AllowedSlots::PrimarySlots,
};

parameter_types! {
	pub const EpochDuration: u64 = time::EPOCH_DURATION_IN_SLOTS;
	pub const ExpectedBlockTime: u64 = time::EXPECTED_BLOCK_TIME_MS;
	/// An equivocation can be reported for as long as the stake behind it is still bonded.
	pub ReportLongevity: u64 = u64::from(BondingDuration::get())
		.saturating_mul(u64::from(SessionsPerEra::get()))
		.saturating_mul(EpochDuration::get());
	/// Sessions for which GRANDPA remembers which authority set was theirs: the bonding period.
	pub MaxSetIdSessionEntries: u64 = u64::from(BondingDuration::get().saturating_mul(SessionsPerEra::get()));
}

impl pallet_babe::Config for Runtime {
	type EpochDuration = EpochDuration;
	type ExpectedBlockTime = ExpectedBlockTime;
	type EpochChangeTrigger = pallet_babe::ExternalTrigger;
	type DisabledValidators = Session;
	type MaxAuthorities = MaxAuthorities;
	type MaxNominators = MaxElectingVoters;
	type KeyOwnerProof = MembershipProof;
	type EquivocationReportSystem =
		pallet_babe::EquivocationReportSystem<Runtime, Offences, Historical, ReportLongevity>;
	// The pallet offers its weights for the unit type alone.
	type WeightInfo = ();
}

impl pallet_grandpa::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type MaxAuthorities = MaxAuthorities;
	type MaxNominators = MaxElectingVoters;
	type MaxSetIdSessionEntries = MaxSetIdSessionEntries;
	type KeyOwnerProof = MembershipProof;
	type EquivocationReportSystem =
		pallet_grandpa::EquivocationReportSystem<Runtime, Offences, Historical, ReportLongevity>;
	// As above.
	type WeightInfo = ();
}

impl pallet_authorship::Config for Runtime {
	type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Runtime, Babe>;
	type EventHandler = Staking;
}

impl pallet_authority_discovery::Config for Runtime {
	type MaxAuthorities = MaxAuthorities;
}

impl pallet_session::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type ValidatorId = AccountId;
	type ValidatorIdOf = ConvertInto;
	type ShouldEndSession = Babe;
	type NextSessionRotation = Babe;
	type SessionManager = pallet_session::historical::NoteHistoricalRoot<Runtime, Staking>;
	type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
	type Keys = SessionKeys;
	type DisablingStrategy = pallet_session::disabling::UpToLimitWithReEnablingDisablingStrategy;
	type Currency = Balances;
	// The keys themselves, and one entry of ownership for each of the three.
	type KeyDeposit = ConstU128<{ deposit(4, 3 * 32 + 3 * (4 + 32 + 32)) }>;
	type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
}

impl pallet_session::historical::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type FullIdentification = ();
	type FullIdentificationOf = pallet_staking::UnitIdentificationOf<Runtime>;
}

impl pallet_offences::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type IdentificationTuple = pallet_session::historical::IdentificationTuple<Runtime>;
	type OnOffenceHandler = Staking;
}
