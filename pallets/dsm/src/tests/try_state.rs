//! `try_state` notices what must not be.

use frame_support::traits::fungible::{Mutate, MutateHold};
use opensand_primitives::{
	market::PurchaseStatus,
	storage::{OrderStatus, ProviderStatus, ShardStatus},
	AccountId, ListingId, OrderId, PurchaseId,
};

use super::sales::{self, BUYER, LICENCE};
use crate::{mock::*, *};

/// Injects a drift into a chain with an active order, whose shard 3 is repaired, and another that is being placed, and
/// expects it to be noticed. The drift gets the ids of both.
fn drifts(drift: impl FnOnce(OrderId, OrderId)) {
	new_test_ext().execute_with(|| {
		let order = running();
		answer_all();
		Dsm::declare_lost(signed(&agent(3)), order, 3).unwrap();
		let placing = place();
		accept(0, placing, 1).unwrap();
		next_window();
		Dsm::settle(signed(&READER), order).unwrap();
		// Provider 1 has a change waiting.
		accept(1, placing, 2).unwrap();
		prove_first(1, placing, 2);
		Dsm::set_access_key(signed(&READER), [1; 32]).unwrap();
		Dsm::grant(signed(&OWNER), order, READER, sealed(), false).unwrap();
		assert_eq!(Dsm::do_try_state(), Ok(()));
		drift(order, placing);
		assert!(Dsm::do_try_state().is_err());
	});
}

fn provider_drifts(drift: impl FnOnce(&mut Provider)) {
	drifts(|_, _| Providers::<Test>::mutate_extant(provider(1), drift));
}

fn shard_drifts(drift: impl FnOnce(&mut Shard)) {
	drifts(|order, _| {
		Shards::<Test>::mutate(order, 0, |shard| drift(shard.as_mut().unwrap()));
	});
}

#[test]
fn holds_that_nobody_is_owed() {
	for reason in [
		HoldReason::Escrow,
		HoldReason::Collateral,
		HoldReason::Deposit,
		HoldReason::Purchase,
		HoldReason::DeliveryBond,
	] {
		drifts(|_, _| Balances::hold(&reason.into(), &OWNER, 1).unwrap());
		drifts(|_, _| Balances::hold(&reason.into(), &provider(0), 1).unwrap());
	}
}

#[test]
fn obligations_that_are_not_held() {
	drifts(|order, _| Orders::<Test>::mutate_extant(order, |order| order.record.escrow += 1));
	drifts(|order, _| Orders::<Test>::mutate_extant(order, |order| order.tip += 1));
	drifts(|order, _| Orders::<Test>::mutate_extant(order, |order| order.deposit -= 1));
	drifts(|order, _| {
		Grants::<Test>::mutate(order, READER, |entry| entry.as_mut().unwrap().deposit += 1);
	});
	provider_drifts(|provider| provider.record.collateral += 1);
}

#[test]
fn a_pot_that_is_not_there() {
	drifts(|order, _| {
		Shards::<Test>::mutate(order, 3, |shard| {
			if let Some(ShardStatus::Repair { pot, .. }) = shard.as_mut().map(|shard| &mut shard.status) {
				*pot += 1;
			}
		});
	});
	drifts(|_, _| {
		Balances::burn_from(
			&Dsm::account_id(),
			1,
			frame_support::traits::tokens::Preservation::Preserve,
			frame_support::traits::tokens::Precision::Exact,
			frame_support::traits::tokens::Fortitude::Polite,
		)
		.unwrap();
	});
}

#[test]
fn an_order_that_can_owe_more_than_it_holds() {
	drifts(|order, _| {
		Orders::<Test>::mutate_extant(order, |order| {
			if let OrderStatus::Active { end, .. } = &mut order.record.status {
				*end += 10;
			}
		})
	});
	shard_drifts(|shard| shard.paid_to = 0);
}

#[test]
fn wrong_indices_of_orders() {
	drifts(|order, _| OrdersOf::<Test>::remove(OWNER, OrderKey::new(order)));
	drifts(|_, _| OrdersOf::<Test>::insert(OWNER, OrderKey::new(77), ()));
	drifts(|order, _| NextOrderId::<Test>::put(order));
	drifts(|order, _| Grants::<Test>::remove(order, OWNER));
	drifts(|order, _| InactiveShards::<Test>::insert(ShardKey::new(order, 0), ()));
	drifts(|order, _| InactiveShards::<Test>::remove(ShardKey::new(order, 3)));
	drifts(|_, _| InactiveShards::<Test>::insert(ShardKey::new(77, 0), ()));
}

