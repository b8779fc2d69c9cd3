//! Looks at the chain at every best block and does what it asks for.
//!
//! Nothing is decided from memory alone: at every block the needs are derived again from the chain's state and from what
//! is on disk, so that a fork, a lost call or a restart costs time, and nothing else. In each step proofs come first, then
//! what is owed for new shards, then new business.

use std::{
	collections::{BTreeMap, BTreeSet, HashMap, HashSet},
	sync::Arc,
};

use codec::Encode;
use futures::StreamExt;
use log::{debug, error, info, warn};
use opensand_blocks::public_key_of;
use opensand_primitives::{
	storage::{
		Challenge, OpenSlot, OrderRecord, OrderStatus, ProviderRecord, ProviderStatus, ShardStatus,
		ShardView, StorageTerms, WindowIndex,
	},
	survival::{live_shards, rescues, Rescue},
	AccountId, BlockNumber, OrderId,
};
use opensand_storage_proof::PossessionProof;
use rand::seq::SliceRandom;
use sp_crypto_hashing::blake2_256;

use crate::{
	chain::{BestBlock, ChainError, ShardId, StorageCall, SubmitError},
	collect::collect,
	commitments::{answer, AnswerError, Provable, Question},
	context::Context,
	in_flight::{InFlight, Purpose, PATIENCE_BLOCKS},
	obtain::{Job, Wanted},
	policy::{disk_bytes, judge_order, judge_slot, Room},
	record::{Phase, ShardRecord},
	search::Searches,
	status::{provider_status, ProofDue, ProviderView, ShardName},
	TARGET,
};

/// Shards that are asked for at once.
const PAGE: u32 = 256;
/// Up to this many shards, the list of the provider's shards is read at every block.
const FEW_SHARDS: usize = 256;
/// Blocks after which a longer list is read again.
const LIST_BLOCKS: BlockNumber = 10;
/// Slots that are looked at in one block.
const SLOTS_PAGE: u32 = 128;
/// Orders that are looked after in one block.
const ORDERS_A_BLOCK: usize = 4;
/// Repairs whose orders are looked at in one block before one is bid for.
const REPAIRS_A_BLOCK: usize = 4;
/// Over how many blocks an order's providers spread calls that one of them has to make.
const SPREAD_BLOCKS: u64 = 16;
/// Shards that are handed over in one block while the provider drains.
const HAND_OVERS_A_BLOCK: usize = 2;
/// Bytes that are left free on the disk, beside the quota.
const DISK_RESERVE: u64 = 256 << 20;

/// What a step learned from the chain.
struct View {
	best: BestBlock,
	provider: AccountId,
	record: ProviderRecord,
	terms: StorageTerms,
}

/// The window whose proof was due when it was looked at last.
#[derive(Clone, Copy)]
struct Due {
	window: WindowIndex,
	deadline: BlockNumber,
	sent: bool,
}

/// A job, and whether it is for a shard that was proven before. Such jobs are not kept waiting by owners that do not
/// deliver.
struct Work {
	job: Job,
	proven_before: bool,
}

/// See the module's description.
pub(crate) struct Agent {
	context: Arc<Context>,
	calls: InFlight,
	/// Calls that anybody may make: when the need for one was seen first.
	first_seen: HashMap<Purpose, BlockNumber>,
	/// What is being fetched or rebuilt.
	jobs: HashMap<ShardId, Work>,
	/// The provider's shards on chain.
	shards: BTreeMap<ShardId, ShardStatus>,
	/// When they were listed in full.
	listed_at: Option<BlockNumber>,
	/// Slots that were bid for and are not the provider's yet.
	bids: HashMap<ShardId, OpenSlot>,
	/// Shards that too few others are left of.
	searches: Searches,
	/// Where the search for slots goes on.
	slots_from: OrderId,
	/// The order that was looked after last.
	tended: OrderId,
	/// The window whose proof is due.
	due: Option<Due>,
	/// The encoded proof for a challenge, so that it is sent again without being made again.
	proof: Option<(Challenge, Vec<u8>)>,
	/// What was said last, so that it is not said at every block.
	said: Option<String>,
}

impl Agent {
	/// An agent that has seen nothing yet.
	pub fn new(context: Arc<Context>) -> Self {
		Self {
			context,
			calls: InFlight::default(),
			first_seen: HashMap::new(),
			jobs: HashMap::new(),
			shards: BTreeMap::new(),
			listed_at: None,
			bids: HashMap::new(),
			searches: Searches::default(),
			slots_from: 0,
			tended: 0,
			due: None,
			proof: None,
			said: None,
		}
	}

