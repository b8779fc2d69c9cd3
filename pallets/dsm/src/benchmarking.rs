//! Benchmarks of the market's calls and hooks.
//!
//! Shards are made of segments in which every leaf is the same, so that a proof over any of their leaves is made of one
//! hash a level, without the data. To the verifier it is as good as any other. Trees are so deep, and accounts so many,
//! that every path that a call can touch is one of its own.

#![allow(clippy::expect_used)] // a benchmark that cannot be set up must fail

use alloc::{collections::BTreeSet, vec, vec::Vec};
use codec::Encode;
use frame_benchmarking::v2::*;
use frame_support::{
	traits::{
		fungible::{Inspect, Mutate},
		Get,
	},
	BoundedVec,
};
use frame_system::RawOrigin;
use opensand_primitives::{
	market::{PurchaseKey, PurchaseStatus},
	storage::{
		BenchmarkDatasets, ErasureCode, OrderStatus, OrderTerms, ProviderStatus, ProviderTerms, Region,
		ShardCommitment, ShardIndex, ShardStatus, Visibility, WindowIndex, MAX_ADDRESSES, MAX_ADDRESS_BYTES,
		MAX_REGIONS,
	},
	AccountId, Balance, BlockNumber, Hash, ListingId, OrderId, PurchaseId,
};
use opensand_sealing::{seal_key, Context, EphemeralSecret, SecretKey, FILE_KEY_BYTES};
use opensand_storage_proof::{Claim, PossessionProof, LEAF_BYTES, SEGMENT_BYTES, SEGMENT_LEAVES};
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};

use crate::*;

/// Levels between a leaf and the top of a full segment.
const LEVELS: u32 = SEGMENT_LEAVES.ilog2();
/// Leaves that a proof of the longest encoding shows.
const MOST_SAMPLES: u32 = 44;
/// Orders among which a window draws, so many that it seldom draws two leaves of one.
const DRAWN_ORDERS: u64 = 400;

fn plenty<T: Config>() -> Balance {
	T::Currency::minimum_balance()
		.max(1_000_000_000_000)
		.saturating_mul(1_000_000_000)
}

fn funded<T: Config>(name: &'static str, index: u32) -> AccountId {
	let who = account(name, index, 0);
	T::Currency::set_balance(&who, plenty::<T>());
	who
}

fn set_block<T: Config>(block: BlockNumber) {
	frame_system::Pallet::<T>::set_block_number(block.into());
}

/// Goes to the first block of a window, whose seed is drawn.
fn set_window<T: Config>(window: WindowIndex) {
	set_block::<T>(window.saturating_mul(T::WindowBlocks::get()));
	Pallet::<T>::begin_window();
}

fn regions() -> BoundedVec<Region, frame_support::traits::ConstU32<MAX_REGIONS>> {
	let names = ["r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8"];
	BoundedVec::truncate_from(names.into_iter().filter_map(Region::new).collect())
}

fn provider_terms(agent: AccountId) -> ProviderTerms {
	let address = BoundedVec::truncate_from(vec![b'a'; MAX_ADDRESS_BYTES as usize]);
	ProviderTerms {
		agent,
		peer: [1; 32],
		addresses: BoundedVec::truncate_from(vec![address; MAX_ADDRESSES as usize]),
		regions: regions(),
		quota: u64::MAX,
	}
}

/// A registered provider with plenty of collateral.
fn provider<T: Config>(index: u32) -> AccountId {
	let who = funded::<T>("provider", index);
	let terms = provider_terms(account("agent", index, 0));
	let collateral = plenty::<T>().checked_div(2).unwrap_or_default();
	Pallet::<T>::add_provider(who.clone(), terms, collateral).expect("the provider is funded");
	who
}

/// The hashes on the levels of a segment whose leaves are all `leaf`, from the leaves to the top.
fn levels(leaf: &[u8; LEAF_BYTES as usize]) -> Vec<[u8; 32]> {
	let mut hash = sp_io::hashing::blake2_256(leaf);
	let mut levels = vec![hash];
	for _ in 0..LEVELS {
		hash = sp_io::hashing::blake2_256(&[hash, hash].concat());
		levels.push(hash);
	}
	levels
}

