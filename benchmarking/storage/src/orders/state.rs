//! The state of a chain with any number of active orders.
//!
//! The chain begins as the development chain does. Providers register, and one order is placed, accepted and proven by
//! the pallet's own calls; the others are copies of it. Everything that an active order has in the state is written, under
//! the keys that the pallet's storage types give: also what hooks never read.

use std::{collections::BTreeMap, io, iter, ops::Bound};

use anyhow::{anyhow, ensure, Context, Result};
use codec::Encode;
use frame_support::{
	storage::StoragePrefixedMap,
	traits::{
		fungible::{Mutate, MutateHold},
		Hooks,
	},
	BoundedVec,
};
use opensand_primitives::{
	currency::SAND,
	storage::{
		DatasetEvent, ErasureCode, OrderStatus, OrderTerms, ProviderTerms, ShardCommitment, ShardIndex,
		ShardStatus, Visibility, WindowIndex,
	},
	AccountId, Balance, BlockNumber, Hash, OrderId,
};
use opensand_runtime::{genesis::DEVELOPMENT, Balances, Dsm, Runtime, RuntimeOrigin, System};
use opensand_storage_proof::{
	prove, Claim, SegmentCommitter, SegmentSource, SegmentTree, LEAF_BYTES, SEGMENT_LEAVES,
};
use opensand_wasm_verifier::ExtraHostFunctions;
use pallet_dsm::{
	Commitments, DatasetEventCount, DatasetEvents, GrantEntry, Grants, HoldReason, NextOrderId, Order,
	OrderKey, Orders, OrdersOf, Providers, Shard, Shards, ShardsOf, TotalSupply, TreeEntries, TreeEntry,
	TreePositions, TreeSums, FAN_OUT,
};
use sc_chain_spec::GenesisConfigBuilderRuntimeCaller;
use sp_crypto_hashing::blake2_256;
use sp_runtime::DispatchError;
use sp_state_machine::BasicExternalities;

/// The code of each order.
pub const CODE: ErasureCode = ErasureCode { data: 2, total: 3 };
/// Bytes of each shard: one segment that is not full.
const SHARD_BYTES: u64 = 1 << 20;
const SHARD_LEAVES: u32 = (SHARD_BYTES / LEAF_BYTES as u64) as u32;
const _: () = assert!(SHARD_LEAVES < SEGMENT_LEAVES);
/// The order that is proven.
const FIRST: OrderId = 0;
/// The window in which orders are placed.
const PLACED_IN: WindowIndex = 1_000;
/// The window in which hooks are measured. Every other provider has answered the one before.
pub const MEASURED_IN: WindowIndex = PLACED_IN + 3;
/// Windows that are paid for.
const WINDOWS: WindowIndex = 1_000;
/// What each provider puts at stake.
const COLLATERAL: Balance = 1_000 * SAND;
/// Bytes that each provider offers.
const QUOTA: u64 = 1 << 40;
const OWNER: AccountId = AccountId::new([1; 32]);

/// Keys and values.
type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// Blocks of a window.
pub fn window_blocks() -> BlockNumber {
	<Runtime as pallet_dsm::Config>::WindowBlocks::get()
}

/// As many providers as are judged in a window, which is as many as there can be.
pub fn providers() -> u32 {
	<Runtime as pallet_dsm::Config>::JudgedPerBlock::get() * window_blocks()
}

fn provider(index: u32) -> AccountId {
	AccountId::new(blake2_256(&("provider", index).encode()))
}

/// The part of a state that does not grow with the orders, and what one order has in it.
pub struct State {
	base: BTreeMap<Vec<u8>, Vec<u8>>,
	orders: OrderId,
	order: Order,
	shard: Shard,
	commitment: ShardCommitment,
	grant: GrantEntry,
	event: DatasetEvent,
}

impl State {
	/// The state with `orders` active orders, at least one.
	///
	/// # Errors
	/// When the runtime refuses a step.
	pub fn with(orders: OrderId) -> Result<Self> {
		let code =
			opensand_runtime::WASM_BINARY.context("built with SKIP_WASM_BUILD; build again without it")?;
		let genesis = GenesisConfigBuilderRuntimeCaller::<ExtraHostFunctions>::new(code)
			.get_storage_for_named_preset(Some(&DEVELOPMENT.to_owned()))
			.map_err(|error| anyhow!(error))?;
		let mut chain = BasicExternalities::new(genesis);
		let mut state = chain.execute_with(|| {
			activate_one()?;
			let state = Self::around_the_first(orders)?;
			state.copy_sums()?;
			anyhow::Ok(state)
		})?;
		let mut base = chain.into_storages().top;
		for map in state.maps() {
			base.retain(|key, _| !key.starts_with(&map.prefix));
		}
		state.base = base;
		Ok(state)
	}

