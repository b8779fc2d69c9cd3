//! Access keys, grants, visibility, rotation, and the record of a dataset.

use frame_support::{assert_noop, assert_ok, BoundedVec};
use opensand_primitives::{
	storage::{DataView, DatasetOperation, Visibility},
	AccountId, Balance, OrderId,
};
use sp_runtime::{DispatchResult, TokenError};

use crate::{mock::*, Error, Event, Grants, HoldReason, SealedKey};

fn key(byte: u8) -> SealedKey {
	BoundedVec::truncate_from(vec![byte; 113])
}

fn grant(order: OrderId, grantee: &AccountId, byte: u8, training: bool) -> DispatchResult {
	Dsm::grant(signed(&OWNER), order, grantee.clone(), key(byte), training)
}

fn operations(order: OrderId) -> Vec<DatasetOperation> {
	Dsm::dataset_events(order, 0, 100)
		.into_iter()
		.map(|event| event.operation)
		.collect()
}

#[test]
fn access_keys_are_told_and_replaced() {
	run(|| {
		assert_eq!(Dsm::access_key(READER), None);
		assert_noop!(
			Dsm::set_access_key(signed(&READER), [0; 32]),
			Error::<Test>::InvalidAccessKey
		);
		assert_ok!(Dsm::set_access_key(signed(&READER), [1; 32]));
		assert_ok!(Dsm::set_access_key(signed(&READER), [2; 32]));
		assert_eq!(Dsm::access_key(READER), Some([2; 32]));
		System::assert_last_event(
			Event::AccessKeySet {
				account: READER,
				key: [2; 32],
			}
			.into(),
		);
	});
}

#[test]
fn access_is_granted_and_withdrawn() {
	run(|| {
		type E = Error<Test>;
		let order = place();
		let deposit = held(HoldReason::Deposit, &OWNER);
		assert_noop!(grant(order, &READER, 1, false), E::NoAccessKey);
		assert_ok!(Dsm::set_access_key(signed(&READER), [1; 32]));
		assert_noop!(
			Dsm::grant(signed(&READER), order, READER, key(1), false),
			E::NotOwner
		);
		assert_noop!(grant(77, &READER, 1, false), E::UnknownOrder);
		assert_noop!(
			Dsm::grant(signed(&OWNER), order, READER, Default::default(), false),
			E::EmptySealedKey
		);
		assert_noop!(grant(order, &READER, 1, true), E::TrainingNotAllowed);
		assert_eq!(Dsm::grant_of(order, READER), None);

		assert_ok!(grant(order, &READER, 1, false));
		let given = Dsm::grant_of(order, READER).unwrap();
		assert_eq!(
			(given.sealed_key, given.training, given.granted_at),
			(key(1), false, now())
		);
		assert_eq!(held(HoldReason::Deposit, &OWNER), deposit + ITEM_DEPOSIT);
		assert_eq!(Dsm::grantees(order, 9), [READER]);
		// Sealed anew, for another access key say: no second deposit.
		assert_ok!(grant(order, &READER, 2, false));
		assert_eq!(Dsm::grant_of(order, READER).unwrap().sealed_key, key(2));
		assert_eq!(held(HoldReason::Deposit, &OWNER), deposit + ITEM_DEPOSIT);

		assert_noop!(Dsm::revoke(signed(&READER), order, READER), E::NotOwner);
		assert_noop!(Dsm::revoke(signed(&OWNER), order, OTHER_OWNER), E::NoGrant);
		assert_noop!(Dsm::revoke(signed(&OWNER), order, OWNER), E::OwnGrant);
		assert_ok!(Dsm::revoke(signed(&OWNER), order, READER));
		assert_eq!(Dsm::grant_of(order, READER), None);
		assert_eq!(held(HoldReason::Deposit, &OWNER), deposit);
		let granted = |training| DatasetOperation::Granted {
			grantee: READER,
			training,
		};
		assert_eq!(
			operations(order),
			[
				DatasetOperation::Placed,
				granted(false),
				granted(false),
				DatasetOperation::Revoked { grantee: READER },
			]
		);
	});
}

#[test]
fn an_owner_has_its_own_key() {
	run(|| {
		let order = place();
		let own = Dsm::grant_of(order, OWNER).unwrap();
		assert_eq!((own.sealed_key, own.training), (sealed(), true));
		assert!(Dsm::grantees(order, 9).is_empty());
		// It may replace it, and needs no access key on chain for that.
		assert_ok!(grant(order, &OWNER, 5, true));
		assert_eq!(Dsm::grant_of(order, OWNER).unwrap().sealed_key, key(5));
		assert_ok!(Dsm::cancel(signed(&OWNER), order));
		assert_eq!(Grants::<Test>::iter_keys().count(), 0);
	});
}

#[test]
fn a_deposit_can_be_had_back_when_the_order_is_gone() {
	run(|| {
		assert_ok!(Dsm::set_access_key(signed(&READER), [1; 32]));
		let order = place();
		assert_ok!(grant(order, &READER, 1, false));
		assert_ok!(Dsm::cancel(signed(&OWNER), order));
		assert_eq!(held(HoldReason::Deposit, &OWNER), ITEM_DEPOSIT);
		assert_noop!(grant(order, &READER, 1, false), Error::<Test>::UnknownOrder);
		assert_ok!(Dsm::revoke(signed(&OWNER), order, READER));
		assert_eq!(total(&OWNER), ENDOWMENT);
		assert_eq!(held(HoldReason::Deposit, &OWNER), 0);
	});
}

