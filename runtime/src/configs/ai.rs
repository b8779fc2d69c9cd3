//! Models and paid inference.

use frame_support::{
	parameter_types,
	traits::{tokens::imbalance::ResolveTo, ConstU32, Get},
};
use opensand_primitives::{
	currency::{DEPOSIT_PER_BYTE, DEPOSIT_PER_ITEM, MILLISAND, SAND},
	AccountId, Balance, BlockNumber,
};
use opensand_zk_verifier::Host;
use sp_runtime::Permill;

use super::{governance::RootOrProverKeys, treasury::TreasuryAccount};
use crate::{
	constants::{
		fee,
		time::{live_or_fast, DAYS, HOURS, MINUTES},
	},
	Authorship, Balances, Dsm, Models, Runtime, RuntimeHoldReason,
};

parameter_types! {
	pub const ItemDeposit: Balance = DEPOSIT_PER_ITEM;
	pub const ByteDeposit: Balance = DEPOSIT_PER_BYTE;
}

impl pallet_models::Config for Runtime {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type KeyOrigin = RootOrProverKeys;
	type Curve = Host;
	type Data = Dsm;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkDatasets = Dsm;
	type ItemDeposit = ItemDeposit;
	type ByteDeposit = ByteDeposit;
	type MaxArchitectureBytes = ConstU32<{ 64 * 1024 }>;
	type WeightInfo = pallet_models::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	/// What a worker stakes on each request that it takes on.
	pub const RequestBond: Balance = 10 * SAND;
	/// Half of a lost bond makes up for the requester's wait.
	pub const CompensationShare: Permill = Permill::from_percent(50);
	/// About what the weight of a verification costs as a fee.
	pub const VerificationFee: Balance = 50 * MILLISAND;
	pub const ProtocolShare: Permill = Permill::from_percent(5);
	pub const AuthorShare: Permill = Permill::from_percent(fee::AUTHOR_PERCENT);
	pub const CancellationShare: Permill = Permill::from_percent(10);
	pub const MinTimeout: BlockNumber = live_or_fast(MINUTES, 5);
	pub const MaxTimeout: BlockNumber = live_or_fast(DAYS, 1_000);
	pub const DeadlineSlack: BlockNumber = 20;
	pub const DeclinePeriod: BlockNumber = live_or_fast(5, 2);
	pub const CancellationNotice: BlockNumber = live_or_fast(HOURS, 10);
	pub const UnbondingPeriod: BlockNumber = live_or_fast(7 * DAYS, 20);
	pub const ReceiptPeriod: BlockNumber = live_or_fast(7 * DAYS, 500);
}

/// The account of the current block's author.
pub struct BlockAuthor;

impl Get<Option<AccountId>> for BlockAuthor {
	fn get() -> Option<AccountId> {
		Authorship::author()
	}
}

impl pallet_inference::Config for Runtime {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Models = Models;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkModels = Models;
	// Credit for checked work begins with the work pallet.
	type WorkSink = ();
	type BlockAuthor = BlockAuthor;
	type Treasury = ResolveTo<TreasuryAccount, Balances>;
	type Curve = Host;
	type RequestBond = RequestBond;
	type CompensationShare = CompensationShare;
	type VerificationFee = VerificationFee;
	type ProtocolShare = ProtocolShare;
	type AuthorShare = AuthorShare;
	type CancellationShare = CancellationShare;
	type MinTimeout = MinTimeout;
	type MaxTimeout = MaxTimeout;
	type DeadlineSlack = DeadlineSlack;
	type DeclinePeriod = DeclinePeriod;
	type CancellationNotice = CancellationNotice;
	type UnbondingPeriod = UnbondingPeriod;
	type ReceiptPeriod = ReceiptPeriod;
	type MaxProviders = ConstU32<64>;
	type MaxDeadlinesPerBlock = ConstU32<100>;
	type WeightInfo = pallet_inference::weights::SubstrateWeight<Runtime>;
}
