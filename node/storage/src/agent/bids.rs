//! New business: slots and repairs that the policy likes.

use std::collections::{HashMap, HashSet};

use log::{debug, info, warn};
use opensand_primitives::{
	storage::{OpenSlot, OrderRecord, ProviderStatus, ShardStatus},
	survival::live_shards,
	AccountId,
};
use rand::seq::SliceRandom;

use super::{Agent, View};
use crate::{
	chain::{ChainError, ShardId, StorageCall},
	context::Context,
	in_flight::{Purpose, PATIENCE_BLOCKS},
	policy::{disk_bytes, judge_order, judge_slot, Room},
	record::Phase,
	TARGET,
};

/// Slots that are looked at in one block.
const SLOTS_PAGE: u32 = 128;
/// Repairs whose orders are looked at in one block before one is bid for.
const REPAIRS_A_BLOCK: usize = 4;
/// Bytes that are left free on the disk, beside the quota.
const DISK_RESERVE: u64 = 256 << 20;

/// How many shards can be taken.
struct Free {
	/// Slots of new orders.
	slots: usize,
	/// Repairs.
	repairs: usize,
}

impl Agent {
	/// Takes slots and repairs that the policy likes.
	pub(super) async fn bid(&mut self, view: &View) -> Result<(), ChainError> {
		let now = view.best.number;
		self.drop_settled_bids(view).await?;
		let may_bid = self.context.config.policy.bid && view.record.status == ProviderStatus::Active;
		if !may_bid || !self.peer_matches(view) {
			return Ok(());
		}
		// What was refused, given up, or lost to its deadline is not taken again before its traces are gone.
		let resting: HashSet<ShardId> = self
			.context
			.records
			.all()
			.into_iter()
			.filter(|(_, record)| matches!(record.phase, Phase::Refused(_) | Phase::Released { .. }))
			.map(|(id, _)| id)
			.collect();
		let mut free = self.free(&resting);
		if free.slots == 0 && free.repairs == 0 {
			return Ok(());
		}
		let mut owed = self.unfinished_by_owner(view).await?;
		let mut room = self.room(view).await;
		let slots = self.slots(view).await?;
		let mut repairs = 0;
		for slot in slots {
			let left = if slot.repair {
				&mut free.repairs
			} else {
				&mut free.slots
			};
			if *left == 0 {
				continue;
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
			// An owner that places orders and delivers nothing must not take the room of those that do.
			let of_owner = owed.get(&order.owner).copied().unwrap_or(0);
			if !slot.repair && of_owner >= self.context.config.max_fetches_of_owner() {
				debug!(target: TARGET, "slot {id} is not taken: {of_owner} of its owner are not finished yet");
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
				*left -= 1;
				if !slot.repair {
					*owed.entry(order.owner).or_default() += 1;
				}
				self.bids.insert(id, slot);
			}
		}
		Ok(())
	}

	/// Forgets bids that were won, that another provider was faster with, or that had no effect in time. What was lost is
	/// seen in the block that shows it, so that the provider bids for another slot at once.
	async fn drop_settled_bids(&mut self, view: &View) -> Result<(), ChainError> {
		let pending: Vec<ShardId> = self.bids.keys().copied().collect();
		let mut free = HashSet::new();
		for id in pending {
			let shards = self.context.chain.shards(view.best.hash, id.order).await?;
			match shards.get(usize::from(id.shard)).map(|shard| &shard.status) {
				Some(ShardStatus::Open) => free.insert((id, false)),
				Some(ShardStatus::Repair { .. }) => free.insert((id, true)),
				_ => false,
			};
		}
		let (calls, now) = (&self.calls, view.best.number);
		self.bids.retain(|id, slot| {
			free.contains(&(*id, slot.repair)) && calls.is_waiting(&bid_purpose(*id, slot), now)
		});
		Ok(())
	}

	/// How many shards can be taken besides those that are not finished. Repairs have an allowance of their own, as they have
	/// where jobs are started: orders whose owners do not deliver leave the lost shards of others to be rebuilt.
	fn free(&self, resting: &HashSet<ShardId>) -> Free {
		let most = self.context.config.max_fetches;
		let left = |repair: bool| {
			let unfinished = self
				.shards
				.iter()
				.filter(|(id, status)| match status {
					ShardStatus::Active { .. } => false,
					ShardStatus::Repairing { .. } => repair && !resting.contains(id),
					_ => !repair && !resting.contains(id),
				})
				.count();
			let jobs = self.jobs.values().filter(|work| work.proven_before == repair);
			let bids = self.bids.values().filter(|slot| slot.repair == repair);
			most.saturating_sub(unfinished.max(jobs.count()) + bids.count())
		};
		Free {
			slots: left(false),
			repairs: left(true),
		}
	}

	/// How many slots of each owner are bid for, or taken and not proven yet.
	async fn unfinished_by_owner(&self, view: &View) -> Result<HashMap<AccountId, usize>, ChainError> {
		let taken = self
			.shards
			.iter()
			.filter(|(_, status)| matches!(status, ShardStatus::Accepted { .. }))
			.map(|(id, _)| id.order);
		let bids = self
			.bids
			.iter()
			.filter(|(_, slot)| !slot.repair)
			.map(|(id, _)| id.order);
		let mut owners = HashMap::new();
		for order in taken.chain(bids) {
			if let Some(order) = self.context.chain.order(view.best.hash, order).await? {
				*owners.entry(order.owner).or_default() += 1;
			}
		}
		Ok(owners)
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
}

fn bid_purpose(id: ShardId, slot: &OpenSlot) -> Purpose {
	if slot.repair {
		Purpose::TakeRepair(id)
	} else {
		Purpose::Accept(id)
	}
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
