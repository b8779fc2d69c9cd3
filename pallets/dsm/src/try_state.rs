//! The market's invariants.

mod sales;

use alloc::{
	collections::{BTreeMap, BTreeSet},
	vec::Vec,
};
use frame_support::{
	ensure,
	traits::fungible::{Inspect, InspectHold},
};
use opensand_primitives::{
	market::PurchaseStatus,
	storage::{OrderStatus, ShardStatus},
	AccountId, Balance, OrderId,
};
use opensand_storage_proof::ShardLayout;
use sp_runtime::TryRuntimeError;

use crate::{
	types::HISTORY_WINDOWS, Commitments, Config, CurrentSeed, DatasetEventCount, DatasetEvents, Grants,
	History, HoldReason, InactiveShards, Listings, NextOrderId, Order, OrderKey, Orders, OrdersOf, Pallet,
	Parameters, Provider, ProviderAt, ProviderCount, ProviderOfAgent, Providers, Purchases, ShardKey, Shards,
	ShardsOf, Supply, TotalSupply, TreeChange, TreeEntries, TreeEntry, TreePositions, TreeSums,
	WaitingChanges, FAN_OUT,
};

impl<T: Config> Pallet<T> {
	/// Checks that for every account what is held is what is owed, that the pallet's account has all pots, that providers,
	/// orders, shards and indices agree, that every tree is over what its provider holds, and that listings, purchases and
	/// licences agree.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		ensure!(
			Self::check_parameters(&Parameters::<T>::get()),
			"parameters out of bounds"
		);
		ensure!(
			CurrentSeed::<T>::get().is_none_or(|seed| seed.window <= Self::window()),
			"a seed of a window to come"
		);
		Self::try_state_holds()?;
		Self::try_state_pots()?;
		Self::try_state_orders()?;
		Self::try_state_providers()?;
		Self::try_state_trees()?;
		Self::try_state_history()?;
		Self::try_state_records()?;
		Self::try_state_sales()
	}

	fn try_state_holds() -> Result<(), TryRuntimeError> {
		let mut escrow = BTreeMap::<AccountId, Balance>::new();
		let mut deposits = BTreeMap::<AccountId, Balance>::new();
		let mut prices = BTreeMap::<AccountId, Balance>::new();
		let mut bonds = BTreeMap::<AccountId, Balance>::new();
		let add = |sums: &mut BTreeMap<AccountId, Balance>, who: &AccountId, amount: Balance| {
			let sum = sums.entry(who.clone()).or_default();
			*sum = sum.checked_add(amount).ok_or("obligations that do not fit")?;
			Ok::<_, TryRuntimeError>(())
		};
		for order in Orders::<T>::iter_values() {
			let owner = &order.record.owner;
			add(&mut escrow, owner, order.record.escrow)?;
			add(&mut escrow, owner, order.tip)?;
			add(&mut deposits, owner, order.deposit)?;
		}
		for entry in Grants::<T>::iter_values() {
			add(&mut deposits, &entry.by, entry.deposit)?;
		}
		for entry in Listings::<T>::iter_values() {
			add(&mut deposits, &entry.listing.seller, entry.deposit)?;
		}
		for entry in Purchases::<T>::iter_values() {
			let purchase = &entry.purchase;
			add(&mut deposits, &purchase.buyer, entry.deposit)?;
			add(&mut bonds, &purchase.seller, entry.bond)?;
			if purchase.status != PurchaseStatus::Licensed {
				add(&mut prices, &purchase.buyer, purchase.price)?;
			}
		}
		let collateral: BTreeMap<_, _> = Providers::<T>::iter()
			.map(|(who, provider)| (who, provider.record.collateral))
			.collect();
		for (reason, owed) in [
			(HoldReason::Escrow, &escrow),
			(HoldReason::Deposit, &deposits),
			(HoldReason::Collateral, &collateral),
			(HoldReason::Purchase, &prices),
			(HoldReason::DeliveryBond, &bonds),
		] {
			let reason = reason.into();
			for account in frame_system::Account::<T>::iter_keys().chain(owed.keys().cloned()) {
				let held = T::Currency::balance_on_hold(&reason, &account);
				ensure!(
					held == owed.get(&account).copied().unwrap_or(0),
					"what is held is not what is owed"
				);
			}
		}
		Ok(())
	}

	fn try_state_pots() -> Result<(), TryRuntimeError> {
		let pots = Shards::<T>::iter_values().fold(0, |sum: Balance, shard| sum.saturating_add(shard.pot()));
		// Others may send it tokens too.
		ensure!(
			T::Currency::balance(&Self::account_id()) >= pots.saturating_add(T::Currency::minimum_balance()),
			"the pallet's account lacks what repairs will cost"
		);
		Ok(())
	}

	fn try_state_orders() -> Result<(), TryRuntimeError> {
		let (mut orders, mut shards, mut inactive) = (0usize, 0usize, 0usize);
		for (id, order) in Orders::<T>::iter() {
			orders = orders.saturating_add(1);
			ensure!(
				id < NextOrderId::<T>::get(),
				"an order with an id that was not handed out"
			);
			ensure!(
				OrdersOf::<T>::contains_key(&order.record.owner, OrderKey::new(id)),
				"an order that its owner's index lacks"
			);
			ensure!(
				Grants::<T>::contains_key(id, &order.record.owner),
				"an order whose owner has no access"
			);
			if order.record.status == OrderStatus::Lost {
				ensure!(
					order.record.escrow == 0 && order.tip == 0,
					"a lost order that holds money"
				);
				continue;
			}
			let (of_order, not_active) = Self::try_state_order(id, &order)?;
			shards = shards.saturating_add(of_order);
			inactive = inactive.saturating_add(not_active);
		}
		// Each index has every item once, and as many entries as there are items: so it has no others.
		ensure!(
			OrdersOf::<T>::iter_keys().count() == orders,
			"an owner's index names no order"
		);
		ensure!(
			Shards::<T>::iter_keys().count() == shards,
			"a shard without order"
		);
		ensure!(
			Commitments::<T>::iter_keys().count() == shards,
			"a commitment without order"
		);
		ensure!(
			InactiveShards::<T>::iter_keys().count() == inactive,
			"the index of inactive shards names none"
		);
		Ok(())
	}

	/// Returns the number of shards, and of those that are not active.
	fn try_state_order(id: OrderId, order: &Order) -> Result<(usize, usize), TryRuntimeError> {
		let terms = &order.record.terms;
		let layout = ShardLayout::of(terms.shard_bytes).ok_or("a shard of no size")?;
		let (mut shards, mut inactive, mut active) = (0usize, 0usize, 0u8);
		for index in Self::indices(order) {
			let shard = Shards::<T>::get(id, index).ok_or("an order without one of its shards")?;
			let commitment = Commitments::<T>::get(id, index).ok_or("a shard without commitment")?;
			ensure!(
				commitment.segments.len() == layout.segments() as usize,
				"a commitment to another size"
			);
			shards = shards.saturating_add(1);
			let listed = InactiveShards::<T>::contains_key(ShardKey::new(id, index));
			if matches!(shard.status, ShardStatus::Active { .. }) {
				active = active.saturating_add(1);
				ensure!(!listed, "an active shard among the inactive ones");
			} else {
				inactive = inactive.saturating_add(1);
				ensure!(listed, "a shard that the index of inactive ones lacks");
			}
			match shard.status.provider() {
				None => ensure!(shard.reserve == 0, "a reserve without provider"),
				Some(provider) => ensure!(
					ShardsOf::<T>::get(provider, OrderKey::new(id)) == Some(index),
					"a shard that its provider's index lacks"
				),
			}
			let placing = matches!(order.record.status, OrderStatus::Placing { .. });
			let repair = matches!(
				shard.status,
				ShardStatus::Repair { .. } | ShardStatus::Repairing { .. }
			);
			let open = matches!(shard.status, ShardStatus::Open | ShardStatus::Accepted { .. });
			ensure!(
				if placing { !repair } else { !open },
				"a shard that stands otherwise than its order"
			);
		}
		ensure!(active == order.active, "an order miscounts its active shards");
		ensure!(
			Self::due_at_most(id, order) <= order.record.escrow,
			"an order that can owe more than it holds"
		);
		Ok((shards, inactive))
	}

	fn try_state_providers() -> Result<(), TryRuntimeError> {
		let mut total = Supply::default();
		let mut count = 0u32;
		for (who, provider) in Providers::<T>::iter() {
			count = count.saturating_add(1);
			ensure!(
				ProviderAt::<T>::get(provider.place) == Some(who.clone()),
				"a provider that is not at its place"
			);
			ensure!(
				ProviderOfAgent::<T>::get(&provider.record.terms.agent) == Some(who.clone()),
				"a provider that its agent does not name"
			);
			let (mut reserved, mut committed): (Balance, u64) = (0, 0);
			for (key, index) in ShardsOf::<T>::iter_prefix(&who) {
				let id = key.id();
				let shard = Shards::<T>::get(id, index).ok_or("a provider's index names no shard")?;
				ensure!(
					shard.status.provider() == Some(&who),
					"a provider's index names another's shard"
				);
				let order = Orders::<T>::get(id).ok_or("a shard without order")?;
				reserved = reserved.saturating_add(shard.reserve);
				committed = committed.saturating_add(order.record.terms.shard_bytes);
			}
			ensure!(
				provider.record.reserved == reserved,
				"a provider misreckons its reserves"
			);
			ensure!(
				provider.record.committed == committed,
				"a provider misreckons its commitments"
			);
			ensure!(
				committed <= provider.record.terms.quota,
				"more is committed than offered"
			);
			let supply = provider.supply();
			total.quota = total.quota.saturating_add(supply.quota);
			total.committed = total.committed.saturating_add(supply.committed);
		}
		ensure!(
			ProviderCount::<T>::get() == count && ProviderAt::<T>::iter_keys().count() == count as usize,
			"the order of judging is not over all providers"
		);
		ensure!(
			ProviderOfAgent::<T>::iter_keys().count() == count as usize,
			"an agent without provider"
		);
		ensure!(total == TotalSupply::<T>::get(), "the totals of supply are wrong");
		Ok(())
	}

	fn try_state_trees() -> Result<(), TryRuntimeError> {
		let (mut nodes, mut sums, mut positions, mut waiting) = (0usize, 0usize, 0usize, 0usize);
		for (who, provider) in Providers::<T>::iter() {
			let shards = provider.tree.shards as usize;
			positions = positions.saturating_add(shards);
			let queued = (provider.waiting.first..provider.waiting.next)
				.map(|place| WaitingChanges::<T>::get(&who, place).ok_or("a gap in the waiting changes"))
				.collect::<Result<Vec<_>, _>>()?;
			waiting = waiting.saturating_add(queued.len());
			let entries = Self::try_state_tree(&who, &provider, &mut nodes, &mut sums)?;
			Self::try_state_contents(&who, entries, &queued)?;
		}
		ensure!(
			TreePositions::<T>::iter_keys().count() == positions,
			"a position outside a tree"
		);
		ensure!(
			TreeEntries::<T>::iter_keys().count() == nodes,
			"a node outside a tree"
		);
		ensure!(TreeSums::<T>::iter_keys().count() == sums, "a sum outside a tree");
		ensure!(
			WaitingChanges::<T>::iter_keys().count() == waiting,
			"a waiting change outside its queue"
		);
		Ok(())
	}

	/// Checks a tree's shape and returns its entries; adds the numbers of its nodes.
	fn try_state_tree(
		who: &AccountId,
		provider: &Provider,
		nodes: &mut usize,
		sums: &mut usize,
	) -> Result<Vec<TreeEntry>, TryRuntimeError> {
		let mut entries = Vec::new();
		let mut level = Vec::new();
		for node in 0..provider.tree.shards.div_ceil(FAN_OUT) {
			let stored = TreeEntries::<T>::get(who, node);
			level.push(stored.iter().map(|entry| u64::from(entry.leaves)).sum::<u64>());
			entries.extend(stored);
			*nodes = nodes.saturating_add(1);
		}
		ensure!(
			entries.len() == provider.tree.shards as usize,
			"a tree with gaps or of another size"
		);
		for (position, entry) in (0u32..).zip(&entries) {
			ensure!(
				TreePositions::<T>::get(who, entry.order) == Some(position),
				"an entry that is not at its position"
			);
		}
		for height in 1..=3 {
			let mut above = Vec::new();
			for (index, below) in (0u32..).zip(level.chunks(FAN_OUT as usize)) {
				let stored = TreeSums::<T>::get(who, (height, index));
				ensure!(stored.as_slice() == below, "sums that do not add up");
				above.push(stored.iter().sum::<u64>());
				*sums = sums.saturating_add(1);
			}
			level = above;
		}
		ensure!(
			level.iter().sum::<u64>() == provider.tree.leaves,
			"a tree of other leaves than it says"
		);
		Ok(entries)
	}

	/// Checks that when all waiting changes are applied a tree is over exactly the active shards of its provider.
	fn try_state_contents(
		who: &AccountId,
		entries: Vec<TreeEntry>,
		queued: &[TreeChange],
	) -> Result<(), TryRuntimeError> {
		let mut contents: BTreeMap<_, _> = entries.into_iter().map(|entry| (entry.order, entry)).collect();
		for change in queued {
			match change {
				TreeChange::Add(entry) => {
					ensure!(
						contents.insert(entry.order, *entry).is_none(),
						"a shard added to a tree twice"
					)
				}
				TreeChange::Remove(order) => ensure!(
					contents.remove(order).is_some(),
					"a shard removed from a tree that lacks it"
				),
			}
		}
		let mut held = BTreeSet::new();
		for (key, index) in ShardsOf::<T>::iter_prefix(who) {
			let id = key.id();
			let active = Shards::<T>::get(id, index)
				.is_some_and(|shard| matches!(shard.status, ShardStatus::Active { .. }));
			if active {
				held.insert(id);
				let order = Orders::<T>::get(id).ok_or("a shard without order")?;
				let leaves = ShardLayout::of(order.record.terms.shard_bytes).map(|layout| layout.leaves());
				let entry = contents.get(&id).ok_or("an active shard that its tree lacks")?;
				ensure!(
					entry.shard == index && Some(u64::from(entry.leaves)) == leaves,
					"an entry that is not its shard's"
				);
			}
		}
		ensure!(
			contents.keys().all(|order| held.contains(order)),
			"a tree over what its provider does not hold"
		);
		Ok(())
	}

	fn try_state_history() -> Result<(), TryRuntimeError> {
		for (who, provider) in Providers::<T>::iter() {
			ensure!(
				provider.record.proven <= Self::window() && provider.judged <= Self::window(),
				"a proof of a window to come"
			);
			let newest = provider.record.proven.checked_div(HISTORY_WINDOWS).unwrap_or(0);
			if let Some(entry) = History::<T>::get(&who, newest) {
				ensure!(
					entry.proofs_before(HISTORY_WINDOWS) == provider.proofs,
					"a history that tells of other proofs"
				);
			}
		}
		Ok(())
	}

	fn try_state_records() -> Result<(), TryRuntimeError> {
		let mut events = 0usize;
		for (id, count) in DatasetEventCount::<T>::iter() {
			events = events.saturating_add(count as usize);
			ensure!(
				(0..count).all(|entry| DatasetEvents::<T>::contains_key(id, entry)),
				"a gap in a dataset's record"
			);
		}
		ensure!(
			DatasetEvents::<T>::iter_keys().count() == events,
			"an entry outside a dataset's record"
		);
		Ok(())
	}
}
