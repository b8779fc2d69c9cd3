//! Giving shards up, handing them over, and the auctions by which others rebuild them.

use frame_support::{ensure, pallet_prelude::DispatchError};
use opensand_primitives::{
	storage::{OrderStatus, ProviderStatus, ShardIndex, ShardStatus},
	AccountId, Balance, BlockNumber, OrderId,
};
use sp_runtime::{DispatchResult, Perbill};

use crate::{
	Config, Error, Event, MarketParameters, Order, Orders, Pallet, Parameters, Provider, Shard, Shards,
};

/// What an auction that opened in block `opened_at` pays in block `now`: it rises from the floor to the whole pot.
pub(crate) fn reward(
	parameters: &MarketParameters,
	pot: Balance,
	opened_at: BlockNumber,
	now: BlockNumber,
) -> Balance {
	let floor = parameters.repair_floor.mul_floor(pot);
	let risen = Perbill::from_rational(now.saturating_sub(opened_at), parameters.repair_blocks.max(1));
	floor.saturating_add(risen.mul_floor(pot.saturating_sub(floor)))
}

impl<T: Config> Pallet<T> {
	/// The order, the shard and the provider for a call by which a provider parts with an active shard.
	fn parting(
		signer: &AccountId,
		id: OrderId,
		index: ShardIndex,
	) -> Result<(Order, Shard, Provider), DispatchError> {
		let who = Self::provider_of(signer)?;
		let order = Orders::<T>::get(id).ok_or(Error::<T>::UnknownOrder)?;
		let shard = Shards::<T>::get(id, index).ok_or(Error::<T>::UnknownShard)?;
		let held = matches!(&shard.status, ShardStatus::Active { provider, .. } if *provider == who);
		ensure!(held, Error::<T>::NotYourShard);
		let provider = Self::judged_provider(&who)?;
		ensure!(!provider.is_jailed(), Error::<T>::Jailed);
		ensure!(!Self::has_ended(&order), Error::<T>::OrderEnded);
		Ok((order, shard, provider))
	}

	/// Whether an active order's last window has passed.
	fn has_ended(order: &Order) -> bool {
		matches!(order.record.status, OrderStatus::Active { end, .. } if end <= Self::window())
	}

	pub(crate) fn give_up(signer: AccountId, id: OrderId, index: ShardIndex) -> DispatchResult {
		let (mut order, mut shard, _) = Self::parting(&signer, id, index)?;
		Self::open_active(id, &mut order, index, &mut shard, Perbill::one());
		Orders::<T>::insert(id, order);
		Shards::<T>::insert(id, index, shard);
		Ok(())
	}

	pub(crate) fn leave_shard(signer: AccountId, id: OrderId, index: ShardIndex) -> DispatchResult {
		let (mut order, mut shard, provider) = Self::parting(&signer, id, index)?;
		ensure!(
			provider.record.status == ProviderStatus::Draining,
			Error::<T>::NotDraining
		);
		ensure!(!provider.owes(Self::window()), Error::<T>::ProofFirst);
		ensure!(provider.record.faults == 0, Error::<T>::ProofFirst);
		let share = Parameters::<T>::get().hand_over_share;
		Self::open_active(id, &mut order, index, &mut shard, share);
		Orders::<T>::insert(id, order);
		Shards::<T>::insert(id, index, shard);
		Ok(())
	}

