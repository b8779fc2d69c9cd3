//! Buying, delivering, confirming, finishing and surrendering.

use frame_support::{assert_noop, assert_ok};
use opensand_primitives::{
	market::RefundReason,
	storage::{DataView, Visibility},
};
use sp_runtime::TokenError;

use super::*;
use crate::{Error, Event, Grants, LicenceOf, PendingSales, Purchases};

type E = Error<Test>;

fn buy(who: &AccountId, listing: ListingId) -> DispatchResult {
	Dsm::buy(signed(who), listing, LICENCE, key())
}

fn cancel(order: OrderId) -> DispatchResult {
	Dsm::cancel(signed(&OWNER), order)
		.map(drop)
		.map_err(|error| error.error)
}

fn close(order: OrderId) -> DispatchResult {
	Dsm::close(signed(&OWNER), order)
		.map(drop)
		.map_err(|error| error.error)
}

/// The first block in which an order is not paid any more.
fn end_of(order: OrderId) -> u32 {
	match Dsm::order(order).unwrap().status {
		OrderStatus::Active { end, .. } => end * WINDOW_BLOCKS,
		_ => 0,
	}
}

#[test]
fn a_licence_is_bought_delivered_and_confirmed() {
	run(|| {
		let (order, listing) = on_sale();
		let (seller, buyer) = (total(&OWNER), total(&BUYER));
		let purchase = bought(listing);
		let terms = sale_terms();
		let mut expected = Purchase {
			listing,
			order,
			seller: OWNER,
			buyer: BUYER,
			price: LICENCE,
			training: true,
			terms: TEXT,
			manifest: terms.manifest,
			key_commitment: terms.key_commitment,
			key: key(),
			status: PurchaseStatus::Paid {
				deliver_by: now() + DELIVERY_BLOCKS,
			},
			bought_at: now(),
		};
		assert_eq!(record(purchase), expected);
		assert_eq!(held(HoldReason::Purchase, &BUYER), LICENCE);
		assert_eq!(held(HoldReason::Deposit, &BUYER), ITEM_DEPOSIT);
		assert_eq!(Dsm::listing(listing).unwrap().pending, 1);
		assert_eq!(PendingSales::<Test>::get(order), 1);
		assert_eq!(Dsm::licence(order, BUYER), Some(purchase));
		assert_eq!(Dsm::purchases_of(BUYER, 0, 9), [(purchase, expected.clone())]);
		assert_eq!(Dsm::deliveries_due(OWNER, 0, 9), [(purchase, expected.clone())]);
		assert_eq!(
			last_operation(order),
			DatasetOperation::Bought {
				purchase,
				buyer: BUYER,
				listing,
				price: LICENCE
			}
		);
		assert!(Dsm::grant_of(order, BUYER).is_none() && !Dsm::may_train(order, &BUYER));

		next_block();
		let sealed_key = right(purchase);
		assert_ok!(deliver(purchase, sealed_key.clone()));
		expected.status = PurchaseStatus::Delivered {
			sealed_key: sealed_key.clone(),
			dispute_by: now() + CONFIRMATION_BLOCKS,
		};
		assert_eq!(record(purchase), expected);
		assert!(Dsm::deliveries_due(OWNER, 0, 9).is_empty());
		assert_eq!(held(HoldReason::DeliveryBond, &OWNER), DELIVERY_BOND);
		assert_eq!(last_operation(order), DatasetOperation::Delivered { purchase });
		assert_eq!(Dsm::grant_of(order, BUYER), None);

		next_block();
		assert_ok!(Dsm::confirm(signed(&BUYER), purchase));
		expected.status = PurchaseStatus::Licensed;
		assert_eq!(record(purchase), expected);
		let grant = Dsm::grant_of(order, BUYER).unwrap();
		assert_eq!(
			(grant.sealed_key, grant.training, grant.granted_at, grant.sold),
			(sealed_key.clone(), true, now(), Some(purchase))
		);
		let opened = opensand_sealing::open_key(&context(&expected), &sealed_key, &secret()).unwrap();
		assert_eq!(*opened, file_key());
		assert!(Dsm::may_train(order, &BUYER));
		assert_eq!(Dsm::grantees(order, 9), [BUYER]);
		assert_eq!((at_stake(&OWNER), at_stake(&BUYER)), (0, 0));
		assert_eq!(total(&OWNER), seller + LICENCE);
		assert_eq!(total(&BUYER), buyer - LICENCE);
		assert_eq!(held(HoldReason::Deposit, &BUYER), ITEM_DEPOSIT);
		let sold = Dsm::listing(listing).unwrap();
		assert_eq!((sold.pending, sold.sold, sold.open), (0, 1, true));
		assert!(!PendingSales::<Test>::contains_key(order));
		let operation = DatasetOperation::Licensed {
			purchase,
			buyer: BUYER,
			training: true,
		};
		assert_eq!(last_operation(order), operation);
		System::assert_last_event(
			Event::DatasetRecorded {
				order,
				entry: 4,
				by: BUYER,
				operation,
			}
			.into(),
		);
	});
}

