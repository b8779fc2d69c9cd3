//! How orders are placed, filled, paid for longer, and become active.

use alloc::collections::BTreeSet;
use frame_support::{
	ensure,
	pallet_prelude::{ConstU32, DispatchError, DispatchResult},
	traits::fungible::MutateHold,
	BoundedVec,
};
use opensand_primitives::{
	storage::{
		DatasetOperation, OrderRecord, OrderStatus, OrderTerms, ShardCommitment, ShardIndex, ShardStatus,
		WindowIndex, MAX_SEGMENTS, MAX_SHARDS,
	},
	AccountId, Balance, OrderId,
};
use opensand_storage_proof::{Claim, PossessionScheme, ShardLayout};

use crate::{
	providers::are_distinct, Commitments, Config, Error, Event, HoldReason, InactiveShards, LapseReason,
	NextOrderId, Order, OrderKey, Orders, OrdersOf, Pallet, Parameters, Provider, SealedKey, Shard, ShardKey,
	Shards, ShardsOf, TreeChange, TreeEntry, MAX_TREE_SHARDS, MAX_WAITING,
};

impl<T: Config> Pallet<T> {
	/// An order of `signer`'s.
	pub(crate) fn owned_order(signer: &AccountId, id: OrderId) -> Result<Order, DispatchError> {
		let order = Orders::<T>::get(id).ok_or(Error::<T>::UnknownOrder)?;
		ensure!(order.record.owner == *signer, Error::<T>::NotOwner);
		Ok(order)
	}

	pub(crate) fn open_order(
		owner: AccountId,
		terms: OrderTerms,
		shards: BoundedVec<ShardCommitment, ConstU32<MAX_SHARDS>>,
		sealed_key: SealedKey,
		supersedes: Option<OrderId>,
		max_escrow: Balance,
	) -> DispatchResult {
		let parameters = Parameters::<T>::get();
		Self::check_order(&terms, &shards)?;
		ensure!(!sealed_key.is_empty(), Error::<T>::EmptySealedKey);
		ensure!(
			terms.price >= Self::price_floor(&parameters),
			Error::<T>::PriceTooLow
		);
		ensure!(
			(1..=parameters.max_windows).contains(&terms.windows),
			Error::<T>::InvalidDuration
		);
		let escrow = Self::pay_for(&terms, terms.windows).ok_or(Error::<T>::Overflow)?;
		ensure!(escrow <= max_escrow, Error::<T>::EscrowTooHigh);
		let deposit = Self::order_deposit(shards.iter().map(|shard| shard.segments.len()));
		T::Currency::hold(&HoldReason::Escrow.into(), &owner, escrow)?;
		T::Currency::hold(&HoldReason::Deposit.into(), &owner, deposit)?;

		let id = NextOrderId::<T>::get();
		NextOrderId::<T>::put(id.checked_add(1).ok_or(Error::<T>::Overflow)?);
		if let Some(replaced) = supersedes {
			Self::owned_order(&owner, replaced)?;
			Self::record_event(replaced, &owner, DatasetOperation::Rotated { by: id });
		}
		for (index, commitment) in (0..=ShardIndex::MAX).zip(shards) {
			Commitments::<T>::insert(id, index, commitment);
			Shards::<T>::insert(id, index, Shard::open());
			InactiveShards::<T>::insert(ShardKey::new(id, index), ());
		}
		let now = Self::now();
		let deadline = now.saturating_add(parameters.placing_blocks);
		let order = Order {
			record: OrderRecord {
				owner: owner.clone(),
				terms,
				escrow,
				status: OrderStatus::Placing { deadline },
				placed_at: now,
				supersedes,
			},
			tip: 0,
			deposit,
			active: 0,
		};
		Orders::<T>::insert(id, order);
		OrdersOf::<T>::insert(&owner, OrderKey::new(id), ());
		Self::record_event(id, &owner, DatasetOperation::Placed);
		Self::insert_own_grant(id, &owner, sealed_key);
		Self::deposit_event(Event::OrderPlaced {
			order: id,
			owner,
			escrow,
			deadline,
		});
		Ok(())
	}

	/// Checks what does not depend on the market.
	fn check_order(terms: &OrderTerms, shards: &[ShardCommitment]) -> DispatchResult {
		ensure!(terms.code.is_valid(), Error::<T>::InvalidCode);
		ensure!(
			shards.len() == usize::from(terms.code.total),
			Error::<T>::WrongShardCount
		);
		let layout = ShardLayout::of(terms.shard_bytes)
			.filter(|layout| layout.segments() <= MAX_SEGMENTS)
			.ok_or(Error::<T>::InvalidShardSize)?;
		let whole = |shard: &ShardCommitment| shard.segments.len() == layout.segments() as usize;
		ensure!(shards.iter().all(whole), Error::<T>::WrongSegmentCount);
		let mut seen = BTreeSet::new();
		ensure!(
			shards.iter().all(|shard| seen.insert(&shard.cid)
				&& shard.segments.first().is_some_and(|root| seen.insert(root))),
			Error::<T>::DuplicateShard
		);
		ensure!(are_distinct(&terms.regions), Error::<T>::InvalidRegion);
		Ok(())
	}

