//! Opening requests: assignment, fees, quotes.

use frame_support::{assert_noop, assert_ok, BoundedVec};
use opensand_primitives::{
	currency::SAND,
	inference::{RequestInput, RequestState},
	ModelId,
};
use opensand_zk_verifier::InputVisibility::{Hashed, Public};
use sp_runtime::TokenError;

use crate::{mock::*, Error, Event, HoldReason};

#[test]
fn a_request_holds_exactly_its_fee() {
	run(|| {
		let request = asked();
		let record = record(request);
		assert_eq!(record.fee, fee());
		assert_eq!(held(HoldReason::RequestFee, &REQUESTER), fee().total().unwrap());
		assert_eq!(
			(record.requested_at, record.deadline, record.cancelled),
			(1, 1 + TIMEOUT, None)
		);
		let worker = Inference::worker(WORKER).unwrap();
		assert_eq!((worker.open, worker.reserved), (1, RequestBond::get()));
		assert_eq!(Inference::assigned_to(WORKER), vec![request]);
		assert_eq!(Inference::requests_of(REQUESTER, 10), vec![request]);
		assert_eq!(Inference::request_input(request), Some(input(Public)));
		assert_eq!(Inference::request(request), Some(RequestState::Open(record)));
		System::assert_last_event(
			Event::InferenceRequested {
				request,
				requester: REQUESTER,
				model: public_model(),
				worker: WORKER,
				fee: fee(),
				deadline: 1 + TIMEOUT,
			}
			.into(),
		);
	});
}

#[test]
fn ids_are_never_reused() {
	run(|| {
		let first = asked();
		answer(first);
		assert_eq!(ask(REQUESTER, Public, Some(WORKER)), Ok(first + 1));
	});
}

#[test]
fn a_request_is_refused_for_a_reason() {
	run(|| {
		serve(WORKER);
		let ask_with = |model, input, worker, max_fee, timeout| {
			Inference::request_inference(
				RuntimeOrigin::signed(REQUESTER),
				model,
				input,
				worker,
				max_fee,
				timeout,
			)
		};
		let (public_id, total) = (public_model(), fee().total().unwrap());
		let public = input(Public);
		assert_noop!(
			ask_with(ModelId::zero(), public.clone(), None, total, TIMEOUT),
			Error::<Test>::ModelUnavailable
		);
		assert_noop!(
			ask_with(public_id, input(Hashed), Some(WORKER), total, TIMEOUT),
			Error::<Test>::WrongInputVisibility
		);
		assert_noop!(
			ask_with(model(Hashed), public.clone(), Some(WORKER), total, TIMEOUT),
			Error::<Test>::WrongInputVisibility
		);
		let short = RequestInput::Public(BoundedVec::truncate_from(vec![0; INPUT_LEN - 1]));
		assert_noop!(
			ask_with(public_id, short, None, total, TIMEOUT),
			Error::<Test>::WrongInputLength
		);
		assert_noop!(
			ask_with(model(Hashed), input(Hashed), None, total, TIMEOUT),
			Error::<Test>::WorkerRequired
		);
		let hash = RequestInput::Hashed {
			hash: [0xff; 32],
			envelope: Default::default(),
		};
		assert_noop!(
			ask_with(model(Hashed), hash, Some(WORKER), total, TIMEOUT),
			Error::<Test>::NonCanonicalHash
		);
		for timeout in [0, MIN_TIMEOUT - 1, MAX_TIMEOUT + 1, u32::MAX] {
			assert_noop!(
				ask_with(public_id, public.clone(), None, total, timeout),
				Error::<Test>::TimeoutOutOfRange
			);
		}
		assert_noop!(
			ask_with(public_id, public.clone(), Some(OTHER), total, TIMEOUT),
			Error::<Test>::UnknownWorker
		);
		assert_noop!(
			ask_with(public_id, public.clone(), Some(WORKER), total - 1, TIMEOUT),
			Error::<Test>::FeeTooHigh
		);
		assert_noop!(
			ask_with(public_id, public.clone(), None, total - 1, TIMEOUT),
			Error::<Test>::NoWorkerAvailable
		);
		assert_noop!(
			Inference::request_inference(
				RuntimeOrigin::signed(PAUPER),
				public_id,
				public.clone(),
				None,
				total,
				TIMEOUT
			),
			TokenError::FundsUnavailable
		);
		let origin = RuntimeOrigin::signed(WORKER);
		assert_ok!(Inference::offer_model(
			origin.clone(),
			public_id,
			PRICE,
			TIMEOUT + 1
		));
		assert_noop!(
			ask_with(public_id, public.clone(), Some(WORKER), total, TIMEOUT),
			Error::<Test>::TimeoutTooShort
		);
		assert_noop!(
			ask_with(public_id, public.clone(), None, total, TIMEOUT),
			Error::<Test>::NoWorkerAvailable
		);
		assert_ok!(Inference::offer_model(origin.clone(), public_id, u128::MAX, 1));
		assert_noop!(
			ask_with(public_id, public.clone(), Some(WORKER), u128::MAX, TIMEOUT),
			Error::<Test>::FeeTooHigh
		);
		assert_ok!(Inference::withdraw_offer(origin, public_id));
		assert_noop!(
			ask_with(public_id, public, Some(WORKER), total, TIMEOUT),
			Error::<Test>::ModelNotOffered
		);
	});
}