#[test]
fn what_cannot_be_bought() {
	run(|| {
		let (order, listing) = on_sale();
		assert_noop!(buy(&BUYER, 77), E::UnknownListing);
		assert_noop!(buy(&OWNER, listing), E::OwnListing);
		assert_noop!(
			Dsm::buy(signed(&BUYER), listing, LICENCE - 1, key()),
			E::PriceAboveLimit
		);
		let nothing = PurchaseKey {
			public: [0; 32],
			..key()
		};
		assert_noop!(
			Dsm::buy(signed(&BUYER), listing, LICENCE, nothing),
			E::InvalidAccessKey
		);
		for visibility in [Visibility::Private, Visibility::Public] {
			assert_ok!(Dsm::set_access(signed(&OWNER), order, visibility, true));
			assert_noop!(buy(&BUYER, listing), E::NotForSale);
		}
		assert_ok!(Dsm::set_access(
			signed(&OWNER),
			order,
			Visibility::Licensed,
			false
		));
		assert_noop!(buy(&BUYER, listing), E::TrainingNotAllowed);
		assert_ok!(Dsm::set_access(signed(&OWNER), order, Visibility::Licensed, true));
		assert_ok!(Dsm::set_access_key(signed(&OTHER_OWNER), [1; 32]));
		assert_ok!(Dsm::grant(signed(&OWNER), order, OTHER_OWNER, sealed(), false));
		assert_noop!(buy(&OTHER_OWNER, listing), E::AccessHeld);
		assert_noop!(buy(&PAUPER, listing), TokenError::FundsUnavailable);

		let purchase = bought(listing);
		assert_noop!(buy(&BUYER, listing), E::AlreadyBought);
		// Nor by another listing of the same data.
		assert_ok!(list(order, EXISTENTIAL_DEPOSIT, false));
		assert_noop!(buy(&BUYER, listing + 1), E::AlreadyBought);
		assert_ok!(deliver(purchase, right(purchase)));
		assert_noop!(buy(&BUYER, listing), E::AlreadyBought);
		assert_ok!(Dsm::confirm(signed(&BUYER), purchase));
		assert_noop!(buy(&BUYER, listing), E::AlreadyBought);
	});
}

#[test]
fn a_buyer_needs_the_deposit_too() {
	run(|| {
		let (_, listing) = on_sale();
		let spare = Balances::free_balance(BUYER) - EXISTENTIAL_DEPOSIT - LICENCE - ITEM_DEPOSIT + 1;
		assert_ok!(Balances::transfer_keep_alive(signed(&BUYER), OWNER, spare));
		assert_noop!(
			frame_support::storage::with_storage_layer(|| buy(&BUYER, listing)),
			TokenError::FundsUnavailable
		);
		assert_ok!(Balances::transfer_keep_alive(signed(&OWNER), BUYER, 1));
		assert_ok!(buy(&BUYER, listing));
	});
}