/// The leaf of a segment of a shard.
fn leaf(order: OrderId, shard: ShardIndex, segment: u32) -> [u8; LEAF_BYTES as usize] {
	let mut leaf = [0; LEAF_BYTES as usize];
	for (byte, value) in leaf.iter_mut().zip((order, shard, segment).encode()) {
		*byte = value;
	}
	leaf
}

fn root(order: OrderId, shard: ShardIndex, segment: u32) -> [u8; 32] {
	let top = levels(&leaf(order, shard, segment)).pop().unwrap_or_default();
	(*b"opensand/segment", SEGMENT_LEAVES, top).using_encoded(sp_io::hashing::blake2_256)
}

fn commitment(order: OrderId, shard: ShardIndex, segments: u32) -> ShardCommitment {
	let mut cid = [0; 32];
	for (byte, value) in cid.iter_mut().zip((order, shard, 1u8).encode()) {
		*byte = value;
	}
	ShardCommitment {
		cid,
		segments: BoundedVec::truncate_from(
			(0..segments).map(|segment| root(order, shard, segment)).collect(),
		),
	}
}

/// The proof for claims about such segments.
fn proof(drawn: &[(opensand_primitives::storage::Sample, Claim)]) -> ProofBytes {
	let mut proof = PossessionProof::default();
	let mut shown = BTreeSet::new();
	let mut segments = Vec::new();
	for (sample, _) in drawn {
		let segment = (sample.order, sample.shard, sample.segment);
		if shown.insert((segment, sample.leaf)) {
			proof.leaves.push(leaf(segment.0, segment.1, segment.2));
		}
		if !segments.contains(&segment) {
			segments.push(segment);
		}
	}
	for segment in segments {
		let hashes = levels(&leaf(segment.0, segment.1, segment.2));
		let mut known: BTreeSet<u32> = shown
			.iter()
			.filter(|(of, _)| *of == segment)
			.map(|(_, index)| *index)
			.collect();
		for hash in hashes.iter().take(LEVELS as usize) {
			let missing = known
				.iter()
				.filter(|position| !known.contains(&(*position ^ 1)))
				.count();
			proof.nodes.extend(core::iter::repeat_n(*hash, missing));
			known = known.iter().map(|position| position >> 1).collect();
		}
	}
	BoundedVec::truncate_from(proof.encode())
}

fn order_terms<T: Config>(total: u32, segments: u32) -> OrderTerms {
	let parameters = Parameters::<T>::get();
	OrderTerms {
		manifest: [1; 32],
		code: ErasureCode {
			data: 1,
			total: total as u8,
		},
		shard_bytes: u64::from(segments).saturating_mul(SEGMENT_BYTES.into()),
		price: Pallet::<T>::price_floor(&parameters).max(1),
		windows: parameters.max_windows.min(1_000),
		regions: regions(),
		visibility: Visibility::Private,
		training: true,
		key_commitment: [2; 32],
	}
}

fn commitments(order: OrderId, total: u32, segments: u32) -> Vec<ShardCommitment> {
	(0..total)
		.map(|shard| commitment(order, shard as ShardIndex, segments))
		.collect()
}

fn sealed_key() -> SealedKey {
	BoundedVec::truncate_from(vec![3; SealedKey::bound()])
}

fn owner<T: Config>() -> AccountId {
	funded::<T>("owner", 0)
}

/// Places an order of `total` shards of `segments` segments.
fn place<T: Config>(total: u32, segments: u32) -> OrderId {
	let id = NextOrderId::<T>::get();
	let shards = BoundedVec::truncate_from(commitments(id, total, segments));
	let terms = order_terms::<T>(total, segments);
	Pallet::<T>::open_order(owner::<T>(), terms, shards, sealed_key(), None, Balance::MAX)
		.expect("the owner is funded");
	id
}

impl<T: Config> BenchmarkDatasets for Pallet<T>
where
	T::Currency: Mutate<AccountId>,
{
	fn benchmark_dataset() -> OrderId {
		let id = place::<T>(2, 1);
		Orders::<T>::mutate_extant(id, |order| order.record.terms.visibility = Visibility::Public);
		id
	}
}

