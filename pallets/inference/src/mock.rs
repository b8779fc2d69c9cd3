//! A runtime with the market in it, a registry of two models whose keys' trapdoors are known, and what tests do.

use codec::Encode;
use frame_support::{
	derive_impl,
	dispatch::GetDispatchInfo,
	parameter_types, storage_alias,
	traits::{fungible::Inspect, tokens::imbalance::ResolveTo, ConstU32, Hooks, VariantCountOf},
	BoundedVec, Identity,
};
use frame_system::offchain::{CreateAuthorizedTransaction, CreateTransaction, CreateTransactionBase};
use opensand_primitives::{
	currency::SAND,
	inference::{decline_payload, result_payload, Fee, RequestInput, RequestRecord, SignedResult},
	models::{BenchmarkFamily, BenchmarkModels, CommitmentBytes, InferenceTerms, ModelView},
	trapdoor::{Trapdoor, TrapdoorWeights},
	work::WorkSink,
	worker_key, AccountId, Balance, BlockNumber, KeyId, ModelId, RequestId,
};
use opensand_zk_verifier::{
	poseidon::salted_input_hash, Binding, InputVisibility, KeyOrigin, Native, Statement, StatementInput,
	StatementShape,
};
use sp_core::Pair;
use sp_runtime::{
	generic,
	traits::{Applyable, BlakeTwo256, Checkable, IdentityLookup},
	transaction_validity::{TransactionSource, TransactionValidity, TransactionValidityError},
	BuildStorage, DispatchError, DispatchResult, MultiSignature, Permill,
};

use crate as pallet_inference;

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
	pub type Inference = pallet_inference::Pallet<Test>;
}

type Extension = (frame_system::AuthorizeCall<Test>,);
pub type Extrinsic = generic::UncheckedExtrinsic<AccountId, RuntimeCall, MultiSignature, Extension>;
type Block = generic::Block<generic::Header<u32, BlakeTwo256>, Extrinsic>;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountId = AccountId;
	type Lookup = IdentityLookup<AccountId>;
	type AccountData = pallet_balances::AccountData<Balance>;
}

impl CreateTransactionBase<crate::Call<Test>> for Test {
	type Extrinsic = Extrinsic;
	type RuntimeCall = RuntimeCall;
}

impl CreateTransaction<crate::Call<Test>> for Test {
	type Extension = Extension;

	fn create_transaction(call: RuntimeCall, extension: Extension) -> Extrinsic {
		Extrinsic::new_transaction(call, extension)
	}
}

impl CreateAuthorizedTransaction<crate::Call<Test>> for Test {
	fn create_extension() -> Extension {
		(frame_system::AuthorizeCall::new(),)
	}
}

pub const EXISTENTIAL_DEPOSIT: Balance = SAND / 10;

parameter_types! {
	pub const ExistentialDeposit: Balance = EXISTENTIAL_DEPOSIT;
	pub const RequestBond: Balance = 10 * SAND;
	pub const CompensationShare: Permill = Permill::from_percent(50);
	pub const VerificationFee: Balance = SAND / 20;
	pub const ProtocolShare: Permill = Permill::from_percent(5);
	pub const AuthorShare: Permill = Permill::from_percent(30);
	pub const CancellationShare: Permill = Permill::from_percent(10);
	pub const Treasury: AccountId = TREASURY;
	/// The current block's author; tests change it.
	pub storage Author: Option<AccountId> = Some(AUTHOR);
}

pub const MIN_TIMEOUT: BlockNumber = 10;
pub const MAX_TIMEOUT: BlockNumber = 100;
pub const DEADLINE_SLACK: BlockNumber = 2;
pub const DECLINE_PERIOD: BlockNumber = 3;
pub const CANCELLATION_NOTICE: BlockNumber = 4;
pub const UNBONDING_PERIOD: BlockNumber = 20;
pub const RECEIPT_PERIOD: BlockNumber = 30;
pub const MAX_PROVIDERS: u32 = 4;
pub const MAX_DEADLINES: u32 = 3;

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = Balance;
	type ExistentialDeposit = ExistentialDeposit;
	type AccountStore = System;
	type RuntimeHoldReason = RuntimeHoldReason;
	type RuntimeFreezeReason = RuntimeFreezeReason;
	type FreezeIdentifier = RuntimeFreezeReason;
	type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
}

