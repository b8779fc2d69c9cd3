//! Putting up for sale, and withdrawing.

use frame_support::{assert_noop, assert_ok};
use opensand_primitives::storage::Visibility;
use sp_runtime::TokenError;

use super::*;
use crate::{Error, Event, Listings, ListingsOf, NextListingId};

type E = Error<Test>;

#[test]
fn a_dataset_is_put_up_for_sale() {
	run(|| {
		register_all(8);
		let order = place_with(&OWNER, sale_terms()).unwrap();
		fill(order, 0);
		let deposit = held(HoldReason::Deposit, &OWNER);
		assert_ok!(list(order, LICENCE, true));
		let listing = Listing {
			order,
			seller: OWNER,
			price: LICENCE,
			training: true,
			terms: TEXT,
			open: true,
			pending: 0,
			sold: 0,
		};
		assert_eq!(Dsm::listing(0), Some(listing.clone()));
		assert_eq!(held(HoldReason::Deposit, &OWNER), deposit + ITEM_DEPOSIT);
		let operation = DatasetOperation::Listed {
			listing: 0,
			price: LICENCE,
			training: true,
			terms: TEXT,
		};
		assert_eq!(last_operation(order), operation);
		System::assert_last_event(
			Event::DatasetRecorded {
				order,
				entry: 1,
				by: OWNER,
				operation,
			}
			.into(),
		);
		// At another price without training, say; nothing of the first changes.
		assert_ok!(list(order, EXISTENTIAL_DEPOSIT, false));
		assert_eq!(Dsm::listing(0), Some(listing));
		assert!(!Dsm::listing(1).unwrap().training);
	});
}

#[test]
fn what_cannot_be_listed() {
	run(|| {
		register_all(8);
		let order = place_with(&OWNER, sale_terms()).unwrap();
		assert_noop!(list(order, LICENCE, true), E::NotActive);
		fill(order, 0);
		assert_noop!(list(77, LICENCE, true), E::UnknownOrder);
		assert_noop!(
			Dsm::list_dataset(signed(&OTHER_OWNER), order, LICENCE, true, TEXT),
			E::NotOwner
		);
		assert_noop!(list(order, EXISTENTIAL_DEPOSIT - 1, true), E::LicenceTooCheap);
		assert_noop!(list(order, 0, true), E::LicenceTooCheap);
		for visibility in [Visibility::Private, Visibility::Public] {
			assert_ok!(Dsm::set_access(signed(&OWNER), order, visibility, true));
			assert_noop!(list(order, LICENCE, true), E::NotForSale);
		}
		assert_ok!(Dsm::set_access(
			signed(&OWNER),
			order,
			Visibility::Licensed,
			false
		));
		assert_noop!(list(order, LICENCE, true), E::TrainingNotAllowed);
		assert_ok!(list(order, LICENCE, false));
		let free = Balances::free_balance(OWNER) - EXISTENTIAL_DEPOSIT;
		assert_ok!(Balances::transfer_keep_alive(signed(&OWNER), READER, free));
		assert_noop!(list(order, LICENCE, false), TokenError::FundsUnavailable);
	});
}

#[test]
fn lost_data_cannot_be_listed() {
	run(|| {
		let (order, _) = on_sale();
		lose_data(order);
		assert_noop!(list(order, LICENCE, true), E::OrderLost);
	});
}

#[test]
fn a_listing_is_withdrawn() {
	run(|| {
		let (order, listing) = on_sale();
		let deposit = held(HoldReason::Deposit, &OWNER);
		assert_noop!(Dsm::withdraw_listing(signed(&BUYER), listing), E::NotSeller);
		assert_noop!(Dsm::withdraw_listing(signed(&OWNER), 77), E::UnknownListing);
		assert_ok!(Dsm::withdraw_listing(signed(&OWNER), listing));
		assert_eq!(Dsm::listing(listing), None);
		assert!(Dsm::listings(0, 9).is_empty() && Dsm::listings_of(OWNER, 0, 9).is_empty());
		assert_eq!(held(HoldReason::Deposit, &OWNER), deposit - ITEM_DEPOSIT);
		assert_eq!(last_operation(order), DatasetOperation::Withdrawn { listing });
		assert_noop!(Dsm::withdraw_listing(signed(&OWNER), listing), E::UnknownListing);
		assert_noop!(
			Dsm::buy(signed(&BUYER), listing, LICENCE, key()),
			E::UnknownListing
		);
		// Its id is not used again.
		assert_ok!(list(order, LICENCE, true));
		assert!(Dsm::listing(listing + 1).is_some());
	});
}