#[test]
fn a_grant_needs_funds() {
	run(|| {
		assert_ok!(Dsm::set_access_key(signed(&READER), [1; 32]));
		let order = place();
		let free: Balance = pallet_balances::Pallet::<Test>::free_balance(OWNER) - EXISTENTIAL_DEPOSIT;
		assert_ok!(pallet_balances::Pallet::<Test>::transfer_keep_alive(
			signed(&OWNER),
			READER,
			free
		));
		assert_noop!(grant(order, &READER, 1, false), TokenError::FundsUnavailable);
	});
}

#[test]
fn public_data_are_everybodys() {
	run(|| {
		assert_ok!(Dsm::set_access_key(signed(&READER), [1; 32]));
		let order = place();
		assert_ok!(grant(order, &READER, 1, false));
		assert_noop!(
			Dsm::set_access(signed(&READER), order, Visibility::Public, false),
			Error::<Test>::NotOwner
		);
		assert_noop!(
			Dsm::set_access(signed(&OWNER), 77, Visibility::Public, false),
			Error::<Test>::UnknownOrder
		);
		assert_ok!(grant(order, &OWNER, 9, true));
		assert_ok!(Dsm::set_access(signed(&OWNER), order, Visibility::Public, true));
		let terms = Dsm::order(order).unwrap().terms;
		assert_eq!((terms.visibility, terms.training), (Visibility::Public, true));
		// Everybody has the owner's entry, but who has one of his own.
		assert_eq!(Dsm::grant_of(order, PAUPER).unwrap().sealed_key, key(9));
		assert_eq!(Dsm::grant_of(order, READER).unwrap().sealed_key, key(1));
		assert_ok!(Dsm::set_access(signed(&OWNER), order, Visibility::Licensed, true));
		assert_eq!(Dsm::grant_of(order, PAUPER), None);
		assert_eq!(Dsm::grant_of(77, PAUPER), None);
		assert_eq!(
			operations(order).last(),
			Some(&DatasetOperation::Changed {
				visibility: Visibility::Licensed,
				training: true
			})
		);
	});
}

#[test]
fn training_takes_both_permissions() {
	run(|| {
		assert_ok!(Dsm::set_access_key(signed(&READER), [1; 32]));
		let order = place();
		let may = |who: &AccountId| Dsm::may_train(order, who);
		assert!(may(&OWNER) && !may(&READER));
		assert_ok!(Dsm::set_access(signed(&OWNER), order, Visibility::Private, true));
		assert!(!may(&READER));
		assert_ok!(grant(order, &READER, 1, false));
		assert!(!may(&READER));
		assert_ok!(grant(order, &READER, 1, true));
		assert!(may(&READER) && !may(&PAUPER));
		assert_ok!(Dsm::set_access(signed(&OWNER), order, Visibility::Private, false));
		assert!(!may(&READER) && may(&OWNER));
		assert_ok!(Dsm::set_access(signed(&OWNER), order, Visibility::Public, true));
		assert!(may(&PAUPER));
		assert!(!Dsm::may_train(77, &OWNER));
	});
}

#[test]
fn a_key_is_rotated_by_an_order_that_supersedes() {
	run(|| {
		let old = place();
		let rotate = |owner: &AccountId, supersedes| {
			let terms = order_terms();
			let shards = commitments(&terms, 1_000);
			Dsm::place_order(
				signed(owner),
				terms,
				shards,
				sealed(),
				Some(supersedes),
				Balance::MAX,
			)
		};
		assert_noop!(rotate(&OTHER_OWNER, old), Error::<Test>::NotOwner);
		assert_noop!(rotate(&OWNER, 77), Error::<Test>::UnknownOrder);
		assert_ok!(rotate(&OWNER, old));
		assert_eq!(Dsm::order(old + 1).unwrap().supersedes, Some(old));
		assert_eq!(
			operations(old),
			[
				DatasetOperation::Placed,
				DatasetOperation::Rotated { by: old + 1 }
			]
		);
	});
}

#[test]
fn the_record_is_read_in_parts_and_stays() {
	run(|| {
		let order = place();
		assert_ok!(Dsm::set_access_key(signed(&READER), [1; 32]));
		for training in [false, false, false] {
			assert_ok!(grant(order, &READER, 1, training));
		}
		next_block();
		Dsm::record_use(order, &READER, [4; 32]);
		Dsm::record_use(77, &READER, [4; 32]);
		let part = Dsm::dataset_events(order, 3, 2);
		assert_eq!(part.len(), 2);
		assert_eq!(part[1].block, now());
		assert_eq!(part[1].by, READER);
		assert_eq!(
			part[1].operation,
			DatasetOperation::Used {
				by: READER,
				purpose: [4; 32]
			}
		);
		assert!(Dsm::dataset_events(order, 5, 9).is_empty());
		assert!(Dsm::dataset_events(order, u32::MAX, u32::MAX).is_empty());
		assert!(Dsm::dataset_events(77, 0, 9).is_empty());
		assert_ok!(Dsm::cancel(signed(&OWNER), order));
		assert_eq!(Dsm::dataset_events(order, 0, 9).len(), 6);
	});
}

#[test]
fn others_ask_through_the_data_view() {
	run(|| {
		let order = activated();
		type View = Dsm;
		assert_eq!(<View as DataView<_>>::owner(order), Some(OWNER));
		assert_eq!(View::manifest(order), Some([7; 32]));
		assert_eq!(View::manifest(77), None);
		assert_eq!(<View as DataView<_>>::owner(77), None);
		assert!(View::is_available(order));
		assert!(!View::is_available(77));
		answer_all();
		next_window();
		answer_without(1);
		next_window();
		// Provider 1 has not proven what it was asked last.
		assert!(!View::is_available(order));
		answer_all();
		assert!(View::is_available(order));
		let placing = place();
		assert!(!View::is_available(placing));
	});
}