impl pallet_inference::Config for Test {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Models = Registry;
	type BenchmarkModels = Registry;
	type WorkSink = Credits;
	type BlockAuthor = Author;
	type Treasury = ResolveTo<Treasury, Balances>;
	type Curve = Native;
	type RequestBond = RequestBond;
	type CompensationShare = CompensationShare;
	type VerificationFee = VerificationFee;
	type ProtocolShare = ProtocolShare;
	type AuthorShare = AuthorShare;
	type CancellationShare = CancellationShare;
	type MinTimeout = ConstU32<MIN_TIMEOUT>;
	type MaxTimeout = ConstU32<MAX_TIMEOUT>;
	type DeadlineSlack = ConstU32<DEADLINE_SLACK>;
	type DeclinePeriod = ConstU32<DECLINE_PERIOD>;
	type CancellationNotice = ConstU32<CANCELLATION_NOTICE>;
	type UnbondingPeriod = ConstU32<UNBONDING_PERIOD>;
	type ReceiptPeriod = ConstU32<RECEIPT_PERIOD>;
	type MaxProviders = ConstU32<MAX_PROVIDERS>;
	type MaxDeadlinesPerBlock = ConstU32<MAX_DEADLINES>;
	type WeightInfo = ();
}

/// Credited work by worker.
#[storage_alias]
pub type CreditedWork =
	StorageMap<Prefix, Identity, AccountId, Balance, frame_support::pallet_prelude::ValueQuery>;

pub struct Credits;

impl WorkSink<AccountId> for Credits {
	fn credit(worker: &AccountId, value: Balance) {
		CreditedWork::mutate(worker, |sum| *sum += value);
	}
}

/// Registered models with the number of their open uses.
#[storage_alias]
pub type RegisteredModels = StorageMap<Prefix, Identity, ModelId, (InferenceTerms, u32)>;

/// Keys of registered models.
#[storage_alias]
pub type RegisteredKeys = StorageMap<Prefix, Identity, KeyId, Vec<u8>>;

/// A registry in the test's storage, so that a failed call undoes what it did there.
pub struct Registry;

impl ModelView for Registry {
	fn inference_terms(model: &ModelId) -> Option<InferenceTerms> {
		RegisteredModels::get(model).map(|(terms, _)| terms)
	}

	fn verifying_key(key: &KeyId) -> Option<Vec<u8>> {
		RegisteredKeys::get(key)
	}

	fn commitment(model: &ModelId) -> Option<CommitmentBytes> {
		RegisteredModels::get(model)?.0.commitment
	}

	fn begin_use(model: &ModelId) -> DispatchResult {
		RegisteredModels::try_mutate(model, |entry| {
			let (_, uses) = entry.as_mut().ok_or(DispatchError::CannotLookup)?;
			*uses += 1;
			Ok(())
		})
	}

	fn end_use(model: &ModelId) {
		RegisteredModels::mutate(model, |entry| {
			let (_, uses) = entry.as_mut().expect("a model in use stays");
			*uses = uses.checked_sub(1).expect("every use that ends has begun");
		});
	}
}

impl BenchmarkModels for Registry {
	fn benchmark_model(
		owner: AccountId,
		architecture: Vec<u8>,
		input_visibility: InputVisibility,
		family: BenchmarkFamily,
	) -> ModelId {
		let shape = opensand_nn::Architecture::from_bytes(&architecture).unwrap();
		let id = KeyId::from(sp_io::hashing::blake2_256(&family.inference));
		RegisteredKeys::insert(id, family.inference);
		let terms = InferenceTerms {
			owner,
			key: id,
			commitment: Some(family.commitment),
			input_len: shape.input_len(),
			output_len: shape.output_len(),
			input_visibility,
			royalty: 0,
		};
		let model = ModelId::from((&terms.owner, id).using_encoded(sp_io::hashing::blake2_256));
		RegisteredModels::insert(model, (terms, 0));
		model
	}
}

pub const REQUESTER: AccountId = AccountId::new([1; 32]);
pub const OWNER: AccountId = AccountId::new([2; 32]);
pub const AUTHOR: AccountId = AccountId::new([3; 32]);
pub const TREASURY: AccountId = AccountId::new([4; 32]);
pub const WORKER: AccountId = AccountId::new([5; 32]);
pub const OTHER: AccountId = AccountId::new([6; 32]);
/// Has nothing.
pub const PAUPER: AccountId = AccountId::new([7; 32]);