	pub(crate) fn extend_order(signer: AccountId, id: OrderId, windows: WindowIndex) -> DispatchResult {
		let mut order = Self::owned_order(&signer, id)?;
		let parameters = Parameters::<T>::get();
		let OrderStatus::Active { start, end } = order.record.status else {
			return Err(Error::<T>::NotActive.into());
		};
		let window = Self::window();
		ensure!(end > window, Error::<T>::OrderEnded);
		ensure!(
			order.record.terms.price >= Self::price_floor(&parameters),
			Error::<T>::PriceTooLow
		);
		let end = end.checked_add(windows).ok_or(Error::<T>::InvalidDuration)?;
		ensure!(
			windows > 0 && end.saturating_sub(window) <= parameters.max_windows,
			Error::<T>::InvalidDuration
		);
		let escrow = Self::pay_for(&order.record.terms, windows).ok_or(Error::<T>::Overflow)?;
		T::Currency::hold(&HoldReason::Escrow.into(), &signer, escrow)?;
		let record = &mut order.record;
		record.escrow = record.escrow.checked_add(escrow).ok_or(Error::<T>::Overflow)?;
		record.terms.windows = record.terms.windows.saturating_add(windows);
		record.status = OrderStatus::Active { start, end };
		Orders::<T>::insert(id, order);
		Self::record_event(id, &signer, DatasetOperation::Renewed { windows });
		Self::deposit_event(Event::OrderRenewed {
			order: id,
			end,
			escrow,
		});
		Ok(())
	}

	pub(crate) fn add_tip(signer: AccountId, id: OrderId, tip: Balance) -> DispatchResult {
		let mut order = Orders::<T>::get(id).ok_or(Error::<T>::UnknownOrder)?;
		ensure!(order.record.status != OrderStatus::Lost, Error::<T>::OrderLost);
		ensure!(
			tip >= order.record.terms.code.total.into(),
			Error::<T>::TipTooSmall
		);
		Self::hold_tip(&signer, &order.record.owner, tip)?;
		order.tip = order.tip.checked_add(tip).ok_or(Error::<T>::Overflow)?;
		Orders::<T>::insert(id, order);
		Self::deposit_event(Event::OrderTipped { order: id, tip });
		Ok(())
	}

	/// Whether a provider could take a shard of an order that reserves `collateral`.
	pub(crate) fn check_eligible(
		who: &AccountId,
		provider: &Provider,
		id: OrderId,
		order: &OrderRecord,
		collateral: Balance,
	) -> Result<(), Error<T>> {
		use opensand_primitives::storage::ProviderStatus;
		let record = &provider.record;
		match record.status {
			ProviderStatus::Active => (),
			ProviderStatus::Draining => return Err(Error::<T>::Draining),
			ProviderStatus::Jailed { .. } => return Err(Error::<T>::Jailed),
		}
		ensure!(
			order.owner != *who && order.owner != record.terms.agent,
			Error::<T>::OwnOrder
		);
		let regions = &order.terms.regions;
		let allowed =
			regions.is_empty() || record.terms.regions.iter().any(|region| regions.contains(region));
		ensure!(allowed, Error::<T>::WrongRegion);
		let committed = record.committed.checked_add(order.terms.shard_bytes);
		ensure!(
			committed.is_some_and(|committed| committed <= record.terms.quota),
			Error::<T>::QuotaExceeded
		);
		let reserved = record.reserved.checked_add(collateral);
		ensure!(
			reserved.is_some_and(|reserved| reserved <= record.collateral),
			Error::<T>::CollateralLacking
		);
		ensure!(provider.waiting.len() < MAX_WAITING, Error::<T>::ChangesWaiting);
		let entries = u64::from(provider.tree.shards).saturating_add(provider.waiting.len());
		ensure!(entries < MAX_TREE_SHARDS.into(), Error::<T>::TooManyShards);
		ensure!(
			!ShardsOf::<T>::contains_key(who, OrderKey::new(id)),
			Error::<T>::ShardOfOrderHeld
		);
		Ok(())
	}

	/// Gives a shard to a provider, whose collateral it reserves. Leaves the shard's status to the caller.
	pub(crate) fn attach(
		who: &AccountId,
		id: OrderId,
		order: &Order,
		index: ShardIndex,
		shard: &mut Shard,
	) -> DispatchResult {
		let parameters = Parameters::<T>::get();
		let bytes = order.record.terms.shard_bytes;
		let collateral = Self::collateral_for(parameters.collateral_per_mib, bytes);
		Self::try_mutate_provider(who, |provider| {
			Self::check_eligible(who, provider, id, &order.record, collateral)?;
			let record = &mut provider.record;
			record.reserved = record.reserved.saturating_add(collateral);
			record.committed = record.committed.saturating_add(bytes);
			Ok(())
		})?;
		ShardsOf::<T>::insert(who, OrderKey::new(id), index);
		shard.reserve = collateral;
		shard.samples = parameters.samples;
		Ok(())
	}

