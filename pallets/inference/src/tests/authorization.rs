//! Which general transactions the pool and a block take.

use codec::Encode;
use frame_support::{assert_ok, pallet_prelude::InvalidTransaction};
use opensand_primitives::worker_key;
use opensand_zk_verifier::InputVisibility::Public;
use sp_core::Pair;
use sp_runtime::{transaction_validity::TransactionValidityError, DispatchError};

use crate::{mock::*, Call};

fn refused(call: Call<Test>, reason: InvalidTransaction) {
	let error = TransactionValidityError::Invalid(reason);
	assert_eq!(validate(call.clone()), Err(error));
	assert_eq!(apply(call), Err(error));
}

#[test]
fn the_assigned_workers_result_is_valid_until_the_deadline() {
	run(|| {
		let request = asked();
		let proof = prove(request, &OUTPUT);
		let valid = validate(result_call(&WORKER, request, &OUTPUT, &proof)).unwrap();
		assert_eq!(
			valid.provides,
			vec![(b"opensand/inference".as_slice(), request).encode()]
		);
		assert!(valid.requires.is_empty() && valid.propagate);
		assert_eq!(valid.longevity, u64::from(TIMEOUT) + 1);
		run_to(record(request).deadline);
		assert_ok!(validate(result_call(&WORKER, request, &OUTPUT, &proof)));
		answer(request);
	});
}

#[test]
fn a_result_after_the_deadline_is_stale() {
	run(|| {
		let request = asked();
		let call = result_call(&WORKER, request, &OUTPUT, &prove(request, &OUTPUT));
		run_to(record(request).deadline + 1);
		refused(call, InvalidTransaction::Stale);
	});
}

#[test]
fn a_result_for_no_request_is_stale() {
	run(|| {
		let request = asked();
		let proof = prove(request, &OUTPUT);
		refused(
			result_call(&WORKER, request + 1, &OUTPUT, &proof),
			InvalidTransaction::Stale,
		);
		answer(request);
		refused(
			result_call(&WORKER, request, &OUTPUT, &proof),
			InvalidTransaction::Stale,
		);
		refused(decline_call(&WORKER, request), InvalidTransaction::Stale);
	});
}

#[test]
fn only_the_assigned_workers_signature_over_this_very_result_passes() {
	run(|| {
		let request = asked();
		serve(OTHER);
		let proof = prove(request, &OUTPUT);
		refused(
			result_call(&OTHER, request, &OUTPUT, &proof),
			InvalidTransaction::BadProof,
		);
		let Call::submit_result {
			output,
			proof,
			signature,
			..
		} = result_call(&WORKER, request, &OUTPUT, &proof)
		else {
			unreachable!()
		};
		let call = |output: &Output, proof: &Proof, signature| Call::submit_result {
			request,
			output: output.clone(),
			proof: proof.clone(),
			signature,
		};
		let mut other_output = output.clone();
		other_output[0] ^= 1;
		refused(
			call(&other_output, &proof, signature.clone()),
			InvalidTransaction::BadProof,
		);
		let mut other_proof = proof.clone();
		other_proof[0] ^= 1;
		refused(
			call(&output, &other_proof, signature.clone()),
			InvalidTransaction::BadProof,
		);
		// A byte that moves from the proof to the output makes another payload.
		let mut longer = output.clone();
		longer.try_push(proof[0]).unwrap();
		let shorter = proof[1..].to_vec().try_into().unwrap();
		refused(
			call(&longer, &shorter, signature.clone()),
			InvalidTransaction::BadProof,
		);
		// A refusal's signature is none for a result, and the other way round.
		let Call::decline_request {
			signature: refusal, ..
		} = decline_call(&WORKER, request)
		else {
			unreachable!()
		};
		refused(call(&output, &proof, refusal), InvalidTransaction::BadProof);
		refused(
			Call::decline_request {
				request,
				signature: signature.clone(),
			},
			InvalidTransaction::BadProof,
		);
		// The same request of another chain is another payload.
		let elsewhere = opensand_primitives::inference::result_payload(&[0; 32], request, &output, &proof);
		let foreign: worker_key::Signature = pair(&WORKER).sign(&elsewhere);
		refused(call(&output, &proof, foreign), InvalidTransaction::BadProof);
		assert_ok!(validate(call(&output, &proof, signature)));
	});
}

type Output = opensand_primitives::inference::OutputBytes;
type Proof = opensand_primitives::inference::ProofBytes;

#[test]
fn a_changed_key_signs_from_then_on() {
	run(|| {
		let request = asked();
		let proof = prove(request, &OUTPUT);
		let new = pair(&PAUPER).public();
		assert_ok!(Inference::update_worker(
			RuntimeOrigin::signed(WORKER),
			Some(new),
			None,
			None
		));
		refused(
			result_call(&WORKER, request, &OUTPUT, &proof),
			InvalidTransaction::BadProof,
		);
		assert_eq!(apply(result_call(&PAUPER, request, &OUTPUT, &proof)), Ok(Ok(())));
	});
}

#[test]
fn no_account_can_call_what_workers_authorise() {
	run(|| {
		let request = asked();
		let Call::submit_result {
			output,
			proof,
			signature,
			..
		} = result_call(&WORKER, request, &OUTPUT, &prove(request, &OUTPUT))
		else {
			unreachable!()
		};
		for origin in [
			RuntimeOrigin::signed(WORKER),
			RuntimeOrigin::root(),
			RuntimeOrigin::none(),
		] {
			let result = Inference::submit_result(
				origin.clone(),
				request,
				output.clone(),
				proof.clone(),
				signature.clone(),
			);
			assert_eq!(result.unwrap_err().error, DispatchError::BadOrigin);
			assert_eq!(
				Inference::decline_request(origin, request, signature.clone()),
				Err(DispatchError::BadOrigin)
			);
		}
	});
}

#[test]
fn result_and_refusal_share_the_tag() {
	run(|| {
		let request = asked();
		let result = validate(result_call(&WORKER, request, &OUTPUT, &prove(request, &OUTPUT))).unwrap();
		let refusal = validate(decline_call(&WORKER, request)).unwrap();
		assert_eq!(result.provides, refusal.provides);
		let second = ask(REQUESTER, Public, Some(WORKER)).unwrap();
		assert_ne!(
			validate(decline_call(&WORKER, second)).unwrap().provides,
			refusal.provides
		);
	});
}
