//! A runtime with the registry in it, and what tests register.

use frame_support::{
	derive_impl, parameter_types,
	traits::{ConstU128, ConstU32, VariantCountOf},
};
use frame_system::EnsureRoot;
use opensand_nn::{Activation, Architecture, Layer, Linear, Operator, Shape};
use opensand_primitives::{
	currency::SAND,
	models::{CommitmentBytes, KeyBytes, RegistrationProof},
	storage::{BenchmarkDatasets, DataView},
	trapdoor::{Trapdoor, TrapdoorWeights},
	AccountId, ArchitectureId, Balance, KeyId, ModelId, OrderId,
};
use opensand_zk_verifier::{Binding, InputVisibility, KeyOrigin, Native, Statement, StatementShape};
use sp_runtime::{traits::IdentityLookup, BoundedVec, BuildStorage};

use crate as pallet_models;

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system::Pallet<Test>;
	#[runtime::pallet_index(1)]
	pub type Balances = pallet_balances::Pallet<Test>;
	#[runtime::pallet_index(2)]
	pub type Models = pallet_models::Pallet<Test>;
}

type Block = frame_system::mocking::MockBlock<Test>;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountId = AccountId;
	type Lookup = IdentityLookup<AccountId>;
	type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = Balance;
	type ExistentialDeposit = ConstU128<{ SAND / 100 }>;
	type AccountStore = System;
	type RuntimeHoldReason = RuntimeHoldReason;
	type RuntimeFreezeReason = RuntimeFreezeReason;
	type FreezeIdentifier = RuntimeFreezeReason;
	type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
}

parameter_types! {
	pub const ItemDeposit: Balance = SAND / 10;
	pub const ByteDeposit: Balance = SAND / 10_000;
}

/// A storage market: everybody may train on even datasets, which are Bob's, and nobody on odd ones. The last is lost.
pub struct Datasets;

/// The dataset that is lost, beyond which there are none.
pub const LOST: OrderId = 1_000;

parameter_types! {
	/// The uses that were recorded: of which dataset, by whom, for what.
	pub storage Uses: Vec<(OrderId, AccountId, [u8; 32])> = Vec::new();
	pub storage LastDataset: OrderId = 100;
}

/// The digest of a dataset's manifest.
pub fn manifest(dataset: OrderId) -> [u8; 32] {
	[dataset as u8; 32]
}

impl DataView<AccountId> for Datasets {
	fn owner(order: OrderId) -> Option<AccountId> {
		(order < LOST).then_some(BOB)
	}

	fn is_available(order: OrderId) -> bool {
		order < LOST
	}

	fn may_train(order: OrderId, _: &AccountId) -> bool {
		order < LOST && order.is_multiple_of(2)
	}

	fn manifest(order: OrderId) -> Option<[u8; 32]> {
		(order <= LOST).then(|| manifest(order))
	}

	fn record_use(order: OrderId, by: &AccountId, purpose: [u8; 32]) {
		let mut uses = Uses::get();
		uses.push((order, by.clone(), purpose));
		Uses::set(&uses);
	}
}

impl BenchmarkDatasets for Datasets {
	fn benchmark_dataset() -> OrderId {
		let next = LastDataset::get() + 2;
		LastDataset::set(&next);
		next
	}
}

impl pallet_models::Config for Test {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type KeyOrigin = EnsureRoot<AccountId>;
	type Curve = Native;
	type Data = Datasets;
	type BenchmarkDatasets = Datasets;
	type ItemDeposit = ItemDeposit;
	type ByteDeposit = ByteDeposit;
	type MaxArchitectureBytes = ConstU32<{ 64 * 1024 }>;
	type WeightInfo = ();
}

pub const ALICE: AccountId = AccountId::new([1; 32]);
pub const BOB: AccountId = AccountId::new([2; 32]);
/// Has nothing.
pub const PAUPER: AccountId = AccountId::new([3; 32]);

/// A chain at block 1 on which Alice and Bob have 1,000 SAND each.
pub fn new_test_ext(development_keys: bool) -> sp_io::TestExternalities {
	let storage = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: vec![(ALICE, 1_000 * SAND), (BOB, 1_000 * SAND)],
			..Default::default()
		},
		models: pallet_models::GenesisConfig {
			development_keys,
			..Default::default()
		},
		..Default::default()
	}
	.build_storage()
	.unwrap();
	let mut ext = sp_io::TestExternalities::new(storage);
	ext.execute_with(|| System::set_block_number(1));
	ext
}

/// Runs `test` on a development chain and checks the pallet's invariants and the total issuance after it.
pub fn run<R>(test: impl FnOnce() -> R) -> R {
	run_on(new_test_ext(true), test)
}