#[test]
fn shards_that_are_too_many_or_too_few() {
	drifts(|order, _| Shards::<Test>::remove(order, 0));
	drifts(|order, _| Shards::<Test>::insert(order, 4, Shard::open()));
	drifts(|order, _| Commitments::<Test>::remove(order, 0));
	drifts(|order, _| {
		Commitments::<Test>::insert(order, 4, Commitments::<Test>::get(order, 0).unwrap());
	});
	drifts(|order, _| {
		Commitments::<Test>::mutate(order, 0, |commitment| {
			commitment.as_mut().unwrap().segments.clear()
		});
	});
	drifts(|order, _| Orders::<Test>::mutate_extant(order, |order| order.active += 1));
}

#[test]
fn shards_that_stand_otherwise_than_their_orders() {
	shard_drifts(|shard| shard.status = ShardStatus::Open);
	drifts(|_, placing| {
		Shards::<Test>::mutate(placing, 0, |shard| {
			shard.as_mut().unwrap().status = ShardStatus::Repair { opened_at: 0, pot: 0 };
		});
	});
	drifts(|order, _| {
		Shards::<Test>::mutate(order, 3, |shard| shard.as_mut().unwrap().reserve = 1);
	});
	drifts(|order, _| Orders::<Test>::mutate_extant(order, |order| order.record.status = OrderStatus::Lost));
	shard_drifts(|shard| {
		shard.status = ShardStatus::Active {
			provider: provider(6),
			since: 0,
		}
	});
}

#[test]
fn miscounting_providers() {
	provider_drifts(|provider| provider.record.reserved += 1);
	provider_drifts(|provider| provider.record.committed -= 1);
	provider_drifts(|provider| provider.record.terms.quota = 1);
	provider_drifts(|provider| provider.record.status = ProviderStatus::Draining);
	drifts(|_, _| TotalSupply::<Test>::mutate(|total| total.committed += 1));
	shard_drifts(|shard| shard.reserve += 1);
}

#[test]
fn wrong_indices_of_providers() {
	provider_drifts(|provider| provider.place += 1);
	provider_drifts(|provider| provider.record.terms.agent = READER);
	drifts(|_, _| ProviderOfAgent::<Test>::insert(READER, provider(1)));
	drifts(|_, _| ProviderAt::<Test>::insert(99, provider(1)));
	drifts(|_, _| ProviderCount::<Test>::put(3));
	drifts(|order, _| ShardsOf::<Test>::remove(provider(1), OrderKey::new(order)));
	drifts(|order, _| ShardsOf::<Test>::insert(provider(6), OrderKey::new(order), 1));
	drifts(|_, _| ShardsOf::<Test>::insert(provider(1), OrderKey::new(77), 1));
}

#[test]
fn wrong_trees() {
	let who: fn() -> AccountId = || provider(1);
	provider_drifts(|provider| provider.tree.leaves += 1);
	provider_drifts(|provider| provider.tree.shards += 1);
	provider_drifts(|provider| provider.tree.shards -= 1);
	drifts(|_, _| TreeEntries::<Test>::mutate(who(), 0, |entries| entries[0].leaves += 1));
	drifts(|_, _| TreeEntries::<Test>::mutate(who(), 0, |entries| entries[0].shard += 1));
	drifts(|_, _| TreeEntries::<Test>::remove(who(), 0));
	drifts(|_, _| {
		let entries = TreeEntries::<Test>::get(who(), 0);
		TreeEntries::<Test>::insert(who(), 5, entries);
	});
	for level in 1..=3 {
		drifts(|_, _| TreeSums::<Test>::mutate(who(), (level, 0), |sums| sums[0] += 1));
		drifts(|_, _| TreeSums::<Test>::remove(who(), (level, 0)));
	}
	drifts(|_, _| {
		let sums = TreeSums::<Test>::get(who(), (1, 0));
		TreeSums::<Test>::insert(who(), (1, 9), sums);
	});
	drifts(|order, _| TreePositions::<Test>::insert(who(), order, 7));
	drifts(|_, _| TreePositions::<Test>::insert(who(), 77, 7));
}

