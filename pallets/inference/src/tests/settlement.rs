//! What a verified result does, and to whom the money goes.

use codec::Encode;
use frame_support::{assert_ok, dispatch::GetDispatchInfo};
use opensand_primitives::{
	currency::SAND,
	inference::{Outcome, Receipt, RequestState},
	Balance,
};
use opensand_zk_verifier::{
	InputVisibility::{Hashed, Public},
	StatementInput,
};
use sp_runtime::{
	transaction_validity::{InvalidTransaction, TransactionValidityError},
	BoundedVec,
};

use crate::{mock::*, Call, Event, HoldReason, WeightInfo};

const START: Balance = 1_000 * SAND;

fn author_share() -> Balance {
	AuthorShare::get() * fee().protocol
}

#[test]
fn everybody_is_paid_in_one_extrinsic() {
	for visibility in [Public, Hashed] {
		run(|| {
			serve(WORKER);
			let request = ask(REQUESTER, visibility, Some(WORKER)).unwrap();
			answer(request);
			let treasury = fee().protocol - author_share();
			assert_eq!(total(&REQUESTER), START - fee().total().unwrap());
			assert_eq!(total(&WORKER), START + PRICE);
			assert_eq!(total(&OWNER), START + ROYALTY);
			assert_eq!(total(&AUTHOR), START + author_share());
			assert_eq!(total(&TREASURY), START + treasury);
			assert_eq!(held(HoldReason::RequestFee, &REQUESTER), 0);
			assert_eq!(CreditedWork::get(WORKER), PRICE);
			System::assert_last_event(
				Event::InferenceSettled {
					request,
					model: model(visibility),
					requester: REQUESTER,
					worker: WORKER,
					output: BoundedVec::truncate_from(OUTPUT.to_vec()),
					worker_paid: PRICE,
					owner: OWNER,
					owner_paid: ROYALTY,
					author: Some(AUTHOR),
					author_paid: author_share(),
					treasury_paid: treasury,
				}
				.into(),
			);
		});
	}
}

#[test]
fn the_slot_is_free_again_and_a_receipt_stays() {
	run(|| {
		let request = asked();
		run_for(3);
		answer(request);
		let worker = Inference::worker(WORKER).unwrap();
		assert_eq!((worker.open, worker.reserved, worker.bond), (0, 0, 100 * SAND));
		assert!(Inference::assigned_to(WORKER).is_empty());
		assert!(Inference::requests_of(REQUESTER, 10).is_empty());
		assert_eq!(Inference::request_input(request), None);
		let receipt = Receipt {
			requester: REQUESTER,
			model: public_model(),
			worker: WORKER,
			closed_at: 4,
			outcome: Outcome::Settled {
				output: BoundedVec::truncate_from(OUTPUT.to_vec()),
			},
		};
		assert_eq!(Inference::request(request), Some(RequestState::Closed(receipt)));
		run_for(RECEIPT_PERIOD);
		assert!(Inference::request(request).is_some());
		run_for(2);
		assert_eq!(Inference::request(request), None);
	});
}

#[test]
fn a_repeated_question_is_a_new_request_with_a_proof_of_its_own() {
	run(|| {
		let first = asked();
		let second = ask(REQUESTER, Public, Some(WORKER)).unwrap();
		let proof = prove(first, &OUTPUT);
		answer(first);
		assert_ok!(apply(result_call(&WORKER, second, &OUTPUT, &proof)).unwrap());
		System::assert_last_event(
			Event::ResultRejected {
				request: second,
				worker: WORKER,
				fault: opensand_primitives::inference::ResultFault::InvalidProof,
			}
			.into(),
		);
		let third = ask(REQUESTER, Public, Some(WORKER)).unwrap();
		answer(third);
	});
}

#[test]
fn a_proof_seen_in_the_pool_is_worth_nothing_to_another_worker() {
	run(|| {
		let request = asked();
		serve(OTHER);
		let same = ask(REQUESTER, Public, Some(OTHER)).unwrap();
		let seen = prove(request, &OUTPUT);
		assert_eq!(
			apply(result_call(&OTHER, request, &OUTPUT, &seen)),
			Err(TransactionValidityError::Invalid(InvalidTransaction::BadProof))
		);
		// Nor for the same question that it was asked itself.
		assert_eq!(
			Inference::check_result(same, OUTPUT.to_vec(), seen.clone()),
			Some(Err(opensand_primitives::inference::ResultFault::InvalidProof))
		);
		assert_eq!(
			Inference::check_result(request, OUTPUT.to_vec(), seen),
			Some(Ok(()))
		);
	});
}

#[test]
fn a_rerandomised_proof_verifies_and_cannot_settle_twice() {
	use ark_ec::CurveGroup;
	use ark_ff::Field;
	use opensand_zk_verifier::{Fr, Native, Proof};
	run(|| {
		let request = asked();
		let original = prove(request, &OUTPUT);
		let proof = Proof::from_bytes_with::<Native>(&original).unwrap();
		let (a, b, c, committed) = proof.points();
		let factor = Fr::from(7u64);
		let other = Proof::from_points(
			(*a * factor).into_affine(),
			(*b * factor.inverse().unwrap()).into_affine(),
			*c,
			*committed,
		)
		.unwrap()
		.to_bytes();
		assert_ne!(other, original);
		let check = |proof: &Vec<u8>| Inference::check_result(request, OUTPUT.to_vec(), proof.clone());
		assert_eq!((check(&original), check(&other)), (Some(Ok(())), Some(Ok(()))));
		assert_eq!(
			apply(result_call(&WORKER, request, &OUTPUT, &original)),
			Ok(Ok(()))
		);
		let paid = total(&WORKER);
		for proof in [original, other] {
			assert_eq!(
				apply(result_call(&WORKER, request, &OUTPUT, &proof)),
				Err(TransactionValidityError::Invalid(InvalidTransaction::Stale))
			);
		}
		assert_eq!(total(&WORKER), paid);
	});
}

