//! A runtime with the market in it, shards with real bytes, and what tests do.

use std::io;

use codec::Encode;
use frame_support::{
	derive_impl, parameter_types,
	traits::{
		fungible::{Inspect, InspectHold},
		tokens::imbalance::ResolveTo,
		ConstU128, ConstU32, Hooks, Randomness, VariantCountOf,
	},
	BoundedVec, PalletId,
};
use frame_system::EnsureRoot;
use opensand_primitives::{
	currency::{MICROSAND, SAND},
	storage::{
		Challenge, ErasureCode, OrderTerms, ProviderTerms, Region, ShardCommitment, ShardIndex, ShardStatus,
		Visibility, WindowIndex,
	},
	AccountId, Balance, BlockNumber, Hash, OrderId,
};
use opensand_storage_proof::{
	prove, Claim, SegmentCommitter, SegmentMerkle, SegmentSource, SegmentTree, ShardLayout,
};
use sp_runtime::{
	generic,
	traits::{BlakeTwo256, IdentityLookup},
	BuildStorage, DispatchError, DispatchResult, MultiSignature, Perbill,
};

use crate as pallet_dsm;
use crate::{HoldReason, MarketParameters, Order, ProofBytes, Provider, Shard};

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
	pub type Dsm = pallet_dsm::Pallet<Test>;
}

type Extrinsic = generic::UncheckedExtrinsic<AccountId, RuntimeCall, MultiSignature, ()>;
type Block = generic::Block<generic::Header<u32, BlakeTwo256>, Extrinsic>;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountId = AccountId;
	type Lookup = IdentityLookup<AccountId>;
	type AccountData = pallet_balances::AccountData<Balance>;
	type BlockHashCount = ConstU32<BLOCK_HASH_COUNT>;
}

pub const EXISTENTIAL_DEPOSIT: Balance = SAND / 10;
pub const BLOCK_HASH_COUNT: BlockNumber = 250;
pub const WINDOW_BLOCKS: BlockNumber = 10;
pub const JUDGED_PER_BLOCK: u32 = 9;
pub const ITEM_DEPOSIT: Balance = SAND / 100;
pub const BYTE_DEPOSIT: Balance = MICROSAND;
pub const DELIVERY_BLOCKS: BlockNumber = 20;
pub const CONFIRMATION_BLOCKS: BlockNumber = 30;
pub const DELIVERY_BOND: Balance = 3 * SAND;

parameter_types! {
	pub const ExistentialDeposit: Balance = EXISTENTIAL_DEPOSIT;
	pub const MarketPalletId: PalletId = PalletId(*b"sand/dsm");
	pub const Treasury: AccountId = TREASURY;
	/// Whether the parent block had randomness; tests change it.
	pub storage Random: bool = true;
	pub InitialParameters: MarketParameters = MarketParameters {
		samples: 8,
		collateral_per_mib: 10 * SAND + 7,
		activation_blocks: 20,
		placing_blocks: 60,
		repair_blocks: 30,
		jail_blocks: 40,
		exit_blocks: 50,
		repair_floor: Perbill::from_percent(20),
		hand_over_share: Perbill::from_percent(25),
		lapse_share: Perbill::from_percent(10),
		fault_slash: Perbill::from_percent(1),
		fault_limit: 3,
		max_windows: 1_000,
		target_utilisation: Perbill::from_percent(60),
		price_step: Perbill::from_percent(10),
		price_min: MICROSAND,
		price_max: SAND,
	};
}

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

/// Hashes the parent's number.
pub struct ParentRandomness;

impl Randomness<Option<Hash>, u32> for ParentRandomness {
	fn random(subject: &[u8]) -> (Option<Hash>, u32) {
		let parent = System::block_number().saturating_sub(1);
		let random = (subject, parent).using_encoded(sp_io::hashing::blake2_256);
		(Random::get().then_some(Hash::from(random)), parent)
	}
}

impl pallet_dsm::Config for Test {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Possession = SegmentMerkle<crate::HostHasher>;
	type Randomness = ParentRandomness;
	type Treasury = ResolveTo<Treasury, Balances>;
	type ParameterOrigin = EnsureRoot<AccountId>;
	type StrikeOrigin = EnsureRoot<AccountId>;
	type InitialParameters = InitialParameters;
	type PalletId = MarketPalletId;
	type WindowBlocks = ConstU32<WINDOW_BLOCKS>;
	type JudgedPerBlock = ConstU32<JUDGED_PER_BLOCK>;
	type DepositPerItem = ConstU128<ITEM_DEPOSIT>;
	type DepositPerByte = ConstU128<BYTE_DEPOSIT>;
	type DeliveryBlocks = ConstU32<DELIVERY_BLOCKS>;
	type ConfirmationBlocks = ConstU32<CONFIRMATION_BLOCKS>;
	type DeliveryBond = ConstU128<DELIVERY_BOND>;
	type WeightInfo = ();
}