#[test]
fn wrong_waiting_changes() {
	let place = || provider_record(1).waiting.first;
	drifts(|_, _| WaitingChanges::<Test>::remove(provider(1), place()));
	drifts(|_, _| WaitingChanges::<Test>::insert(provider(1), place(), TreeChange::Remove(77)));
	drifts(|order, _| WaitingChanges::<Test>::insert(provider(1), place(), TreeChange::Remove(order)));
	drifts(|_, _| WaitingChanges::<Test>::insert(provider(1), 77, TreeChange::Remove(77)));
	drifts(|order, _| {
		let entry = TreeEntry {
			order,
			shard: 1,
			leaves: 40,
		};
		WaitingChanges::<Test>::insert(provider(1), place(), TreeChange::Add(entry));
	});
	provider_drifts(|provider| provider.waiting.next += 1);
	provider_drifts(|provider| provider.waiting.first += 1);
}

#[test]
fn wrong_histories_and_times() {
	provider_drifts(|provider| provider.proofs += 1);
	provider_drifts(|provider| provider.record.proven = 1_000);
	provider_drifts(|provider| provider.judged = 1_000);
	drifts(|_, _| CurrentSeed::<Test>::mutate(|seed| seed.as_mut().unwrap().window += 1));
	drifts(|_, _| Parameters::<Test>::mutate(|parameters| parameters.samples = 0));
}

#[test]
fn wrong_records() {
	drifts(|order, _| DatasetEvents::<Test>::remove(order, 0));
	drifts(|order, _| {
		let event = DatasetEvents::<Test>::get(order, 0).unwrap();
		DatasetEvents::<Test>::insert(order, 99, event);
	});
	drifts(|order, _| DatasetEventCount::<Test>::mutate(order, |count| *count += 1));
}

/// Injects a drift into a chain with three purchases of one listing, of which the first is licensed, the second delivered
/// and the third paid, and with a withdrawn listing that waits for a purchase of another order. The drift gets the first
/// listing and the first purchase; the others follow.
fn sales_drift(drift: impl FnOnce(ListingId, PurchaseId)) {
	new_test_ext().execute_with(|| {
		let (_, listing) = sales::on_sale();
		let first = sales::licensed(listing);
		for who in [OTHER_OWNER, provider(7)] {
			Dsm::buy(signed(&who), listing, LICENCE, sales::key()).unwrap();
		}
		sales::deliver(first + 1, sales::right(first + 1)).unwrap();
		let other = place_with(&OWNER, sales::sale_terms()).unwrap();
		fill(other, 4);
		sales::list(other, LICENCE, true).unwrap();
		sales::bought(listing + 1);
		Dsm::withdraw_listing(signed(&OWNER), listing + 1).unwrap();
		assert_eq!(Dsm::do_try_state(), Ok(()));
		drift(listing, first);
		assert!(Dsm::do_try_state().is_err());
	});
}

fn listing_drifts(drift: impl FnOnce(&mut ListingEntry)) {
	sales_drift(|listing, _| {
		Listings::<Test>::mutate(IdKey::new(listing), |entry| drift(entry.as_mut().unwrap()));
	});
}

/// Lets a drift change the licensed purchase (0), the delivered one (1) or the paid one (2).
fn purchase_drifts(which: u64, drift: impl FnOnce(&mut PurchaseEntry)) {
	sales_drift(|_, first| {
		Purchases::<Test>::mutate(first + which, |entry| drift(entry.as_mut().unwrap()));
	});
}

#[test]
fn wrong_amounts_of_sales() {
	listing_drifts(|entry| entry.deposit += 1);
	for which in 0..3 {
		purchase_drifts(which, |entry| entry.deposit += 1);
		purchase_drifts(which, |entry| entry.bond += 1);
	}
	purchase_drifts(1, |entry| entry.bond = 0);
	purchase_drifts(1, |entry| entry.purchase.price -= 1);
	purchase_drifts(2, |entry| entry.purchase.price += 1);
	// As much too much here as too little there: the sum for the seller stays.
	sales_drift(|_, first| {
		for (which, bond) in [(1, 0), (2, DELIVERY_BOND)] {
			Purchases::<Test>::mutate(first + which, |entry| entry.as_mut().unwrap().bond = bond);
		}
	});
}

#[test]
fn miscounting_listings() {
	listing_drifts(|entry| entry.listing.pending += 1);
	listing_drifts(|entry| entry.listing.pending -= 1);
	sales_drift(|listing, _| {
		Listings::<Test>::mutate(IdKey::new(listing + 1), |entry| {
			entry.as_mut().unwrap().listing.pending = 0;
		});
	});
	listing_drifts(|entry| entry.listing.price += 1);
	listing_drifts(|entry| entry.listing.training = false);
	listing_drifts(|entry| entry.listing.terms = [0; 32]);
	listing_drifts(|entry| entry.listing.order = 77);
}