	/// What the one order that there is has in the state.
	fn around_the_first(orders: OrderId) -> Result<Self> {
		let read = || {
			Some(Self {
				base: BTreeMap::new(),
				orders,
				order: Orders::<Runtime>::get(FIRST)?,
				shard: Shards::<Runtime>::get(FIRST, 0u8)?,
				commitment: Commitments::<Runtime>::get(FIRST, 0u8)?,
				grant: Grants::<Runtime>::get(FIRST, OWNER)?,
				event: DatasetEvents::<Runtime>::get(FIRST, 0u32)?,
			})
		};
		let state = read().context("an order's entries in the state")?;
		ensure!(
			matches!(state.order.record.status, OrderStatus::Active { .. }),
			"the order is not active"
		);
		Ok(state)
	}

	/// Brings what is summed up over orders to what it is with all of them: holds, providers, supply.
	fn copy_sums(&self) -> Result<()> {
		let copies = Balance::from(self.orders - 1);
		for (reason, amount) in [
			(HoldReason::Escrow, self.order.record.escrow),
			(HoldReason::Deposit, self.order.deposit),
		] {
			Balances::hold(&reason.into(), &OWNER, copies * amount).map_err(refused)?;
		}
		NextOrderId::<Runtime>::put(self.orders);
		let shards = self.orders * u64::from(CODE.total);
		TotalSupply::<Runtime>::mutate(|supply| supply.committed = u128::from(shards * SHARD_BYTES));
		for index in 0..providers() {
			Providers::<Runtime>::mutate(provider(index), |provider| {
				let provider = provider.as_mut().context("a provider that registered")?;
				let held = self.held_by(index);
				provider.record.reserved = Balance::from(held) * self.shard.reserve;
				provider.record.committed = u64::from(held) * SHARD_BYTES;
				provider.tree.shards = held;
				provider.tree.leaves = u64::from(held) * u64::from(SHARD_LEAVES);
				provider.tree.changed = PLACED_IN;
				provider.judged = MEASURED_IN - 2;
				provider.answered = (index % 2 == 0).then_some(MEASURED_IN - 1);
				anyhow::Ok(())
			})?;
		}
		Ok(())
	}