	/// Follows the chain until its blocks end.
	pub async fn run(mut self) {
		let mut blocks = self.context.chain.best_blocks();
		let mut best: Option<BestBlock> = None;
		loop {
			let context = self.context.clone();
			tokio::select! {
				block = blocks.next() => match block {
					Some(block) => best = Some(block),
					None => return,
				},
				() = context.wake.notified() => {}
			}
			// Only the latest counts.
			while let Some(block) = futures::FutureExt::now_or_never(blocks.next()) {
				match block {
					Some(block) => best = Some(block),
					None => return,
				}
			}
			if let Some(best) = best {
				self.context.best.send_replace(best);
				if let Err(error) = self.step(best).await {
					self.say(Some(error.to_string()));
				}
			}
		}
	}

	/// Logs what is in the way when it changes, and shows it in the status.
	fn say(&mut self, trouble: Option<String>) {
		if self.said != trouble {
			match &trouble {
				Some(trouble) => warn!(target: TARGET, "{trouble}"),
				None => info!(target: TARGET, "the storage service is at work"),
			}
			self.context.status.write().trouble.clone_from(&trouble);
			self.said = trouble;
		}
	}

	/// Does what block `best` asks for.
	async fn step(&mut self, best: BestBlock) -> Result<(), ChainError> {
		let chain = self.context.chain.clone();
		self.jobs.retain(|_, work| !work.job.is_finished());
		self.calls.prune(best.number);
		let terms = chain.storage_terms(best.hash).await?;
		let provider = chain.provider(best.hash).await?;
		let record = match &provider {
			Some(provider) => chain.storage_provider(best.hash, provider).await?,
			None => None,
		};
		let (Some(provider), Some(record)) = (provider, record) else {
			let trouble = "no provider is registered for this node's agent key: insert one of type `stor`, and register the provider with this node's peer key and addresses";
			self.say(Some(trouble.into()));
			self.show(best, &terms, None).await;
			return Ok(());
		};
		let view = View {
			best,
			provider,
			record,
			terms,
		};

		self.list(&view).await?;
		self.prove_window(&view).await?;
		self.first_proofs(&view).await?;
		self.reconcile(&view).await?;
		self.bid(&view).await?;
		self.tend_orders(&view).await?;
		self.hand_over(&view).await;
		self.remove_released(&view).await;
		self.show(best, &view.terms, Some(&view)).await;

		let trouble = match view.record.status {
			ProviderStatus::Jailed { until } => Some(format!(
				"the provider is jailed: it earns nothing, and others repair what it held; from block {until} on it can come back with `unjail`"
			)),
			_ if !self.peer_matches(&view) => Some(
				"the peer key on chain is not this node's: nobody can reach it; call `update_provider` with the key that storage_status shows".into(),
			),
			_ => None,
		};
		self.say(trouble);
		Ok(())
	}

	fn peer_matches(&self, view: &View) -> bool {
		public_key_of(&self.context.exchange.local_peer_id()) == Some(view.record.terms.peer)
	}

	/// Reads the list of the provider's shards; if it is long, only now and then, and between that only what moves.
	async fn list(&mut self, view: &View) -> Result<(), ChainError> {
		let now = view.best.number;
		let is_due = self.listed_at.is_none_or(|at| {
			self.shards.len() <= FEW_SHARDS || now < at || now >= at.saturating_add(LIST_BLOCKS)
		});
		if is_due {
			self.shards = self.list_all(view).await?;
			self.listed_at = Some(now);
			return Ok(());
		}
		let moving: BTreeSet<OrderId> = self
			.shards
			.iter()
			.filter(|(_, status)| !matches!(status, ShardStatus::Active { .. }))
			.map(|(id, _)| id.order)
			.chain(self.bids.keys().map(|id| id.order))
			.collect();
		for order in moving {
			self.shards.retain(|id, _| id.order != order);
			for shard in self.context.chain.shards(view.best.hash, order).await? {
				if is_held(view, &shard.status) {
					self.shards.insert(id_of(&shard), shard.status);
				}
			}
		}
		Ok(())
	}

	async fn list_all(&self, view: &View) -> Result<BTreeMap<ShardId, ShardStatus>, ChainError> {
		let mut shards = BTreeMap::new();
		let mut from = ShardId { order: 0, shard: 0 };
		loop {
			let page = self
				.context
				.chain
				.shards_of(view.best.hash, &view.provider, from, PAGE)
				.await?;
			let count = page.len();
			let last = page.last().map(id_of);
			let held = page.into_iter().filter(|shard| is_held(view, &shard.status));
			shards.extend(held.map(|shard| (id_of(&shard), shard.status)));
			match last {
				Some(last) if count >= PAGE as usize && last >= from => from = last.next(),
				_ => return Ok(shards),
			}
		}
	}