	/// Opens a shard whose provider is in jail or overdue, or finds its order lost: then returns the number of its shards.
	pub(crate) fn open_shard(id: OrderId, index: ShardIndex) -> Result<Option<u32>, DispatchError> {
		let mut order = Orders::<T>::get(id).ok_or(Error::<T>::UnknownOrder)?;
		let mut shard = Shards::<T>::get(id, index).ok_or(Error::<T>::UnknownShard)?;
		ensure!(!Self::has_ended(&order), Error::<T>::OrderEnded);
		let mut lost = None;
		match &shard.status {
			ShardStatus::Active { provider, .. } => {
				let provider = Self::judged_provider(provider)?;
				ensure!(provider.is_jailed(), Error::<T>::ShardHeld);
				Self::open_active(id, &mut order, index, &mut shard, Perbill::one());
			}
			ShardStatus::Accepted { .. } | ShardStatus::Repairing { .. } => {
				let lapsed = Self::lapse_if_overdue(id, &mut order, index, &mut shard);
				ensure!(lapsed, Error::<T>::ShardHeld);
			}
			ShardStatus::Repair { opened_at, .. } => {
				let expires = opened_at.saturating_add(Parameters::<T>::get().repair_blocks);
				let needed = u32::from(order.record.terms.code.data);
				let over = Self::now() > expires && Self::live_shards(id, &order) < needed;
				ensure!(over, Error::<T>::RepairOpen);
				Self::lose_order(id, &mut order);
				lost = Some(u32::from(order.record.terms.code.total));
			}
			ShardStatus::Open => return Err(Error::<T>::ShardHeld.into()),
		}
		if lost.is_none() {
			Shards::<T>::insert(id, index, shard);
		}
		Orders::<T>::insert(id, order);
		Ok(lost)
	}

	/// Shards that providers out of jail hold, or still may prove for the first time.
	fn live_shards(id: OrderId, order: &Order) -> u32 {
		Self::indices(order)
			.filter_map(|index| Shards::<T>::get(id, index))
			.filter(|shard| Self::overdue(shard).is_none())
			.filter_map(|shard| shard.status.provider().and_then(crate::Providers::<T>::get))
			.fold(0, |count: u32, provider| {
				count.saturating_add(u32::from(!provider.is_jailed()))
			})
	}

	pub(crate) fn take_auction(signer: AccountId, id: OrderId, index: ShardIndex) -> DispatchResult {
		let who = Self::provider_of(&signer)?;
		let mut order = Orders::<T>::get(id).ok_or(Error::<T>::UnknownOrder)?;
		let mut shard = Shards::<T>::get(id, index).ok_or(Error::<T>::UnknownShard)?;
		ensure!(!Self::has_ended(&order), Error::<T>::OrderEnded);
		if matches!(shard.status, ShardStatus::Repairing { .. }) {
			Self::lapse_if_overdue(id, &mut order, index, &mut shard);
		}
		let ShardStatus::Repair { opened_at, pot } = shard.status else {
			return Err(Error::<T>::NoRepair.into());
		};
		ensure!(shard.lost_by.as_ref() != Some(&who), Error::<T>::OwnLoss);
		let reward = reward(&Parameters::<T>::get(), pot, opened_at, Self::now());
		Self::attach(&who, id, &order, index, &mut shard)?;
		let (drawn_at, deadline) = Self::first_proof_period();
		shard.status = ShardStatus::Repairing {
			provider: who.clone(),
			reward,
			drawn_at,
			deadline,
			pot,
		};
		Shards::<T>::insert(id, index, shard);
		Self::deposit_event(Event::RepairTaken {
			order: id,
			shard: index,
			provider: who,
			reward,
			deadline,
		});
		Ok(())
	}

	/// Pays a repairer whose first proof was good, and gives the rest of the pot to the owner. Returns what the repairer
	/// got; nothing if the shard was no repair.
	pub(crate) fn pay_repairer(who: &AccountId, order: &Order, shard: &Shard) -> Balance {
		let ShardStatus::Repairing { reward, pot, .. } = shard.status else {
			return 0;
		};
		let reward = reward.min(pot);
		let paid = Self::pay_from_pot(who, reward);
		Self::pay_from_pot(&order.record.owner, pot.saturating_sub(reward));
		paid
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::mock::InitialParameters;

	#[test]
	fn a_reward_rises_from_its_floor_to_the_pot() {
		let parameters = MarketParameters {
			repair_floor: Perbill::from_percent(20),
			repair_blocks: 10,
			..InitialParameters::get()
		};
		let at = |now| reward(&parameters, 1_000, 100, now);
		assert_eq!((at(100), at(105), at(110), at(500)), (200, 600, 1_000, 1_000));
		assert_eq!(reward(&parameters, 0, 100, 105), 0);
		assert_eq!(reward(&parameters, Balance::MAX, 100, 110), Balance::MAX);
		assert!(reward(&parameters, Balance::MAX, 100, 105) < Balance::MAX);
	}
}