	/// The entries in the order of their keys. They are made map by map.
	pub fn entries(&self) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> + '_ {
		let mut maps = self.maps();
		maps.sort_by(|left, right| left.prefix.cmp(&right.prefix));
		let mut from = Bound::Unbounded;
		maps.into_iter()
			.map(Some)
			.chain(iter::once(None))
			.flat_map(move |map| {
				let to = map
					.as_ref()
					.map_or(Bound::Unbounded, |map| Bound::Excluded(map.prefix.clone()));
				let before = self.base.range((from.clone(), to));
				let mut grown = Vec::new();
				if let Some(map) = map {
					grown = (map.entries)();
					grown.sort_unstable();
					from = Bound::Included(map.prefix);
				}
				before
					.map(|(key, value)| (key.clone(), value.clone()))
					.chain(grown)
			})
	}

	/// The number of shards that a provider holds. They go round, so that no order has two with one provider.
	fn held_by(&self, index: u32) -> u32 {
		let shards = self.orders * u64::from(CODE.total);
		let before = u64::from(providers() - 1 - index);
		((shards + before) / u64::from(providers())) as u32
	}

	/// The shards, each with its provider and its position there.
	fn shards(&self) -> impl Iterator<Item = (OrderId, ShardIndex, AccountId, u32)> {
		let total = u64::from(CODE.total);
		(0..self.orders * total).map(move |shard| {
			let round = u64::from(providers());
			let holder = provider((shard % round) as u32);
			let (order, index) = (shard / total, (shard % total) as ShardIndex);
			(order, index, holder, (shard / round) as u32)
		})
	}

	/// The order's shard as another provider holds it.
	fn shard_of(&self, holder: AccountId) -> Shard {
		let mut shard = self.shard.clone();
		if let ShardStatus::Active { provider, .. } = &mut shard.status {
			*provider = holder;
		}
		shard
	}

	/// The commitment to a shard, which differs from all others.
	fn commitment_to(&self, order: OrderId, index: ShardIndex) -> ShardCommitment {
		let mut commitment = self.commitment.clone();
		commitment.cid = blake2_256(&("cid", order, index).encode());
		for root in commitment.segments.iter_mut() {
			*root = blake2_256(&("root", order, index).encode());
		}
		commitment
	}

	/// The maps whose entries grow with the orders.
	fn maps(&self) -> Vec<Map<'_>> {
		let ids = || 0..self.orders;
		vec![
			Map::of::<Orders<Runtime>, _>(move || {
				let value = self.order.encode();
				ids()
					.map(|id| (Orders::<Runtime>::hashed_key_for(id), value.clone()))
					.collect()
			}),
			Map::of::<OrdersOf<Runtime>, _>(move || {
				let key = |id| OrdersOf::<Runtime>::hashed_key_for(OWNER, OrderKey::new(id));
				ids().map(|id| (key(id), ().encode())).collect()
			}),
			Map::of::<Grants<Runtime>, _>(move || {
				let value = self.grant.encode();
				ids()
					.map(|id| (Grants::<Runtime>::hashed_key_for(id, OWNER), value.clone()))
					.collect()
			}),
			Map::of::<DatasetEvents<Runtime>, _>(move || {
				let value = self.event.encode();
				ids()
					.map(|id| (DatasetEvents::<Runtime>::hashed_key_for(id, 0u32), value.clone()))
					.collect()
			}),
			Map::of::<DatasetEventCount<Runtime>, _>(move || {
				ids()
					.map(|id| (DatasetEventCount::<Runtime>::hashed_key_for(id), 1u32.encode()))
					.collect()
			}),
			Map::of::<Shards<Runtime>, _>(move || {
				self.shards()
					.map(|(id, index, holder, _)| {
						let key = Shards::<Runtime>::hashed_key_for(id, index);
						(key, self.shard_of(holder).encode())
					})
					.collect()
			}),
			Map::of::<Commitments<Runtime>, _>(move || {
				self.shards()
					.map(|(id, index, ..)| {
						let key = Commitments::<Runtime>::hashed_key_for(id, index);
						(key, self.commitment_to(id, index).encode())
					})
					.collect()
			}),
			Map::of::<ShardsOf<Runtime>, _>(move || {
				self.shards()
					.map(|(id, index, holder, _)| {
						let key = ShardsOf::<Runtime>::hashed_key_for(holder, OrderKey::new(id));
						(key, index.encode())
					})
					.collect()
			}),
			Map::of::<TreePositions<Runtime>, _>(move || {
				self.shards()
					.map(|(id, _, holder, position)| {
						let key = TreePositions::<Runtime>::hashed_key_for(holder, id);
						(key, position.encode())
					})
					.collect()
			}),
			Map::of::<TreeEntries<Runtime>, _>(move || {
				(0..providers()).flat_map(|who| self.leaves(who)).collect()
			}),
			Map::of::<TreeSums<Runtime>, _>(move || {
				(0..providers()).flat_map(|who| self.sums(who)).collect()
			}),
		]
	}

	/// The lowest level of a provider's tree.
	fn leaves(&self, index: u32) -> Entries {
		let who = provider(index);
		let total = u64::from(CODE.total);
		let entries: Vec<TreeEntry> = (0..self.held_by(index))
			.map(|position| {
				let shard = u64::from(position) * u64::from(providers()) + u64::from(index);
				TreeEntry {
					order: shard / total,
					shard: (shard % total) as ShardIndex,
					leaves: SHARD_LEAVES,
				}
			})
			.collect();
		(0u32..)
			.zip(entries.chunks(FAN_OUT as usize))
			.map(|(node, entries)| {
				let key = TreeEntries::<Runtime>::hashed_key_for(&who, node);
				(key, entries.encode())
			})
			.collect()
	}

	/// The levels above.
	fn sums(&self, index: u32) -> Entries {
		let who = provider(index);
		let mut below = vec![u64::from(SHARD_LEAVES); self.held_by(index) as usize];
		let mut nodes = Entries::new();
		for level in 0..=3u8 {
			let mut sums = Vec::new();
			for (node, values) in (0u32..).zip(below.chunks(FAN_OUT as usize)) {
				sums.push(values.iter().sum());
				if level > 0 {
					let key = TreeSums::<Runtime>::hashed_key_for(&who, (level, node));
					nodes.push((key, values.encode()));
				}
			}
			below = sums;
		}
		nodes
	}
}

/// A map of the pallet's, and how its entries are made.
struct Map<'a> {
	prefix: Vec<u8>,
	entries: Box<dyn Fn() -> Entries + 'a>,
}

