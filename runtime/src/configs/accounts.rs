//! What people do with their accounts: identity, proxies, multisigs, batches, vesting.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
	parameter_types,
	traits::{ConstU32, InstanceFilter, WithdrawReasons},
};
use frame_system::EnsureRoot;
use opensand_primitives::{
	currency::{deposit, DEPOSIT_PER_BYTE, SAND},
	AccountId, Balance, BlockNumber, Signature,
};
use pallet_identity::legacy::IdentityInfo;
use scale_info::TypeInfo;
use sp_runtime::traits::{BlakeTwo256, ConvertInto, Verify};

use super::governance::RootOrNetworkParameters;
use crate::{
	constants::time::{live_or_fast, DAYS},
	Balances, OriginCaller, Runtime, RuntimeCall, RuntimeEvent, System, Treasury,
};

parameter_types! {
	/// One item: an account and an empty identity of 258 bytes.
	pub const IdentityBasicDeposit: Balance = deposit(1, 258);
	pub const IdentityByteDeposit: Balance = DEPOSIT_PER_BYTE;
	/// A username and its owner, and the way back.
	pub const UsernameDeposit: Balance = deposit(2, 32 + 32 + 1 + 32);
	/// An account and its name.
	pub const SubAccountDeposit: Balance = deposit(1, 53);
	pub const PendingUsernameExpiration: BlockNumber = live_or_fast(7 * DAYS, 20);
	pub const UsernameGracePeriod: BlockNumber = live_or_fast(30 * DAYS, 20);
}

impl pallet_identity::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type Currency = Balances;
	type BasicDeposit = IdentityBasicDeposit;
	type ByteDeposit = IdentityByteDeposit;
	type UsernameDeposit = UsernameDeposit;
	type SubAccountDeposit = SubAccountDeposit;
	type MaxSubAccounts = ConstU32<100>;
	type IdentityInformation = IdentityInfo<ConstU32<32>>;
	type MaxRegistrars = ConstU32<20>;
	type Slashed = Treasury;
	type ForceOrigin = EnsureRoot<AccountId>;
	type RegistrarOrigin = RootOrNetworkParameters;
	type OffchainSignature = Signature;
	type SigningPublicKey = <Signature as Verify>::Signer;
	type UsernameAuthorityOrigin = RootOrNetworkParameters;
	type PendingUsernameExpiration = PendingUsernameExpiration;
	type UsernameGracePeriod = UsernameGracePeriod;
	type MaxSuffixLength = ConstU32<7>;
	type MaxUsernameLength = ConstU32<32>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = ();
	type WeightInfo = pallet_identity::weights::SubstrateWeight<Runtime>;
}

/// What a proxy may do for its account. The numbers are stored, so they are never reused.
#[derive(
	Copy,
	Clone,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Debug,
	Default,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum ProxyType {
	/// Everything.
	#[default]
	#[codec(index = 0)]
	Any,
	/// Everything that moves no funds to another account at once.
	#[codec(index = 1)]
	NonTransfer,
	/// Referenda, votes, preimages, treasury and bounties.
	#[codec(index = 2)]
	Governance,
	/// Bonding, validating, nominating, session keys and pools.
	#[codec(index = 3)]
	Staking,
	/// Nomination pools alone.
	#[codec(index = 4)]
	NominationPools,
	/// Judging identities, as a registrar.
	#[codec(index = 5)]
	IdentityJudgement,
	/// Rejecting the announcements of delayed proxies.
	#[codec(index = 6)]
	CancelProxy,
	/// Models, workers and inference requests, with the fees that those take.
	#[codec(index = 7)]
	Inference,
}

/// Batches and the like, whose inner calls the filter sees one by one.
fn is_wrapper(call: &RuntimeCall) -> bool {
	matches!(call, RuntimeCall::Utility(..))
}