	/// Signs and sends a call unless one of the same purpose is out. Answers whether it was sent.
	async fn send(
		&mut self,
		view: &View,
		call: StorageCall,
		drawn_at: BlockNumber,
		patience: BlockNumber,
	) -> bool {
		let purpose = Purpose::of(&call, drawn_at);
		let now = view.best.number;
		if !self.calls.may_send(&purpose, now) {
			return false;
		}
		let result = self.context.chain.submit(call).await;
		self.calls.sent(purpose, now, patience);
		match result {
			Ok(()) => {
				debug!(target: TARGET, "block {now}: sent {purpose:?}");
				true
			}
			Err(error @ SubmitError::Invalid(_)) => {
				debug!(target: TARGET, "block {now}: {purpose:?}: {error}");
				false
			}
			Err(error @ SubmitError::Unavailable(_)) => {
				warn!(target: TARGET, "block {now}: {purpose:?}: {error}");
				false
			}
		}
	}

	/// Whether it is this provider's turn to make a call that any of an order's providers may make: each begins at another
	/// of the blocks after the need arose, so that usually one pays for it.
	fn is_my_turn(&mut self, view: &View, purpose: Purpose, order: OrderId) -> bool {
		let now = view.best.number;
		let first = *self.first_seen.entry(purpose).or_insert(now);
		let mine = lot(&view.provider, order) % SPREAD_BLOCKS;
		u64::from(now.saturating_sub(first)) >= mine || now < first
	}

	// Proofs

	/// Answers the window's challenge, at this provider's place in the first half of the window.
	async fn prove_window(&mut self, view: &View) -> Result<(), ChainError> {
		let now = view.best.number;
		let challenge = self
			.context
			.chain
			.challenge(view.best.hash, &view.provider)
			.await?;
		self.note_window(view, challenge.as_ref());
		let Some(challenge) = challenge else {
			self.proof = None;
			return Ok(());
		};
		if self
			.proof
			.as_ref()
			.is_some_and(|(made_for, _)| *made_for != challenge)
		{
			// A shard was given up, or a fork drew other leaves: what was sent answers another question.
			self.calls.forget(&Purpose::Possession(challenge.window));
			self.proof = None;
		}
		let begin = (challenge.deadline + 1).saturating_sub(view.terms.window_blocks);
		let spread = (view.terms.window_blocks / 2).max(1);
		let offset = lot(&view.provider, challenge.window.into()) % u64::from(spread);
		let is_time = u64::from(now.saturating_sub(begin)) >= offset;
		if !is_time || !self.calls.may_send(&Purpose::Possession(challenge.window), now) {
			return Ok(());
		}
		let Some(proof) = self.answer(view, &challenge).await? else {
			return Ok(());
		};
		// In the last blocks a lost call must be noticed quickly.
		let patience = (view.terms.window_blocks / 16).clamp(2, PATIENCE_BLOCKS);
		let call = StorageCall::SubmitPossession {
			window: challenge.window,
			proof,
		};
		if self.send(view, call, 0, patience).await {
			self.context.metrics.proof_sent();
			if let Some(due) = &mut self.due {
				due.sent = true;
			}
			debug!(target: TARGET, "window {}: sent the proof of {} leaves", challenge.window, challenge.samples.len());
		}
		Ok(())
	}

	/// Keeps account of windows that were proven and missed.
	fn note_window(&mut self, view: &View, challenge: Option<&Challenge>) {
		if let Some(due) = self.due {
			let is_asked = challenge.is_some_and(|challenge| challenge.window == due.window);
			if view.record.proven >= due.window {
				self.context.metrics.window_proven();
				self.calls.forget(&Purpose::Possession(due.window));
				self.due = None;
			} else if !is_asked && view.best.number <= due.deadline {
				// It does not owe anything any more: it is jailed, or has nothing left.
				self.due = None;
			} else if !is_asked {
				self.context.metrics.window_missed();
				let sent = if due.sent {
					"its proof was sent and not taken"
				} else {
					"no proof was sent"
				};
				error!(target: TARGET, "window {} is missed: {sent}; collateral is slashed", due.window);
				self.due = None;
			}
		}
		if let Some(challenge) = challenge {
			if self.due.is_none() {
				self.due = Some(Due {
					window: challenge.window,
					deadline: challenge.deadline,
					sent: false,
				});
			}
		}
	}