impl<'a> Map<'a> {
	fn of<Storage: StoragePrefixedMap<Value>, Value: codec::FullCodec>(
		entries: impl Fn() -> Entries + 'a,
	) -> Self {
		Self {
			prefix: Storage::final_prefix().to_vec(),
			entries: Box::new(entries),
		}
	}
}

fn refused(error: impl Into<DispatchError>) -> anyhow::Error {
	anyhow!("{:?}", error.into())
}

/// Goes to a block, from whichever one the state is at.
pub fn begin_block(number: BlockNumber) {
	System::set_block_number(number - 1);
	let parent = Hash::from(blake2_256(&(number - 1).encode()));
	System::initialize(&number, &parent, &Default::default());
}

/// Lets all providers register, and the first of them hold and prove an order.
fn activate_one() -> Result<()> {
	let placed_at = PLACED_IN * window_blocks();
	let next = |number| {
		begin_block(number);
		Dsm::on_initialize(number);
	};
	next(placed_at);
	for index in 0..providers() {
		let who = provider(index);
		Balances::mint_into(&who, 2 * COLLATERAL).map_err(refused)?;
		let terms = ProviderTerms {
			agent: AccountId::new(blake2_256(&("agent", index).encode())),
			peer: [index as u8; 32],
			addresses: BoundedVec::truncate_from(vec![BoundedVec::truncate_from(
				b"/ip4/192.0.2.1/tcp/30444".to_vec(),
			)]),
			regions: Default::default(),
			quota: QUOTA,
		};
		Dsm::register_provider(RuntimeOrigin::signed(who), terms, COLLATERAL).map_err(refused)?;
	}

	Balances::mint_into(&OWNER, 1_000_000_000 * SAND).map_err(refused)?;
	let shards: Vec<Held> = (0..CODE.total).map(Held::new).collect::<Result<_>>()?;
	let terms = OrderTerms {
		manifest: [7; 32],
		code: CODE,
		shard_bytes: SHARD_BYTES,
		price: Dsm::storage_terms().price_floor,
		windows: WINDOWS,
		regions: Default::default(),
		visibility: Visibility::Private,
		training: false,
		key_commitment: [8; 32],
	};
	let commitments = shards
		.iter()
		.map(|shard| ShardCommitment {
			cid: blake2_256(shard.tree.root()),
			segments: BoundedVec::truncate_from(vec![*shard.tree.root()]),
		})
		.collect();
	Dsm::place_order(
		RuntimeOrigin::signed(OWNER),
		terms,
		BoundedVec::truncate_from(commitments),
		BoundedVec::truncate_from(vec![9; 113]),
		None,
		Balance::MAX,
	)
	.map_err(refused)?;
	for index in 0..CODE.total {
		let holder = RuntimeOrigin::signed(provider(index.into()));
		Dsm::accept(holder, FIRST, index).map_err(refused)?;
	}
	next(placed_at + 1);
	next(placed_at + 2);
	for (index, shard) in (0..CODE.total).zip(shards) {
		let challenge = Dsm::first_challenge(FIRST, index).context("a first challenge")?;
		let claims: Vec<Claim> = challenge
			.samples
			.iter()
			.map(|sample| Claim {
				root: *shard.tree.root(),
				leaves: SHARD_LEAVES,
				index: sample.leaf,
			})
			.collect();
		let proof = prove(&claims, &mut { shard })?.encode();
		let holder = RuntimeOrigin::signed(provider(index.into()));
		Dsm::first_proof(holder, FIRST, index, BoundedVec::truncate_from(proof))
			.map_err(|error| refused(error.error))?;
	}
	Ok(())
}

/// A shard of the order that is proven.
struct Held {
	bytes: Vec<u8>,
	tree: SegmentTree,
}

impl Held {
	fn new(index: ShardIndex) -> Result<Self> {
		let bytes = blake2_256(&[index]).repeat(SHARD_BYTES as usize / 32);
		let mut committer = SegmentCommitter::new();
		committer.update(&bytes, |_| ());
		let tree = committer.finish()?.context("a segment that is not full")?;
		Ok(Self { bytes, tree })
	}
}

impl SegmentSource for Held {
	fn read(&mut self, _: usize, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
		let bytes = self.bytes.get(offset as usize..).unwrap_or_default();
		let bytes = bytes.get(..buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
		buffer.copy_from_slice(bytes);
		Ok(())
	}

	fn tree(&mut self, _: usize) -> Option<Vec<u8>> {
		Some(self.tree.to_bytes())
	}

	fn keep(&mut self, _: usize, _: &SegmentTree) {}
}