/// As [`run`], on the given chain.
pub fn run_on<R>(mut ext: sp_io::TestExternalities, test: impl FnOnce() -> R) -> R {
	ext.execute_with(|| {
		let issuance = Balances::total_issuance();
		let result = test();
		Models::do_try_state().unwrap();
		assert_eq!(Balances::total_issuance(), issuance);
		result
	})
}

/// A Linear layer from `inputs` to `outputs` values, as bytes.
pub fn linear(inputs: u32, outputs: u32) -> Vec<u8> {
	let layer = Linear {
		outputs,
		shifts: vec![0; outputs as usize],
		activation: Activation::Identity,
	};
	let layers = vec![Layer {
		input: 0,
		operator: Operator::Linear(layer),
	}];
	Architecture::new(Shape::vector(inputs), layers)
		.unwrap()
		.to_bytes()
}

/// A key of `origin` for a public model from `inputs` to `outputs` values.
pub fn key(seed: u64, origin: KeyOrigin, inputs: u32, outputs: u32) -> KeyBytes {
	let shape = StatementShape {
		visibility: InputVisibility::Public,
		input_len: inputs,
		output_len: outputs,
	};
	let key = Trapdoor::new(seed, shape).key(origin).unwrap();
	BoundedVec::truncate_from(key.to_bytes())
}

pub const CEREMONY: KeyOrigin = KeyOrigin::Ceremony {
	transcript_hash: [7; 32],
};

/// Registers the 4-to-2 architecture under Alice and returns its id.
pub fn architecture() -> ArchitectureId {
	let bytes = linear(4, 2);
	let id = ArchitectureId::from(sp_io::hashing::blake2_256(&bytes));
	Models::register_architecture(RuntimeOrigin::signed(ALICE), BoundedVec::truncate_from(bytes)).unwrap();
	id
}

/// Registers the architecture and a public model of it under Alice and returns the model's id.
pub fn model() -> ModelId {
	let architecture = architecture();
	let origin = RuntimeOrigin::signed(ALICE);
	let (weights, visibility) = ([9; 32], InputVisibility::Public);
	Models::register_model(
		origin,
		architecture,
		weights,
		visibility,
		SAND,
		Default::default(),
	)
	.unwrap();
	opensand_primitives::ids::model_id(&architecture, &weights, visibility, &ALICE)
}

/// The two keys of a family of `origin` for 4-to-2 models: the registration key and the inference key.
pub fn family_keys(seed: u64, origin: KeyOrigin, visibility: InputVisibility) -> [KeyBytes; 2] {
	let inference = StatementShape {
		visibility,
		input_len: 4,
		output_len: 2,
	};
	[StatementShape::REGISTRATION, inference].map(|shape| {
		let key = Trapdoor::of_family(seed, shape).key(origin).unwrap();
		BoundedVec::truncate_from(key.to_bytes())
	})
}

/// Registers the architecture under Alice, and under Bob a family of it with the keys of this seed. Returns its id.
pub fn family(seed: u64) -> KeyId {
	let architecture = architecture();
	let [registration, inference] = family_keys(seed, KeyOrigin::Development, InputVisibility::Public);
	let id = KeyId::from(sp_io::hashing::blake2_256(&inference));
	Models::register_family(RuntimeOrigin::signed(BOB), architecture, registration, inference).unwrap();
	id
}

/// Registers a model of Alice with committed weights and returns its id.
pub fn committed_model(family: KeyId, weights_hash: [u8; 32], previous: Option<ModelId>) -> ModelId {
	let origin = RuntimeOrigin::signed(ALICE);
	Models::register_committed_model(origin, family, weights_hash, previous, SAND, Default::default())
		.unwrap();
	let record = Models::family(family).unwrap();
	opensand_primitives::ids::model_id(
		&record.architecture,
		&weights_hash,
		record.input_visibility,
		&ALICE,
	)
}

/// The commitment of a seed.
pub fn commitment(seed: u64) -> CommitmentBytes {
	let commitment = TrapdoorWeights::new(seed).commitment().unwrap();
	commitment.to_bytes().try_into().unwrap()
}

/// The statement that registers a model of Alice under a family's registration key.
pub fn registration_statement(family: KeyId, model: ModelId) -> Statement {
	Statement::registration(Binding {
		genesis: System::block_hash(0).0,
		key: Models::family(family).unwrap().registration.0,
		model: model.0,
		request: 0,
		worker: ALICE.into(),
	})
}

/// A proof of a statement under a key of the family of `seed`, with the weights of another seed.
pub fn prove(seed: u64, shape: StatementShape, statement: &Statement, weights: u64) -> RegistrationProof {
	let weights = TrapdoorWeights::new(weights);
	Trapdoor::of_family(seed, shape)
		.prove_with(statement, Some(&weights), 1)
		.unwrap()
		.to_bytes()
		.try_into()
		.unwrap()
}