pub const OWNER: AccountId = AccountId::new([1; 32]);
pub const OTHER_OWNER: AccountId = AccountId::new([2; 32]);
pub const TREASURY: AccountId = AccountId::new([3; 32]);
pub const READER: AccountId = AccountId::new([4; 32]);
/// Has nothing.
pub const PAUPER: AccountId = AccountId::new([5; 32]);

/// How many providers have funds.
pub const PROVIDERS: u8 = 12;
/// What each account with funds has at first.
pub const ENDOWMENT: Balance = 10_000 * SAND;
pub const COLLATERAL: Balance = 1_000 * SAND;
pub const QUOTA: u64 = 1 << 30;
/// The price of tests' orders, per MiB and window.
pub const PRICE: Balance = 1_000_003;
/// The size of tests' shards: 40 leaves, so that draws repeat and siblings are missing.
pub const SHARD_BYTES: u64 = 40 * 256;
pub const WINDOWS: WindowIndex = 20;
pub const CODE: ErasureCode = ErasureCode { data: 2, total: 4 };

pub fn provider(index: u8) -> AccountId {
	AccountId::new([100 + index; 32])
}

pub fn agent(index: u8) -> AccountId {
	AccountId::new([150 + index; 32])
}

pub fn signed(who: &AccountId) -> RuntimeOrigin {
	RuntimeOrigin::signed(who.clone())
}

pub fn region(text: &str) -> Region {
	Region::new(text).unwrap()
}

/// A chain at block 1; owners, the reader, the treasury, providers and agents have funds.
pub fn new_test_ext() -> sp_io::TestExternalities {
	let balances = [OWNER, OTHER_OWNER, TREASURY, READER]
		.into_iter()
		.chain((0..PROVIDERS).flat_map(|index| [provider(index), agent(index)]))
		.map(|account| (account, ENDOWMENT))
		.collect();
	let storage = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances,
			..Default::default()
		},
		..Default::default()
	}
	.build_storage()
	.unwrap();
	let mut ext = sp_io::TestExternalities::new(storage);
	ext.execute_with(|| {
		System::set_block_number(0);
		next_block();
	});
	ext
}

/// Runs `test` and checks the pallet's invariants and the total issuance after it.
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
	Dsm::do_try_state().unwrap();
	assert_eq!(Balances::total_issuance(), issuance);
}

/// Goes to the next block, with its hooks.
pub fn next_block() {
	let parent = System::block_number();
	let hash = Hash::from(parent.using_encoded(sp_io::hashing::blake2_256));
	System::initialize(&(parent + 1), &hash, &Default::default());
	Dsm::on_initialize(parent + 1);
}

pub fn run_to(block: BlockNumber) {
	while System::block_number() < block {
		next_block();
	}
}

pub fn run_for(blocks: BlockNumber) {
	run_to(System::block_number() + blocks);
}

pub fn now() -> BlockNumber {
	System::block_number()
}

pub fn window() -> WindowIndex {
	now() / WINDOW_BLOCKS
}

/// Goes to the first block of the next window.
pub fn next_window() {
	run_to((window() + 1) * WINDOW_BLOCKS);
}

/// Goes to the first block of a later window, with all providers answering every window, the last included.
pub fn prove_to(target: WindowIndex) {
	answer_all();
	while window() < target {
		next_window();
		answer_all();
	}
}

/// Goes to a block, with all providers answering every window.
pub fn run_proving_to(block: BlockNumber) {
	while now() < block {
		next_block();
		answer_all();
	}
}

pub fn terms_of(index: u8) -> ProviderTerms {
	ProviderTerms {
		agent: agent(index),
		peer: [index; 32],
		addresses: BoundedVec::truncate_from(vec![BoundedVec::truncate_from(
			b"/ip4/127.0.0.1/tcp/1".to_vec(),
		)]),
		regions: BoundedVec::truncate_from(vec![region("eu-west")]),
		quota: QUOTA,
	}
}

