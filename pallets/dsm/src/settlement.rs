//! How providers are paid, and how an order ends.

use frame_support::{ensure, pallet_prelude::DispatchError};
use opensand_primitives::{
	storage::{DatasetOperation, OrderStatus, ShardIndex, ShardStatus, WindowIndex},
	AccountId, Balance, OrderId,
};
use sp_runtime::Perbill;

use crate::{
	Commitments, Config, Error, Event, Grants, HoldReason, InactiveShards, Order, OrderKey, Orders, OrdersOf,
	Pallet, Shard, ShardKey, Shards,
};

/// Where what remains of a shard's collateral goes when its order ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
	/// All went well, or was given up: providers keep theirs.
	Released,
	/// The data are lost: jailed providers pay for it.
	Lost,
}

impl<T: Config> Pallet<T> {
	/// Pays a shard's provider for the windows before `until` that it has proven and not been paid for; returns what it
	/// got. Windows that it has not proven are passed over for good.
	pub(crate) fn settle_shard(order: &mut Order, shard: &mut Shard, until: WindowIndex) -> Balance {
		let OrderStatus::Active { start, end } = order.record.status else {
			return 0;
		};
		let ShardStatus::Active { provider, .. } = &shard.status else {
			return 0;
		};
		let from = shard.paid_to.max(start);
		let until = until.min(end);
		if from >= until {
			return 0;
		}
		let proofs = Self::proofs_between(provider, from, until);
		// The price was checked to fit when the order was placed.
		let each = Self::pay_per_window(&order.record.terms).unwrap_or(0);
		let due = each.saturating_mul(proofs.into()).min(order.record.escrow);
		let paid = Self::pay_from_escrow(&order.record.owner, provider, due);
		order.record.escrow = order.record.escrow.saturating_sub(paid);
		shard.paid_to = until;
		paid
	}

	/// The shards of an order with their indices.
	pub(crate) fn indices(order: &Order) -> core::ops::Range<ShardIndex> {
		0..order.record.terms.code.total
	}

	/// Settles all shards of an order up to `until` and opens overdue slots; gives its providers their parts of the tip.
	fn settle_all(id: OrderId, order: &mut Order, until: WindowIndex) -> (Balance, Balance) {
		let mut paid: Balance = 0;
		for index in Self::indices(order) {
			let Some(mut shard) = Shards::<T>::get(id, index) else {
				continue;
			};
			let lapsed = Self::lapse_if_overdue(id, order, index, &mut shard);
			let before = shard.paid_to;
			paid = paid.saturating_add(Self::settle_shard(order, &mut shard, until));
			if lapsed || shard.paid_to != before {
				Shards::<T>::insert(id, index, shard);
			}
		}
		(paid, Self::distribute_tip(id, order))
	}

	/// Gives a tip to the providers of an active order in equal parts; what does not divide stays for the next time.
	fn distribute_tip(id: OrderId, order: &mut Order) -> Balance {
		let running = matches!(order.record.status, OrderStatus::Active { .. });
		let part = order.tip.checked_div(order.active.into()).unwrap_or(0);
		if !running || part == 0 {
			return 0;
		}
		let mut tips: Balance = 0;
		for index in Self::indices(order) {
			if let Some(ShardStatus::Active { provider, .. }) =
				Shards::<T>::get(id, index).map(|shard| shard.status)
			{
				let paid = Self::pay_from_escrow(&order.record.owner, &provider, part);
				tips = tips.saturating_add(paid);
			}
		}
		order.tip = order.tip.saturating_sub(tips);
		tips
	}

	pub(crate) fn settle_order(id: OrderId) -> Result<u32, DispatchError> {
		let mut order = Orders::<T>::get(id).ok_or(Error::<T>::UnknownOrder)?;
		ensure!(order.record.status != OrderStatus::Lost, Error::<T>::OrderLost);
		let (paid, tips) = Self::settle_all(id, &mut order, Self::window());
		let shards = order.record.terms.code.total.into();
		Orders::<T>::insert(id, order);
		Self::deposit_event(Event::OrderSettled {
			order: id,
			paid,
			tips,
		});
		Ok(shards)
	}

	/// Ends an order at its owner's wish; returns the number of its shards.
	pub(crate) fn end_order(signer: AccountId, id: OrderId) -> Result<u32, DispatchError> {
		let mut order = Self::owned_order(&signer, id)?;
		Self::ensure_nothing_pending(id)?;
		let shards = order.record.terms.code.total.into();
		let window = Self::window();
		match order.record.status {
			OrderStatus::Placing { .. } => {
				Self::record_event(id, &signer, DatasetOperation::Cancelled);
				Self::remove_order(id, order);
			}
			OrderStatus::Active { start, end } => {
				let last = window.saturating_add(1);
				ensure!(last < end, Error::<T>::OrderEnded);
				let (paid, tips) = Self::settle_all(id, &mut order, window);
				Self::deposit_event(Event::OrderSettled {
					order: id,
					paid,
					tips,
				});
				order.record.status = OrderStatus::Active { start, end: last };
				let refunded = order.record.escrow.saturating_sub(Self::due_at_most(id, &order));
				Self::give_back(HoldReason::Escrow, &signer, refunded);
				order.record.escrow = order.record.escrow.saturating_sub(refunded);
				Orders::<T>::insert(id, order);
				Self::record_event(id, &signer, DatasetOperation::Cancelled);
				Self::deposit_event(Event::OrderCancelled {
					order: id,
					end: last,
					refunded,
				});
			}
			OrderStatus::Lost => return Err(Error::<T>::OrderLost.into()),
		}
		Ok(shards)
	}