#[test]
fn an_order_has_to_outlast_the_sale() {
	run(|| {
		let (order, listing) = on_sale();
		let last = end_of(order) - DELIVERY_BLOCKS - CONFIRMATION_BLOCKS - 1;
		run_proving_to(last + 1);
		assert_noop!(buy(&BUYER, listing), E::OrderEndsTooSoon);
		assert_ok!(Dsm::renew(signed(&OWNER), order, 1));
		assert_ok!(buy(&BUYER, listing));
		assert_ok!(buy(&OTHER_OWNER, listing));
		// However late, it is settled when the order can be closed.
		run_proving_to(now() + DELIVERY_BLOCKS);
		assert_ok!(deliver(0, right(0)));
		run_proving_to(end_of(order));
		assert_noop!(close(order), E::SalesPending);
		assert_ok!(Dsm::finish(signed(&OTHER_OWNER), 0));
		assert_ok!(Dsm::finish(signed(&OTHER_OWNER), 1));
		assert_ok!(close(order));
	});
}

#[test]
fn the_last_block_in_which_an_order_outlasts_a_sale() {
	run(|| {
		let (order, listing) = on_sale();
		run_proving_to(end_of(order) - DELIVERY_BLOCKS - CONFIRMATION_BLOCKS - 1);
		let purchase = bought(listing);
		run_proving_to(now() + DELIVERY_BLOCKS);
		assert_ok!(deliver(purchase, right(purchase)));
		run_proving_to(now() + CONFIRMATION_BLOCKS);
		assert_noop!(Dsm::finish(signed(&BUYER), purchase), E::PurchaseRunning);
		run_proving_to(now() + 1);
		assert_eq!(now(), end_of(order));
		assert_ok!(Dsm::finish(signed(&BUYER), purchase));
		assert_ok!(close(order));
	});
}

#[test]
fn lost_data_cannot_be_bought() {
	run(|| {
		let (order, listing) = on_sale();
		lose_data(order);
		assert_noop!(buy(&BUYER, listing), E::OrderLost);
	});
}

#[test]
fn what_cannot_be_delivered() {
	run(|| {
		let (_, listing) = on_sale();
		let purchase = bought(listing);
		let sealed_key = right(purchase);
		assert_noop!(deliver(77, sealed_key.clone()), E::UnknownPurchase);
		assert_noop!(
			Dsm::deliver(signed(&BUYER), purchase, sealed_key.clone()),
			E::NotSeller
		);
		let bytes = sealed_key.clone().into_inner();
		let mut newer = bytes.clone();
		newer[0] = 2;
		let longer = [&bytes[..], &[0]].concat();
		for malformed in [vec![], bytes[..112].to_vec(), longer, newer] {
			assert_noop!(
				deliver(purchase, BoundedVec::truncate_from(malformed)),
				E::MalformedSealedKey
			);
		}
		let free = Balances::free_balance(OWNER) - EXISTENTIAL_DEPOSIT;
		assert_ok!(Balances::transfer_keep_alive(signed(&OWNER), OTHER_OWNER, free));
		assert_noop!(
			deliver(purchase, sealed_key.clone()),
			TokenError::FundsUnavailable
		);
		assert_ok!(Balances::transfer_keep_alive(signed(&OTHER_OWNER), OWNER, free));
		assert_ok!(deliver(purchase, sealed_key.clone()));
		assert_noop!(deliver(purchase, sealed_key.clone()), E::AlreadyDelivered);
		assert_ok!(Dsm::confirm(signed(&BUYER), purchase));
		assert_noop!(deliver(purchase, sealed_key), E::AlreadyLicensed);
	});
}

