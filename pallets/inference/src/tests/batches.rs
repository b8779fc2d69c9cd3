//! Many results in one transaction.

use codec::Encode;
use frame_support::{
	assert_ok,
	dispatch::GetDispatchInfo,
	pallet_prelude::{InvalidTransaction, TransactionValidityError},
	weights::Weight,
};
use opensand_primitives::{
	currency::SAND,
	inference::{Outcome, RequestState, ResultFault, SignedResult, MAX_RESULTS, MAX_STATEMENT_WORDS},
	AccountId, RequestId,
};
use opensand_zk_verifier::{
	InputVisibility::{Hashed, Public},
	PROOF_LEN,
};
use sp_runtime::{BoundedVec, DispatchError};

use crate::{mock::*, Call, WeightInfo};

/// Open requests of two workers, to models of both visibilities with constant and committed weights.
fn open() -> Vec<RequestId> {
	serve(WORKER);
	serve(OTHER);
	let mut requests = Vec::new();
	for (worker, visibility) in [(WORKER, Public), (OTHER, Hashed)] {
		requests.push(ask(REQUESTER, visibility, Some(worker.clone())).unwrap());
		run_for(1);
		requests.extend(VERSIONS.map(|version| ask_committed(worker.clone(), visibility, version)));
		run_for(1);
	}
	requests
}

fn good(request: RequestId) -> SignedResult {
	with_proof(request, prove(request, &OUTPUT))
}

fn with_proof(request: RequestId, proof: Vec<u8>) -> SignedResult {
	signed_result(&record(request).worker, request, &OUTPUT, &proof)
}

fn batch(results: &[SignedResult]) -> Call<Test> {
	Call::submit_results {
		results: BoundedVec::truncate_from(results.to_vec()),
	}
}

/// Submits the results past the authorisation and returns the weight that was charged in the end.
fn submit(results: &[SignedResult]) -> Weight {
	let results = BoundedVec::truncate_from(results.to_vec());
	let info = Inference::submit_results(frame_system::RawOrigin::Authorized.into(), results).unwrap();
	info.actual_weight.unwrap()
}

fn outcome(request: RequestId) -> Option<Outcome> {
	match Inference::request(request)? {
		RequestState::Open(_) => None,
		RequestState::Closed(receipt) => Some(receipt.outcome),
	}
}

fn is_settled(request: RequestId) -> bool {
	matches!(outcome(request), Some(Outcome::Settled { .. }))
}

#[test]
fn all_settle_as_they_would_alone() {
	let balances = |deliver: fn(&[RequestId])| {
		run(|| {
			let requests = open();
			deliver(&requests);
			assert!(requests.iter().all(|request| is_settled(*request)));
			[REQUESTER, OWNER, AUTHOR, TREASURY, WORKER, OTHER]
				.map(|who| (total(&who), CreditedWork::get(who)))
		})
	};
	let together = balances(|requests| {
		let results: Vec<_> = requests.iter().map(|request| good(*request)).collect();
		assert_ok!(apply(batch(&results)).unwrap());
	});
	let alone = balances(|requests| requests.iter().for_each(|request| answer(*request)));
	assert_eq!(together, alone);
}

#[test]
fn a_bad_result_anywhere_costs_its_own_worker_only() {
	for bad in 0..6 {
		run(|| {
			let requests = open();
			let mut results: Vec<_> = requests.iter().map(|request| good(*request)).collect();
			let culprit = record(requests[bad]).worker;
			results[bad] = with_proof(requests[bad], prove(requests[bad], &[0, 0]));
			assert_ok!(apply(batch(&results)).unwrap());
			for (index, request) in requests.iter().enumerate() {
				let rejected = Outcome::Rejected {
					fault: ResultFault::InvalidProof,
				};
				match index == bad {
					true => assert_eq!(outcome(*request), Some(rejected)),
					false => assert!(is_settled(*request), "{index} beside {bad}"),
				}
			}
			for worker in [WORKER, OTHER] {
				let bond = if worker == culprit { 90 } else { 100 };
				assert_eq!(Inference::worker(worker).unwrap().bond, bond * SAND);
			}
		});
	}
}

