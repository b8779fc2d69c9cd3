//! What the chain wants here, and what is here.

use std::collections::{BTreeMap, HashSet};

use log::{debug, info, warn};
use opensand_primitives::{
	storage::{OrderStatus, ShardStatus},
	OrderId,
};

use super::{Agent, View, Work};
use crate::{
	chain::{ChainError, ShardId},
	collect::collect,
	commitments::Provable,
	obtain::{Job, Wanted},
	record::{Phase, ShardRecord},
	TARGET,
};

impl Agent {
	/// Compares what the chain wants here with what is here, and starts and ends jobs.
	pub(super) async fn reconcile(&mut self, view: &View) -> Result<(), ChainError> {
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

	pub(super) async fn remove_released(&mut self, view: &View) {
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
}