pub fn register(index: u8) -> DispatchResult {
	Dsm::register_provider(signed(&provider(index)), terms_of(index), COLLATERAL)
}

/// Registers providers 0 to `count` - 1.
pub fn register_all(count: u8) {
	for index in 0..count {
		register(index).unwrap();
	}
}

/// The bytes of a shard whose root block has this digest.
pub fn bytes_of(cid: &[u8; 32], shard_bytes: u64) -> Vec<u8> {
	let mut bytes = Vec::with_capacity(shard_bytes as usize + 32);
	let mut block = 0u64;
	while (bytes.len() as u64) < shard_bytes {
		bytes.extend((cid, block).using_encoded(sp_io::hashing::blake2_256));
		block += 1;
	}
	bytes.truncate(shard_bytes as usize);
	bytes
}

/// The trees of a shard's segments.
pub fn trees_of(bytes: &[u8]) -> Vec<SegmentTree> {
	let mut trees = Vec::new();
	let mut committer = SegmentCommitter::new();
	committer.update(bytes, |tree| trees.push(tree));
	trees.extend(committer.finish().unwrap());
	trees
}

/// The commitment to the bytes that [`bytes_of`] gives.
pub fn commitment(cid: [u8; 32], shard_bytes: u64) -> ShardCommitment {
	let roots = trees_of(&bytes_of(&cid, shard_bytes))
		.iter()
		.map(|tree| *tree.root())
		.collect();
	ShardCommitment {
		cid,
		segments: BoundedVec::truncate_from(roots),
	}
}

pub fn order_terms() -> OrderTerms {
	OrderTerms {
		manifest: [7; 32],
		code: CODE,
		shard_bytes: SHARD_BYTES,
		price: PRICE,
		windows: WINDOWS,
		regions: Default::default(),
		visibility: Visibility::Private,
		training: false,
		key_commitment: [8; 32],
	}
}

pub type ShardCommitments =
	BoundedVec<ShardCommitment, ConstU32<{ opensand_primitives::storage::MAX_SHARDS }>>;

/// Commitments to different shards of the terms' number and size; `seed` makes other ones.
pub fn commitments(terms: &OrderTerms, seed: u64) -> ShardCommitments {
	let shards = (0..terms.code.total)
		.map(|index| {
			let cid = (seed, index).using_encoded(sp_io::hashing::blake2_256);
			commitment(cid, terms.shard_bytes)
		})
		.collect();
	BoundedVec::truncate_from(shards)
}

pub fn sealed() -> crate::SealedKey {
	BoundedVec::truncate_from(vec![9; 113])
}

/// Places an order of these terms and returns its id.
pub fn place_with(owner: &AccountId, terms: OrderTerms) -> Result<OrderId, DispatchError> {
	let order = crate::NextOrderId::<Test>::get();
	let shards = commitments(&terms, order);
	Dsm::place_order(signed(owner), terms, shards, sealed(), None, Balance::MAX)?;
	Ok(order)
}

pub fn place() -> OrderId {
	place_with(&OWNER, order_terms()).unwrap()
}

pub fn accept(index: u8, order: OrderId, shard: ShardIndex) -> DispatchResult {
	Dsm::accept(signed(&agent(index)), order, shard)
}

/// The claims that a challenge makes, from what the chain tells to everyone.
pub fn claims_of(challenge: &Challenge) -> Vec<Claim> {
	challenge
		.samples
		.iter()
		.map(|sample| {
			let shard_bytes = Dsm::order(sample.order).unwrap().terms.shard_bytes;
			Claim {
				root: Dsm::segment_roots(sample.order, sample.shard)[sample.segment as usize],
				leaves: ShardLayout::of(shard_bytes)
					.unwrap()
					.segment_leaves(sample.segment)
					.unwrap(),
				index: sample.leaf,
			}
		})
		.collect()
}

/// Reads what a provider holds.
struct Held<'a>(&'a Challenge);

impl SegmentSource for Held<'_> {
	fn read(&mut self, claim: usize, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
		let sample = self.0.samples[claim];
		let cid = crate::Commitments::<Test>::get(sample.order, sample.shard)
			.unwrap()
			.cid;
		let bytes = bytes_of(&cid, Dsm::order(sample.order).unwrap().terms.shard_bytes);
		let start =
			sample.segment as usize * opensand_storage_proof::SEGMENT_BYTES as usize + offset as usize;
		buffer.copy_from_slice(&bytes[start..start + buffer.len()]);
		Ok(())
	}

	fn tree(&mut self, _: usize) -> Option<Vec<u8>> {
		None
	}

	fn keep(&mut self, _: usize, _: &SegmentTree) {}
}