	/// The encoded proof for a window's challenge. None while a shard that it asks for is damaged: that shard is given up
	/// when the window is about to end, because a miss costs collateral for all.
	async fn answer(&mut self, view: &View, challenge: &Challenge) -> Result<Option<Vec<u8>>, ChainError> {
		if let Some((made_for, proof)) = &self.proof {
			if made_for == challenge {
				return Ok(Some(proof.clone()));
			}
		}
		match self.make_proof(view, challenge).await? {
			Ok(proof) => {
				self.proof = Some((challenge.clone(), proof.clone()));
				Ok(Some(proof))
			}
			Err(AnswerError::Damaged { id, .. }) => {
				let left = challenge.deadline.saturating_sub(view.best.number);
				if left <= (view.terms.window_blocks / 4).max(3) {
					self.give_up(
						view,
						id,
						"a proof of it is due and it could not be healed in time",
					)
					.await;
				}
				Ok(None)
			}
			Err(error) => {
				error!(target: TARGET, "window {}: {error}", challenge.window);
				Ok(None)
			}
		}
	}

	/// Reads the leaves that a challenge asks for. Damage that it meets is noted, so that it is healed.
	async fn make_proof(
		&self,
		view: &View,
		challenge: &Challenge,
	) -> Result<Result<Vec<u8>, AnswerError>, ChainError> {
		if challenge.samples.is_empty() {
			// All that was drawn has ended or was given up. That must be said, too.
			return Ok(Ok(PossessionProof::default().encode()));
		}
		let mut ids: Vec<ShardId> = Vec::new();
		let mut questions = Vec::with_capacity(challenge.samples.len());
		for sample in &challenge.samples {
			let id = ShardId {
				order: sample.order,
				shard: sample.shard,
			};
			let shard = ids.iter().position(|known| *known == id).unwrap_or_else(|| {
				ids.push(id);
				ids.len() - 1
			});
			questions.push(Question {
				id,
				shard,
				segment: sample.segment,
				leaf: sample.leaf,
			});
		}
		let mut shards = Vec::with_capacity(ids.len());
		for id in &ids {
			let record = self.context.records.get(*id).filter(|record| {
				matches!(
					record.phase,
					Phase::Stored | Phase::Damaged { .. } | Phase::Released { .. }
				)
			});
			let Some(record) = record else {
				return Ok(Err(AnswerError::Damaged {
					id: *id,
					reason: "it is not stored".into(),
				}));
			};
			shards.push(Provable {
				root: record.root,
				bytes: record.bytes,
				roots: self.context.chain.segment_roots(view.best.hash, *id).await?,
				levels: self.context.records.levels_path(*id),
			});
		}
		let result = self
			.context
			.blocking(move |context| {
				let result = answer(&context.store, &shards, &questions);
				if let Err(AnswerError::Damaged { id, reason }) = &result {
					context.note_damage(*id, reason);
				}
				result
			})
			.await;
		Ok(result)
	}

	/// Gives a shard up: it costs its collateral, and another provider rebuilds it.
	async fn give_up(&mut self, view: &View, id: ShardId, reason: &str) {
		if self.send(view, StorageCall::DeclareLost(id), 0, 2).await {
			self.context.metrics.shard_lost();
			error!(target: TARGET, "shard {id} is declared lost: {reason}");
		}
	}

	/// Proves the shards that were accepted or rebuilt and are complete.
	async fn first_proofs(&mut self, view: &View) -> Result<(), ChainError> {
		let owed: Vec<(ShardId, BlockNumber, BlockNumber)> = self
			.shards
			.iter()
			.filter_map(|(id, status)| match status {
				ShardStatus::Accepted {
					drawn_at, deadline, ..
				}
				| ShardStatus::Repairing {
					drawn_at, deadline, ..
				} => Some((*id, *drawn_at, *deadline)),
				_ => None,
			})
			.collect();
		for (id, drawn_at, deadline) in owed {
			let is_stored = self
				.context
				.records
				.get(id)
				.is_some_and(|record| record.phase == Phase::Stored);
			let purpose = Purpose::FirstProof(id, drawn_at);
			if !is_stored || deadline < view.best.number || !self.calls.may_send(&purpose, view.best.number) {
				continue;
			}
			let Some(challenge) = self.context.chain.first_challenge(view.best.hash, id).await? else {
				continue;
			};
			match self.make_proof(view, &challenge).await? {
				Ok(proof) => {
					let call = StorageCall::FirstProof { shard: id, proof };
					if self.send(view, call, drawn_at, PATIENCE_BLOCKS).await {
						self.context.metrics.proof_sent();
						info!(target: TARGET, "shard {id}: sent its first proof");
					}
				}
				Err(error) => warn!(target: TARGET, "shard {id}: no first proof: {error}"),
			}
		}
		Ok(())
	}

	// What is on disk

