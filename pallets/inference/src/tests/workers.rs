//! Registration, offers and bonds of workers.

use frame_support::{assert_noop, assert_ok};
use opensand_primitives::{
	currency::SAND,
	inference::{WorkerStatus, MAX_OPEN_REQUESTS},
	AccountId, ModelId,
};
use opensand_zk_verifier::InputVisibility;
use sp_core::Pair;
use sp_runtime::TokenError;

use crate::{mock::*, Error, Event, HoldReason, Providers, WorkerOfKey, Workers};

fn worker() -> RuntimeOrigin {
	RuntimeOrigin::signed(WORKER)
}

#[test]
fn registration_holds_the_bond() {
	run(|| {
		assert_ok!(register(WORKER, 30 * SAND, 2));
		let record = Inference::worker(WORKER).unwrap();
		assert_eq!(
			(record.bond, record.reserved, record.open, record.capacity),
			(30 * SAND, 0, 0, 2)
		);
		assert_eq!(held(HoldReason::WorkerBond, &WORKER), 30 * SAND);
		let key = pair(&WORKER).public();
		System::assert_last_event(
			Event::WorkerRegistered {
				worker: WORKER,
				key,
				bond: 30 * SAND,
			}
			.into(),
		);
	});
}

#[test]
fn registration_is_refused_for_a_reason() {
	run(|| {
		let other_key = pair(&OTHER).public();
		assert_noop!(
			register(WORKER, RequestBond::get() - 1, 1),
			Error::<Test>::BondTooSmall
		);
		assert_noop!(
			register(WORKER, 20 * SAND, MAX_OPEN_REQUESTS + 1),
			Error::<Test>::CapacityTooLarge
		);
		assert_noop!(register(WORKER, 2_000 * SAND, 1), TokenError::FundsUnavailable);
		assert_ok!(register(WORKER, 20 * SAND, 1));
		assert_noop!(register(WORKER, 20 * SAND, 1), Error::<Test>::AlreadyRegistered);
		assert_ok!(register(OTHER, 20 * SAND, 1));
		assert_noop!(
			Inference::register_worker(
				RuntimeOrigin::signed(REQUESTER),
				other_key.clone(),
				[0; 32],
				20 * SAND,
				1
			),
			Error::<Test>::KeyInUse
		);
		assert_noop!(
			Inference::update_worker(worker(), Some(other_key), None, None),
			Error::<Test>::KeyInUse
		);
	});
}

#[test]
fn keys_and_capacity_can_be_changed() {
	run(|| {
		assert_ok!(register(WORKER, 30 * SAND, 2));
		let new = pair(&PAUPER).public();
		assert_ok!(Inference::update_worker(
			worker(),
			Some(new.clone()),
			Some([9; 32]),
			Some(7)
		));
		let record = Inference::worker(WORKER).unwrap();
		assert_eq!(
			(record.key, record.encryption_key, record.capacity),
			(new.clone(), [9; 32], 7)
		);
		assert_eq!(WorkerOfKey::<Test>::get(pair(&WORKER).public()), None);
		assert_eq!(WorkerOfKey::<Test>::get(new), Some(WORKER));
		assert_noop!(
			Inference::update_worker(worker(), None, None, Some(MAX_OPEN_REQUESTS + 1)),
			Error::<Test>::CapacityTooLarge
		);
		assert_noop!(
			Inference::update_worker(RuntimeOrigin::signed(OTHER), None, None, None),
			Error::<Test>::UnknownWorker
		);
	});
}

#[test]
fn the_encryption_key_stays_while_requests_are_open() {
	run(|| {
		asked();
		assert_noop!(
			Inference::update_worker(worker(), None, Some([9; 32]), None),
			Error::<Test>::EncryptionKeyInUse
		);
		let present = Inference::worker(WORKER).unwrap().encryption_key;
		assert_ok!(Inference::update_worker(worker(), None, Some(present), None));
	});
}

#[test]
fn the_bond_can_grow() {
	run(|| {
		assert_ok!(register(WORKER, 30 * SAND, 2));
		assert_ok!(Inference::add_bond(worker(), 5 * SAND));
		assert_eq!(Inference::worker(WORKER).unwrap().bond, 35 * SAND);
		assert_noop!(
			Inference::add_bond(worker(), 2_000 * SAND),
			TokenError::FundsUnavailable
		);
		assert_noop!(Inference::add_bond(worker(), u128::MAX), Error::<Test>::Overflow);
	});
}