impl InstanceFilter<RuntimeCall> for ProxyType {
	fn filter(&self, call: &RuntimeCall) -> bool {
		match self {
			ProxyType::Any => true,
			ProxyType::NonTransfer => {
				is_wrapper(call)
					|| matches!(
						call,
						RuntimeCall::System(..)
							| RuntimeCall::Babe(..)
							| RuntimeCall::Timestamp(..)
							| RuntimeCall::Grandpa(..)
							| RuntimeCall::Session(..)
							| RuntimeCall::Staking(..)
							| RuntimeCall::VoterList(..)
							| RuntimeCall::NominationPools(..)
							| RuntimeCall::Preimage(..)
							| RuntimeCall::Scheduler(..)
							| RuntimeCall::ConvictionVoting(..)
							| RuntimeCall::Referenda(..)
							| RuntimeCall::Whitelist(..)
							| RuntimeCall::Treasury(..)
							| RuntimeCall::Bounties(..)
							| RuntimeCall::ChildBounties(..)
							| RuntimeCall::Identity(..)
							| RuntimeCall::Multisig(..)
							| RuntimeCall::Proxy(..)
							| RuntimeCall::Models(..)
							| RuntimeCall::Vesting(pallet_vesting::Call::vest { .. })
							| RuntimeCall::Vesting(pallet_vesting::Call::vest_other { .. })
					)
			}
			ProxyType::Governance => {
				is_wrapper(call)
					|| matches!(
						call,
						RuntimeCall::Preimage(..)
							| RuntimeCall::ConvictionVoting(..)
							| RuntimeCall::Referenda(..)
							| RuntimeCall::Whitelist(..)
							| RuntimeCall::Treasury(..)
							| RuntimeCall::Bounties(..)
							| RuntimeCall::ChildBounties(..)
					)
			}
			ProxyType::Staking => {
				is_wrapper(call)
					|| matches!(
						call,
						RuntimeCall::Staking(..)
							| RuntimeCall::Session(..)
							| RuntimeCall::VoterList(..)
							| RuntimeCall::NominationPools(..)
					)
			}
			ProxyType::NominationPools => {
				is_wrapper(call) || matches!(call, RuntimeCall::NominationPools(..))
			}
			ProxyType::IdentityJudgement => {
				is_wrapper(call)
					|| matches!(
						call,
						RuntimeCall::Identity(pallet_identity::Call::provide_judgement { .. })
					)
			}
			ProxyType::Inference => {
				is_wrapper(call) || matches!(call, RuntimeCall::Models(..) | RuntimeCall::Inference(..))
			}
			ProxyType::CancelProxy => {
				matches!(
					call,
					RuntimeCall::Proxy(pallet_proxy::Call::reject_announcement { .. })
				)
			}
		}
	}

	/// Whether a proxy of this type may hand out and revoke proxies of the other.
	fn is_superset(&self, other: &Self) -> bool {
		match (self, other) {
			(own, other) if own == other => true,
			(ProxyType::Any, _) => true,
			(_, ProxyType::Any) => false,
			(ProxyType::Staking, ProxyType::NominationPools) => true,
			// Requests pay others.
			(_, ProxyType::Inference) => false,
			(ProxyType::NonTransfer, _) => true,
			_ => false,
		}
	}
}

parameter_types! {
	/// One item: an account's list of proxies and its deposit.
	pub const ProxyDepositBase: Balance = deposit(1, 8);
	/// An account, a type and a delay.
	pub const ProxyDepositFactor: Balance = deposit(0, 37);
	pub const AnnouncementDepositBase: Balance = deposit(1, 8);
	/// An account, a hash and a height.
	pub const AnnouncementDepositFactor: Balance = deposit(0, 68);
}

impl pallet_proxy::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type Currency = Balances;
	type ProxyType = ProxyType;
	type ProxyDepositBase = ProxyDepositBase;
	type ProxyDepositFactor = ProxyDepositFactor;
	type MaxProxies = ConstU32<32>;
	type MaxPending = ConstU32<32>;
	type CallHasher = BlakeTwo256;
	type AnnouncementDepositBase = AnnouncementDepositBase;
	type AnnouncementDepositFactor = AnnouncementDepositFactor;
	type BlockNumberProvider = System;
	type WeightInfo = pallet_proxy::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	/// One item: its key, and a timepoint, deposit and depositor.
	pub const MultisigDepositBase: Balance = deposit(1, 88);
	/// An account that approved.
	pub const MultisigDepositFactor: Balance = deposit(0, 32);
}

impl pallet_multisig::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type Currency = Balances;
	type DepositBase = MultisigDepositBase;
	type DepositFactor = MultisigDepositFactor;
	type MaxSignatories = ConstU32<100>;
	type BlockNumberProvider = System;
	type WeightInfo = pallet_multisig::weights::SubstrateWeight<Runtime>;
}

impl pallet_utility::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type PalletsOrigin = OriginCaller;
	type WeightInfo = pallet_utility::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	pub const MinVestedTransfer: Balance = SAND;
	/// Unvested funds may be neither transferred nor reserved.
	pub UnvestedFundsAllowedWithdrawReasons: WithdrawReasons =
		WithdrawReasons::except(WithdrawReasons::TRANSFER | WithdrawReasons::RESERVE);
}

impl pallet_vesting::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type Currency = Balances;
	type BlockNumberToBalance = ConvertInto;
	type MinVestedTransfer = MinVestedTransfer;
	type UnvestedFundsAllowedWithdrawReasons = UnvestedFundsAllowedWithdrawReasons;
	type BlockNumberProvider = System;
	const MAX_VESTING_SCHEDULES: u32 = 28;
	type WeightInfo = pallet_vesting::weights::SubstrateWeight<Runtime>;
}
