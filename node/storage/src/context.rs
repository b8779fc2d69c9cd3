//! What the parts of the service share.

use std::{collections::BTreeMap, sync::Arc};

use log::{error, warn};
use opensand_blocks::{BlockStore, Exchange};
use opensand_primitives::{
	storage::{ProviderTerms, ShardStatus},
	AccountId,
};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{watch, Notify};

use crate::{
	chain::{BestBlock, Chain, ChainError, ShardId},
	config::Config,
	metrics::Metrics,
	peers::{peer_of, Peer},
	record::{Phase, PhaseName, Records, ShardRecord},
	status::StorageStatus,
	TARGET,
};

/// See the module's description.
pub(crate) struct Context {
	pub config: Config,
	pub chain: Arc<dyn Chain>,
	pub store: Arc<BlockStore>,
	pub exchange: Exchange,
	pub records: Records,
	/// Held while blocks are accounted to a shard, and while blocks that no shard accounts for are removed: see `collect`.
	pub references: Mutex<()>,
	pub metrics: Metrics,
	pub status: RwLock<StorageStatus>,
	/// The best block that was looked at last.
	pub best: watch::Sender<BestBlock>,
	/// Told when something has changed that the agent should look at before the next block.
	pub wake: Notify,
}

impl Context {
	/// Runs blocking work on a thread for it.
	pub async fn blocking<T: Send + 'static>(
		self: &Arc<Self>,
		work: impl FnOnce(&Context) -> T + Send + 'static,
	) -> T {
		let context = self.clone();
		match tokio::task::spawn_blocking(move || work(&context)).await {
			Ok(result) => result,
			// It is never aborted, so it has panicked.
			Err(error) => std::panic::resume_unwind(error.into_panic()),
		}
	}

	/// The best block that was looked at last.
	pub fn best(&self) -> BestBlock {
		*self.best.borrow()
	}

	/// Changes a shard's record, if there is one. That it cannot be written is logged: what it says is derived again.
	pub async fn update_record(
		self: &Arc<Self>,
		id: ShardId,
		change: impl FnOnce(&mut ShardRecord) + Send + 'static,
	) {
		let result = self
			.blocking(move |context| {
				context.records.update(id, |record| {
					change(record);
					true
				})
			})
			.await;
		if let Err(error) = result {
			warn!(target: TARGET, "shard {id}: {error}");
		}
	}

	/// Notes that a stored shard is not complete any more, so that it is healed. Blocks.
	pub fn note_damage(&self, id: ShardId, reason: &str) {
		let since = self.best().number;
		let changed = self.records.update(id, |record| {
			let was_stored = record.phase == Phase::Stored;
			if was_stored {
				record.phase = Phase::Damaged { since };
			}
			was_stored
		});
		match changed {
			Ok(true) => {
				self.metrics.shard_damaged();
				error!(target: TARGET, "shard {id} is damaged ({reason}); it is restored from its owner or its order's other providers");
				self.wake.notify_one();
			}
			Ok(false) => {}
			Err(error) => {
				error!(target: TARGET, "shard {id} is damaged ({reason}), and that cannot be noted: {error}")
			}
		}
	}

	/// Numbers of shards by phase.
	pub fn count_phases(&self) -> BTreeMap<PhaseName, u64> {
		let mut counts = BTreeMap::new();
		for (_, record) in self.records.all() {
			*counts.entry(record.phase.name()).or_insert(0) += 1;
		}
		counts
	}

	/// The peers that hold the other shards of an order, by shard. Those that cannot be reached by what the chain says of
	/// them are left out.
	pub async fn holders(&self, id: ShardId) -> Result<Vec<(u8, Peer)>, ChainError> {
		let at = self.best().hash;
		let mut holders = Vec::new();
		for shard in self.chain.shards(at, id.order).await? {
			let ShardStatus::Active { provider, .. } = &shard.status else {
				continue;
			};
			if shard.index == id.shard {
				continue;
			}
			if let Some(terms) = self.provider_terms(provider).await? {
				if let Some(peer) = peer_of(&terms) {
					holders.push((shard.index, peer));
				}
			}
		}
		Ok(holders)
	}

	async fn provider_terms(&self, provider: &AccountId) -> Result<Option<ProviderTerms>, ChainError> {
		let record = self.chain.storage_provider(self.best().hash, provider).await?;
		Ok(record.map(|record| record.terms))
	}
}
