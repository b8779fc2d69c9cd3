//! The chain's base: blocks, time, balances, fees, migrations.

use frame_support::{
	derive_impl,
	dispatch::DispatchClass,
	parameter_types,
	traits::{
		fungible::{Balanced, Credit},
		tokens::imbalance::ResolveTo,
		ConstU128, ConstU16, ConstU32, ConstU64, ConstU8, Imbalance, OnUnbalanced, VariantCountOf,
	},
	weights::{
		constants::{BlockExecutionWeight, ExtrinsicBaseWeight, RocksDbWeight},
		ConstantMultiplier, Weight,
	},
};
use frame_system::limits::{BlockLength, BlockWeights};
use opensand_primitives::{AccountId, Balance, BlockNumber, Hash, Moment, Nonce};
use pallet_transaction_payment::{FungibleAdapter, Multiplier, TargetedFeeAdjustment};
use sp_runtime::{generic, traits::AccountIdLookup, FixedPointNumber, Perbill, Perquintill};
use sp_version::RuntimeVersion;

use super::treasury::TreasuryAccount;
use crate::{
	constants::{block, fee, identity, time},
	version::VERSION,
	Authorship, Babe, Balances, Block, PalletInfo, Runtime, RuntimeCall, RuntimeEvent, RuntimeFreezeReason,
	RuntimeHoldReason, RuntimeOrigin, RuntimeTask, System, TxExtension, UncheckedExtrinsic,
};

parameter_types! {
	/// Hashes of this many blocks are kept; a mortal transaction cannot live longer.
	pub const BlockHashCount: BlockNumber = 4_096;
	pub const Version: RuntimeVersion = VERSION;
	pub RuntimeBlockLength: BlockLength = BlockLength::builder()
		.max_length(block::MAXIMUM_BLOCK_LENGTH)
		.modify_max_length_for_class(DispatchClass::Normal, |max| *max = block::NORMAL_DISPATCH_RATIO.mul_floor(*max))
		.build();
	pub RuntimeBlockWeights: BlockWeights = BlockWeights::builder()
		.base_block(BlockExecutionWeight::get())
		.for_class(DispatchClass::all(), |weights| weights.base_extrinsic = ExtrinsicBaseWeight::get())
		.for_class(DispatchClass::Normal, |weights| {
			weights.max_total = Some(block::share(block::NORMAL_DISPATCH_RATIO, block::MAXIMUM_BLOCK_WEIGHT));
		})
		.for_class(DispatchClass::Operational, |weights| {
			weights.max_total = Some(block::MAXIMUM_BLOCK_WEIGHT);
			// Operational transactions find room even in a block that ordinary ones have filled.
			weights.reserved = Some(
				block::MAXIMUM_BLOCK_WEIGHT
					.saturating_sub(block::share(block::NORMAL_DISPATCH_RATIO, block::MAXIMUM_BLOCK_WEIGHT)),
			);
		})
		.avg_block_initialization(block::AVERAGE_ON_INITIALIZE_RATIO)
		.build_or_panic();
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
	type Block = Block;
	type BlockHashCount = BlockHashCount;
	type BlockLength = RuntimeBlockLength;
	type BlockWeights = RuntimeBlockWeights;
	type DbWeight = RocksDbWeight;
	type AccountId = AccountId;
	type AccountData = pallet_balances::AccountData<Balance>;
	type Hash = Hash;
	type Nonce = Nonce;
	type Lookup = AccountIdLookup<AccountId, ()>;
	type Version = Version;
	type SS58Prefix = ConstU16<{ identity::SS58_PREFIX }>;
	type MaxConsumers = ConstU32<64>;
	type MultiBlockMigrator = crate::MultiBlockMigrations;
	type SingleBlockMigrations = crate::migrations::SingleBlockMigrations;
	type SystemWeightInfo = frame_system::weights::SubstrateWeight<Runtime>;
	type ExtensionsWeightInfo = frame_system::SubstrateExtensionsWeight<Runtime>;
}

impl pallet_timestamp::Config for Runtime {
	type Moment = Moment;
	type OnTimestampSet = Babe;
	// BABE takes twice this for the length of a slot.
	type MinimumPeriod = ConstU64<{ time::SLOT_DURATION_MS / 2 }>;
	type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Runtime>;
}

impl pallet_balances::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeHoldReason = RuntimeHoldReason;
	type RuntimeFreezeReason = RuntimeFreezeReason;
	type Balance = Balance;
	type DustRemoval = ResolveTo<TreasuryAccount, Balances>;
	type ExistentialDeposit = ConstU128<{ fee::EXISTENTIAL_DEPOSIT }>;
	type AccountStore = System;
	type ReserveIdentifier = [u8; 8];
	type FreezeIdentifier = RuntimeFreezeReason;
	type MaxLocks = ConstU32<50>;
	type MaxReserves = ConstU32<50>;
	type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
	type DoneSlashHandler = ();
	type WeightInfo = pallet_balances::weights::SubstrateWeight<Runtime>;
}

/// Splits what a transaction paid: of the fee, [`fee::AUTHOR_PERCENT`] goes to the block's author and the rest
/// to the treasury; the tip goes to the author whole.
pub struct DealWithFees;