/// Errors that cancel in a product of equations do not cancel in this one, and each is its own worker's fault.
#[test]
fn exchanged_parts_of_two_proofs_are_two_faults() {
	run(|| {
		let requests = open();
		let proofs = [0, 1].map(|index| prove(requests[index], &OUTPUT));
		let mixed = |one: &[u8], other: &[u8]| [&one[..288], &other[288..384], &one[384..]].concat();
		let results = [
			with_proof(requests[0], mixed(&proofs[0], &proofs[1])),
			with_proof(requests[1], mixed(&proofs[1], &proofs[0])),
			good(requests[2]),
		];
		assert_ok!(apply(batch(&results)).unwrap());
		let verdicts = [0, 1, 2].map(|index| is_settled(requests[index]));
		assert_eq!(verdicts, [false, false, true]);
	});
}

#[test]
fn every_fault_is_named_as_alone() {
	run(|| {
		let requests = open();
		let mut results: Vec<_> = requests.iter().map(|request| good(*request)).collect();
		let sign = |request: RequestId, output: &[u8], proof: &[u8]| {
			signed_result(&record(request).worker, request, output, proof)
		};
		results[0] = sign(requests[0], &OUTPUT[..1], &prove(requests[0], &OUTPUT));
		results[1] = sign(requests[1], &OUTPUT, &[]);
		results[2] = sign(requests[2], &OUTPUT, &[0xff; PROOF_LEN]);
		results[3] = sign(requests[3], &OUTPUT, &prove(requests[0], &OUTPUT));
		assert_ok!(apply(batch(&results)).unwrap());
		for (request, fault) in requests.iter().zip([
			ResultFault::WrongOutputLength,
			ResultFault::WrongProofLength,
			ResultFault::NonCanonical,
			ResultFault::InvalidProof,
		]) {
			assert_eq!(outcome(*request), Some(Outcome::Rejected { fault }));
		}
		assert!(is_settled(requests[4]) && is_settled(requests[5]));
	});
}

#[test]
fn what_the_registry_has_lost_stays_open_and_stops_nobody() {
	new_test_ext().execute_with(|| {
		let requests = open();
		let results: Vec<_> = requests.iter().map(|request| good(*request)).collect();
		RegisteredKeys::remove(record(requests[0]).key);
		RegisteredModels::mutate(record(requests[1]).model, |entry| {
			entry.as_mut().unwrap().0.commitment = None;
		});
		submit(&results);
		assert_eq!((outcome(requests[0]), outcome(requests[1])), (None, None));
		assert!(requests[2..].iter().all(|request| is_settled(*request)));
	});
}

#[test]
fn a_request_settles_once() {
	run(|| {
		let requests = open();
		let result = good(requests[0]);
		let twice = [result.clone(), result];
		let refused = Err(TransactionValidityError::Invalid(InvalidTransaction::Call));
		assert_eq!(apply(batch(&twice)), refused);
		// Past the authorisation too.
		submit(&twice);
		assert_eq!(total(&WORKER), 1_000 * SAND + PRICE);
		let stale = Err(TransactionValidityError::Invalid(InvalidTransaction::Stale));
		assert_eq!(apply(batch(&twice[..1])), stale);
	});
}

#[test]
fn each_result_needs_its_workers_signature_and_an_open_request() {
	run(|| {
		let requests = open();
		let results: Vec<_> = requests.iter().map(|request| good(*request)).collect();
		let invalid = |reason| Err(TransactionValidityError::Invalid(reason));
		assert_eq!(validate(batch(&[])), invalid(InvalidTransaction::Call));
		for index in 0..results.len() {
			let mut forged = results.clone();
			forged[index].output[0] ^= 1;
			assert_eq!(validate(batch(&forged)), invalid(InvalidTransaction::BadProof));
			let mut unknown = results.clone();
			unknown[index].request = 1_000;
			assert_eq!(validate(batch(&unknown)), invalid(InvalidTransaction::Stale));
		}
		let mut exchanged = results.clone();
		let signature = exchanged[0].signature.clone();
		exchanged[0].signature = core::mem::replace(&mut exchanged[1].signature, signature);
		assert_eq!(validate(batch(&exchanged)), invalid(InvalidTransaction::BadProof));

		let valid = validate(batch(&results)).unwrap();
		let tags: Vec<_> = requests
			.iter()
			.map(|request| (b"opensand/inference".as_slice(), request).encode())
			.collect();
		assert_eq!(valid.provides, tags);
		let last = requests
			.iter()
			.map(|request| record(*request).closes_at())
			.min()
			.unwrap();
		assert_eq!(valid.longevity, u64::from(last - System::block_number()) + 1);
		answer(requests[3]);
		assert_eq!(validate(batch(&results)), invalid(InvalidTransaction::Stale));
	});
}