#[test]
fn a_delivery_is_taken_until_its_deadline() {
	run(|| {
		let (_, listing) = on_sale();
		assert_ok!(buy(&BUYER, listing));
		assert_ok!(buy(&OTHER_OWNER, listing));
		run_proving_to(now() + DELIVERY_BLOCKS);
		assert_ok!(deliver(0, right(0)));
		run_proving_to(now() + 1);
		assert_noop!(deliver(1, right(1)), E::DeliveryTooLate);
	});
}

#[test]
fn what_is_not_delivered_is_refunded() {
	run(|| {
		let (order, listing) = on_sale();
		let (seller, buyer) = (total(&OWNER), total(&BUYER));
		let purchase = bought(listing);
		run_to(now() + DELIVERY_BLOCKS);
		assert_noop!(Dsm::finish(signed(&PAUPER), purchase), E::PurchaseRunning);
		assert_noop!(Dsm::confirm(signed(&BUYER), purchase), E::NotDelivered);
		run_to(now() + 1);
		assert_noop!(Dsm::finish(signed(&PAUPER), 77), E::UnknownPurchase);
		assert_ok!(Dsm::finish(signed(&PAUPER), purchase));
		assert_eq!((total(&OWNER), total(&BUYER)), (seller, buyer));
		assert_eq!((at_stake(&BUYER), held(HoldReason::Deposit, &BUYER)), (0, 0));
		assert_eq!(Dsm::purchase(purchase), None);
		assert_eq!(Dsm::licence(order, BUYER), None);
		assert!(Dsm::purchases_of(BUYER, 0, 9).is_empty() && Dsm::deliveries_due(OWNER, 0, 9).is_empty());
		let unsold = Dsm::listing(listing).unwrap();
		assert_eq!((unsold.pending, unsold.sold), (0, 0));
		assert_eq!(
			last_operation(order),
			DatasetOperation::Refunded {
				purchase,
				buyer: BUYER,
				reason: RefundReason::Undelivered
			}
		);
		assert_noop!(Dsm::finish(signed(&PAUPER), purchase), E::UnknownPurchase);
		// It can try again.
		assert_eq!(licensed(listing), purchase + 1);
	});
}

#[test]
fn who_says_nothing_has_bought() {
	run(|| {
		let (order, listing) = on_sale();
		let (seller, buyer) = (total(&OWNER), total(&BUYER));
		let purchase = bought(listing);
		assert_ok!(deliver(purchase, right(purchase)));
		run_proving_to(now() + CONFIRMATION_BLOCKS);
		assert_noop!(Dsm::finish(signed(&PAUPER), purchase), E::PurchaseRunning);
		run_proving_to(now() + 1);
		let earned = total(&OWNER);
		assert_eq!(earned, seller);
		assert_ok!(Dsm::finish(signed(&PAUPER), purchase));
		assert_eq!(total(&OWNER), earned + LICENCE);
		assert_eq!(total(&BUYER), buyer - LICENCE);
		assert_eq!(at_stake(&OWNER), 0);
		assert_eq!(Dsm::grant_of(order, BUYER).unwrap().sold, Some(purchase));
		assert_noop!(Dsm::finish(signed(&PAUPER), purchase), E::AlreadyLicensed);
	});
}

#[test]
fn only_the_buyer_confirms_and_once() {
	run(|| {
		let (_, listing) = on_sale();
		let purchase = bought(listing);
		assert_noop!(Dsm::confirm(signed(&BUYER), 77), E::UnknownPurchase);
		assert_noop!(Dsm::confirm(signed(&BUYER), purchase), E::NotDelivered);
		assert_ok!(deliver(purchase, right(purchase)));
		assert_noop!(Dsm::confirm(signed(&OWNER), purchase), E::NotBuyer);
		// There is no deadline for it.
		run_proving_to(now() + CONFIRMATION_BLOCKS + 5);
		assert_ok!(Dsm::confirm(signed(&BUYER), purchase));
		assert_noop!(Dsm::confirm(signed(&BUYER), purchase), E::AlreadyLicensed);
	});
}