impl OnUnbalanced<Credit<AccountId, Balances>> for DealWithFees {
	fn on_unbalanceds(mut fee_then_tip: impl Iterator<Item = Credit<AccountId, Balances>>) {
		let Some(fee) = fee_then_tip.next() else { return };
		let (mut author, treasury) =
			fee.ration(fee::AUTHOR_PERCENT, 100u32.saturating_sub(fee::AUTHOR_PERCENT));
		if let Some(tip) = fee_then_tip.next() {
			author.subsume(tip);
		}
		ResolveTo::<TreasuryAccount, Balances>::on_unbalanced(treasury);
		match Authorship::author() {
			Some(account) => {
				if let Err(unpaid) = Balances::resolve(&account, author) {
					// The share is below the existential deposit of an author who has no account.
					ResolveTo::<TreasuryAccount, Balances>::on_unbalanced(unpaid);
				}
			}
			None => ResolveTo::<TreasuryAccount, Balances>::on_unbalanced(author),
		}
	}
}

parameter_types! {
	/// The fee multiplier stands still while this share of the ordinary block space is used.
	pub const TargetBlockFullness: Perquintill = Perquintill::from_percent(25);
	/// At full blocks fees rise by about 84 % in a day of 14,400 blocks; with empty blocks they fall by 24 %.
	pub AdjustmentVariable: Multiplier = Multiplier::saturating_from_rational(75, 1_000_000);
	/// Low enough to be cheap, high enough that the multiplier can rise again.
	pub MinimumMultiplier: Multiplier = Multiplier::saturating_from_rational(1, 10u128);
	pub MaximumMultiplier: Multiplier = Multiplier::saturating_from_integer(1_000_000u128);
}

impl pallet_transaction_payment::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type OnChargeTransaction = FungibleAdapter<Balances, DealWithFees>;
	type WeightToFee = ConstantMultiplier<Balance, ConstU128<{ fee::PER_PICOSECOND }>>;
	type LengthToFee = ConstantMultiplier<Balance, ConstU128<{ fee::PER_BYTE }>>;
	type FeeMultiplierUpdate = TargetedFeeAdjustment<
		Runtime,
		TargetBlockFullness,
		AdjustmentVariable,
		MinimumMultiplier,
		MaximumMultiplier,
	>;
	type OperationalFeeMultiplier = ConstU8<5>;
	type WeightInfo = pallet_transaction_payment::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	/// What a block may spend on a migration in progress; transactions wait meanwhile.
	pub MigrationServiceWeight: Weight = block::share(Perbill::from_percent(80), RuntimeBlockWeights::get().max_block);
}

impl pallet_migrations::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	#[cfg(not(feature = "runtime-benchmarks"))]
	type Migrations = crate::migrations::MultiBlockMigrations;
	#[cfg(feature = "runtime-benchmarks")]
	type Migrations = pallet_migrations::mock_helpers::MockedMigrations;
	type CursorMaxLen = ConstU32<65_536>;
	type IdentifierMaxLen = ConstU32<256>;
	type MigrationStatusHandler = ();
	// A half-migrated state may violate any invariant: stop, and let the next upgrade mend it.
	type FailedMigrationHandler = frame_support::migrations::FreezeChainOnFailedMigration;
	type MaxServiceWeight = MigrationServiceWeight;
	type WeightInfo = pallet_migrations::weights::SubstrateWeight<Runtime>;
}

impl<LocalCall> frame_system::offchain::CreateTransactionBase<LocalCall> for Runtime
where
	RuntimeCall: From<LocalCall>,
{
	type Extrinsic = UncheckedExtrinsic;
	type RuntimeCall = RuntimeCall;
}

impl<LocalCall> frame_system::offchain::CreateTransaction<LocalCall> for Runtime
where
	RuntimeCall: From<LocalCall>,
{
	type Extension = TxExtension;

	fn create_transaction(call: RuntimeCall, extension: TxExtension) -> UncheckedExtrinsic {
		generic::UncheckedExtrinsic::new_transaction(call, extension)
	}
}

impl<LocalCall> frame_system::offchain::CreateBare<LocalCall> for Runtime
where
	RuntimeCall: From<LocalCall>,
{
	fn create_bare(call: RuntimeCall) -> UncheckedExtrinsic {
		generic::UncheckedExtrinsic::new_bare(call)
	}
}

impl<LocalCall> frame_system::offchain::CreateAuthorizedTransaction<LocalCall> for Runtime
where
	RuntimeCall: From<LocalCall>,
{
	/// Nobody signs and nobody pays, so there is neither nonce nor tip; the call's own authorisation decides how
	/// long the transaction lives.
	fn create_extension() -> TxExtension {
		(
			frame_system::AuthorizeCall::new(),
			frame_system::CheckNonZeroSender::new(),
			frame_system::CheckSpecVersion::new(),
			frame_system::CheckTxVersion::new(),
			frame_system::CheckGenesis::new(),
			frame_system::CheckMortality::from(generic::Era::Immortal),
			frame_system::CheckNonce::from(0),
			frame_system::CheckWeight::new(),
			pallet_transaction_payment::ChargeTransactionPayment::from(0),
			frame_metadata_hash_extension::CheckMetadataHash::new(false),
			frame_system::WeightReclaim::new(),
		)
	}
}