	/// What an order's shards can still earn, at most.
	pub(crate) fn due_at_most(id: OrderId, order: &Order) -> Balance {
		let OrderStatus::Active { start, end } = order.record.status else {
			return Self::pay_for(&order.record.terms, order.record.terms.windows).unwrap_or(Balance::MAX);
		};
		let windows = Self::indices(order)
			.filter_map(|index| Shards::<T>::get(id, index))
			.fold(0, |sum: Balance, shard| {
				sum.saturating_add(end.saturating_sub(shard.paid_to.max(start)).into())
			});
		let each = Self::pay_per_window(&order.record.terms).unwrap_or(0);
		each.saturating_mul(windows)
	}

	/// Closes an order whose time is over; returns the number of its shards.
	pub(crate) fn close_order(signer: AccountId, id: OrderId) -> Result<u32, DispatchError> {
		let mut order = Orders::<T>::get(id).ok_or(Error::<T>::UnknownOrder)?;
		Self::ensure_nothing_pending(id)?;
		let shards = order.record.terms.code.total.into();
		match order.record.status {
			OrderStatus::Placing { deadline } => {
				ensure!(Self::now() > deadline, Error::<T>::OrderRunning);
			}
			OrderStatus::Active { end, .. } => {
				ensure!(end <= Self::window(), Error::<T>::OrderRunning);
				let (paid, tips) = Self::settle_all(id, &mut order, end);
				Self::deposit_event(Event::OrderSettled {
					order: id,
					paid,
					tips,
				});
			}
			OrderStatus::Lost => ensure!(order.record.owner == signer, Error::<T>::NotOwner),
		}
		Self::remove_order(id, order);
		Ok(shards)
	}

	/// Removes an order that has been settled, and gives back what is held for it.
	fn remove_order(id: OrderId, mut order: Order) {
		let pots = Self::clear_shards(id, &mut order, End::Released);
		let refunded = Self::refund(&mut order).saturating_add(pots);
		let owner = order.record.owner;
		Self::give_back(HoldReason::Deposit, &owner, order.deposit);
		OrdersOf::<T>::remove(&owner, OrderKey::new(id));
		Grants::<T>::remove(id, &owner);
		Orders::<T>::remove(id);
		Self::deposit_event(Event::OrderClosed { order: id, refunded });
	}

	/// Gives escrow and tip back.
	fn refund(order: &mut Order) -> Balance {
		let escrow = core::mem::take(&mut order.record.escrow);
		let amount = escrow.saturating_add(core::mem::take(&mut order.tip));
		Self::give_back(HoldReason::Escrow, &order.record.owner, amount);
		amount
	}

	/// Takes all shards from their providers and removes them; gives pots and, of a lost order, the collateral of jailed
	/// providers to the owner. Returns what the owner got.
	fn clear_shards(id: OrderId, order: &mut Order, end: End) -> Balance {
		let owner = order.record.owner.clone();
		let mut gained: Balance = 0;
		for index in Self::indices(order) {
			let Some(mut shard) = Shards::<T>::take(id, index) else {
				continue;
			};
			Self::lapse_if_overdue(id, order, index, &mut shard);
			let to_blame = end == End::Lost
				&& shard
					.status
					.provider()
					.and_then(crate::Providers::<T>::get)
					.is_some_and(|provider| provider.is_jailed());
			let share = if to_blame { Perbill::one() } else { Perbill::zero() };
			gained = gained.saturating_add(Self::pay_from_pot(&owner, shard.pot()));
			let forfeited = Self::detach(id, order, &mut shard, share, Some(&owner));
			gained = gained.saturating_add(forfeited.received);
			Commitments::<T>::remove(id, index);
			InactiveShards::<T>::remove(ShardKey::new(id, index));
		}
		gained
	}

	/// Gives an order up whose data cannot be restored: providers are paid for what they have proven, and the owner gets
	/// everything else, with the collateral of those who lost the data.
	pub(crate) fn lose_order(id: OrderId, order: &mut Order) {
		let (paid, tips) = Self::settle_all(id, order, Self::window().saturating_add(1));
		Self::deposit_event(Event::OrderSettled {
			order: id,
			paid,
			tips,
		});
		let compensation = Self::clear_shards(id, order, End::Lost);
		let refunded = Self::refund(order);
		order.record.status = OrderStatus::Lost;
		Self::deposit_event(Event::OrderLost {
			order: id,
			refunded,
			compensation,
		});
	}
}