#[test]
fn unused_verification_weight_is_given_back() {
	run(|| {
		let request = asked();
		let call = result_call(&WORKER, request, &OUTPUT, &prove(request, &OUTPUT));
		let words = statement(request, &OUTPUT).words().unwrap().len() as u32;
		let charged = call.get_dispatch_info().call_weight;
		assert!(charged.all_gte(<() as WeightInfo>::submit_result(words)));
		let Call::submit_result {
			output,
			proof,
			signature,
			..
		} = call
		else {
			unreachable!()
		};
		let origin = frame_system::RawOrigin::Authorized.into();
		let info = Inference::submit_result(origin, request, output, proof, signature).unwrap();
		assert_eq!(info.actual_weight, Some(<() as WeightInfo>::submit_result(words)));
	});
}

#[test]
fn an_unknown_authors_share_is_the_treasurys() {
	run(|| {
		let request = asked();
		Author::set(&None);
		answer(request);
		assert_eq!(total(&TREASURY), START + fee().protocol);
	});
}

#[test]
fn an_author_who_cannot_receive_does_not_stop_the_others() {
	run(|| {
		let request = asked();
		Author::set(&Some(PAUPER));
		assert!(author_share() < EXISTENTIAL_DEPOSIT);
		answer(request);
		assert_eq!(total(&PAUPER), 0);
		assert_eq!(total(&TREASURY), START + fee().protocol);
		assert_eq!(total(&WORKER), START + PRICE);
	});
}

#[test]
fn an_owner_who_cannot_receive_does_not_stop_the_others() {
	run(|| {
		let (mut terms, uses) = RegisteredModels::get(public_model()).unwrap();
		terms.owner = PAUPER;
		terms.royalty = EXISTENTIAL_DEPOSIT - 1;
		RegisteredModels::insert(public_model(), (terms, uses));
		let request = asked();
		let fee = record(request).fee;
		answer(request);
		assert_eq!(total(&PAUPER), 0);
		let author = AuthorShare::get().mul_floor(fee.protocol);
		assert_eq!(total(&TREASURY), START + fee.protocol - author + fee.royalty);
	});
}

#[test]
fn one_account_may_be_everybody() {
	run(|| {
		let (mut terms, uses) = RegisteredModels::get(public_model()).unwrap();
		terms.owner = WORKER;
		RegisteredModels::insert(public_model(), (terms, uses));
		Author::set(&Some(WORKER));
		serve(WORKER);
		let request = ask(WORKER, Public, Some(WORKER)).unwrap();
		answer(request);
		assert_eq!(total(&WORKER), START - (fee().protocol - author_share()));
	});
}

#[test]
fn terms_are_those_of_the_requests_time() {
	run(|| {
		let request = asked();
		let (mut terms, uses) = RegisteredModels::get(public_model()).unwrap();
		terms.royalty = 0;
		RegisteredModels::insert(public_model(), (terms, uses));
		let origin = RuntimeOrigin::signed(WORKER);
		assert_ok!(Inference::offer_model(origin, public_model(), 5 * PRICE, 1));
		answer(request);
		assert_eq!(total(&OWNER), START + ROYALTY);
		assert_eq!(total(&WORKER), START + PRICE);
	});
}

#[test]
fn the_statement_binds_everything() {
	run(|| {
		let request = asked();
		let check = |statement| {
			Inference::check_result(request, OUTPUT.to_vec(), prove_statement(&statement, 9)).unwrap()
		};
		let good = statement(request, &OUTPUT);
		assert_eq!(check(good.clone()), Ok(()));
		let changes: [fn(&mut opensand_zk_verifier::Statement); 7] = [
			|statement| statement.binding.genesis[0] ^= 1,
			|statement| statement.binding.key[0] ^= 1,
			|statement| statement.binding.model[0] ^= 1,
			|statement| statement.binding.request += 1,
			|statement| statement.binding.worker[0] ^= 1,
			|statement| statement.output[0] ^= 1,
			|statement| {
				let StatementInput::Public(values) = &mut statement.input else {
					unreachable!()
				};
				values[0] ^= 1;
			},
		];
		for change in changes {
			let mut statement = good.clone();
			change(&mut statement);
			assert_eq!(
				check(statement),
				Err(opensand_primitives::inference::ResultFault::InvalidProof)
			);
		}
	});
}

#[test]
fn a_result_fits_into_what_it_declares() {
	run(|| {
		let request = asked();
		let call = result_call(&WORKER, request, &OUTPUT, &prove(request, &OUTPUT));
		// Request id, output, proof and signature, and nothing else of size.
		assert!(call.encoded_size() < 480 + 64 + OUTPUT_LEN + 16);
	});
}
