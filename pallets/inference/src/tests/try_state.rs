//! `try_state` notices what must not be.

use frame_support::traits::fungible::MutateHold;
use opensand_primitives::{inference::WorkerStatus, RequestId};
use sp_runtime::BoundedVec;

use crate::{
	mock::*, Assigned, Deadlines, HoldReason, Inputs, NextRequestId, Providers, ReceiptQueue,
	ReceiptQueueRange, Receipts, Requests, RequestsOf, WorkerOfKey, Workers,
};

/// Injects a drift into a chain with an open and a closed request, and expects it to be noticed.
fn drifts(drift: impl FnOnce(RequestId)) {
	new_test_ext().execute_with(|| {
		let closed = asked();
		answer(closed);
		let open = ask(
			REQUESTER,
			opensand_zk_verifier::InputVisibility::Public,
			Some(WORKER),
		)
		.unwrap();
		assert_eq!(Inference::do_try_state(), Ok(()));
		drift(open);
		assert!(Inference::do_try_state().is_err());
	});
}

#[test]
fn a_hold_that_nobody_is_owed() {
	drifts(|_| Balances::hold(&HoldReason::RequestFee.into(), &OTHER, 1).unwrap());
	drifts(|_| Balances::hold(&HoldReason::WorkerBond.into(), &WORKER, 1).unwrap());
}

#[test]
fn a_fee_that_is_not_held() {
	drifts(|open| Requests::<Test>::mutate_extant(open, |record| record.fee.worker += 1));
}

#[test]
fn a_bond_that_is_not_held() {
	drifts(|_| Workers::<Test>::mutate_extant(WORKER, |record| record.bond += 1));
}

#[test]
fn a_missing_input() {
	drifts(Inputs::<Test>::remove);
}

#[test]
fn an_input_of_nothing() {
	drifts(|open| Inputs::<Test>::insert(open + 5, Inputs::<Test>::get(open).unwrap()));
}

#[test]
fn a_missing_or_dangling_index() {
	drifts(|open| RequestsOf::<Test>::remove(REQUESTER, open));
	drifts(|_| RequestsOf::<Test>::insert(REQUESTER, 77, ()));
	drifts(|_| Assigned::<Test>::remove(WORKER));
	drifts(|_| Assigned::<Test>::mutate(OTHER, |open| open.try_push(77)).unwrap());
	drifts(|open| Deadlines::<Test>::remove(record(open).deadline));
	drifts(|_| Deadlines::<Test>::mutate(99, |due| due.try_push(77)).unwrap());
}

#[test]
fn a_request_that_should_have_closed() {
	drifts(|open| System::set_block_number(record(open).deadline + 1));
}

#[test]
fn an_id_that_was_not_handed_out() {
	drifts(NextRequestId::<Test>::put);
}

#[test]
fn a_key_that_is_gone() {
	drifts(|open| RegisteredKeys::remove(record(open).key));
}

#[test]
fn a_miscounting_worker() {
	drifts(|_| Workers::<Test>::mutate_extant(WORKER, |record| record.open += 1));
	drifts(|_| Workers::<Test>::mutate_extant(WORKER, |record| record.reserved += 1));
	drifts(|_| {
		Workers::<Test>::mutate_extant(WORKER, |record| {
			record.status = WorkerStatus::Unbonding { until: 5 }
		})
	});
	drifts(|_| Workers::<Test>::mutate_extant(WORKER, |record| record.offers = BoundedVec::new()));
}

#[test]
fn a_missing_worker() {
	drifts(|_| Workers::<Test>::remove(WORKER));
}

#[test]
fn a_dangling_key() {
	drifts(|_| WorkerOfKey::<Test>::remove(Workers::<Test>::get(WORKER).unwrap().key));
	drifts(|_| {
		use sp_core::Pair;
		WorkerOfKey::<Test>::insert(pair(&OTHER).public(), OTHER)
	});
}

#[test]
fn a_wrong_list_of_providers() {
	drifts(|_| Providers::<Test>::remove(public_model()));
	drifts(|_| Providers::<Test>::mutate(public_model(), |list| list.accounts.try_push(OTHER)).unwrap());
	drifts(|_| {
		Providers::<Test>::insert(
			opensand_primitives::ModelId::zero(),
			crate::ProviderList::default(),
		)
	});
}

#[test]
fn a_broken_queue_of_receipts() {
	drifts(|_| ReceiptQueue::<Test>::remove(0));
	drifts(|_| ReceiptQueueRange::<Test>::mutate(|range| range.next += 1));
	drifts(|_| ReceiptQueueRange::<Test>::mutate(|range| range.first += 1));
	drifts(|_| Receipts::<Test>::remove(0));
	drifts(|open| Receipts::<Test>::insert(open, Receipts::<Test>::get(0).unwrap()));
}

#[test]
fn a_lost_key_or_commitment() {
	drifts(|open| RegisteredKeys::remove(record(open).key));
	drifts(|_| {
		let request = ask_committed(WORKER, opensand_zk_verifier::InputVisibility::Public, 1);
		assert_eq!(Inference::do_try_state(), Ok(()));
		RegisteredModels::mutate(record(request).model, |entry| {
			entry.as_mut().unwrap().0.commitment = None;
		});
	});
}