/// Lets a provider hold a shard.
fn hold<T: Config>(who: &AccountId, id: OrderId, index: ShardIndex) {
	Pallet::<T>::fill_slot(who.clone(), id, index).expect("the slot is open");
	let mut order = Orders::<T>::get(id).expect("it was placed");
	let mut shard = Shards::<T>::get(id, index).expect("it was placed");
	Pallet::<T>::activate(who.clone(), id, &mut order, index, &mut shard);
	Orders::<T>::insert(id, order);
	Shards::<T>::insert(id, index, shard);
}

/// Makes removing a provider's shards as dear as it can be: the last entry of its tree stands on another path, a removal
/// waits, and nothing is owed, so that each removal applies two.
fn deepen_tree<T: Config>(who: &AccountId) {
	let dummy = |order| TreeEntry {
		order,
		shard: 0,
		leaves: 1,
	};
	let width = u64::from(FAN_OUT);
	let mut entries = TreeEntries::<T>::get(who, 0);
	let mut order = OrderId::MAX;
	while entries.try_push(dummy(order)).is_ok() {
		TreePositions::<T>::insert(who, order, (entries.len() as u32).saturating_sub(1));
		order = order.saturating_sub(1);
	}
	TreeEntries::<T>::insert(who, 0, entries);
	let far = FAN_OUT.saturating_mul(FAN_OUT);
	let last = OrderId::MAX.saturating_sub(1_000);
	TreeEntries::<T>::insert(
		who,
		FAN_OUT,
		BoundedVec::truncate_from(vec![dummy(last), dummy(last.saturating_sub(1))]),
	);
	TreePositions::<T>::insert(who, last, far);
	TreePositions::<T>::insert(who, last.saturating_sub(1), far.saturating_add(1));
	TreeSums::<T>::insert(
		who,
		(1, 0),
		BoundedVec::truncate_from(vec![width; FAN_OUT as usize]),
	);
	TreeSums::<T>::insert(who, (1, 1), BoundedVec::truncate_from(vec![2]));
	TreeSums::<T>::insert(
		who,
		(2, 0),
		BoundedVec::truncate_from(vec![width.saturating_mul(width), 2]),
	);
	TreeSums::<T>::insert(who, (3, 0), BoundedVec::truncate_from(vec![1]));
	let window = Pallet::<T>::window();
	Providers::<T>::mutate_extant(who, |provider| {
		provider.tree.shards = far.saturating_add(2);
		provider.tree.changed = window;
		provider.waiting = QueueRange { first: 0, next: 1 };
	});
	WaitingChanges::<T>::insert(who, 0, TreeChange::Remove(OrderId::MAX));
}

/// Makes a provider's last windows look proven, so that settling looks into its history.
fn prove_windows<T: Config>(who: &AccountId, last: WindowIndex) {
	Providers::<T>::mutate_extant(who, |provider| {
		for window in [0, 300, 600, last] {
			Pallet::<T>::enter_proof(who, provider, window);
		}
		provider.judged = last;
		provider.answered = Some(last);
		provider.record.faults = 0;
	});
}

/// An active order of `total` shards, each with a provider of its own, after some windows; a tip waits.
fn active<T: Config>(total: u32) -> OrderId {
	set_window::<T>(2);
	let id = place::<T>(total, 1);
	for index in 0..total {
		hold::<T>(&provider::<T>(index), id, index as ShardIndex);
	}
	set_window::<T>(700);
	for index in 0..total {
		let who = account("provider", index, 0);
		deepen_tree::<T>(&who);
		prove_windows::<T>(&who, 699);
		Providers::<T>::mutate_extant(&who, |provider| provider.tree.changed = 700);
	}
	Pallet::<T>::add_tip(owner::<T>(), id, 1_000_000).expect("the owner is funded");
	id
}

/// Ends an active order with the current window, and goes to the next.
fn expire<T: Config>(id: OrderId) {
	let end = Pallet::<T>::window();
	Orders::<T>::mutate_extant(id, |order| {
		if let OrderStatus::Active { end: last, .. } = &mut order.record.status {
			*last = end;
		}
	});
}