pub const INPUT_LEN: usize = 40;
pub const OUTPUT_LEN: usize = 2;
pub const PRICE: Balance = SAND;
pub const ROYALTY: Balance = SAND / 4;
pub const TIMEOUT: BlockNumber = 20;
pub const GENESIS: [u8; 32] = [0x69; 32];
const SALT: [u8; 32] = [3; 32];

/// The model of 40 to 2 values whose statements have this visibility.
pub fn model(visibility: InputVisibility) -> ModelId {
	ModelId::repeat_byte(match visibility {
		InputVisibility::Public => 0xaa,
		InputVisibility::Hashed => 0xbb,
	})
}

pub fn public_model() -> ModelId {
	model(InputVisibility::Public)
}

/// The versions of each model with committed weights.
pub const VERSIONS: [u8; 2] = [1, 2];

/// The model whose weights are committed, in a version. Versions of one visibility share a key.
pub fn committed_model(visibility: InputVisibility, version: u8) -> ModelId {
	ModelId::repeat_byte(match visibility {
		InputVisibility::Public => 0xc0 + version,
		InputVisibility::Hashed => 0xd0 + version,
	})
}

/// The weights of a model, if they are committed.
pub fn weights(model: &ModelId) -> Option<TrapdoorWeights> {
	(model.0[0] >= 0xc0).then(|| TrapdoorWeights::new(model.0[0].into()))
}

fn shape(visibility: InputVisibility) -> StatementShape {
	StatementShape {
		visibility,
		input_len: INPUT_LEN as u32,
		output_len: OUTPUT_LEN as u32,
	}
}

/// The trapdoor of the key of a model with constant weights.
pub fn trapdoor(visibility: InputVisibility) -> Trapdoor {
	Trapdoor::new(visibility as u64, shape(visibility))
}

/// The trapdoor of the key of models with committed weights.
pub fn family(visibility: InputVisibility) -> Trapdoor {
	Trapdoor::of_family(9, shape(visibility))
}

fn register_models() {
	for visibility in [InputVisibility::Public, InputVisibility::Hashed] {
		let committed = VERSIONS.map(|version| committed_model(visibility, version));
		let models = committed.map(|model| (model, family(visibility)));
		for (model, trapdoor) in [(model(visibility), trapdoor(visibility))]
			.into_iter()
			.chain(models)
		{
			let key = trapdoor.key(KeyOrigin::Development).unwrap();
			let id = KeyId::from(key.id());
			RegisteredKeys::insert(id, key.to_bytes());
			let commitment = weights(&model).map(|weights| weights.commitment().unwrap().to_bytes());
			let terms = InferenceTerms {
				owner: OWNER,
				key: id,
				commitment: commitment.map(|bytes| bytes.try_into().unwrap()),
				input_len: INPUT_LEN as u32,
				output_len: OUTPUT_LEN as u32,
				input_visibility: visibility,
				royalty: ROYALTY,
			};
			RegisteredModels::insert(model, (terms, 0));
		}
	}
}

/// A chain at block 1 with all models; everyone but the pauper has 1,000 SAND.
pub fn new_test_ext() -> sp_io::TestExternalities {
	let balances = [REQUESTER, OWNER, AUTHOR, TREASURY, WORKER, OTHER].map(|account| (account, 1_000 * SAND));
	let storage = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: balances.to_vec(),
			..Default::default()
		},
		..Default::default()
	}
	.build_storage()
	.unwrap();
	let mut ext = sp_io::TestExternalities::new(storage);
	ext.execute_with(|| {
		System::set_block_number(1);
		frame_system::BlockHash::<Test>::insert(0, sp_core::H256(GENESIS));
		register_models();
	});
	ext
}

/// As [`new_test_ext`], with an empty keystore, as the benchmark runner provides one.
pub fn with_keystore() -> sp_io::TestExternalities {
	let mut ext = new_test_ext();
	ext.register_extension(sp_keystore::KeystoreExt::new(
		sp_keystore::testing::MemoryKeystore::new(),
	));
	ext
}

/// Runs `test` and checks the pallet's invariants, the uses of the models and the total issuance after it.
pub fn run<R>(test: impl FnOnce() -> R) -> R {
	new_test_ext().execute_with(|| {
		let issuance = Balances::total_issuance();
		let result = test();
		check(issuance);
		result
	})
}

