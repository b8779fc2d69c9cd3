//! The chain: a state machine whose state can be reverted, so that forks can be played.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use futures::{stream::BoxStream, StreamExt};
use opensand_primitives::{
	storage::{
		Challenge, ErasureCode, OpenSlot, OrderRecord, OrderStatus, OrderTerms, ProviderRecord,
		ProviderStatus, ProviderTerms, Region, Sample, ShardStatus, ShardView, StorageTerms, Visibility,
		WindowIndex,
	},
	AccountId, Balance, BlockNumber, Hash, OrderId,
};
use opensand_storage::{BestBlock, Chain, ChainError, ShardId, StorageCall, SubmitError};
use opensand_storage_proof::{draw, verify, Claim, Native, PossessionProof, ShardLayout};
use parking_lot::Mutex;
use tokio::sync::watch;

pub const WINDOW_BLOCKS: BlockNumber = 60;
pub const ACTIVATION_BLOCKS: BlockNumber = 240;
pub const PLACING_BLOCKS: BlockNumber = 10_000;
/// Blocks after which an order that has too few shards is lost.
pub const REPAIR_BLOCKS: BlockNumber = 120;
pub const SAMPLES: u32 = 16;
pub const COLLATERAL_PER_MIB: Balance = 10;
const FAULT_LIMIT: u32 = 2;
pub const REPAIR_REWARD: Balance = 100;
const MIB: u64 = 1 << 20;

/// A call that was applied, and what came of it.
#[derive(Clone, Debug)]
pub struct Call {
	pub block: BlockNumber,
	pub provider: AccountId,
	pub call: StorageCall,
	pub result: Result<(), &'static str>,
}

#[derive(Clone)]
struct Shard {
	cid: [u8; 32],
	roots: Vec<[u8; 32]>,
	status: ShardStatus,
	/// Who gave it up or was jailed with it: it does not get the repair.
	lost_by: Option<AccountId>,
	/// When its auction began; a repairer that is late does not begin it anew.
	opened_at: BlockNumber,
}

impl Shard {
	/// Takes it from its provider.
	fn open(&mut self, now: BlockNumber, provider: &AccountId) {
		self.lost_by = Some(provider.clone());
		self.opened_at = now;
		self.status = ShardStatus::Repair {
			opened_at: now,
			pot: REPAIR_REWARD,
		};
	}
}

#[derive(Clone)]
struct Order {
	record: OrderRecord,
	shards: Vec<Shard>,
}

/// What a provider's leaves are drawn from in one window: its shards when the window began.
type Tree = Vec<(ShardId, u64)>;

#[derive(Clone, Default)]
struct State {
	number: BlockNumber,
	/// Tells forks of one height apart.
	fork: u64,
	price_floor: Balance,
	providers: BTreeMap<AccountId, ProviderRecord>,
	orders: BTreeMap<OrderId, Order>,
	next_order: OrderId,
	trees: BTreeMap<AccountId, Tree>,
	/// Shards that were given up in this window: their leaves count as shown.
	excused: Vec<ShardId>,
	window_seed: [u8; 32],
	missed: BTreeMap<AccountId, u32>,
	/// What owners got for lost orders.
	compensated: BTreeMap<AccountId, Balance>,
	wrong: u32,
}

struct Inner {
	/// The states of all blocks, the best last.
	states: Vec<State>,
	pool: Vec<(AccountId, StorageCall)>,
	log: Vec<Call>,
	/// Calls that the pool is to lose.
	lose: usize,
}

/// A chain whose blocks the test makes.
#[derive(Clone)]
pub struct TestChain {
	inner: Arc<Mutex<Inner>>,
	best: Arc<watch::Sender<BestBlock>>,
}

impl TestChain {
	pub fn new() -> Self {
		let state = State {
			number: 1,
			..State::default()
		};
		let (best, _) = watch::channel(state.best());
		Self {
			inner: Arc::new(Mutex::new(Inner {
				states: vec![state],
				pool: Vec::new(),
				log: Vec::new(),
				lose: 0,
			})),
			best: Arc::new(best),
		}
	}