/// A provider's shard that is being repaired by it, with the block hash that draws its leaves.
fn repairing<T: Config>(segments: u32) -> (AccountId, OrderId) {
	set_window::<T>(2);
	let id = place::<T>(2, segments);
	for index in 0..2 {
		hold::<T>(&provider::<T>(index), id, index as ShardIndex);
	}
	let loser = account("provider", 0, 0);
	Pallet::<T>::give_up(loser, id, 0).expect("it holds the shard");
	let repairer = provider::<T>(2);
	Pallet::<T>::take_auction(repairer.clone(), id, 0).expect("the repair is open");
	let drawn_at = Pallet::<T>::now().saturating_add(1);
	frame_system::BlockHash::<T>::insert(
		frame_system::pallet_prelude::BlockNumberFor::<T>::from(drawn_at),
		Hash::repeat_byte(7),
	);
	set_block::<T>(drawn_at.saturating_add(1));
	(repairer, id)
}

/// Makes a provider owe an answer in the window before, and fail too often with it.
fn failing<T: Config>(who: &AccountId) {
	let limit = Parameters::<T>::get().fault_limit;
	let window = Pallet::<T>::window();
	Providers::<T>::mutate_extant(who, |provider| {
		provider.tree.leaves = 1;
		provider.tree.changed = 0;
		provider.answered = None;
		provider.judged = window.saturating_sub(2);
		provider.record.reserved = 1_000_000;
		provider.record.faults = limit.saturating_sub(1);
	});
}

/// The secret of purchases' keys.
fn purchase_secret() -> SecretKey {
	SecretKey::from_bytes([9; 32])
}

fn purchase_key() -> PurchaseKey {
	PurchaseKey {
		public: purchase_secret().public_key(),
		salt: [4; 16],
	}
}

fn buyer<T: Config>() -> AccountId {
	funded::<T>("buyer", 0)
}

fn licence_price<T: Config>() -> Balance {
	T::Currency::minimum_balance().max(1_000_000)
}

/// An active order whose data can be sold.
fn for_sale<T: Config>() -> OrderId {
	let id = active::<T>(2);
	Orders::<T>::mutate_extant(id, |order| order.record.terms.visibility = Visibility::Licensed);
	id
}

fn listed<T: Config>() -> ListingId {
	let order = for_sale::<T>();
	let id = NextListingId::<T>::get();
	Pallet::<T>::open_listing(owner::<T>(), order, licence_price::<T>(), true, [5; 32])
		.expect("the owner is funded");
	id
}

/// A purchase by a listing that is withdrawn since, so that it is removed with the purchase.
fn bought<T: Config>() -> PurchaseId {
	let listing = listed::<T>();
	let id = NextPurchaseId::<T>::get();
	Pallet::<T>::open_purchase(buyer::<T>(), listing, Balance::MAX, purchase_key())
		.expect("the buyer is funded");
	Pallet::<T>::close_listing(owner::<T>(), listing).expect("it is open");
	id
}

/// A key that is sealed well, and is not the one that the order commits to.
fn wrong_key<T: Config>() -> SealedKey {
	let genesis =
		frame_system::Pallet::<T>::block_hash(frame_system::pallet_prelude::BlockNumberFor::<T>::from(0u32));
	let context = Context {
		genesis: genesis.0,
		manifest: [1; 32],
		grantee: account::<AccountId>("buyer", 0, 0).into(),
	};
	let ephemeral = EphemeralSecret::random_from_rng(ChaCha20Rng::from_seed([1; 32]));
	let recipient = purchase_secret().public_key();
	let sealed =
		seal_key(&context, &[7; FILE_KEY_BYTES], &recipient, ephemeral).expect("the key is not of low order");
	BoundedVec::truncate_from(sealed.to_vec())
}

