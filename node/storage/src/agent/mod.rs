//! Looks at the chain at every best block and does what it asks for.
//!
//! Nothing is decided from memory alone: at every block the needs are derived again from the chain's state and from what
//! is on disk, so that a fork, a lost call or a restart costs time, and nothing else. In each step proofs come first, then
//! what is owed for new shards, then new business.

mod bids;
mod holdings;
mod possession;
mod report;
mod upkeep;

use std::{
	collections::{BTreeMap, BTreeSet, HashMap},
	sync::Arc,
};

use futures::StreamExt;
use log::{debug, info, warn};
use opensand_blocks::public_key_of;
use opensand_primitives::{
	storage::{
		Challenge, OpenSlot, ProviderRecord, ProviderStatus, ShardStatus, ShardView, StorageTerms,
		WindowIndex,
	},
	AccountId, BlockNumber, OrderId,
};
use sp_crypto_hashing::blake2_256;

use crate::{
	chain::{BestBlock, ChainError, ShardId, StorageCall, SubmitError},
	context::Context,
	in_flight::{InFlight, Purpose},
	obtain::Job,
	search::Searches,
	TARGET,
};

/// Shards that are asked for at once.
const PAGE: u32 = 256;
/// Up to this many shards, the list of the provider's shards is read at every block.
const FEW_SHARDS: usize = 256;
/// Blocks after which a longer list is read again.
const LIST_BLOCKS: BlockNumber = 10;
/// Over how many blocks an order's providers spread calls that one of them has to make.
const SPREAD_BLOCKS: u64 = 16;

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