#[test]
fn no_account_can_submit_results() {
	run(|| {
		let requests = open();
		let results = BoundedVec::truncate_from(vec![good(requests[0])]);
		for origin in [
			RuntimeOrigin::signed(WORKER),
			RuntimeOrigin::root(),
			RuntimeOrigin::none(),
		] {
			let refused = Inference::submit_results(origin, results.clone());
			assert_eq!(refused.unwrap_err().error, DispatchError::BadOrigin);
		}
	});
}

#[test]
fn the_worst_is_charged_and_what_was_not_needed_given_back() {
	run(|| {
		let requests = open();
		let words = |requests: &[RequestId]| -> u32 {
			let statements = requests.iter().map(|request| statement(*request, &OUTPUT));
			statements
				.map(|statement| statement.words().unwrap().len() as u32)
				.sum()
		};
		let results: Vec<_> = requests.iter().map(|request| good(*request)).collect();
		let charged = batch(&results).get_dispatch_info().call_weight;
		assert_eq!(
			charged,
			<() as WeightInfo>::submit_results_singly(6, 6 * MAX_STATEMENT_WORDS)
		);
		// Two results of one key, which hold.
		let pair = words(&requests[1..3]);
		assert_eq!(
			submit(&results[1..3]),
			<() as WeightInfo>::submit_results(2, pair)
		);
		// Three under three keys, one of them false.
		let rest = [requests[0], requests[3], requests[4]];
		let sum = words(&rest);
		let bad = with_proof(requests[3], prove(requests[3], &[0, 0]));
		let used = submit(&[results[0].clone(), bad, results[4].clone()]);
		assert_eq!(used, <() as WeightInfo>::submit_results_singly(3, sum));
		assert!(charged.all_gte(used));
		// One more key costs more, and one by one costs most.
		let same = <() as WeightInfo>::submit_results_of_keys(1);
		assert!(<() as WeightInfo>::submit_results_of_keys(2).all_gte(same));
	});
}

#[test]
fn as_many_results_as_there_may_be_settle_together() {
	new_test_ext().execute_with(|| {
		let mut requests = Vec::new();
		for index in 0..MAX_RESULTS / 4 {
			let worker = AccountId::new([100 + index as u8; 32]);
			assert_ok!(Balances::force_set_balance(
				RuntimeOrigin::root(),
				worker.clone(),
				1_000 * SAND
			));
			register(worker.clone(), 100 * SAND, 4).unwrap();
			let visibility = if index % 2 == 0 { Public } else { Hashed };
			let signed = RuntimeOrigin::signed(worker.clone());
			assert_ok!(Inference::offer_model(
				signed.clone(),
				model(visibility),
				PRICE,
				MIN_TIMEOUT
			));
			for _ in 0..4 {
				requests.push(crate::NextRequestId::<Test>::get());
				assert_ok!(Inference::request_inference(
					RuntimeOrigin::signed(REQUESTER),
					model(visibility),
					input(visibility),
					Some(worker.clone()),
					10 * SAND,
					// No more requests end in a block than may.
					TIMEOUT + 2 * index
				));
			}
			assert_ok!(Inference::withdraw_offer(signed, model(visibility)));
		}
		let issuance = Balances::total_issuance();
		let results: Vec<_> = requests.iter().map(|request| good(*request)).collect();
		assert_eq!(results.len(), MAX_RESULTS as usize);
		assert_ok!(apply(batch(&results)).unwrap());
		assert!(requests.iter().all(|request| is_settled(*request)));
		check(issuance);
	});
}