	/// Compares what the chain wants here with what is here, and starts and ends jobs.
	async fn reconcile(&mut self, view: &View) -> Result<(), ChainError> {
		let now = view.best.number;
		let records: BTreeMap<ShardId, ShardRecord> = self.context.records.all().into_iter().collect();

		for (id, record) in &records {
			if !self.shards.contains_key(id) && !matches!(record.phase, Phase::Released { .. }) {
				if let Some(work) = self.jobs.get(id) {
					work.job.cancel();
				}
				// As long as the slot can be had, it is remembered why it is not taken again.
				if matches!(record.phase, Phase::Refused(_)) && self.is_placing(view, id.order).await? {
					continue;
				}
				info!(target: TARGET, "shard {id} is not wanted here any more; it is removed in {} blocks", self.context.config.grace_blocks);
				self.context
					.update_record(*id, move |record| record.phase = Phase::Released { since: now })
					.await;
			}
		}

		let wanted: Vec<(ShardId, ShardStatus)> = self
			.shards
			.iter()
			.map(|(id, status)| (*id, status.clone()))
			.collect();
		for (id, status) in wanted {
			if self.jobs.contains_key(&id) {
				continue;
			}
			let is_active = matches!(status, ShardStatus::Active { .. });
			let phase = records.get(&id).map(|record| record.phase);
			match phase {
				Some(Phase::Stored) => continue,
				// Its slot lapses. What was proven once cannot be refused.
				Some(Phase::Refused(_)) if !is_active => continue,
				Some(Phase::Damaged { since }) if is_active => {
					let patience = self
						.context
						.config
						.heal_windows
						.saturating_mul(view.terms.window_blocks);
					if now.saturating_sub(since) > patience {
						self.give_up(view, id, "it could not be healed").await;
						continue;
					}
				}
				_ => {}
			}
			let is_repair = matches!(status, ShardStatus::Repairing { .. });
			let proven_before = is_active || is_repair;
			let alike = self
				.jobs
				.values()
				.filter(|work| work.proven_before == proven_before);
			if alike.count() >= self.context.config.max_fetches.max(1) {
				continue;
			}
			let Some(wanted) = self.wanted(view, id, proven_before).await? else {
				continue;
			};
			let phase = match phase {
				Some(phase @ Phase::Damaged { .. }) => phase,
				_ if is_active => Phase::Damaged { since: now },
				_ => Phase::Wanted,
			};
			let settled = records
				.get(&id)
				.map_or(view.terms.window, |record| record.settled);
			let record = ShardRecord {
				root: wanted.shard.root,
				manifest: wanted.manifest,
				bytes: wanted.shard.bytes,
				phase,
				settled,
			};
			let stored = self
				.context
				.blocking(move |context| context.records.set(id, record))
				.await;
			match stored {
				Ok(()) => {
					debug!(target: TARGET, "shard {id}: {}", if is_repair { "rebuilding" } else { "fetching" });
					let job = Job::start(self.context.clone(), wanted);
					self.jobs.insert(id, Work { job, proven_before });
				}
				Err(error) => warn!(target: TARGET, "shard {id}: {error}"),
			}
		}
		Ok(())
	}

	async fn is_placing(&self, view: &View, order: OrderId) -> Result<bool, ChainError> {
		let order = self.context.chain.order(view.best.hash, order).await?;
		Ok(order.is_some_and(|order| matches!(order.status, OrderStatus::Placing { .. })))
	}

	/// What the chain says of a shard that is to be brought here; `None` if its order is gone.
	async fn wanted(
		&self,
		view: &View,
		id: ShardId,
		proven_before: bool,
	) -> Result<Option<Wanted>, ChainError> {
		let (chain, at) = (&self.context.chain, view.best.hash);
		let Some(order) = chain.order(at, id.order).await? else {
			return Ok(None);
		};
		let shards = chain.shards(at, id.order).await?;
		let Some(shard) = shards.iter().find(|shard| shard.index == id.shard) else {
			return Ok(None);
		};
		Ok(Some(Wanted {
			id,
			manifest: order.terms.manifest,
			code: order.terms.code,
			shard: Provable {
				root: shard.cid,
				bytes: order.terms.shard_bytes,
				roots: chain.segment_roots(at, id).await?,
				levels: self.context.records.levels_path(id),
			},
			proven_before,
		}))
	}

	async fn remove_released(&mut self, view: &View) {
		let (now, grace) = (view.best.number, self.context.config.grace_blocks);
		let busy: HashSet<ShardId> = self.jobs.keys().copied().collect();
		match self
			.context
			.blocking(move |context| collect(context, now, grace, &busy))
			.await
		{
			Ok(count) => self.context.metrics.shards_removed(count),
			Err(error) => warn!(target: TARGET, "nothing is removed: {error}"),
		}
	}

	// New business

