//! Proofs that the prover made of a real model's circuit, settled on the chain.

use frame_support::{assert_ok, BoundedVec};
use opensand_primitives::{
	currency::SAND,
	inference::{RequestInput, ResultFault},
	models::InferenceTerms,
	KeyId, ModelId, RequestId,
};
use opensand_zk_prover::fixtures::{self, Fixture, INPUT, SALT};
use opensand_zk_verifier::{
	poseidon::salted_input_hash,
	Binding,
	InputVisibility::{self, Hashed, Public},
};

use crate::mock::*;

const MODEL: ModelId = ModelId::repeat_byte(0xcc);

/// Registers the prover's small model and has the worker serve it.
fn serve_fixture(fixture: &Fixture, visibility: InputVisibility) {
	serve(WORKER);
	let key = KeyId::from(fixture.key_id());
	RegisteredKeys::insert(key, fixture.verifying_key());
	let terms = InferenceTerms {
		owner: OWNER,
		key,
		commitment: None,
		input_len: INPUT.len() as u32,
		output_len: 2,
		input_visibility: visibility,
		royalty: ROYALTY,
	};
	RegisteredModels::insert(MODEL, (terms, 0));
	assert_ok!(Inference::offer_model(
		RuntimeOrigin::signed(WORKER),
		MODEL,
		PRICE,
		MIN_TIMEOUT
	));
}

fn ask_fixture(visibility: InputVisibility) -> RequestId {
	let request = crate::NextRequestId::<Test>::get();
	let input = match visibility {
		Public => {
			let bytes = INPUT.iter().map(|value| value.cast_unsigned()).collect();
			RequestInput::Public(BoundedVec::truncate_from(bytes))
		}
		Hashed => RequestInput::Hashed {
			hash: salted_input_hash(&SALT, &INPUT),
			envelope: Default::default(),
		},
	};
	let origin = RuntimeOrigin::signed(REQUESTER);
	assert_ok!(Inference::request_inference(
		origin,
		MODEL,
		input,
		Some(WORKER),
		10 * SAND,
		TIMEOUT
	));
	request
}

fn binding(request: RequestId) -> Binding {
	let record = record(request);
	Binding {
		genesis: GENESIS,
		key: record.key.0,
		model: MODEL.0,
		request,
		worker: record.worker.into(),
	}
}

/// Output and proof as the prover gives them.
fn proven(fixture: &Fixture, binding: Binding) -> (Vec<u8>, Vec<u8>) {
	let (statement, proof) = fixture.prove(binding, &INPUT);
	(
		statement
			.output
			.iter()
			.map(|value| value.cast_unsigned())
			.collect(),
		proof,
	)
}

#[test]
fn a_real_proof_settles_for_either_visibility() {
	for visibility in [Public, Hashed] {
		run(|| {
			let fixture = Fixture::get(visibility);
			serve_fixture(fixture, visibility);
			let request = ask_fixture(visibility);
			let (output, proof) = proven(fixture, binding(request));
			let expected: Vec<u8> = fixtures::model()
				.evaluate(&INPUT)
				.unwrap()
				.iter()
				.map(|value| value.cast_unsigned())
				.collect();
			assert_eq!(output, expected);
			assert_ok!(apply(result_call(&WORKER, request, &output, &proof)).unwrap());
			assert_eq!(total(&WORKER), 1_000 * SAND + PRICE);
		});
	}
}

#[test]
fn a_real_proof_is_bound_to_request_worker_key_and_output() {
	run(|| {
		let fixture = Fixture::get(Public);
		serve_fixture(fixture, Public);
		let request = ask_fixture(Public);
		let check = |output: &[u8], proof: &[u8]| {
			Inference::check_result(request, output.to_vec(), proof.to_vec()).unwrap()
		};
		let own = binding(request);
		let (output, proof) = proven(fixture, own.clone());
		assert_eq!(check(&output, &proof), Ok(()));

		let mut other_output = output.clone();
		other_output[0] ^= 1;
		assert_eq!(check(&other_output, &proof), Err(ResultFault::InvalidProof));
		for binding in [
			Binding {
				request: request + 1,
				..own.clone()
			},
			Binding {
				worker: OTHER.into(),
				..own.clone()
			},
			Binding {
				genesis: [0; 32],
				..own.clone()
			},
			Binding {
				model: [0; 32],
				..own.clone()
			},
		] {
			let (output, proof) = proven(fixture, binding);
			assert_eq!(check(&output, &proof), Err(ResultFault::InvalidProof));
		}
		let (output, proof) = proven(&Fixture::new(Public, 2), own);
		assert_eq!(check(&output, &proof), Err(ResultFault::InvalidProof));
	});
}
