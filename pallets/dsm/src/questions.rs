//! Answers for those who ask from outside: nothing here changes anything.

use alloc::vec::Vec;
use opensand_primitives::{
	storage::{OpenSlot, OrderStatus, ShardIndex, ShardStatus, ShardView},
	AccountId, OrderId,
};

use crate::{
	repair::reward, Commitments, Config, InactiveShards, OrderKey, Orders, OrdersOf, Pallet, Parameters,
	Provider, Providers, Shard, ShardKey, Shards, ShardsOf,
};

impl<T: Config> Pallet<T> {
	fn view(order: OrderId, index: ShardIndex, shard: Shard) -> ShardView {
		ShardView {
			order,
			index,
			cid: Commitments::<T>::get(order, index).map_or([0; 32], |commitment| commitment.cid),
			status: shard.status,
		}
	}

	pub(crate) fn shards_by_index(id: OrderId) -> Vec<ShardView> {
		let Some(order) = Orders::<T>::get(id) else {
			return Vec::new();
		};
		Self::indices(&order)
			.filter_map(|index| Some(Self::view(id, index, Shards::<T>::get(id, index)?)))
			.collect()
	}

	/// Whether all shards of an order are held by providers that have proven what they were last asked.
	pub(crate) fn is_whole(id: OrderId) -> bool {
		let window = Self::window();
		let Some(order) = Orders::<T>::get(id) else {
			return false;
		};
		let running = matches!(order.record.status, OrderStatus::Active { end, .. } if window < end);
		running
			&& Self::indices(&order).all(|index| {
				let status = Shards::<T>::get(id, index).map(|shard| shard.status);
				let Some(ShardStatus::Active { provider, .. }) = status else {
					return false;
				};
				Providers::<T>::get(provider)
					.is_some_and(|provider| !provider.is_jailed() && provider.record.faults == 0)
			})
	}

	pub(crate) fn orders_from(owner: &AccountId, from: OrderId, limit: u32) -> Vec<OrderId> {
		// Starting after a key that is not there starts at the next one.
		let keys = match from.checked_sub(1) {
			None => OrdersOf::<T>::iter_key_prefix(owner),
			Some(before) => {
				let after = OrdersOf::<T>::hashed_key_for(owner, OrderKey::new(before));
				OrdersOf::<T>::iter_key_prefix_from(owner, after)
			}
		};
		keys.map(OrderKey::id).take(limit as usize).collect()
	}

	pub(crate) fn shards_from(
		who: &AccountId,
		(from, first): (OrderId, ShardIndex),
		limit: u32,
	) -> Vec<ShardView> {
		let shards = match from.checked_sub(1) {
			None => ShardsOf::<T>::iter_prefix(who),
			Some(before) => {
				let after = ShardsOf::<T>::hashed_key_for(who, OrderKey::new(before));
				ShardsOf::<T>::iter_prefix_from(who, after)
			}
		};
		shards
			.map(|(order, index)| (order.id(), index))
			.filter(|(order, index)| (*order, *index) >= (from, first))
			.filter_map(|(order, index)| Some(Self::view(order, index, Shards::<T>::get(order, index)?)))
			.take(limit as usize)
			.collect()
	}

	/// The most entries that a question looks at for those that it asks for, so that it has an end.
	pub(crate) const MAX_LOOKED_AT: usize = 65_536;

	pub(crate) fn slots_from(who: &AccountId, from: OrderId, limit: u32) -> Vec<OpenSlot> {
		let Some(provider) = Providers::<T>::get(who) else {
			return Vec::new();
		};
		let keys = match from.checked_sub(1) {
			None => InactiveShards::<T>::iter_keys(),
			Some(before) => {
				let after = InactiveShards::<T>::hashed_key_for(ShardKey::new(before, ShardIndex::MAX));
				InactiveShards::<T>::iter_keys_from(after)
			}
		};
		keys.take(Self::MAX_LOOKED_AT)
			.map(ShardKey::shard)
			.filter_map(|(order, shard)| Self::slot_for(who, &provider, order, shard))
			.take(limit as usize)
			.collect()
	}

	/// The slot that an inactive shard offers a provider.
	fn slot_for(who: &AccountId, provider: &Provider, id: OrderId, index: ShardIndex) -> Option<OpenSlot> {
		let order = Orders::<T>::get(id)?.record;
		let shard = Shards::<T>::get(id, index)?;
		let now = Self::now();
		let overdue = Self::overdue(&shard).is_some();
		let parameters = Parameters::<T>::get();
		let at_auction = |pot, opened_at| Some(reward(&parameters, pot, opened_at, now));
		let repair = match shard.status {
			ShardStatus::Open => None,
			ShardStatus::Accepted { .. } if overdue => None,
			ShardStatus::Repair { opened_at, pot } => at_auction(pot, opened_at),
			ShardStatus::Repairing { pot, .. } if overdue => at_auction(pot, shard.opened_at),
			ShardStatus::Accepted { .. } | ShardStatus::Repairing { .. } | ShardStatus::Active { .. } => {
				return None;
			}
		};
		match (order.status, repair) {
			(OrderStatus::Placing { deadline }, None) if now.saturating_add(1) < deadline => (),
			(OrderStatus::Active { end, .. }, Some(_))
				if Self::window() < end && shard.lost_by.as_ref() != Some(who) => {}
			_ => return None,
		}
		let collateral = Self::collateral_for(parameters.collateral_per_mib, order.terms.shard_bytes);
		Self::check_eligible(who, provider, id, &order, collateral).ok()?;
		Some(OpenSlot {
			order: id,
			shard: index,
			bytes: order.terms.shard_bytes,
			price: order.terms.price,
			collateral,
			reward: repair.unwrap_or(0),
			repair: repair.is_some(),
			regions: order.terms.regions,
		})
	}
}