	/// Makes a block with what is in the pool.
	pub fn advance(&self) {
		let mut inner = self.inner.lock();
		let mut state = inner.states.last().unwrap().clone();
		state.begin_block();
		for (provider, call) in std::mem::take(&mut inner.pool) {
			let result = state.apply(&provider, &call);
			inner.log.push(Call {
				block: state.number,
				provider,
				call,
				result,
			});
		}
		let best = state.best();
		inner.states.push(state);
		drop(inner);
		self.best.send_replace(best);
	}

	/// Another fork wins: the last `blocks` blocks are undone, what was in them is lost, and as many others and one more
	/// come in their place.
	pub fn fork(&self, blocks: usize) {
		{
			let mut inner = self.inner.lock();
			let length = inner.states.len() - blocks;
			inner.states.truncate(length);
			inner.pool.clear();
			inner.states.last_mut().unwrap().fork += 1;
		}
		for _ in 0..=blocks {
			self.advance();
		}
	}

	/// The next `count` calls do not reach a block.
	pub fn lose_calls(&self, count: usize) {
		self.inner.lock().lose = count;
	}

	pub fn number(&self) -> BlockNumber {
		self.read(|state| state.number)
	}

	pub fn window(&self) -> WindowIndex {
		self.read(|state| state.window())
	}

	pub fn log(&self) -> Vec<Call> {
		self.inner.lock().log.clone()
	}

	/// How many calls of a kind had an effect, or had none.
	pub fn count(&self, kind: fn(&StorageCall) -> bool, succeeded: bool) -> usize {
		self.log()
			.iter()
			.filter(|call| kind(&call.call) && call.result.is_ok() == succeeded)
			.count()
	}

	/// Windows that a provider has missed.
	pub fn missed(&self, provider: &AccountId) -> u32 {
		self.read(|state| state.missed.get(provider).copied().unwrap_or(0))
	}

	/// What an owner got for orders that were lost.
	pub fn compensated(&self, owner: &AccountId) -> Balance {
		self.read(|state| state.compensated.get(owner).copied().unwrap_or(0))
	}

	/// Proofs that did not verify.
	pub fn wrong_proofs(&self) -> u32 {
		self.read(|state| state.wrong)
	}

	pub fn provider(&self, provider: &AccountId) -> ProviderRecord {
		self.read(|state| state.providers[provider].clone())
	}

	pub fn order(&self, order: OrderId) -> Option<OrderRecord> {
		self.read(|state| state.orders.get(&order).map(|order| order.record.clone()))
	}

	pub fn shard(&self, order: OrderId, shard: usize) -> ShardStatus {
		self.read(|state| state.orders[&order].shards[shard].status.clone())
	}

	/// The shards of an order that stand proven, by provider.
	pub fn active(&self, order: OrderId) -> Vec<(usize, AccountId)> {
		self.read(|state| {
			let shards = &state.orders[&order].shards;
			let active = shards
				.iter()
				.enumerate()
				.filter_map(|(index, shard)| match &shard.status {
					ShardStatus::Active { provider, .. } => Some((index, provider.clone())),
					_ => None,
				});
			active.collect()
		})
	}

	pub fn is_active(&self, order: OrderId) -> bool {
		self.read(|state| matches!(state.orders[&order].record.status, OrderStatus::Active { .. }))
	}

	pub fn set_price_floor(&self, floor: Balance) {
		self.change(|state| state.price_floor = floor);
	}

	pub fn register(&self, provider: AccountId, terms: ProviderTerms, collateral: Balance) {
		self.change(|state| {
			let window = state.window();
			state.providers.insert(
				provider,
				ProviderRecord {
					terms,
					collateral,
					reserved: 0,
					committed: 0,
					status: ProviderStatus::Active,
					proven: window,
					faults: 0,
				},
			);
		});
	}

	/// Changes a provider, if it is registered.
	pub fn update(&self, provider: &AccountId, change: impl FnOnce(&mut ProviderRecord)) {
		self.change(|state| state.providers.get_mut(provider).map(change));
	}