#[test]
fn lost_data_are_refunded_and_no_fault_of_the_delivery() {
	run(|| {
		let (order, listing) = on_sale();
		let buyer = total(&BUYER);
		let purchase = bought(listing);
		assert_ok!(buy(&OTHER_OWNER, listing));
		assert_ok!(deliver(purchase, right(purchase)));
		lose_data(order);
		assert_noop!(cancel(order), E::SalesPending);
		assert_noop!(close(order), E::SalesPending);
		assert_eq!(at_stake(&OWNER), DELIVERY_BOND);
		let seller = total(&OWNER);
		assert_ok!(Dsm::finish(signed(&PAUPER), purchase));
		assert_eq!((total(&OWNER), total(&BUYER)), (seller, buyer));
		assert_eq!((at_stake(&OWNER), at_stake(&BUYER)), (0, 0));
		assert_eq!(
			last_operation(order),
			DatasetOperation::Refunded {
				purchase,
				buyer: BUYER,
				reason: RefundReason::DataLost
			}
		);
		assert_noop!(close(order), E::SalesPending);
		assert_ok!(Dsm::finish(signed(&PAUPER), purchase + 1));
		assert_ok!(close(order));
	});
}

#[test]
fn a_buyer_may_be_content_with_the_key_of_lost_data() {
	run(|| {
		let (order, listing) = on_sale();
		let purchase = bought(listing);
		assert_ok!(deliver(purchase, right(purchase)));
		lose_data(order);
		let seller = total(&OWNER);
		assert_ok!(Dsm::confirm(signed(&BUYER), purchase));
		assert_eq!(total(&OWNER), seller + LICENCE);
		assert!(!Dsm::may_train(order, &BUYER));
	});
}

#[test]
fn an_order_cannot_end_while_sales_are_pending() {
	run(|| {
		let (order, listing) = on_sale();
		let purchase = bought(listing);
		assert_noop!(cancel(order), E::SalesPending);
		assert_noop!(close(order), E::SalesPending);
		assert_ok!(deliver(purchase, right(purchase)));
		assert_noop!(cancel(order), E::SalesPending);
		assert_ok!(Dsm::confirm(signed(&BUYER), purchase));
		assert_ok!(cancel(order));
		answer_all();
		next_window();
		assert_ok!(close(order));
		// The licence lasts, and so does its grant.
		assert_eq!(record(purchase).status, PurchaseStatus::Licensed);
		assert!(Dsm::grant_of(order, BUYER).is_some());
		assert!(!Dsm::may_train(order, &BUYER));
		assert_noop!(Dsm::revoke(signed(&OWNER), order, BUYER), E::GrantWasSold);
		assert_ok!(Dsm::surrender(signed(&BUYER), purchase));
		assert_eq!(Grants::<Test>::iter_keys().count(), 0);
	});
}

#[test]
fn what_was_sold_is_the_buyers() {
	run(|| {
		let (order, listing) = on_sale();
		assert_ok!(Dsm::set_access_key(signed(&BUYER), [1; 32]));
		let grant = || Dsm::grant(signed(&OWNER), order, BUYER, sealed(), false);
		let purchase = bought(listing);
		assert_noop!(grant(), E::SalesPending);
		assert_noop!(Dsm::revoke(signed(&OWNER), order, BUYER), E::NoGrant);
		assert_ok!(deliver(purchase, right(purchase)));
		assert_noop!(grant(), E::SalesPending);
		assert_ok!(Dsm::confirm(signed(&BUYER), purchase));
		assert_noop!(grant(), E::GrantWasSold);
		assert_noop!(Dsm::revoke(signed(&OWNER), order, BUYER), E::GrantWasSold);
		assert_noop!(Dsm::revoke(signed(&BUYER), order, BUYER), E::NotOwner);
		// Whatever the owner allows later.
		for (visibility, training) in [(Visibility::Private, false), (Visibility::Public, false)] {
			assert_ok!(Dsm::set_access(signed(&OWNER), order, visibility, training));
			assert!(Dsm::may_train(order, &BUYER) && !Dsm::may_train(order, &OTHER_OWNER));
			assert_eq!(Dsm::grant_of(order, BUYER).unwrap().sold, Some(purchase));
		}
		assert_ok!(Dsm::surrender(signed(&BUYER), purchase));
		assert_ok!(grant());
		assert_ok!(Dsm::revoke(signed(&OWNER), order, BUYER));
	});
}