#[test]
fn a_withdrawn_listing_stays_until_nothing_is_pending() {
	run(|| {
		let (order, listing) = on_sale();
		let first = bought(listing);
		assert_ok!(Dsm::buy(signed(&OTHER_OWNER), listing, LICENCE, key()));
		let deposit = held(HoldReason::Deposit, &OWNER);
		assert_ok!(Dsm::withdraw_listing(signed(&OWNER), listing));
		assert_eq!(held(HoldReason::Deposit, &OWNER), deposit);
		let entry = Dsm::listing(listing).unwrap();
		assert_eq!((entry.open, entry.pending, entry.sold), (false, 2, 0));
		assert!(Dsm::listings(0, 9).is_empty());
		assert_eq!(Dsm::listings_of(OWNER, 0, 9), [(listing, entry)]);
		assert_noop!(
			Dsm::withdraw_listing(signed(&OWNER), listing),
			E::ListingWithdrawn
		);
		assert_noop!(
			Dsm::buy(signed(&provider(1)), listing, LICENCE, key()),
			E::ListingWithdrawn
		);
		// One is sold, the other refunded.
		assert_ok!(deliver(first, right(first)));
		assert_ok!(Dsm::confirm(signed(&BUYER), first));
		let entry = Dsm::listing(listing).unwrap();
		assert_eq!((entry.pending, entry.sold), (1, 1));
		run_proving_to(now() + DELIVERY_BLOCKS + 1);
		assert_ok!(Dsm::finish(signed(&BUYER), first + 1));
		assert_eq!(Dsm::listing(listing), None);
		assert_eq!(ListingsOf::<Test>::iter_keys().count(), 0);
		assert_eq!(held(HoldReason::Deposit, &OWNER), deposit - ITEM_DEPOSIT);
		assert!(Dsm::licence(order, BUYER).is_some());
	});
}

#[test]
fn a_listing_outlives_its_order() {
	run(|| {
		let (order, listing) = on_sale();
		assert_ok!(Dsm::cancel(signed(&OWNER), order));
		answer_all();
		next_window();
		assert_ok!(Dsm::close(signed(&OWNER), order));
		assert_noop!(Dsm::buy(signed(&BUYER), listing, LICENCE, key()), E::UnknownOrder);
		assert_eq!(held(HoldReason::Deposit, &OWNER), ITEM_DEPOSIT);
		assert_ok!(Dsm::withdraw_listing(signed(&OWNER), listing));
		assert_eq!(held(HoldReason::Deposit, &OWNER), 0);
	});
}

#[test]
fn listings_are_read_in_the_order_of_their_ids() {
	run(|| {
		let (order, _) = on_sale();
		// Little-endian keys would put 256 before 254.
		NextListingId::<Test>::put(254);
		for _ in 0..4 {
			assert_ok!(list(order, LICENCE, false));
		}
		let ids = |page: Vec<(ListingId, Listing)>| -> Vec<_> { page.iter().map(|(id, _)| *id).collect() };
		assert_eq!(ids(Dsm::listings(0, 9)), [0, 254, 255, 256, 257]);
		assert_eq!(ids(Dsm::listings(1, 2)), [254, 255]);
		assert_eq!(ids(Dsm::listings(256, 9)), [256, 257]);
		assert_eq!(ids(Dsm::listings_of(OWNER, 255, 2)), [255, 256]);
		assert_eq!(ids(Dsm::listings_of(OWNER, 0, 1)), [0]);
		assert!(Dsm::listings_of(BUYER, 0, 9).is_empty());
		assert!(Dsm::listings(258, 9).is_empty() && Dsm::listings(ListingId::MAX, 9).is_empty());
		assert!(Dsm::listings(0, 0).is_empty());
		assert_eq!(Listings::<Test>::iter_keys().count(), 5);
	});
}