#[test]
fn a_worker_without_slot_or_bond_is_busy() {
	run(|| {
		assert_ok!(register(WORKER, 2 * RequestBond::get(), 1));
		let origin = RuntimeOrigin::signed(WORKER);
		assert_ok!(Inference::offer_model(origin.clone(), public_model(), PRICE, 1));
		assert_ok!(ask(REQUESTER, Public, Some(WORKER)));
		assert_eq!(
			ask(REQUESTER, Public, Some(WORKER)),
			Err(Error::<Test>::WorkerBusy.into())
		);
		assert_eq!(
			ask(REQUESTER, Public, None),
			Err(Error::<Test>::NoWorkerAvailable.into())
		);
		assert_ok!(Inference::update_worker(origin.clone(), None, None, Some(4)));
		assert_ok!(ask(REQUESTER, Public, Some(WORKER)));
		// Slots are left, but no bond for them.
		assert_eq!(
			ask(REQUESTER, Public, Some(WORKER)),
			Err(Error::<Test>::WorkerBusy.into())
		);
		assert_ok!(Inference::add_bond(origin, RequestBond::get()));
		assert_ok!(ask(REQUESTER, Public, Some(WORKER)));
	});
}

#[test]
fn weight_for_workers_that_were_not_looked_at_is_given_back() {
	use crate::WeightInfo;
	use codec::Encode;
	run(|| {
		for worker in [WORKER, OTHER, OWNER] {
			serve(worker);
		}
		assert_ok!(Inference::update_worker(
			RuntimeOrigin::signed(WORKER),
			None,
			None,
			Some(0)
		));
		let (origin, input) = (RuntimeOrigin::signed(REQUESTER), input(Public));
		let bytes = input.encoded_size() as u32;
		let info =
			Inference::request_inference(origin, public_model(), input, None, 10 * SAND, TIMEOUT).unwrap();
		assert_eq!(
			info.actual_weight,
			Some(<() as WeightInfo>::request_inference(bytes, 2))
		);
	});
}

#[test]
fn workers_take_turns() {
	run(|| {
		for worker in [WORKER, OTHER, OWNER] {
			serve(worker);
		}
		let turns: Vec<_> = (0..6)
			.map(|_| record(ask(REQUESTER, Public, None).unwrap()).worker)
			.collect();
		assert_eq!(turns, vec![WORKER, OTHER, OWNER, WORKER, OTHER, OWNER]);
	});
}

#[test]
fn turns_pass_over_the_busy_and_the_expensive() {
	run(|| {
		for worker in [WORKER, OTHER, OWNER] {
			serve(worker);
		}
		assert_ok!(Inference::update_worker(
			RuntimeOrigin::signed(OTHER),
			None,
			None,
			Some(0)
		));
		assert_ok!(Inference::offer_model(
			RuntimeOrigin::signed(OWNER),
			public_model(),
			100 * SAND,
			1
		));
		for _ in 0..3 {
			assert_eq!(record(ask(REQUESTER, Public, None).unwrap()).worker, WORKER);
		}
	});
}

#[test]
fn the_turn_survives_a_departure() {
	run(|| {
		for worker in [WORKER, OTHER, OWNER] {
			serve(worker);
		}
		for _ in 0..2 {
			assert_ok!(ask(REQUESTER, Public, None));
		}
		assert_ok!(Inference::withdraw_offer(
			RuntimeOrigin::signed(WORKER),
			public_model()
		));
		let turns: Vec<_> = (0..2)
			.map(|_| record(ask(REQUESTER, Public, None).unwrap()).worker)
			.collect();
		assert_eq!(turns, vec![OTHER, OWNER]);
	});
}

#[test]
fn a_quote_is_what_the_request_costs() {
	run(|| {
		assert_eq!(Inference::quote(public_model(), None), None);
		serve(WORKER);
		let quote = Inference::quote(public_model(), None).unwrap();
		assert_eq!(
			(quote.worker.clone(), quote.fee, quote.turnaround),
			(WORKER, fee(), MIN_TIMEOUT)
		);
		assert_eq!(quote.encryption_key, *AsRef::<[u8; 32]>::as_ref(&WORKER));
		assert!(quote.available);
		assert_eq!(
			Inference::quote(public_model(), Some(WORKER)),
			Some(quote.clone())
		);
		assert_eq!(Inference::quote(public_model(), Some(OTHER)), None);
		assert_ok!(Inference::request_inference(
			RuntimeOrigin::signed(REQUESTER),
			public_model(),
			input(Public),
			None,
			quote.total,
			quote.turnaround,
		));
		assert_ok!(Inference::update_worker(
			RuntimeOrigin::signed(WORKER),
			None,
			None,
			Some(1)
		));
		assert!(!Inference::quote(public_model(), Some(WORKER)).unwrap().available);
		assert_eq!(Inference::quote(public_model(), None), None);
	});
}

#[test]
fn too_many_requests_for_a_block_are_put_off_then_refused() {
	run(|| {
		for worker in [WORKER, OTHER, OWNER] {
			serve(worker);
		}
		let deadlines: Vec<_> = (0..MAX_DEADLINES * (DEADLINE_SLACK + 1))
			.map(|_| record(ask(REQUESTER, Public, None).unwrap()).deadline - TIMEOUT)
			.collect();
		assert_eq!(deadlines, vec![1, 1, 1, 2, 2, 2, 3, 3, 3]);
		assert_eq!(
			ask(REQUESTER, Public, None),
			Err(Error::<Test>::DeadlinesFull.into())
		);
		run_for(1);
		assert_ok!(ask(REQUESTER, Public, None));
	});
}