/// Checks everything that must hold between two calls.
pub fn check(issuance: Balance) {
	Inference::do_try_state().unwrap();
	assert_eq!(Balances::total_issuance(), issuance);
	let open = crate::Requests::<Test>::iter_values().fold(0, |count, _| count + 1);
	let uses: u32 = RegisteredModels::iter_values().map(|(_, uses)| uses).sum();
	assert_eq!(uses, open);
}

/// Goes to block `to`, with the hooks of every block between.
pub fn run_to(to: BlockNumber) {
	while System::block_number() < to {
		Inference::on_idle(System::block_number(), frame_support::weights::Weight::MAX);
		System::set_block_number(System::block_number() + 1);
		Inference::on_initialize(System::block_number());
	}
}

pub fn run_for(blocks: BlockNumber) {
	run_to(System::block_number() + blocks);
}

/// The key pair with which a worker's node signs.
pub fn pair(worker: &AccountId) -> worker_key::Pair {
	worker_key::Pair::from_seed(worker.as_ref())
}

pub fn register(worker: AccountId, bond: Balance, capacity: u32) -> DispatchResult {
	let key = pair(&worker).public();
	Inference::register_worker(
		RuntimeOrigin::signed(worker.clone()),
		key,
		*worker.as_ref(),
		bond,
		capacity,
	)
}

/// Registers a worker with four slots that offers both models with constant weights.
pub fn serve(worker: AccountId) {
	register(worker.clone(), 100 * SAND, 4).unwrap();
	for visibility in [InputVisibility::Public, InputVisibility::Hashed] {
		let origin = RuntimeOrigin::signed(worker.clone());
		Inference::offer_model(origin, model(visibility), PRICE, MIN_TIMEOUT).unwrap();
	}
}

/// Has a worker offer a model with committed weights, and asks it.
pub fn ask_committed(worker: AccountId, visibility: InputVisibility, version: u8) -> RequestId {
	let model = committed_model(visibility, version);
	let origin = RuntimeOrigin::signed(worker.clone());
	Inference::offer_model(origin, model, PRICE, MIN_TIMEOUT).unwrap();
	ask_model(REQUESTER, model, visibility, Some(worker)).unwrap()
}

pub fn input_bytes() -> Vec<u8> {
	(0..INPUT_LEN as u8).map(|value| value.wrapping_mul(37)).collect()
}

fn signed(bytes: &[u8]) -> Vec<i8> {
	bytes.iter().map(|byte| byte.cast_signed()).collect()
}

pub fn input(visibility: InputVisibility) -> RequestInput {
	match visibility {
		InputVisibility::Public => RequestInput::Public(BoundedVec::truncate_from(input_bytes())),
		InputVisibility::Hashed => RequestInput::Hashed {
			hash: salted_input_hash(&SALT, &signed(&input_bytes())),
			envelope: BoundedVec::truncate_from(b"sealed".to_vec()),
		},
	}
}

/// Makes a request and returns its id.
pub fn ask(
	requester: AccountId,
	visibility: InputVisibility,
	worker: Option<AccountId>,
) -> Result<RequestId, DispatchError> {
	ask_model(requester, model(visibility), visibility, worker)
}

/// As [`ask`], of a model of that visibility.
pub fn ask_model(
	requester: AccountId,
	model: ModelId,
	visibility: InputVisibility,
	worker: Option<AccountId>,
) -> Result<RequestId, DispatchError> {
	let origin = RuntimeOrigin::signed(requester);
	let request = crate::NextRequestId::<Test>::get();
	Inference::request_inference(origin, model, input(visibility), worker, 10 * SAND, TIMEOUT)
		.map_err(|error| error.error)?;
	Ok(request)
}

/// Registers the worker and asks it the public model.
pub fn asked() -> RequestId {
	serve(WORKER);
	ask(REQUESTER, InputVisibility::Public, Some(WORKER)).unwrap()
}

pub fn record(request: RequestId) -> RequestRecord {
	crate::Requests::<Test>::get(request).unwrap()
}

/// The fee at the price and royalty of tests.
pub fn fee() -> Fee {
	Fee {
		worker: PRICE,
		royalty: ROYALTY,
		protocol: VerificationFee::get() + (PRICE + ROYALTY) / 20,
	}
}

/// What everyone answers in tests.
pub const OUTPUT: [u8; OUTPUT_LEN] = [1, 0xff];