#[test]
fn offers_are_listed_updated_and_withdrawn() {
	run(|| {
		serve(WORKER);
		let model = public_model();
		assert_eq!(Inference::providers(model), vec![WORKER]);
		assert_ok!(Inference::offer_model(worker(), model, 2 * PRICE, MAX_TIMEOUT));
		assert_eq!(Inference::providers(model), vec![WORKER]);
		let record = Inference::worker(WORKER).unwrap();
		let offer = record.offer(&model).unwrap();
		assert_eq!((offer.price, offer.turnaround), (2 * PRICE, MAX_TIMEOUT));

		assert_noop!(
			Inference::offer_model(worker(), ModelId::zero(), PRICE, 1),
			Error::<Test>::ModelUnavailable
		);
		assert_noop!(
			Inference::offer_model(worker(), model, PRICE, MAX_TIMEOUT + 1),
			Error::<Test>::TimeoutOutOfRange
		);
		assert_ok!(Inference::withdraw_offer(worker(), model));
		assert_noop!(
			Inference::withdraw_offer(worker(), model),
			Error::<Test>::ModelNotOffered
		);
		assert!(!Providers::<Test>::contains_key(model));
	});
}

#[test]
fn a_model_has_so_many_providers() {
	run(|| {
		let account = |seed: u8| AccountId::new([seed; 32]);
		for seed in 100..100 + MAX_PROVIDERS as u8 {
			use frame_support::traits::fungible::Mutate;
			let transfer = Balances::transfer(
				&OTHER,
				&account(seed),
				120 * SAND,
				frame_support::traits::tokens::Preservation::Preserve,
			);
			assert_ok!(transfer);
			serve(account(seed));
		}
		assert_ok!(register(WORKER, 30 * SAND, 2));
		assert_noop!(
			Inference::offer_model(worker(), public_model(), PRICE, 1),
			Error::<Test>::TooManyProviders
		);
	});
}

#[test]
fn a_worker_has_so_many_offers() {
	run(|| {
		assert_ok!(register(WORKER, 30 * SAND, 2));
		let (terms, _) = RegisteredModels::get(public_model()).unwrap();
		for index in 0..=opensand_primitives::inference::MAX_OFFERS {
			let model = ModelId::from_low_u64_be(index.into());
			RegisteredModels::insert(model, (terms.clone(), 0));
			let result = Inference::offer_model(worker(), model, PRICE, 1);
			if index < opensand_primitives::inference::MAX_OFFERS {
				assert_ok!(result);
			} else {
				assert_eq!(result, Err(Error::<Test>::TooManyOffers.into()));
			}
		}
		assert_ok!(Inference::deregister_worker(worker()));
		assert_eq!(Providers::<Test>::iter_keys().count(), 0);
	});
}

#[test]
fn leaving_takes_the_unbonding_period() {
	run(|| {
		serve(WORKER);
		assert_noop!(Inference::withdraw_bond(worker()), Error::<Test>::WorkerActive);
		assert_ok!(Inference::deregister_worker(worker()));
		let until = System::block_number() + UNBONDING_PERIOD;
		assert_eq!(
			Inference::worker(WORKER).unwrap().status,
			WorkerStatus::Unbonding { until }
		);
		assert!(Inference::providers(public_model()).is_empty());
		assert_eq!(
			ask(REQUESTER, InputVisibility::Public, Some(WORKER)),
			Err(Error::<Test>::ModelNotOffered.into())
		);
		assert_noop!(
			Inference::deregister_worker(worker()),
			Error::<Test>::WorkerLeaving
		);
		assert_noop!(Inference::add_bond(worker(), 1), Error::<Test>::WorkerLeaving);
		assert_noop!(
			Inference::offer_model(worker(), public_model(), PRICE, 1),
			Error::<Test>::WorkerLeaving
		);
		assert_noop!(register(WORKER, 30 * SAND, 1), Error::<Test>::AlreadyRegistered);

		run_to(until - 1);
		assert_noop!(Inference::withdraw_bond(worker()), Error::<Test>::StillUnbonding);
		run_to(until);
		assert_ok!(Inference::withdraw_bond(worker()));
		assert_noop!(Inference::withdraw_bond(worker()), Error::<Test>::UnknownWorker);
		assert_eq!(Balances::free_balance(WORKER), 1_000 * SAND);
		assert!(!Workers::<Test>::contains_key(WORKER));
		assert_ok!(register(WORKER, 30 * SAND, 1));
	});
}

#[test]
fn the_bond_stays_while_requests_are_open() {
	run(|| {
		serve(WORKER);
		let origin = RuntimeOrigin::signed(REQUESTER);
		let model = public_model();
		let input = input(InputVisibility::Public);
		assert_ok!(Inference::request_inference(
			origin,
			model,
			input,
			Some(WORKER),
			10 * SAND,
			MAX_TIMEOUT
		));
		assert_ok!(Inference::deregister_worker(worker()));
		run_for(UNBONDING_PERIOD);
		assert_noop!(Inference::withdraw_bond(worker()), Error::<Test>::RequestsOpen);
		answer(0);
		assert_ok!(Inference::withdraw_bond(worker()));
	});
}