fn delivered<T: Config>() -> PurchaseId {
	let id = bought::<T>();
	Pallet::<T>::take_delivery(owner::<T>(), id, wrong_key::<T>()).expect("it is due");
	id
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn register_provider() {
		let who = funded::<T>("provider", 0);
		let terms = provider_terms(account("agent", 0, 0));
		let collateral = plenty::<T>().checked_div(2).unwrap_or_default();

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), terms, collateral);

		assert!(Providers::<T>::contains_key(who));
	}

	#[benchmark]
	fn update_provider() {
		let who = provider::<T>(0);
		let agent: AccountId = account("agent", 1, 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), provider_terms(agent.clone()));

		assert!(ProviderOfAgent::<T>::contains_key(agent));
	}

	#[benchmark]
	fn add_collateral() {
		let who = provider::<T>(0);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), 1_000_000);
	}

	#[benchmark]
	fn withdraw_collateral() {
		let who = provider::<T>(0);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), 1_000_000);
	}

	#[benchmark]
	fn drain() {
		let who = provider::<T>(0);

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));

		assert!(Providers::<T>::get(who).is_some_and(|provider| provider.draining_since.is_some()));
	}

	/// The provider has a whole history, and the one that takes its place is judged and jailed.
	#[benchmark]
	fn exit() {
		set_window::<T>(2);
		let who = provider::<T>(0);
		let last = provider::<T>(1);
		Pallet::<T>::begin_exit(who.clone()).expect("it is active");
		for entry in 0..HISTORY_LENGTH {
			let bits = [u128::MAX; 2];
			History::<T>::insert(&who, entry, HistoryEntry { before: 0, bits });
		}
		let later = Pallet::<T>::now().saturating_add(Parameters::<T>::get().exit_blocks);
		set_block::<T>(later.saturating_add(T::WindowBlocks::get().saturating_mul(3)));
		failing::<T>(&last);

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));

		assert!(!Providers::<T>::contains_key(who));
	}

	#[benchmark]
	fn unjail() {
		let who = provider::<T>(0);
		Providers::<T>::mutate_extant(&who, |provider| {
			provider.record.status = ProviderStatus::Jailed { until: 0 };
		});

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));

		assert!(Providers::<T>::get(who).is_some_and(|provider| !provider.is_jailed()));
	}

	/// `n` shards of `s` segments.
	#[benchmark]
	fn place_order(n: Linear<2, 80>, s: Linear<1, 128>) {
		set_window::<T>(2);
		let replaced = place::<T>(2, 1);
		let id = NextOrderId::<T>::get();
		// Roots that nobody has to prove are cheaper to set up.
		let shards: Vec<_> = (0..n)
			.map(|shard| {
				let root = |segment: u32| (shard, segment).using_encoded(sp_io::hashing::blake2_256);
				ShardCommitment {
					cid: root(u32::MAX),
					segments: BoundedVec::truncate_from((0..s).map(root).collect()),
				}
			})
			.collect();
		let terms = order_terms::<T>(n, s);

		#[extrinsic_call]
		_(
			RawOrigin::Signed(owner::<T>()),
			terms,
			BoundedVec::truncate_from(shards),
			sealed_key(),
			Some(replaced),
			Balance::MAX,
		);

		assert!(Orders::<T>::contains_key(id));
	}

	#[benchmark]
	fn renew() {
		let id = active::<T>(2);

		#[extrinsic_call]
		_(RawOrigin::Signed(owner::<T>()), id, 1);
	}

	#[benchmark]
	fn top_up() {
		let id = active::<T>(2);
		let who = funded::<T>("friend", 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), id, 1_000_000);

		assert!(Orders::<T>::get(id).is_some_and(|order| order.tip > 1_000_000));
	}

	/// `n` shards are settled.
	#[benchmark]
	fn cancel(n: Linear<2, 80>) {
		let id = active::<T>(n);

		#[extrinsic_call]
		_(RawOrigin::Signed(owner::<T>()), id);

		assert!(Orders::<T>::contains_key(id));
	}

	/// `n` shards are settled and leave their providers.
	#[benchmark]
	fn close(n: Linear<2, 80>) {
		let id = active::<T>(n);
		expire::<T>(id);

		#[extrinsic_call]
		_(RawOrigin::Signed(owner::<T>()), id);

		assert!(!Orders::<T>::contains_key(id));
	}

	/// The slot has lapsed for another provider.
	#[benchmark]
	fn accept() {
		set_window::<T>(2);
		let id = place::<T>(2, 1);
		let (late, who) = (provider::<T>(0), provider::<T>(1));
		Pallet::<T>::fill_slot(late, id, 0).expect("the slot is open");
		let later = Pallet::<T>::now().saturating_add(1);
		Shards::<T>::mutate(id, 0, |shard| {
			if let Some(ShardStatus::Accepted { deadline, .. }) =
				shard.as_mut().map(|shard| &mut shard.status)
			{
				*deadline = later.saturating_sub(1);
			}
		});
		set_block::<T>(later);

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), id, 0);

		assert_eq!(ShardsOf::<T>::get(who, OrderKey::new(id)), Some(0));
	}

	/// A rebuilt shard of 1 GiB shows `s` leaves.
	#[benchmark]
	fn first_proof(s: Linear<1, MOST_SAMPLES>) {
		let (who, id) = repairing::<T>(128);
		Shards::<T>::mutate(id, 0, |shard| {
			if let Some(shard) = shard {
				shard.samples = s;
			}
		});
		let drawn = Pallet::<T>::draw_first(&who, id, 0, &[7; 32], s);
		let proof = proof(&drawn);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), id, 0, proof);

		let status = Shards::<T>::get(id, 0).map(|shard| shard.status);
		assert!(matches!(status, Some(ShardStatus::Active { .. })));
	}

	/// `s` leaves are shown, mostly of different shards, and `c` shards are removed from the tree.
	#[benchmark]
	fn submit_possession(s: Linear<1, MOST_SAMPLES>, c: Linear<0, { MAX_WAITING as u32 }>) {
		set_window::<T>(2);
		let template = place::<T>(2, 1);
		let who = provider::<T>(0);
		hold::<T>(&who, template, 0);
		let order = Orders::<T>::get(template).expect("it was placed");
		let shard = Shards::<T>::get(template, 0).expect("it was placed");
		let mut record = Providers::<T>::get(&who).expect("it is registered");
		for id in template.saturating_add(1)..template.saturating_add(DRAWN_ORDERS) {
			Orders::<T>::insert(id, &order);
			Shards::<T>::insert(id, 0, &shard);
			Commitments::<T>::insert(id, 0, commitment(id, 0, 1));
			let entry = TreeEntry {
				order: id,
				shard: 0,
				leaves: SEGMENT_LEAVES,
			};
			Pallet::<T>::append_to_tree(&who, &mut record.tree, entry);
		}
		for change in 0..u64::from(c) {
			// Each from another node of the tree, as far as there are nodes.
			let id = template.saturating_add(change.saturating_mul(12));
			WaitingChanges::<T>::insert(&who, change, TreeChange::Remove(id));
		}
		record.waiting.next = c.into();
		record.judged = 2;
		Providers::<T>::insert(&who, &record);
		set_window::<T>(3);
		let seed = CurrentSeed::<T>::mutate(|seed| {
			let seed = seed.as_mut().expect("it was drawn");
			seed.samples = s;
			*seed
		});
		let drawn = Pallet::<T>::draw_window(&who, &record, &seed);
		let proof = proof(&drawn);

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), 3, proof);

		assert_eq!(
			Providers::<T>::get(who).map(|provider| provider.record.proven),
			Some(3)
		);
	}

	/// `n` shards are paid for, with history and tip.
	#[benchmark]
	fn settle(n: Linear<2, 80>) {
		let id = active::<T>(n);

		#[extrinsic_call]
		_(RawOrigin::Signed(owner::<T>()), id);
	}

	#[benchmark]
	fn declare_lost() {
		let id = active::<T>(2);
		let who: AccountId = account("provider", 0, 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), id, 0);

		assert!(InactiveShards::<T>::contains_key(ShardKey::new(id, 0)));
	}

	#[benchmark]
	fn hand_over() {
		let id = active::<T>(2);
		let who: AccountId = account("provider", 0, 0);
		Pallet::<T>::begin_exit(who.clone()).expect("it is active");

		#[extrinsic_call]
		_(RawOrigin::Signed(who), id, 0);

		assert!(InactiveShards::<T>::contains_key(ShardKey::new(id, 0)));
	}

	/// The provider is jailed by this call's judgement.
	#[benchmark]
	fn open_repair() {
		let id = active::<T>(2);
		let who: AccountId = account("provider", 0, 0);
		let reserved = Providers::<T>::get(&who).map(|provider| provider.record.reserved);
		failing::<T>(&who);
		Providers::<T>::mutate_extant(&who, |provider| {
			provider.record.reserved = reserved.unwrap_or_default();
		});

		#[extrinsic_call]
		_(RawOrigin::Signed(owner::<T>()), id, 0);

		assert!(InactiveShards::<T>::contains_key(ShardKey::new(id, 0)));
	}

	/// An order of `n` shards has too few, and the last of its providers has failed.
	#[benchmark]
	fn lose_order(n: Linear<2, 80>) {
		let id = active::<T>(n);
		let total = n as ShardIndex;
		Pallet::<T>::give_up(account("provider", 0, 0), id, 0).expect("it holds the shard");
		for index in 1..n {
			Providers::<T>::mutate_extant(account::<AccountId>("provider", index, 0), |provider| {
				provider.record.status = ProviderStatus::Jailed { until: 0 };
			});
		}
		let repair = Parameters::<T>::get().repair_blocks;
		set_block::<T>(Pallet::<T>::now().saturating_add(repair).saturating_add(1));
		Orders::<T>::mutate_extant(id, |order| {
			if let OrderStatus::Active { end, .. } = &mut order.record.status {
				*end = WindowIndex::MAX;
			}
		});

		#[block]
		{
			Pallet::<T>::open_shard(id, 0).expect("the order is lost");
		}

		assert!(!Shards::<T>::contains_key(id, total.saturating_sub(1)));
	}

	/// Another repairer has let its time go by.
	#[benchmark]
	fn take_repair() {
		let (_, id) = repairing::<T>(1);
		let who = provider::<T>(3);
		let now = Pallet::<T>::now();
		Shards::<T>::mutate(id, 0, |shard| {
			if let Some(ShardStatus::Repairing { deadline, .. }) =
				shard.as_mut().map(|shard| &mut shard.status)
			{
				*deadline = now.saturating_sub(1);
			}
		});

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), id, 0);

		assert_eq!(ShardsOf::<T>::get(who, OrderKey::new(id)), Some(0));
	}

	#[benchmark]
	fn set_access_key() {
		let who = funded::<T>("reader", 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), [1; 32]);

		assert!(AccessKeys::<T>::contains_key(who));
	}

	#[benchmark]
	fn grant() {
		let id = place::<T>(2, 1);
		let reader = funded::<T>("reader", 0);
		AccessKeys::<T>::insert(&reader, [1; 32]);

		#[extrinsic_call]
		_(
			RawOrigin::Signed(owner::<T>()),
			id,
			reader.clone(),
			sealed_key(),
			true,
		);

		assert!(Grants::<T>::contains_key(id, reader));
	}

	#[benchmark]
	fn revoke() {
		let id = place::<T>(2, 1);
		let reader = funded::<T>("reader", 0);
		AccessKeys::<T>::insert(&reader, [1; 32]);
		let owner = owner::<T>();
		Pallet::<T>::put_grant(owner.clone(), id, reader.clone(), sealed_key(), true)
			.expect("the owner is funded");

		#[extrinsic_call]
		_(RawOrigin::Signed(owner), id, reader.clone());

		assert!(!Grants::<T>::contains_key(id, reader));
	}

	#[benchmark]
	fn set_access() {
		let id = place::<T>(2, 1);

		#[extrinsic_call]
		_(RawOrigin::Signed(owner::<T>()), id, Visibility::Licensed, false);

		assert!(Orders::<T>::get(id).is_some_and(|order| !order.record.terms.training));
	}

	#[benchmark]
	fn strike_region() {
		let who = provider::<T>(0);
		let region = Region::new("r1").expect("it is a tag");

		#[block]
		{
			Pallet::<T>::strike(who.clone(), region).expect("it is declared");
		}

		assert!(StruckRegions::<T>::contains_key(who, region));
	}

	#[benchmark]
	fn set_parameters() {
		let parameters = Parameters::<T>::get();

		#[block]
		{
			Pallet::<T>::change_parameters(parameters).expect("they are within bounds");
		}
	}

	#[benchmark]
	fn list_dataset() {
		let order = for_sale::<T>();
		let id = NextListingId::<T>::get();

		#[extrinsic_call]
		_(
			RawOrigin::Signed(owner::<T>()),
			order,
			licence_price::<T>(),
			true,
			[5; 32],
		);

		assert!(Listings::<T>::contains_key(IdKey::new(id)));
	}

	#[benchmark]
	fn withdraw_listing() {
		let id = listed::<T>();

		#[extrinsic_call]
		_(RawOrigin::Signed(owner::<T>()), id);

		assert!(!Listings::<T>::contains_key(IdKey::new(id)));
	}

	#[benchmark]
	fn buy() {
		let listing = listed::<T>();
		let id = NextPurchaseId::<T>::get();

		#[extrinsic_call]
		_(
			RawOrigin::Signed(buyer::<T>()),
			listing,
			Balance::MAX,
			purchase_key(),
		);

		assert!(Purchases::<T>::contains_key(id));
	}

	#[benchmark]
	fn deliver() {
		let id = bought::<T>();

		#[extrinsic_call]
		_(RawOrigin::Signed(owner::<T>()), id, wrong_key::<T>());

		let status = Purchases::<T>::get(id).map(|entry| entry.purchase.status);
		assert!(matches!(status, Some(PurchaseStatus::Delivered { .. })));
	}

	#[benchmark]
	fn confirm() {
		let id = delivered::<T>();

		#[extrinsic_call]
		_(RawOrigin::Signed(buyer::<T>()), id);

		let status = Purchases::<T>::get(id).map(|entry| entry.purchase.status);
		assert_eq!(status, Some(PurchaseStatus::Licensed));
	}

	/// The seller is paid, since the buyer did nothing.
	#[benchmark]
	fn finish() {
		let id = delivered::<T>();
		let later = Pallet::<T>::now().saturating_add(T::ConfirmationBlocks::get());
		set_block::<T>(later.saturating_add(1));
		let who = funded::<T>("friend", 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), id);

		let status = Purchases::<T>::get(id).map(|entry| entry.purchase.status);
		assert_eq!(status, Some(PurchaseStatus::Licensed));
	}

	/// The delivery opens, to another key.
	#[benchmark]
	fn dispute() {
		let id = delivered::<T>();

		#[extrinsic_call]
		_(RawOrigin::Signed(buyer::<T>()), id, *purchase_secret().to_bytes());

		assert!(!Purchases::<T>::contains_key(id));
	}

	#[benchmark]
	fn surrender() {
		let id = delivered::<T>();
		Pallet::<T>::accept_delivery(buyer::<T>(), id).expect("it was delivered");

		#[extrinsic_call]
		_(RawOrigin::Signed(buyer::<T>()), id);

		assert!(!Purchases::<T>::contains_key(id));
	}

	#[benchmark]
	fn begin_window() {
		set_block::<T>(T::WindowBlocks::get().saturating_mul(9));
		TotalSupply::<T>::put(Supply {
			quota: 1_000,
			committed: 1_000,
		});
		let begun;

		#[block]
		{
			begun = Pallet::<T>::begin_window();
		}

		assert!(begun);
	}

	/// `p` providers have missed the window once too often.
	#[benchmark]
	fn judge_providers(p: Linear<0, { T::JudgedPerBlock::get() }>) {
		set_block::<T>(T::WindowBlocks::get().saturating_mul(9));
		for index in 0..p {
			failing::<T>(&provider::<T>(index));
		}
		let judged;

		#[block]
		{
			judged = Pallet::<T>::judge_next();
		}

		assert_eq!(judged, p);
		assert!(Providers::<T>::iter_values().all(|provider| provider.is_jailed()));
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
