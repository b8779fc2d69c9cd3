//! What closes a request without a result: its deadline, a refusal, a cancellation.

use frame_support::{assert_noop, assert_ok, traits::Hooks, weights::Weight};
use opensand_primitives::{
	currency::SAND,
	inference::{Outcome, RequestState},
	RequestId,
};
use opensand_zk_verifier::InputVisibility::Public;

use crate::{mock::*, Deadlines, Error, Event, HoldReason, Receipts, WeightInfo};

fn outcome(request: RequestId) -> Outcome {
	match Inference::request(request) {
		Some(RequestState::Closed(receipt)) => receipt.outcome,
		other => panic!("expected a receipt, found {other:?}"),
	}
}

fn assert_slashed() {
	let half = RequestBond::get() / 2;
	assert_eq!(total(&REQUESTER), 1_000 * SAND + half);
	assert_eq!(total(&TREASURY), 1_000 * SAND + half);
	assert_eq!(Inference::worker(WORKER).unwrap().bond, 90 * SAND);
}

fn assert_not_slashed() {
	assert_eq!(total(&REQUESTER), 1_000 * SAND);
	assert_eq!(total(&WORKER), 1_000 * SAND);
	assert_eq!(Inference::worker(WORKER).unwrap().bond, 100 * SAND);
}

#[test]
fn a_missed_deadline_refunds_and_slashes() {
	run(|| {
		let request = asked();
		let deadline = record(request).deadline;
		run_to(deadline);
		assert!(matches!(Inference::request(request), Some(RequestState::Open(_))));
		run_to(deadline + 1);
		assert_eq!(outcome(request), Outcome::Expired);
		assert_slashed();
		System::assert_has_event(
			Event::WorkerSlashed {
				worker: WORKER,
				request,
				amount: RequestBond::get(),
				compensation: RequestBond::get() / 2,
			}
			.into(),
		);
		System::assert_last_event(
			Event::RequestExpired {
				request,
				worker: WORKER,
			}
			.into(),
		);
	});
}

#[test]
fn all_requests_of_a_block_close_together() {
	run(|| {
		serve(WORKER);
		let requests: Vec<_> = (0..MAX_DEADLINES)
			.map(|_| ask(REQUESTER, Public, Some(WORKER)).unwrap())
			.collect();
		let deadline = record(requests[0]).deadline;
		run_to(deadline);
		System::set_block_number(deadline + 1);
		let weight = Inference::on_initialize(deadline + 1);
		assert_eq!(weight, <() as WeightInfo>::expire_due(MAX_DEADLINES));
		assert!(requests
			.into_iter()
			.all(|request| outcome(request) == Outcome::Expired));
		assert_eq!(Deadlines::<Test>::iter_keys().count(), 0);
	});
}

#[test]
fn declining_early_is_free() {
	run(|| {
		let request = asked();
		run_for(DECLINE_PERIOD);
		assert_eq!(apply(decline_call(&WORKER, request)), Ok(Ok(())));
		assert_eq!(outcome(request), Outcome::Declined);
		assert_not_slashed();
		System::assert_last_event(
			Event::RequestDeclined {
				request,
				worker: WORKER,
			}
			.into(),
		);
	});
}

#[test]
fn declining_late_costs_the_bond() {
	run(|| {
		let request = asked();
		run_for(DECLINE_PERIOD + 1);
		assert_eq!(apply(decline_call(&WORKER, request)), Ok(Ok(())));
		assert_eq!(outcome(request), Outcome::Declined);
		assert_slashed();
	});
}