	/// Takes slots and repairs that the policy likes.
	async fn bid(&mut self, view: &View) -> Result<(), ChainError> {
		let now = view.best.number;
		let (calls, shards) = (&self.calls, &self.shards);
		self.bids.retain(|id, slot| {
			let purpose = bid_purpose(*id, slot);
			calls.is_waiting(&purpose, now) && !shards.contains_key(id)
		});
		// What was refused, given up, or lost to its deadline is not taken again before its traces are gone.
		let resting: HashSet<ShardId> = self
			.context
			.records
			.all()
			.into_iter()
			.filter(|(_, record)| matches!(record.phase, Phase::Refused(_) | Phase::Released { .. }))
			.map(|(id, _)| id)
			.collect();
		let unfinished = self
			.shards
			.iter()
			.filter(|(id, status)| !matches!(status, ShardStatus::Active { .. }) && !resting.contains(id))
			.count();
		let busy = unfinished.max(self.jobs.len()) + self.bids.len();
		let mut free = self.context.config.max_fetches.saturating_sub(busy);
		let may_bid = self.context.config.policy.bid && view.record.status == ProviderStatus::Active;
		if free == 0 || !may_bid || !self.peer_matches(view) {
			return Ok(());
		}
		let mut room = self.room(view).await;
		let slots = self.slots(view).await?;
		let mut repairs = 0;
		for slot in slots {
			if free == 0 {
				break;
			}
			let id = ShardId {
				order: slot.order,
				shard: slot.shard,
			};
			let mut known = self.shards.keys().chain(self.bids.keys()).chain(&resting);
			let is_known = known.any(|known| known.order == id.order);
			let policy = &self.context.config.policy;
			if is_known || !self.calls.may_send(&bid_purpose(id, &slot), now) {
				continue;
			}
			if let Err(reason) = judge_slot(policy, &view.record, &room, &slot) {
				debug!(target: TARGET, "slot {id} is not taken: {reason:?}");
				continue;
			}
			let Some(order) = self.context.chain.order(view.best.hash, id.order).await? else {
				continue;
			};
			if let Err(reason) = judge_order(policy, &view.provider, &view.record, &order) {
				debug!(target: TARGET, "slot {id} is not taken: {reason:?}");
				continue;
			}
			if slot.repair {
				if repairs == REPAIRS_A_BLOCK {
					continue;
				}
				repairs += 1;
				if !self.can_be_repaired(view, id, &order).await? {
					debug!(target: TARGET, "slot {id} is not taken: too few other shards are held");
					continue;
				}
			}
			let call = if slot.repair {
				StorageCall::TakeRepair(id)
			} else {
				StorageCall::Accept(id)
			};
			if self.send(view, call, 0, PATIENCE_BLOCKS).await {
				self.context.metrics.slot_accepted();
				info!(target: TARGET, "slot {id}: bid for {} bytes at {} a MiB and window", slot.bytes, slot.price);
				room = room.without(&slot);
				free -= 1;
				self.bids.insert(id, slot);
			}
		}
		Ok(())
	}

	/// Whether a repair can succeed: from enough other shards, or since somebody who lost the shard still has it. If
	/// not, what has to be called about the order is called.
	async fn can_be_repaired(
		&mut self,
		view: &View,
		id: ShardId,
		order: &OrderRecord,
	) -> Result<bool, ChainError> {
		let now = view.best.number;
		let shards = self.context.chain.shards(view.best.hash, id.order).await?;
		let jailed = self.jailed(view, &shards).await?;
		let live = live_shards(&shards, |provider| jailed.contains(provider), now);
		if live >= usize::from(order.terms.code.data) {
			return Ok(true);
		}
		let Some(shard) = shards.get(usize::from(id.shard)) else {
			return Ok(false);
		};
		if self.searches.has_found(&self.context, id, shard.cid, now) {
			return Ok(true);
		}
		self.keep_alive(view, id.order, order, &shards, &jailed).await;
		Ok(false)
	}

	/// What could still be taken, less what is under way.
	async fn room(&self, view: &View) -> Room {
		let (disk, under_way) = self
			.context
			.blocking(|context| {
				let under_way: u64 = context
					.records
					.all()
					.iter()
					.filter(|(_, record)| record.phase == Phase::Wanted)
					.map(|(_, record)| disk_bytes(record.bytes))
					.fold(0, u64::saturating_add);
				(free_disk(context), under_way)
			})
			.await;
		self.bids.values().fold(
			Room::new(&view.record, disk.saturating_sub(under_way)),
			|room, slot| room.without(slot),
		)
	}