	#[allow(clippy::too_many_arguments, reason = "they are what an order has")]
	pub fn place(
		&self,
		owner: AccountId,
		manifest: [u8; 32],
		code: ErasureCode,
		shard_bytes: u64,
		price: Balance,
		windows: WindowIndex,
		regions: Vec<Region>,
		shards: Vec<([u8; 32], Vec<[u8; 32]>)>,
	) -> OrderId {
		self.change(|state| {
			let id = state.next_order;
			state.next_order += 1;
			let shards = shards
				.into_iter()
				.map(|(cid, roots)| Shard {
					cid,
					roots,
					status: ShardStatus::Open,
					lost_by: None,
					opened_at: 0,
				})
				.collect();
			let record = OrderRecord {
				owner,
				terms: OrderTerms {
					manifest,
					code,
					shard_bytes,
					price,
					windows,
					regions: regions.try_into().unwrap(),
					visibility: Visibility::Private,
					training: false,
					key_commitment: [0; 32],
				},
				escrow: 0,
				status: OrderStatus::Placing {
					deadline: state.number + PLACING_BLOCKS,
				},
				placed_at: state.number,
				supersedes: None,
			};
			state.orders.insert(id, Order { record, shards });
			id
		})
	}

	/// Gives a slot to a provider, as if it had asked for it.
	pub fn accept(&self, provider: &AccountId, id: ShardId) {
		self.change(|state| state.apply(provider, &StorageCall::Accept(id)))
			.expect("the slot is free");
	}

	/// Ends an order at once, as its owner may.
	pub fn cancel(&self, order: OrderId) {
		self.change(|state| state.remove_order(order));
	}

	/// The chain as one provider's node sees it.
	pub fn of(&self, provider: AccountId) -> Arc<dyn Chain> {
		Arc::new(ProviderChain {
			chain: self.clone(),
			provider,
		})
	}

	fn read<T>(&self, question: impl FnOnce(&State) -> T) -> T {
		question(self.inner.lock().states.last().unwrap())
	}

	fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
		change(self.inner.lock().states.last_mut().unwrap())
	}
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
	<Native as opensand_storage_proof::Hasher>::hash(&parts.concat())
}

fn mib(bytes: u64) -> Balance {
	bytes.div_ceil(MIB).into()
}

impl State {
	fn window(&self) -> WindowIndex {
		self.number / WINDOW_BLOCKS
	}

	fn block_hash(&self, number: BlockNumber) -> [u8; 32] {
		hash(&[b"block", &number.to_le_bytes(), &self.fork.to_le_bytes()])
	}

	fn best(&self) -> BestBlock {
		BestBlock {
			number: self.number,
			hash: Hash::from(self.block_hash(self.number)),
		}
	}