#[test]
fn a_cancelled_request_closes_after_its_notice_for_a_small_fee() {
	run(|| {
		let request = asked();
		assert_noop!(
			Inference::cancel_request(RuntimeOrigin::signed(WORKER), request),
			Error::<Test>::NotRequester
		);
		assert_noop!(
			Inference::cancel_request(RuntimeOrigin::signed(REQUESTER), request + 1),
			Error::<Test>::UnknownRequest
		);
		run_for(5);
		assert_ok!(Inference::cancel_request(
			RuntimeOrigin::signed(REQUESTER),
			request
		));
		let closes_at = System::block_number() + CANCELLATION_NOTICE;
		System::assert_last_event(Event::CancellationAnnounced { request, closes_at }.into());
		assert_eq!(record(request).closes_at(), closes_at);
		assert_noop!(
			Inference::cancel_request(RuntimeOrigin::signed(REQUESTER), request),
			Error::<Test>::AlreadyCancelled
		);
		run_to(closes_at + 1);
		assert_eq!(outcome(request), Outcome::Cancelled);
		let kept = CancellationShare::get() * PRICE;
		assert_eq!(total(&REQUESTER), 1_000 * SAND - kept);
		assert_eq!(total(&WORKER), 1_000 * SAND + kept);
		assert_eq!(held(HoldReason::RequestFee, &REQUESTER), 0);
		assert_eq!(Inference::worker(WORKER).unwrap().bond, 100 * SAND);
		System::assert_last_event(
			Event::RequestCancelled {
				request,
				worker: WORKER,
				worker_paid: kept,
			}
			.into(),
		);
	});
}

#[test]
fn a_result_within_the_notice_is_paid_in_full() {
	run(|| {
		let request = asked();
		assert_ok!(Inference::cancel_request(
			RuntimeOrigin::signed(REQUESTER),
			request
		));
		run_for(CANCELLATION_NOTICE);
		answer(request);
		assert_eq!(total(&WORKER), 1_000 * SAND + PRICE);
		assert_eq!(Deadlines::<Test>::iter_keys().count(), 0);
	});
}

#[test]
fn a_cancelled_request_can_be_declined_at_any_time() {
	run(|| {
		let request = asked();
		run_for(DECLINE_PERIOD + 1);
		assert_ok!(Inference::cancel_request(
			RuntimeOrigin::signed(REQUESTER),
			request
		));
		assert_eq!(apply(decline_call(&WORKER, request)), Ok(Ok(())));
		assert_eq!(outcome(request), Outcome::Declined);
		assert_not_slashed();
	});
}

#[test]
fn a_cancellation_never_lengthens_a_request() {
	run(|| {
		let request = asked();
		let deadline = record(request).deadline;
		run_to(deadline - CANCELLATION_NOTICE + 1);
		assert_ok!(Inference::cancel_request(
			RuntimeOrigin::signed(REQUESTER),
			request
		));
		assert_eq!(record(request).closes_at(), deadline);
		run_to(deadline + 1);
		assert_eq!(outcome(request), Outcome::Cancelled);
	});
}

#[test]
fn a_full_schedule_leaves_a_cancelled_request_at_its_deadline() {
	run(|| {
		serve(WORKER);
		let request = ask(REQUESTER, Public, Some(WORKER)).unwrap();
		let deadline = record(request).deadline;
		let wanted = System::block_number() + CANCELLATION_NOTICE;
		let filler = sp_runtime::BoundedVec::truncate_from(vec![u64::MAX; MAX_DEADLINES as usize]);
		for block in wanted..=wanted + DEADLINE_SLACK {
			Deadlines::<Test>::insert(block, filler.clone());
		}
		assert_ok!(Inference::cancel_request(
			RuntimeOrigin::signed(REQUESTER),
			request
		));
		assert_eq!(record(request).closes_at(), deadline);
		for block in wanted..=wanted + DEADLINE_SLACK {
			Deadlines::<Test>::remove(block);
		}
	});
}

#[test]
fn receipts_go_in_idle_time_as_weight_allows() {
	run(|| {
		serve(WORKER);
		for _ in 0..3 {
			let request = ask(REQUESTER, Public, Some(WORKER)).unwrap();
			answer(request);
		}
		System::set_block_number(RECEIPT_PERIOD + 2);
		let now = System::block_number();
		let base = <() as WeightInfo>::purge_receipts(0);
		assert_eq!(Inference::on_idle(now, base), Weight::zero());
		assert_eq!(Receipts::<Test>::iter_keys().count(), 3);
		let two = <() as WeightInfo>::purge_receipts(2);
		assert_eq!(Inference::on_idle(now, two), two);
		assert_eq!(Receipts::<Test>::iter_keys().count(), 1);
		assert_eq!(
			Inference::on_idle(now, Weight::MAX),
			<() as WeightInfo>::purge_receipts(1)
		);
		assert_eq!(Inference::on_idle(now, Weight::MAX), base);
		assert_eq!(Receipts::<Test>::iter_keys().count(), 0);
	});
}