/// The proof that answers a challenge.
pub fn proof_of(challenge: &Challenge) -> ProofBytes {
	let claims = claims_of(challenge);
	if claims.is_empty() {
		return ProofBytes::default();
	}
	let proof = prove(&claims, &mut Held(challenge)).unwrap();
	BoundedVec::try_from(proof.encode()).unwrap()
}

/// A proof whose first leaf is wrong.
pub fn wrong(proof: ProofBytes) -> ProofBytes {
	let mut bytes = proof.into_inner();
	bytes[10] ^= 1;
	BoundedVec::truncate_from(bytes)
}

/// Gives the first proof of a shard, from the first block in which it can be given.
pub fn prove_first(index: u8, order: OrderId, shard: ShardIndex) {
	let record = shard_record(order, shard);
	let (drawn_at, _) = record.first_proof_blocks().unwrap();
	run_to(drawn_at + 1);
	let proof = proof_of(&Dsm::first_challenge(order, shard).unwrap());
	Dsm::first_proof(signed(&agent(index)), order, shard, proof).unwrap();
}

/// Lets providers `first` and after hold the shards of an order, in this order.
pub fn fill(order: OrderId, first: u8) {
	let total = order_record(order).record.terms.code.total;
	for shard in 0..total {
		accept(first + shard, order, shard).unwrap();
	}
	for shard in 0..total {
		prove_first(first + shard, order, shard);
	}
}

/// Registers eight providers and lets the first four hold an order of [`order_terms`]. It is the window before its first
/// paid one.
pub fn activated() -> OrderId {
	register_all(8);
	let order = place();
	fill(order, 0);
	order
}

/// As [`activated`], in the first block of the first paid window.
pub fn running() -> OrderId {
	let order = activated();
	next_window();
	order
}

/// Answers the current window for a provider, if it asks for something.
pub fn answer(index: u8) -> bool {
	let Some(challenge) = Dsm::challenge(provider(index)) else {
		return false;
	};
	let proof = proof_of(&challenge);
	let info = Dsm::submit_possession(signed(&agent(index)), challenge.window, proof).unwrap();
	assert_eq!(info.pays_fee, frame_support::pallet_prelude::Pays::No);
	true
}

pub fn answer_all() {
	for index in 0..PROVIDERS {
		answer(index);
	}
}

/// Answers for all but one.
pub fn answer_without(absent: u8) {
	for index in (0..PROVIDERS).filter(|index| *index != absent) {
		answer(index);
	}
}

/// Goes on, window by window, with everyone answering but this provider, until it is in jail.
pub fn jail(index: u8) {
	while !provider_record(index).is_jailed() {
		answer_without(index);
		next_window();
		answer_without(index);
		run_for(WINDOW_BLOCKS - 1);
	}
}

pub fn order_record(order: OrderId) -> Order {
	crate::Orders::<Test>::get(order).unwrap()
}

pub fn shard_record(order: OrderId, shard: ShardIndex) -> Shard {
	crate::Shards::<Test>::get(order, shard).unwrap()
}

pub fn status_of(order: OrderId, shard: ShardIndex) -> ShardStatus {
	shard_record(order, shard).status
}

pub fn provider_record(index: u8) -> Provider {
	crate::Providers::<Test>::get(provider(index)).unwrap()
}

/// What a shard of tests' orders earns in a window: it is reckoned as one MiB.
pub const EACH: Balance = PRICE;

/// What a shard of tests' orders reserves.
pub fn reserve() -> Balance {
	InitialParameters::get().collateral_per_mib
}

pub fn held(reason: HoldReason, who: &AccountId) -> Balance {
	Balances::balance_on_hold(&reason.into(), who)
}

/// What an account has in all.
pub fn total(who: &AccountId) -> Balance {
	<Balances as Inspect<AccountId>>::total_balance(who)
}

/// What the pallet's account has for repairs.
pub fn pots() -> Balance {
	Balances::balance(&Dsm::account_id()) - EXISTENTIAL_DEPOSIT
}

pub fn set_parameters(change: impl FnOnce(&mut MarketParameters)) {
	let mut parameters = crate::Parameters::<Test>::get();
	change(&mut parameters);
	Dsm::set_parameters(RuntimeOrigin::root(), parameters).unwrap();
}