	fn order_mut(
		&mut self,
		id: ShardId,
	) -> Result<(&mut Order, &mut BTreeMap<AccountId, ProviderRecord>), &'static str> {
		let order = self.orders.get_mut(&id.order).ok_or("no such order")?;
		if order.record.status == OrderStatus::Lost {
			return Err("the order is lost");
		}
		Ok((order, &mut self.providers))
	}

	fn begin_block(&mut self) {
		self.number += 1;
		if self.number.is_multiple_of(WINDOW_BLOCKS) {
			self.end_window();
		}
		let number = self.number;
		let mut lapsed = Vec::new();
		for order in self.orders.values_mut() {
			for shard in &mut order.shards {
				match &shard.status {
					ShardStatus::Accepted {
						provider, deadline, ..
					} if *deadline < number => {
						lapsed.push((provider.clone(), order.record.terms.shard_bytes));
						shard.status = ShardStatus::Open;
					}
					ShardStatus::Repairing {
						provider,
						deadline,
						pot,
						..
					} if *deadline < number => {
						lapsed.push((provider.clone(), order.record.terms.shard_bytes));
						shard.status = ShardStatus::Repair {
							opened_at: shard.opened_at,
							pot: *pot,
						};
					}
					_ => {}
				}
			}
		}
		for (provider, bytes) in lapsed {
			self.release(&provider, bytes);
		}
	}

	fn end_window(&mut self) {
		let ended = self.window() - 1;
		for (provider, tree) in std::mem::take(&mut self.trees) {
			let record = self.providers.get_mut(&provider).unwrap();
			// Even where everything that was drawn has ended: that has to be said.
			if !tree.is_empty() && record.proven < ended {
				*self.missed.entry(provider.clone()).or_default() += 1;
				record.faults += 1;
				if record.faults >= FAULT_LIMIT && record.status == ProviderStatus::Active {
					record.status = ProviderStatus::Jailed { until: u32::MAX };
				}
			}
		}
		self.excused.clear();
		self.window_seed = hash(&[b"seed", &self.number.to_le_bytes(), &self.fork.to_le_bytes()]);
		for (provider, record) in &self.providers {
			if matches!(record.status, ProviderStatus::Jailed { .. }) {
				continue;
			}
			let tree = self.held_by(provider);
			if !tree.is_empty() {
				self.trees.insert(provider.clone(), tree);
			}
		}
	}

	fn held_by(&self, account: &AccountId) -> Tree {
		let mut tree = Vec::new();
		for (order, record) in &self.orders {
			for (index, shard) in record.shards.iter().enumerate() {
				if matches!(&shard.status, ShardStatus::Active { provider, .. } if provider == account) {
					let id = ShardId {
						order: *order,
						shard: index as u8,
					};
					tree.push((id, record.record.terms.shard_bytes));
				}
			}
		}
		tree
	}

	fn reserve(&mut self, provider: &AccountId, bytes: u64) -> Result<(), &'static str> {
		let record = self.providers.get_mut(provider).ok_or("no such provider")?;
		let collateral = mib(bytes) * COLLATERAL_PER_MIB;
		if record.status != ProviderStatus::Active {
			return Err("the provider takes nothing");
		}
		if record.committed + bytes > record.terms.quota {
			return Err("over the quota");
		}
		if record.reserved + collateral > record.collateral {
			return Err("too little collateral");
		}
		record.committed += bytes;
		record.reserved += collateral;
		Ok(())
	}

	fn release(&mut self, provider: &AccountId, bytes: u64) {
		if let Some(record) = self.providers.get_mut(provider) {
			record.committed -= bytes;
			record.reserved -= mib(bytes) * COLLATERAL_PER_MIB;
		}
	}

	fn remove_order(&mut self, order: OrderId) {
		let Some(order) = self.orders.remove(&order) else {
			return;
		};
		for shard in order.shards {
			if let Some(provider) = shard.status.provider() {
				self.release(provider, order.record.terms.shard_bytes);
			}
		}
	}

	fn challenge(&self, provider: &AccountId) -> Option<Challenge> {
		let record = self.providers.get(provider)?;
		let tree = self.trees.get(provider)?;
		let window = self.window();
		if record.proven >= window {
			return None;
		}
		Some(Challenge {
			window,
			deadline: (window + 1) * WINDOW_BLOCKS - 1,
			samples: self.draw(&self.window_seed, provider, tree),
		})
	}

	fn draw(&self, seed: &[u8; 32], provider: &AccountId, tree: &[(ShardId, u64)]) -> Vec<Sample> {
		let total: u64 = tree.iter().map(|(_, bytes)| bytes / 256).sum();
		let mut samples = Vec::new();
		for index in 0..SAMPLES {
			let mut leaf = draw::<Native>(seed, provider.as_ref(), index, total);
			for (id, bytes) in tree {
				if leaf < bytes / 256 {
					let (segment, leaf) = ShardLayout::of(*bytes).unwrap().locate(leaf).unwrap();
					let order = self.orders.get(&id.order);
					let is_over = order.is_none_or(|order| order.record.status == OrderStatus::Lost);
					if !self.excused.contains(id) && !is_over {
						samples.push(Sample {
							order: id.order,
							shard: id.shard,
							segment,
							leaf,
						});
					}
					break;
				}
				leaf -= bytes / 256;
			}
		}
		samples
	}

	fn first_challenge(&self, id: ShardId) -> Option<Challenge> {
		let order = self.orders.get(&id.order)?;
		let shard = order.shards.get(usize::from(id.shard))?;
		let (ShardStatus::Accepted {
			provider,
			drawn_at,
			deadline,
		}
		| ShardStatus::Repairing {
			provider,
			drawn_at,
			deadline,
			..
		}) = &shard.status
		else {
			return None;
		};
		if self.number <= *drawn_at {
			return None;
		}
		let tree = [(id, order.record.terms.shard_bytes)];
		Some(Challenge {
			window: self.window(),
			deadline: *deadline,
			samples: self.draw(&self.block_hash(*drawn_at), provider, &tree),
		})
	}

	fn verify(&self, samples: &[Sample], proof: &[u8]) -> Result<(), &'static str> {
		let claims: Vec<Claim> = samples
			.iter()
			.map(|sample| {
				let order = &self.orders[&sample.order];
				let layout = ShardLayout::of(order.record.terms.shard_bytes).unwrap();
				Claim {
					root: order.shards[usize::from(sample.shard)].roots[sample.segment as usize],
					leaves: layout.segment_leaves(sample.segment).unwrap(),
					index: sample.leaf,
				}
			})
			.collect();
		if claims.is_empty() {
			return Ok(());
		}
		let proof = PossessionProof::from_bytes(proof).map_err(|_| "the proof does not decode")?;
		verify::<Native>(&claims, &proof).map_err(|_| "the proof is wrong")
	}

	fn apply(&mut self, provider: &AccountId, call: &StorageCall) -> Result<(), &'static str> {
		let number = self.number;
		match call {
			StorageCall::Accept(id) => {
				let (order, _) = self.order_mut(*id)?;
				if order
					.shards
					.iter()
					.any(|shard| shard.status.provider() == Some(provider))
				{
					return Err("it holds a shard of this order already");
				}
				if order.shards[usize::from(id.shard)].status != ShardStatus::Open {
					return Err("the slot is taken");
				}
				let bytes = order.record.terms.shard_bytes;
				self.reserve(provider, bytes)?;
				let (order, _) = self.order_mut(*id)?;
				order.shards[usize::from(id.shard)].status = ShardStatus::Accepted {
					provider: provider.clone(),
					drawn_at: number + 1,
					deadline: number + ACTIVATION_BLOCKS,
				};
				Ok(())
			}
			StorageCall::FirstProof { shard: id, proof } => {
				let challenge = self.first_challenge(*id).ok_or("nothing is owed")?;
				if let Err(error) = self.verify(&challenge.samples, proof) {
					self.wrong += 1;
					return Err(error);
				}
				let since = self.window() + 1;
				let (order, _) = self.order_mut(*id)?;
				let shard = &mut order.shards[usize::from(id.shard)];
				if shard.status.provider() != Some(provider) {
					return Err("another provider's shard");
				}
				shard.status = ShardStatus::Active {
					provider: provider.clone(),
					since,
				};
				let complete = order
					.shards
					.iter()
					.all(|shard| matches!(shard.status, ShardStatus::Active { .. }));
				if complete && matches!(order.record.status, OrderStatus::Placing { .. }) {
					order.record.status = OrderStatus::Active {
						start: since,
						end: since + order.record.terms.windows,
					};
				}
				Ok(())
			}
			StorageCall::SubmitPossession { window, proof } => {
				let challenge = self.challenge(provider).ok_or("nothing is due")?;
				if challenge.window != *window {
					return Err("another window's proof");
				}
				let verified = self.verify(&challenge.samples, proof);
				let record = self.providers.get_mut(provider).ok_or("no such provider")?;
				match verified {
					Ok(()) => {
						record.proven = *window;
						record.faults = 0;
						Ok(())
					}
					Err(error) => {
						record.faults += 1;
						self.wrong += 1;
						Err(error)
					}
				}
			}
			StorageCall::Settle(order) => self.orders.get(order).map(drop).ok_or("no such order"),
			StorageCall::Close(order) => {
				let window = self.window();
				let has_ended = match self.orders.get(order).ok_or("no such order")?.record.status {
					OrderStatus::Active { end, .. } => window >= end,
					OrderStatus::Placing { deadline } => number > deadline,
					OrderStatus::Lost => true,
				};
				if !has_ended {
					return Err("it has not ended");
				}
				self.remove_order(*order);
				Ok(())
			}
			StorageCall::DeclareLost(id) | StorageCall::HandOver(id) => {
				let (order, _) = self.order_mut(*id)?;
				let bytes = order.record.terms.shard_bytes;
				let shard = &mut order.shards[usize::from(id.shard)];
				match &shard.status {
					ShardStatus::Active { provider: holder, .. } if holder == provider => {}
					_ => return Err("not held"),
				}
				shard.open(number, provider);
				self.excused.push(*id);
				self.release(provider, bytes);
				Ok(())
			}
			StorageCall::OpenRepair(id) => {
				let (order, providers) = self.order_mut(*id)?;
				let bytes = order.record.terms.shard_bytes;
				let shard = &mut order.shards[usize::from(id.shard)];
				let ShardStatus::Active { provider: holder, .. } = shard.status.clone() else {
					return Err("not held");
				};
				if !matches!(providers[&holder].status, ProviderStatus::Jailed { .. }) {
					return Err("its provider is not jailed");
				}
				shard.open(number, &holder);
				self.release(&holder, bytes);
				Ok(())
			}
			StorageCall::FindLost(id) => {
				let (order, providers) = self.order_mut(*id)?;
				let ShardStatus::Repair { opened_at, .. } = order.shards[usize::from(id.shard)].status else {
					return Err("no repair is open");
				};
				let is_jailed = |provider: &AccountId| {
					matches!(providers[provider].status, ProviderStatus::Jailed { .. })
				};
				let holders: Vec<AccountId> = order
					.shards
					.iter()
					.filter_map(|shard| shard.status.provider().cloned())
					.collect();
				let live = holders.iter().filter(|provider| !is_jailed(provider)).count();
				if number <= opened_at + REPAIR_BLOCKS || live >= usize::from(order.record.terms.code.data) {
					return Err("it can still be repaired");
				}
				let (owner, bytes) = (order.record.owner.clone(), order.record.terms.shard_bytes);
				let pots = order.shards.len() - live;
				order.record.status = OrderStatus::Lost;
				order.shards.clear();
				*self.compensated.entry(owner).or_default() += pots as Balance * REPAIR_REWARD;
				for provider in holders {
					self.release(&provider, bytes);
				}
				Ok(())
			}
			StorageCall::TakeRepair(id) => {
				let (order, _) = self.order_mut(*id)?;
				if order
					.shards
					.iter()
					.any(|shard| shard.status.provider() == Some(provider))
				{
					return Err("it holds a shard of this order already");
				}
				let ShardStatus::Repair { pot, .. } = order.shards[usize::from(id.shard)].status else {
					return Err("no repair is open");
				};
				if order.shards[usize::from(id.shard)].lost_by.as_ref() == Some(provider) {
					return Err("it has lost this shard");
				}
				let bytes = order.record.terms.shard_bytes;
				self.reserve(provider, bytes)?;
				let (order, _) = self.order_mut(*id)?;
				order.shards[usize::from(id.shard)].status = ShardStatus::Repairing {
					provider: provider.clone(),
					reward: pot,
					drawn_at: number + 1,
					deadline: number + ACTIVATION_BLOCKS,
					pot,
				};
				Ok(())
			}
		}
	}

	fn views(&self, order: OrderId) -> Vec<ShardView> {
		let shards = self
			.orders
			.get(&order)
			.map(|order| order.shards.as_slice())
			.unwrap_or_default();
		shards
			.iter()
			.enumerate()
			.map(|(index, shard)| ShardView {
				order,
				index: index as u8,
				cid: shard.cid,
				status: shard.status.clone(),
			})
			.collect()
	}
}

