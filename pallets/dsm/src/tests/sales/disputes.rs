//! Wrong deliveries, and complaints that are none.

use frame_support::{assert_noop, assert_ok};
use opensand_primitives::market::RefundReason;
use opensand_sealing::HEADER_BYTES;

use super::*;
use crate::Error;

type E = Error<Test>;

fn dispute(purchase: PurchaseId) -> DispatchResult {
	Dsm::dispute(signed(&BUYER), purchase, *secret().to_bytes())
}

/// Delivers what `spoil` makes for a purchase, and expects the dispute to succeed.
fn wrong_delivery(spoil: impl FnOnce(&Purchase) -> SealedKey) {
	run(|| {
		let (order, listing) = on_sale();
		let (seller, buyer) = (total(&OWNER), total(&BUYER));
		let purchase = bought(listing);
		assert_ok!(deliver(purchase, spoil(&record(purchase))));
		assert_ok!(dispute(purchase));
		assert_eq!(total(&BUYER), buyer + DELIVERY_BOND);
		assert_eq!(total(&OWNER), seller - DELIVERY_BOND);
		assert_eq!((at_stake(&OWNER), at_stake(&BUYER)), (0, 0));
		assert_eq!(held(HoldReason::Deposit, &BUYER), 0);
		assert_eq!(Dsm::purchase(purchase), None);
		assert_eq!(Dsm::licence(order, BUYER), None);
		assert_eq!(Dsm::grant_of(order, BUYER), None);
		let unsold = Dsm::listing(listing).unwrap();
		assert_eq!((unsold.pending, unsold.sold), (0, 0));
		assert_eq!(
			last_operation(order),
			DatasetOperation::Refunded {
				purchase,
				buyer: BUYER,
				reason: RefundReason::WrongDelivery
			}
		);
		// Once.
		assert_noop!(dispute(purchase), E::UnknownPurchase);
		assert_noop!(Dsm::finish(signed(&OWNER), purchase), E::UnknownPurchase);
	});
}

fn bytes_changed(sealed_key: SealedKey, change: impl FnOnce(&mut [u8])) -> SealedKey {
	let mut bytes = sealed_key.into_inner();
	change(&mut bytes);
	BoundedVec::truncate_from(bytes)
}

fn right_for(purchase: &Purchase) -> SealedKey {
	seal(&context(purchase), &file_key(), &purchase.key.public)
}

#[test]
fn the_key_of_another_file_is_wrong() {
	wrong_delivery(|purchase| seal(&context(purchase), &[7; FILE_KEY_BYTES], &purchase.key.public));
}

#[test]
fn one_wrong_bit_of_the_key_is_wrong() {
	for bit in [0, 255, 256, 511] {
		wrong_delivery(|purchase| {
			let mut key = file_key();
			key[bit / 8] ^= 1 << (bit % 8);
			seal(&context(purchase), &key, &purchase.key.public)
		});
	}
}

#[test]
fn a_key_sealed_to_another_key_is_wrong() {
	let stranger = SecretKey::from_bytes([10; 32]).public_key();
	wrong_delivery(|purchase| seal(&context(purchase), &file_key(), &stranger));
}

#[test]
fn a_key_sealed_for_something_else_is_wrong() {
	let other = [0; 32];
	let seal_in = |context: Context, purchase: &Purchase| seal(&context, &file_key(), &purchase.key.public);
	wrong_delivery(|purchase| {
		let context = Context {
			genesis: other,
			..context(purchase)
		};
		seal_in(context, purchase)
	});
	wrong_delivery(|purchase| {
		let context = Context {
			manifest: other,
			..context(purchase)
		};
		seal_in(context, purchase)
	});
	wrong_delivery(|purchase| {
		let context = Context {
			grantee: OTHER_OWNER.into(),
			..context(purchase)
		};
		seal_in(context, purchase)
	});
}

#[test]
fn a_changed_bit_is_wrong() {
	// Of the ephemeral key, the secret, the salt and the tag.
	for byte in [1, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 32, 112] {
		wrong_delivery(|purchase| bytes_changed(right_for(purchase), |bytes| bytes[byte] ^= 0x80));
	}
}

#[test]
fn an_ephemeral_key_of_low_order_is_wrong() {
	for low in [[0; 32], core::array::from_fn(|byte| u8::from(byte == 0))] {
		wrong_delivery(|purchase| {
			bytes_changed(right_for(purchase), |bytes| {
				bytes[1..HEADER_BYTES].copy_from_slice(&low);
			})
		});
	}
}

