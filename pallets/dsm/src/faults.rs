//! What faults cost, and how a shard leaves its provider.

use opensand_primitives::{
	storage::{OrderStatus, ProviderStatus, ShardIndex, ShardStatus, WindowIndex},
	AccountId, BlockNumber, OrderId,
};
use sp_runtime::Perbill;

use crate::{
	money::Forfeit, Config, Event, Fault, InactiveShards, LapseReason, Order, OrderKey, Pallet, Parameters,
	Provider, Shard, ShardKey, ShardsOf, TreeChange,
};

impl<T: Config> Pallet<T> {
	/// Records a fault: it costs a part of the reserved collateral, and the last of too many in a row puts the provider in
	/// jail.
	pub(crate) fn record_fault(who: &AccountId, provider: &mut Provider, window: WindowIndex, fault: Fault) {
		let parameters = Parameters::<T>::get();
		let record = &mut provider.record;
		let slashed = parameters
			.fault_slash
			.mul_ceil(record.reserved)
			.min(record.collateral);
		if slashed > 0 {
			Self::slash_to_treasury(who, slashed);
		}
		record.collateral = record.collateral.saturating_sub(slashed);
		record.faults = record.faults.saturating_add(1);
		let faults = record.faults;
		Self::deposit_event(Event::ProviderFaulted {
			provider: who.clone(),
			window,
			fault,
			slashed,
			faults,
		});
		if faults >= parameters.fault_limit {
			let until = Self::now().saturating_add(parameters.jail_blocks);
			provider.record.status = ProviderStatus::Jailed { until };
			Self::deposit_event(Event::ProviderJailed {
				provider: who.clone(),
				until,
			});
		}
	}

	/// Takes a shard from the provider that has it, along with `share` of what its reserve is worth, which `payee` gets,
	/// or the treasury if there is none. Leaves the shard's status to the caller.
	pub(crate) fn detach(
		id: OrderId,
		order: &mut Order,
		shard: &mut Shard,
		share: Perbill,
		payee: Option<&AccountId>,
	) -> Forfeit {
		let Some(who) = shard.status.provider().cloned() else {
			return Forfeit::default();
		};
		let was_active = matches!(shard.status, ShardStatus::Active { .. });
		let reserve = core::mem::take(&mut shard.reserve);
		let bytes = order.record.terms.shard_bytes;
		if was_active {
			order.active = order.active.saturating_sub(1);
		}
		ShardsOf::<T>::remove(&who, OrderKey::new(id));
		Self::mutate_provider(&who, |provider| {
			let forfeited = Self::forfeit(&who, provider, reserve, share, payee);
			provider.record.reserved = provider.record.reserved.saturating_sub(reserve);
			provider.record.committed = provider.record.committed.saturating_sub(bytes);
			if was_active {
				Self::change_tree(&who, provider, TreeChange::Remove(id));
			}
			forfeited
		})
	}

	/// Takes an active shard from its provider, which is paid for what it has proven and loses `share` of the shard's
	/// collateral. If the order is active the rest is the pot of a repair; else the owner has it, and the slot is open.
	pub(crate) fn open_active(
		id: OrderId,
		order: &mut Order,
		index: ShardIndex,
		shard: &mut Shard,
		share: Perbill,
	) {
		let Some(who) = shard.status.provider().cloned() else {
			return;
		};
		Self::settle_shard(order, shard, Self::window().saturating_add(1));
		let placing = matches!(order.record.status, OrderStatus::Placing { .. });
		let payee = if placing {
			order.record.owner.clone()
		} else {
			Self::account_id()
		};
		let forfeited = Self::detach(id, order, shard, share, Some(&payee)).received;
		shard.status = if placing {
			ShardStatus::Open
		} else {
			shard.lost_by = Some(who.clone());
			shard.opened_at = Self::now();
			ShardStatus::Repair {
				opened_at: shard.opened_at,
				pot: forfeited,
			}
		};
		InactiveShards::<T>::insert(ShardKey::new(id, index), ());
		Self::deposit_event(Event::ShardOpened {
			order: id,
			shard: index,
			provider: who,
			forfeited,
		});
	}

	/// Opens a slot again whose provider gave no good first proof.
	pub(crate) fn lapse(
		id: OrderId,
		order: &mut Order,
		index: ShardIndex,
		shard: &mut Shard,
		reason: LapseReason,
	) {
		let Some(who) = shard.status.provider().cloned() else {
			return;
		};
		let share = match reason {
			LapseReason::DrawForgotten => Perbill::zero(),
			LapseReason::Late | LapseReason::WrongProof(_) | LapseReason::Jailed => {
				Parameters::<T>::get().lapse_share
			}
		};
		// Neither the owner nor other providers may gain by it: they could keep the bytes from whoever has to fetch them.
		let forfeited = Self::detach(id, order, shard, share, None).taken;
		shard.status = match shard.status {
			ShardStatus::Repairing { pot, .. } => ShardStatus::Repair {
				opened_at: shard.opened_at,
				pot,
			},
			_ => ShardStatus::Open,
		};
		Self::deposit_event(Event::ShardLapsed {
			order: id,
			shard: index,
			provider: who,
			reason,
			forfeited,
		});
	}

	/// Why a shard's provider has no claim to it any more, if it owes a first proof and is late, jailed, or cannot be
	/// asked.
	pub(crate) fn overdue(shard: &Shard) -> Option<LapseReason> {
		let (drawn_at, deadline) = shard.first_proof_blocks()?;
		let now = Self::now();
		let jailed = shard
			.status
			.provider()
			.and_then(crate::Providers::<T>::get)
			.is_some_and(|provider| provider.is_jailed());
		if jailed {
			Some(LapseReason::Jailed)
		} else if now > deadline {
			Some(LapseReason::Late)
		} else {
			(now > drawn_at && Self::drawn_hash(drawn_at).is_none()).then_some(LapseReason::DrawForgotten)
		}
	}

	/// Opens a slot again if its first proof is overdue; returns whether it was.
	pub(crate) fn lapse_if_overdue(
		id: OrderId,
		order: &mut Order,
		index: ShardIndex,
		shard: &mut Shard,
	) -> bool {
		let reason = Self::overdue(shard);
		if let Some(reason) = reason {
			Self::lapse(id, order, index, shard, reason);
		}
		reason.is_some()
	}

	/// The blocks of a first proof owed from now on: the one whose hash draws its leaves, and the last for it.
	pub(crate) fn first_proof_period() -> (BlockNumber, BlockNumber) {
		let now = Self::now();
		let period = Parameters::<T>::get().activation_blocks;
		(now.saturating_add(1), now.saturating_add(period))
	}
}