struct ProviderChain {
	chain: TestChain,
	provider: AccountId,
}

impl ProviderChain {
	/// Answers about the block that is asked for, as long as it is on the best chain.
	fn at<T>(&self, at: Hash, question: impl FnOnce(&State) -> T) -> Result<T, ChainError> {
		let inner = self.chain.inner.lock();
		inner
			.states
			.iter()
			.rev()
			.find(|state| state.best().hash == at)
			.map(question)
			.ok_or_else(|| ChainError("the block is not known".into()))
	}
}

#[async_trait]
impl Chain for ProviderChain {
	fn best_blocks(&self) -> BoxStream<'static, BestBlock> {
		let mut receiver = self.chain.best.subscribe();
		receiver.mark_changed();
		futures::stream::unfold(receiver, |mut receiver| async move {
			receiver.changed().await.ok()?;
			let best = *receiver.borrow_and_update();
			Some((best, receiver))
		})
		.boxed()
	}

	fn agent(&self) -> Option<AccountId> {
		Some(self.provider.clone())
	}

	async fn provider(&self, at: Hash) -> Result<Option<AccountId>, ChainError> {
		self.at(at, |state| {
			state
				.providers
				.contains_key(&self.provider)
				.then(|| self.provider.clone())
		})
	}

	async fn storage_terms(&self, at: Hash) -> Result<StorageTerms, ChainError> {
		self.at(at, |state| StorageTerms {
			window: state.window(),
			window_blocks: WINDOW_BLOCKS,
			price_floor: state.price_floor,
			collateral_per_mib: COLLATERAL_PER_MIB,
			samples: SAMPLES,
			activation_blocks: ACTIVATION_BLOCKS,
			placing_blocks: PLACING_BLOCKS,
			repair_blocks: REPAIR_BLOCKS,
		})
	}

	async fn storage_provider(
		&self,
		at: Hash,
		provider: &AccountId,
	) -> Result<Option<ProviderRecord>, ChainError> {
		self.at(at, |state| state.providers.get(provider).cloned())
	}

	async fn order(&self, at: Hash, order: OrderId) -> Result<Option<OrderRecord>, ChainError> {
		self.at(at, |state| {
			state.orders.get(&order).map(|order| order.record.clone())
		})
	}

	async fn shards(&self, at: Hash, order: OrderId) -> Result<Vec<ShardView>, ChainError> {
		self.at(at, |state| state.views(order))
	}

	async fn segment_roots(&self, at: Hash, shard: ShardId) -> Result<Vec<[u8; 32]>, ChainError> {
		self.at(at, |state| {
			state
				.orders
				.get(&shard.order)
				.and_then(|order| order.shards.get(usize::from(shard.shard)))
				.map(|shard| shard.roots.clone())
				.unwrap_or_default()
		})
	}

	async fn open_slots(
		&self,
		at: Hash,
		provider: &AccountId,
		from: OrderId,
		limit: u32,
	) -> Result<Vec<OpenSlot>, ChainError> {
		self.at(at, |state| {
			let mut slots = Vec::new();
			for (order, record) in state.orders.range(from..) {
				let views = state.views(*order);
				if record.record.owner == *provider
					|| views
						.iter()
						.any(|shard| shard.status.provider() == Some(provider))
				{
					continue;
				}
				let terms = &record.record.terms;
				for shard in views {
					let repair = matches!(shard.status, ShardStatus::Repair { .. });
					if !repair && shard.status != ShardStatus::Open {
						continue;
					}
					let lost_by = &record.shards[usize::from(shard.index)].lost_by;
					if repair && lost_by.as_ref() == Some(provider) {
						continue;
					}
					slots.push(OpenSlot {
						order: *order,
						shard: shard.index,
						bytes: terms.shard_bytes,
						price: terms.price,
						collateral: mib(terms.shard_bytes) * COLLATERAL_PER_MIB,
						reward: if repair { REPAIR_REWARD } else { 0 },
						repair,
						regions: terms.regions.clone(),
					});
				}
			}
			slots.truncate(limit as usize);
			slots
		})
	}

	async fn shards_of(
		&self,
		at: Hash,
		provider: &AccountId,
		from: ShardId,
		limit: u32,
	) -> Result<Vec<ShardView>, ChainError> {
		self.at(at, |state| {
			state
				.orders
				.range(from.order..)
				.flat_map(|(order, _)| state.views(*order))
				.filter(|shard| (shard.order, shard.index) >= (from.order, from.shard))
				.filter(|shard| shard.status.provider() == Some(provider))
				.take(limit as usize)
				.collect()
		})
	}

	async fn challenge(&self, at: Hash, provider: &AccountId) -> Result<Option<Challenge>, ChainError> {
		self.at(at, |state| state.challenge(provider))
	}

	async fn first_challenge(&self, at: Hash, shard: ShardId) -> Result<Option<Challenge>, ChainError> {
		self.at(at, |state| state.first_challenge(shard))
	}

	async fn submit(&self, call: StorageCall) -> Result<(), SubmitError> {
		let mut inner = self.chain.inner.lock();
		if inner.lose > 0 {
			inner.lose -= 1;
		} else {
			inner.pool.push((self.provider.clone(), call));
		}
		Ok(())
	}
}