#[test]
fn wrong_indices_of_listings() {
	sales_drift(|listing, _| NextListingId::<Test>::put(listing));
	sales_drift(|listing, _| ListingsOf::<Test>::remove(OWNER, IdKey::new(listing)));
	sales_drift(|_, _| ListingsOf::<Test>::insert(OWNER, IdKey::new(77), ()));
	sales_drift(|listing, _| {
		let mut entry = Listings::<Test>::get(IdKey::new(listing)).unwrap();
		(entry.deposit, entry.listing.open, entry.listing.pending) = (0, false, 0);
		Listings::<Test>::insert(IdKey::new(listing + 2), entry);
		ListingsOf::<Test>::insert(OWNER, IdKey::new(listing + 2), ());
		NextListingId::<Test>::put(listing + 3);
	});
}

#[test]
fn wrong_indices_of_purchases() {
	sales_drift(|_, first| NextPurchaseId::<Test>::put(first + 1));
	sales_drift(|_, first| PurchasesOf::<Test>::remove(BUYER, IdKey::new(first)));
	sales_drift(|_, _| PurchasesOf::<Test>::insert(BUYER, IdKey::new(77), ()));
	sales_drift(|_, first| DeliveriesDue::<Test>::remove(OWNER, IdKey::new(first + 2)));
	sales_drift(|_, first| DeliveriesDue::<Test>::insert(OWNER, IdKey::new(first + 1), ()));
	sales_drift(|_, _| DeliveriesDue::<Test>::insert(OWNER, IdKey::new(77), ()));
	sales_drift(|_, first| {
		let order = Dsm::purchase(first).unwrap().order;
		LicenceOf::<Test>::insert(order, BUYER, first + 1);
	});
	sales_drift(|_, first| {
		let order = Dsm::purchase(first).unwrap().order;
		LicenceOf::<Test>::remove(order, BUYER);
	});
	sales_drift(|_, _| LicenceOf::<Test>::insert(77, BUYER, 77));
}

#[test]
fn miscounting_pending_sales() {
	sales_drift(|_, first| {
		let order = Dsm::purchase(first).unwrap().order;
		PendingSales::<Test>::mutate(order, |pending| *pending += 1);
	});
	sales_drift(|_, first| {
		let order = Dsm::purchase(first).unwrap().order;
		PendingSales::<Test>::remove(order);
	});
	sales_drift(|_, _| PendingSales::<Test>::insert(77, 0));
}

#[test]
fn purchases_that_stand_otherwise_than_their_data() {
	purchase_drifts(1, |entry| entry.purchase.manifest = [0; 32]);
	purchase_drifts(2, |entry| entry.purchase.key_commitment = [0; 32]);
	purchase_drifts(2, |entry| entry.purchase.listing = 77);
	purchase_drifts(2, |entry| entry.purchase.status = PurchaseStatus::Licensed);
	purchase_drifts(1, |entry| {
		entry.purchase.status = PurchaseStatus::Paid { deliver_by: 0 }
	});
}

#[test]
fn licences_that_are_not_what_was_sold() {
	let grant_drifts = |drift: fn(&mut GrantEntry)| {
		sales_drift(|_, first| {
			let order = Dsm::purchase(first).unwrap().order;
			Grants::<Test>::mutate(order, BUYER, |entry| drift(entry.as_mut().unwrap()));
		})
	};
	grant_drifts(|entry| entry.grant.sold = None);
	grant_drifts(|entry| entry.grant.sold = Some(77));
	grant_drifts(|entry| entry.grant.training = false);
	grant_drifts(|entry| entry.by = BUYER);
	sales_drift(|_, first| {
		let order = Dsm::purchase(first).unwrap().order;
		Grants::<Test>::remove(order, BUYER);
	});
	// Access for one whose purchase is pending, and a sale that never was.
	for (grantee, sold) in [(OTHER_OWNER, None), (READER, Some(77))] {
		sales_drift(|_, first| {
			let mut entry = Grants::<Test>::get(Dsm::purchase(first).unwrap().order, BUYER).unwrap();
			entry.grant.sold = sold;
			let order = Dsm::purchase(first + if sold.is_none() { 0 } else { 3 })
				.unwrap()
				.order;
			Grants::<Test>::insert(order, grantee, entry);
		});
	}
}