#[test]
fn a_licence_without_training_is_none_for_training() {
	run(|| {
		let (order, listing) = on_sale();
		assert_ok!(list(order, LICENCE, false));
		let purchase = licensed(listing + 1);
		assert!(!record(purchase).training);
		assert!(!Dsm::may_train(order, &BUYER));
	});
}

#[test]
fn a_licence_is_given_up() {
	run(|| {
		let (order, listing) = on_sale();
		let purchase = bought(listing);
		assert_noop!(Dsm::surrender(signed(&BUYER), purchase), E::NotLicensed);
		assert_ok!(deliver(purchase, right(purchase)));
		assert_noop!(Dsm::surrender(signed(&BUYER), purchase), E::NotLicensed);
		assert_ok!(Dsm::confirm(signed(&BUYER), purchase));
		assert_noop!(Dsm::surrender(signed(&OWNER), purchase), E::NotBuyer);
		assert_noop!(Dsm::surrender(signed(&BUYER), 77), E::UnknownPurchase);
		let before = total(&BUYER);
		assert_ok!(Dsm::surrender(signed(&BUYER), purchase));
		assert_eq!((total(&BUYER), held(HoldReason::Deposit, &BUYER)), (before, 0));
		assert_eq!(Dsm::purchase(purchase), None);
		assert_eq!(Dsm::grant_of(order, BUYER), None);
		assert_eq!(Purchases::<Test>::iter_keys().count(), 0);
		assert_eq!(LicenceOf::<Test>::iter_keys().count(), 0);
		assert_eq!(
			last_operation(order),
			DatasetOperation::Surrendered {
				purchase,
				buyer: BUYER
			}
		);
		// What is sold stays counted, and it may buy again.
		licensed(listing);
		assert_eq!(Dsm::listing(listing).unwrap().sold, 2);
	});
}

#[test]
fn purchases_are_read_in_the_order_of_their_ids() {
	run(|| {
		register_all(8);
		let mut expected = Vec::new();
		crate::NextPurchaseId::<Test>::put(254);
		for _ in 0..4 {
			let order = place_with(&OWNER, sale_terms()).unwrap();
			fill(order, 0);
			answer_all();
			let listing = crate::NextListingId::<Test>::get();
			assert_ok!(list(order, LICENCE, true));
			expected.push(bought(listing));
		}
		assert_eq!(expected, [254, 255, 256, 257]);
		let ids = |page: Vec<(PurchaseId, Purchase)>| -> Vec<_> { page.iter().map(|(id, _)| *id).collect() };
		assert_eq!(ids(Dsm::purchases_of(BUYER, 0, 9)), expected);
		assert_eq!(ids(Dsm::purchases_of(BUYER, 255, 2)), [255, 256]);
		assert_eq!(ids(Dsm::deliveries_due(OWNER, 0, 3)), [254, 255, 256]);
		assert_eq!(ids(Dsm::deliveries_due(OWNER, 257, 9)), [257]);
		assert!(Dsm::purchases_of(OWNER, 0, 9).is_empty() && Dsm::deliveries_due(BUYER, 0, 9).is_empty());
		assert_eq!(Dsm::licence(77, BUYER), None);
	});
}