	/// A page of slots in random order, one of each order, so that providers do not run after the same ones.
	async fn slots(&mut self, view: &View) -> Result<Vec<OpenSlot>, ChainError> {
		let from = self.slots_from;
		let mut slots = self
			.context
			.chain
			.open_slots(view.best.hash, &view.provider, from, SLOTS_PAGE)
			.await?;
		self.slots_from = match slots.last() {
			Some(last) if slots.len() >= SLOTS_PAGE as usize => last.order.saturating_add(1),
			_ => 0,
		};
		slots.shuffle(&mut rand::thread_rng());
		let mut orders = HashSet::new();
		slots.retain(|slot| orders.insert(slot.order));
		Ok(slots)
	}

	// Upkeep

	/// Looks after some of the orders: has them settled, ended, and shards of jailed providers repaired.
	async fn tend_orders(&mut self, view: &View) -> Result<(), ChainError> {
		let orders: BTreeSet<OrderId> = self.shards.keys().map(|id| id.order).collect();
		let turn: Vec<OrderId> = orders
			.range(self.tended.saturating_add(1)..)
			.chain(orders.range(..=self.tended))
			.take(ORDERS_A_BLOCK)
			.copied()
			.collect();
		for order in turn {
			self.tended = order;
			self.tend_order(view, order).await?;
		}
		let horizon = view
			.best
			.number
			.saturating_sub(view.terms.window_blocks.saturating_mul(4));
		self.first_seen.retain(|_, seen| *seen >= horizon);
		Ok(())
	}

	async fn tend_order(&mut self, view: &View, order: OrderId) -> Result<(), ChainError> {
		let Some(record) = self.context.chain.order(view.best.hash, order).await? else {
			return Ok(());
		};
		let has_ended = match record.status {
			OrderStatus::Active { end, .. } => view.terms.window >= end,
			OrderStatus::Placing { deadline } => view.best.number > deadline,
			// It has no providers any more; its owner closes it.
			OrderStatus::Lost => return Ok(()),
		};
		if has_ended {
			if self.is_my_turn(view, Purpose::Close(order), order) {
				self.send(view, StorageCall::Close(order), 0, PATIENCE_BLOCKS)
					.await;
			}
			return Ok(());
		}
		self.settle(view, order).await;
		let shards = self.context.chain.shards(view.best.hash, order).await?;
		let jailed = self.jailed(view, &shards).await?;
		self.keep_alive(view, order, &record, &shards, &jailed).await;
		Ok(())
	}

	/// Those of an order's providers that are in jail.
	async fn jailed(&self, view: &View, shards: &[ShardView]) -> Result<HashSet<AccountId>, ChainError> {
		let mut jailed = HashSet::new();
		for provider in shards.iter().filter_map(|shard| shard.status.provider()) {
			let holder = self
				.context
				.chain
				.storage_provider(view.best.hash, provider)
				.await?;
			if holder.is_some_and(|holder| matches!(holder.status, ProviderStatus::Jailed { .. })) {
				jailed.insert(provider.clone());
			}
		}
		Ok(jailed)
	}

	/// Calls what keeps an active order's shards held, or ends it if they cannot be.
	async fn keep_alive(
		&mut self,
		view: &View,
		id: OrderId,
		order: &OrderRecord,
		shards: &[ShardView],
		jailed: &HashSet<AccountId>,
	) {
		if !matches!(order.status, OrderStatus::Active { .. }) {
			return;
		}
		let rescues = rescues(
			shards,
			|provider| jailed.contains(provider),
			Some(&view.provider),
			order.terms.code.data.into(),
			view.best.number,
			view.terms.repair_blocks,
		);
		for rescue in rescues {
			let named = |shard| ShardId { order: id, shard };
			let call = match rescue {
				Rescue::OpenRepair(shard) => StorageCall::OpenRepair(named(shard)),
				Rescue::FindLost(shard) => StorageCall::FindLost(named(shard)),
			};
			if self.is_my_turn(view, Purpose::of(&call, 0), id) {
				self.send(view, call, 0, PATIENCE_BLOCKS).await;
			}
		}
	}

	/// Has the provider paid for an order now and then.
	async fn settle(&mut self, view: &View, order: OrderId) {
		let held = self
			.shards
			.iter()
			.find(|(id, status)| id.order == order && matches!(status, ShardStatus::Active { .. }))
			.map(|(id, _)| *id);
		let Some(id) = held else { return };
		let Some(record) = self.context.records.get(id) else {
			return;
		};
		let every = self.context.config.settle_windows.max(1);
		if view.terms.window < record.settled.saturating_add(every) {
			return;
		}
		if self
			.send(view, StorageCall::Settle(order), 0, PATIENCE_BLOCKS)
			.await
		{
			let window = view.terms.window;
			self.context
				.update_record(id, move |record| record.settled = window)
				.await;
		}
	}

