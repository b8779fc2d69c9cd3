//! Looks after orders that have shards here, and hands shards over when the provider leaves.

use std::collections::{BTreeSet, HashSet};

use opensand_primitives::{
	storage::{OrderRecord, OrderStatus, ProviderStatus, ShardStatus, ShardView},
	survival::{rescues, Rescue},
	AccountId, OrderId,
};

use super::{Agent, View};
use crate::{
	chain::{ChainError, ShardId, StorageCall},
	in_flight::{Purpose, PATIENCE_BLOCKS},
};

/// Orders that are looked after in one block.
const ORDERS_A_BLOCK: usize = 4;
/// Shards that are handed over in one block while the provider drains.
const HAND_OVERS_A_BLOCK: usize = 2;

impl Agent {
	/// Looks after some of the orders: has them settled, ended, and shards of jailed providers repaired.
	pub(super) async fn tend_orders(&mut self, view: &View) -> Result<(), ChainError> {
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
	pub(super) async fn jailed(
		&self,
		view: &View,
		shards: &[ShardView],
	) -> Result<HashSet<AccountId>, ChainError> {
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
	pub(super) async fn keep_alive(
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
	pub(super) async fn hand_over(&mut self, view: &View) {
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
}
