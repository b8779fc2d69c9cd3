//! Models whose weights are committed: their results are verified with the recorded commitment and no other.

use frame_support::assert_ok;
use opensand_primitives::{currency::SAND, inference::ResultFault, trapdoor::Trapdoor, RequestId};
use opensand_zk_verifier::{
	verify,
	InputVisibility::{Hashed, Public},
	KeyOrigin, Native, Proof, Statement, StatementShape,
};

use crate::mock::*;

fn check(request: RequestId, proof: Vec<u8>) -> Result<(), ResultFault> {
	Inference::check_result(request, OUTPUT.to_vec(), proof).unwrap()
}

#[test]
fn both_visibilities_settle_with_constant_and_committed_weights() {
	for visibility in [Public, Hashed] {
		run(|| {
			serve(WORKER);
			let constant = ask(REQUESTER, visibility, Some(WORKER)).unwrap();
			let committed = VERSIONS.map(|version| ask_committed(WORKER, visibility, version));
			for (paid, request) in [constant].into_iter().chain(committed).enumerate() {
				answer(request);
				assert_eq!(total(&WORKER), 1_000 * SAND + PRICE * (paid as u128 + 1));
			}
		});
	}
}

#[test]
fn a_proof_with_another_versions_weights_is_refused() {
	for visibility in [Public, Hashed] {
		run(|| {
			serve(WORKER);
			let [first, second] = VERSIONS.map(|version| ask_committed(WORKER, visibility, version));
			assert_eq!(record(first).key, record(second).key);
			for (request, other) in [(first, second), (second, first)] {
				let statement = statement(request, &OUTPUT);
				let own = prove_with_weights_of(&record(request).model, &statement, 1);
				assert_eq!(check(request, own), Ok(()));
				let foreign = prove_with_weights_of(&record(other).model, &statement, 1);
				assert_eq!(check(request, foreign), Err(ResultFault::InvalidProof));
				// The other request's own proof, which is a good one.
				assert_eq!(
					check(request, prove(other, &OUTPUT)),
					Err(ResultFault::InvalidProof)
				);
			}
		});
	}
}

#[test]
fn a_proof_for_constant_weights_is_none_for_committed_ones() {
	run(|| {
		serve(WORKER);
		let constant = ask(REQUESTER, Public, Some(WORKER)).unwrap();
		let committed = ask_committed(WORKER, Public, 1);
		for (request, other) in [(constant, committed), (committed, constant)] {
			let statement = statement(request, &OUTPUT);
			let foreign = prove_with_weights_of(&record(other).model, &statement, 1);
			assert_eq!(check(request, foreign), Err(ResultFault::InvalidProof));
		}
	});
}

/// A registration by the same owner of the same model, whoever the worker is, answers no request.
#[test]
fn a_registration_proof_answers_no_request() {
	run(|| {
		serve(WORKER);
		let request = ask_committed(WORKER, Public, 1);
		let inference = statement(request, &OUTPUT);
		let trapdoor = Trapdoor::of_family(9, StatementShape::REGISTRATION);
		let key = trapdoor.key(KeyOrigin::Development).unwrap();
		let mut binding = inference.binding.clone();
		binding.key = key.id();
		binding.request = 0;
		let registration = Statement::registration(binding);
		let weights = weights(&record(request).model).unwrap();
		let commitment = weights.commitment().unwrap();
		let proof = trapdoor.prove_with(&registration, Some(&weights), 1).unwrap();
		assert_eq!(
			verify::<Native>(&key, &registration, Some(&commitment), &proof),
			Ok(())
		);
		assert_eq!(check(request, proof.to_bytes()), Err(ResultFault::InvalidProof));
		// Nor one of the request's statement under the registration key.
		let proof = trapdoor.prove_with(&inference, Some(&weights), 1).unwrap();
		assert_eq!(check(request, proof.to_bytes()), Err(ResultFault::InvalidProof));
	});
}

/// The commitment is the registry's: a worker that re-randomises it, with a proof to match, is refused.
#[test]
fn a_worker_cannot_bring_its_own_commitment() {
	use ark_ec::CurveGroup;
	run(|| {
		serve(WORKER);
		let request = ask_committed(WORKER, Public, 1);
		let bytes = prove(request, &OUTPUT);
		let proof = Proof::from_bytes_with::<Native>(&bytes).unwrap();
		let (a, b, c, committed) = proof.points();
		// What C would lose to a commitment that gained as much.
		let shifted = Proof::from_points(*a, *b, (*c + *committed).into_affine(), *committed).unwrap();
		assert_eq!(check(request, shifted.to_bytes()), Err(ResultFault::InvalidProof));
		assert_eq!(check(request, bytes), Ok(()));
	});
}

#[test]
fn a_refused_result_slashes_as_any_other() {
	run(|| {
		serve(WORKER);
		let request = ask_committed(WORKER, Public, 1);
		let statement = statement(request, &OUTPUT);
		let foreign = prove_with_weights_of(&committed_model(Public, 2), &statement, 1);
		assert_ok!(apply(result_call(&WORKER, request, &OUTPUT, &foreign)).unwrap());
		assert_eq!(Inference::worker(WORKER).unwrap().bond, 90 * SAND);
	});
}

#[test]
fn what_a_node_proves_names_the_weights() {
	run(|| {
		serve(WORKER);
		let [first, second] = VERSIONS.map(|version| ask_committed(WORKER, Public, version));
		let commitments = [first, second].map(|request| {
			let terms = RegisteredModels::get(record(request).model).unwrap().0;
			terms.commitment.unwrap()
		});
		assert_ne!(commitments[0], commitments[1]);
		for (request, commitment) in [first, second].into_iter().zip(commitments) {
			let input = Inference::request_input(request).unwrap();
			let job = Inference::job(request, &record(request), input);
			assert_eq!(job.commitment, Some(commitment));
			assert_eq!(job.key, record(request).key);
		}
	});
}