	/// Hands shards over while the provider drains, if the operator wants that.
	async fn hand_over(&mut self, view: &View) {
		let is_leaving =
			self.context.config.policy.hand_over && view.record.status == ProviderStatus::Draining;
		// A provider proves first, and hands over then.
		if !is_leaving || self.due.is_some() || view.record.faults > 0 {
			return;
		}
		let held: Vec<ShardId> = self
			.shards
			.iter()
			.filter(|(_, status)| matches!(status, ShardStatus::Active { .. }))
			.map(|(id, _)| *id)
			.collect();
		let mut sent = 0;
		for id in held {
			if sent == HAND_OVERS_A_BLOCK {
				break;
			}
			if self
				.send(view, StorageCall::HandOver(id), 0, PATIENCE_BLOCKS)
				.await
			{
				sent += 1;
			}
		}
	}

	/// Brings the status and the metrics up to date.
	async fn show(&self, best: BestBlock, terms: &StorageTerms, view: Option<&View>) {
		let counts = self.context.count_phases();
		let used = self.context.store.used_bytes();
		let quota = self.context.config.quota;
		let metrics = &self.context.metrics;
		metrics.set_bytes(used, quota);
		metrics.set_shards(&counts);
		if let Some(view) = view {
			metrics.set_last_proven(view.record.proven);
			metrics.set_faults(view.record.faults);
		}

		let exchange = &self.context.exchange;
		let connected = exchange.connected_peers().len();
		let mut status = self.context.status.write();
		status.connected_peers = connected;
		status.agent = self.context.chain.agent().map(|agent| agent.to_string());
		status.best_block = best.number;
		status.window = terms.window;
		status.used_bytes = used;
		status.quota_bytes = quota;
		status.shards = counts
			.into_iter()
			.map(|(phase, count)| (phase.as_str().to_owned(), count))
			.collect();
		status.fetching = self
			.jobs
			.keys()
			.map(|id| ShardName {
				order: id.order,
				shard: id.shard,
			})
			.collect();
		status.fetching.sort_unstable();
		status.proof_due = self.due.map(|due| ProofDue {
			window: due.window,
			deadline: due.deadline,
		});
		status.provider = view.map(|view| {
			let (name, jailed_until) = provider_status(&view.record.status);
			ProviderView {
				account: view.provider.to_string(),
				status: name.into(),
				jailed_until,
				collateral: view.record.collateral.to_string(),
				reserved: view.record.reserved.to_string(),
				committed_bytes: view.record.committed,
				quota_bytes: view.record.terms.quota,
				last_proven_window: view.record.proven,
				faults: view.record.faults,
				peer_matches: self.peer_matches(view),
			}
		});
	}
}

/// Whether a shard is the provider's, and not one whose first proof is overdue: that is only not yet somebody else's.
fn is_held(view: &View, status: &ShardStatus) -> bool {
	let is_overdue = match status {
		ShardStatus::Accepted { deadline, .. } | ShardStatus::Repairing { deadline, .. } => {
			*deadline < view.best.number
		}
		_ => false,
	};
	status.provider() == Some(&view.provider) && !is_overdue
}

fn bid_purpose(id: ShardId, slot: &OpenSlot) -> Purpose {
	if slot.repair {
		Purpose::TakeRepair(id)
	} else {
		Purpose::Accept(id)
	}
}

fn id_of(shard: &ShardView) -> ShardId {
	ShardId {
		order: shard.order,
		shard: shard.index,
	}
}

/// A number that differs from provider to provider, and from subject to subject.
fn lot(provider: &AccountId, subject: u64) -> u64 {
	let hash = blake2_256(&[AsRef::<[u8]>::as_ref(provider), &subject.to_le_bytes()].concat());
	hash.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Bytes that blocks can still take: of the quota, and of the disk.
fn free_disk(context: &Context) -> u64 {
	let quota = context.config.quota.saturating_sub(context.store.used_bytes());
	match rustix::fs::statvfs(&context.config.directory) {
		Ok(disk) => quota.min(
			disk.f_bavail
				.saturating_mul(disk.f_frsize)
				.saturating_sub(DISK_RESERVE),
		),
		Err(error) => {
			warn!(target: TARGET, "{}: {error}; the quota alone counts", context.config.directory.display());
			quota
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn lots_differ_and_stay() {
		let provider = |byte| AccountId::new([byte; 32]);
		assert_eq!(lot(&provider(1), 5), lot(&provider(1), 5));
		assert_ne!(lot(&provider(1), 5), lot(&provider(2), 5));
		assert_ne!(lot(&provider(1), 5), lot(&provider(1), 6));
	}
}