	pub(crate) fn fill_slot(signer: AccountId, id: OrderId, index: ShardIndex) -> DispatchResult {
		let who = Self::provider_of(&signer)?;
		let mut order = Orders::<T>::get(id).ok_or(Error::<T>::UnknownOrder)?;
		let OrderStatus::Placing { deadline: last } = order.record.status else {
			return Err(Error::<T>::NotPlacing.into());
		};
		let (drawn_at, deadline) = Self::first_proof_period();
		ensure!(drawn_at < last, Error::<T>::PlacingOver);
		let mut shard = Shards::<T>::get(id, index).ok_or(Error::<T>::UnknownShard)?;
		Self::lapse_if_overdue(id, &mut order, index, &mut shard);
		ensure!(shard.status == ShardStatus::Open, Error::<T>::SlotTaken);
		Self::attach(&who, id, &order, index, &mut shard)?;
		let deadline = deadline.min(last);
		shard.status = ShardStatus::Accepted {
			provider: who.clone(),
			drawn_at,
			deadline,
		};
		Shards::<T>::insert(id, index, shard);
		Self::deposit_event(Event::ShardAccepted {
			order: id,
			shard: index,
			provider: who,
			deadline,
		});
		Ok(())
	}

	/// Takes a first proof; returns the number of leaves that it had to show.
	pub(crate) fn prove_first(
		signer: AccountId,
		id: OrderId,
		index: ShardIndex,
		proof: &[u8],
	) -> Result<u32, DispatchError> {
		let who = Self::provider_of(&signer)?;
		let mut order = Orders::<T>::get(id).ok_or(Error::<T>::UnknownOrder)?;
		let mut shard = Shards::<T>::get(id, index).ok_or(Error::<T>::UnknownShard)?;
		let (drawn_at, _) = shard
			.first_proof_blocks()
			.filter(|_| shard.status.provider() == Some(&who))
			.ok_or(Error::<T>::NotYourShard)?;
		ensure!(Self::now() > drawn_at, Error::<T>::NotDrawnYet);
		let samples = shard.samples;
		let provider = Self::judged_provider(&who)?;
		if Self::lapse_if_overdue(id, &mut order, index, &mut shard) {
			Orders::<T>::insert(id, order);
			Shards::<T>::insert(id, index, shard);
			return Ok(samples);
		}
		ensure!(provider.waiting.len() < MAX_WAITING, Error::<T>::ChangesWaiting);
		let seed = Self::drawn_hash(drawn_at).ok_or(Error::<T>::NotDrawnYet)?;
		let drawn = Self::draw_first(&who, id, index, &seed, samples);
		let claims: alloc::vec::Vec<Claim> = drawn.into_iter().map(|(_, claim)| claim).collect();
		match T::Possession::verify(&claims, proof) {
			Ok(()) => Self::activate(who, id, &mut order, index, &mut shard),
			Err(error) => {
				Self::lapse(id, &mut order, index, &mut shard, LapseReason::WrongProof(error));
			}
		}
		Orders::<T>::insert(id, order);
		Shards::<T>::insert(id, index, shard);
		Ok(samples)
	}

	/// Makes a shard active whose first proof was good, and its order with it if it was the last one.
	pub(crate) fn activate(
		who: AccountId,
		id: OrderId,
		order: &mut Order,
		index: ShardIndex,
		shard: &mut Shard,
	) {
		let since = Self::window().saturating_add(1);
		let leaves = ShardLayout::of(order.record.terms.shard_bytes).map_or(0, |layout| layout.leaves());
		let entry = TreeEntry {
			order: id,
			shard: index,
			// A shard has at most 1 GiB.
			leaves: leaves.try_into().unwrap_or(u32::MAX),
		};
		Self::mutate_provider(&who, |provider| {
			Self::change_tree(&who, provider, TreeChange::Add(entry))
		});
		let reward = Self::pay_repairer(&who, order, shard);
		shard.status = ShardStatus::Active {
			provider: who.clone(),
			since,
		};
		shard.paid_to = since;
		InactiveShards::<T>::remove(ShardKey::new(id, index));
		order.active = order.active.saturating_add(1);
		Self::deposit_event(Event::ShardActivated {
			order: id,
			shard: index,
			provider: who,
			since,
			reward,
		});
		let placing = matches!(order.record.status, OrderStatus::Placing { .. });
		if placing && order.active == order.record.terms.code.total {
			let end = since.saturating_add(order.record.terms.windows);
			order.record.status = OrderStatus::Active { start: since, end };
			Self::deposit_event(Event::OrderActivated {
				order: id,
				start: since,
				end,
			});
		}
	}
}