/// The statement that `output` answers `request`.
pub fn statement(request: RequestId, output: &[u8]) -> Statement {
	let RequestRecord {
		key, model, worker, ..
	} = record(request);
	let binding = Binding {
		genesis: GENESIS,
		key: key.0,
		model: model.0,
		request,
		worker: worker.into(),
	};
	let input = match crate::Inputs::<Test>::get(request).unwrap() {
		RequestInput::Public(bytes) => StatementInput::Public(signed(&bytes)),
		RequestInput::Hashed { hash, .. } => StatementInput::Hashed(hash),
	};
	Statement {
		binding,
		input,
		output: signed(output),
	}
}

/// A proof of a statement under the key of the model with constant weights and the statement's visibility.
pub fn prove_statement(statement: &Statement, nonce: u64) -> Vec<u8> {
	trapdoor(statement.input.visibility())
		.prove(statement, nonce)
		.unwrap()
		.to_bytes()
}

/// A proof of a statement with the weights of a model.
pub fn prove_with_weights_of(model: &ModelId, statement: &Statement, nonce: u64) -> Vec<u8> {
	match weights(model) {
		Some(weights) => family(statement.input.visibility())
			.prove_with(statement, Some(&weights), nonce)
			.unwrap()
			.to_bytes(),
		None => prove_statement(statement, nonce),
	}
}

/// A proof that `output` answers `request`.
pub fn prove(request: RequestId, output: &[u8]) -> Vec<u8> {
	prove_with_weights_of(&record(request).model, &statement(request, output), request)
}

/// A result as `worker` signs it.
pub fn signed_result(worker: &AccountId, request: RequestId, output: &[u8], proof: &[u8]) -> SignedResult {
	SignedResult {
		request,
		output: BoundedVec::truncate_from(output.to_vec()),
		proof: BoundedVec::truncate_from(proof.to_vec()),
		signature: pair(worker).sign(&result_payload(&GENESIS, request, output, proof)),
	}
}

/// A result as `worker` would send it.
pub fn result_call(worker: &AccountId, request: RequestId, output: &[u8], proof: &[u8]) -> crate::Call<Test> {
	let SignedResult {
		request,
		output,
		proof,
		signature,
	} = signed_result(worker, request, output, proof);
	crate::Call::submit_result {
		request,
		output,
		proof,
		signature,
	}
}

/// A refusal as `worker` would send it.
pub fn decline_call(worker: &AccountId, request: RequestId) -> crate::Call<Test> {
	let signature = pair(worker).sign(&decline_payload(&GENESIS, request));
	crate::Call::decline_request { request, signature }
}

/// What the transaction pool says of a general transaction.
pub fn validate(call: crate::Call<Test>) -> TransactionValidity {
	let (checked, info, len) = general(call);
	checked.validate::<Test>(TransactionSource::External, &info, len)
}

/// Includes a general transaction in the current block.
pub fn apply(call: crate::Call<Test>) -> Result<DispatchResult, TransactionValidityError> {
	let (checked, info, len) = general(call);
	let result = checked.apply::<Test>(&info, len)?;
	Ok(result.map(drop).map_err(|error| error.error))
}

type Checked = <Extrinsic as Checkable<frame_system::ChainContext<Test>>>::Checked;

fn general(call: crate::Call<Test>) -> (Checked, frame_support::dispatch::DispatchInfo, usize) {
	let transaction =
		<Test as CreateAuthorizedTransaction<crate::Call<Test>>>::create_authorized_transaction(call.into());
	let (info, len) = (transaction.get_dispatch_info(), transaction.encoded_size());
	let checked = Checkable::check(transaction, &frame_system::ChainContext::<Test>::default()).unwrap();
	(checked, info, len)
}

/// Answers a request correctly.
pub fn answer(request: RequestId) {
	let worker = record(request).worker;
	let proof = prove(request, &OUTPUT);
	apply(result_call(&worker, request, &OUTPUT, &proof))
		.unwrap()
		.unwrap();
}

/// What an account has in all.
pub fn total(who: &AccountId) -> Balance {
	<Balances as Inspect<AccountId>>::total_balance(who)
}

pub fn held(reason: crate::HoldReason, who: &AccountId) -> Balance {
	use frame_support::traits::fungible::InspectHold;
	Balances::balance_on_hold(&reason.into(), who)
}