#[test]
fn garbage_is_wrong() {
	wrong_delivery(|_| BoundedVec::truncate_from(vec![1; 113]));
}

#[test]
fn a_right_delivery_cannot_be_disputed() {
	run(|| {
		let (order, listing) = on_sale();
		let purchase = bought(listing);
		assert_ok!(deliver(purchase, right(purchase)));
		assert_noop!(dispute(purchase), E::DeliveryWasRight);
		run_proving_to(now() + CONFIRMATION_BLOCKS + 1);
		let seller = total(&OWNER);
		assert_ok!(Dsm::finish(signed(&OWNER), purchase));
		assert_eq!(total(&OWNER), seller + LICENCE);
		assert!(Dsm::grant_of(order, BUYER).is_some());
		assert_noop!(dispute(purchase), E::AlreadyLicensed);
	});
}

#[test]
fn complaints_that_are_not_judged() {
	run(|| {
		let (_, listing) = on_sale();
		let purchase = bought(listing);
		let secret_bytes = *secret().to_bytes();
		assert_noop!(dispute(77), E::UnknownPurchase);
		assert_noop!(dispute(purchase), E::NotDelivered);
		let garbage = BoundedVec::truncate_from(vec![1; 113]);
		assert_ok!(deliver(purchase, garbage));
		assert_noop!(Dsm::dispute(signed(&OWNER), purchase, secret_bytes), E::NotBuyer);
		let mut other = secret_bytes;
		other[5] ^= 1;
		for wrong in [other, [0; 32], key().public] {
			assert_noop!(Dsm::dispute(signed(&BUYER), purchase, wrong), E::WrongSecret);
		}
		run_proving_to(now() + CONFIRMATION_BLOCKS);
		// In the last block it is taken, one later it is not.
		let last = frame_support::storage::with_transaction(|| {
			let disputed = dispute(purchase);
			sp_runtime::TransactionOutcome::Rollback(disputed)
		});
		assert_ok!(last);
		run_proving_to(now() + 1);
		assert_noop!(dispute(purchase), E::DisputeTooLate);
		assert_ok!(Dsm::finish(signed(&OWNER), purchase));
	});
}

#[test]
fn bits_of_a_secret_that_x25519_does_not_look_at_do_not_matter() {
	run(|| {
		let (_, listing) = on_sale();
		let purchase = bought(listing);
		assert_ok!(deliver(purchase, BoundedVec::truncate_from(vec![1; 113])));
		// The lowest three bits are cleared by the function: the secret is the same.
		let mut alias = *secret().to_bytes();
		alias[0] ^= 7;
		assert_ok!(Dsm::dispute(signed(&BUYER), purchase, alias));
	});
}

#[test]
fn a_key_whose_secret_nobody_has_protects_nobody() {
	run(|| {
		let (_, listing) = on_sale();
		let low = PurchaseKey {
			public: core::array::from_fn(|byte| u8::from(byte == 0)),
			..key()
		};
		assert_ok!(Dsm::buy(signed(&BUYER), listing, LICENCE, low));
		// An honest seller cannot seal to it, so the buyer has its money back.
		let ephemeral = EphemeralSecret::random_from_rng(ChaCha20Rng::seed_from_u64(1));
		assert!(seal_key(&context(&record(0)), &file_key(), &low.public, ephemeral).is_err());
		run_to(now() + DELIVERY_BLOCKS + 1);
		assert_ok!(Dsm::finish(signed(&BUYER), 0));
		assert_eq!(at_stake(&BUYER), 0);
	});
}

#[test]
fn a_wrong_delivery_of_lost_data_is_the_sellers_fault_still() {
	run(|| {
		let (order, listing) = on_sale();
		let purchase = bought(listing);
		run_proving_to(now() + 15);
		answer_all();
		for shard in 0..3 {
			assert_ok!(Dsm::declare_lost(signed(&agent(shard)), order, shard));
		}
		run_proving_to(now() + 5);
		assert_ok!(deliver(purchase, BoundedVec::truncate_from(vec![1; 113])));
		run_proving_to(now() + 26);
		assert_ok!(Dsm::open_repair(signed(&READER), order, 0));
		assert_eq!(Dsm::order(order).unwrap().status, OrderStatus::Lost);
		let buyer = total(&BUYER);
		assert_ok!(dispute(purchase));
		assert_eq!(total(&BUYER), buyer + DELIVERY_BOND);
	});
}
