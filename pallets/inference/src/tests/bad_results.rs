//! Results that do not verify: each fault by its name, and what every one of them costs.

use frame_support::assert_ok;
use opensand_primitives::{
	currency::SAND,
	inference::{Outcome, RequestState, ResultFault},
	trapdoor::Trapdoor,
	RequestId,
};
use opensand_zk_verifier::{
	encode_g1, Curve, G1Affine, InputVisibility::Public, Native, StatementShape, G1_LEN, PROOF_LEN,
};

use crate::{mock::*, Event, HoldReason};

/// Submits a result and expects it to be rejected for `fault`, the fee given back and the worker slashed.
fn rejected(output: &[u8], proof: impl FnOnce(RequestId) -> Vec<u8>, fault: ResultFault) {
	run(|| {
		let request = asked();
		let proof = proof(request);
		assert_eq!(
			Inference::check_result(request, output.to_vec(), proof.clone()),
			Some(Err(fault))
		);
		assert_ok!(apply(result_call(&WORKER, request, output, &proof)).unwrap());
		System::assert_last_event(
			Event::ResultRejected {
				request,
				worker: WORKER,
				fault,
			}
			.into(),
		);

		let half = RequestBond::get() / 2;
		assert_eq!(held(HoldReason::RequestFee, &REQUESTER), 0);
		assert_eq!(total(&REQUESTER), 1_000 * SAND + half);
		assert_eq!(total(&TREASURY), 1_000 * SAND + half);
		let worker = Inference::worker(WORKER).unwrap();
		assert_eq!((worker.bond, worker.reserved, worker.open), (90 * SAND, 0, 0));
		assert_eq!(held(HoldReason::WorkerBond, &WORKER), 90 * SAND);
		assert_eq!(CreditedWork::get(WORKER), 0);
		let Some(RequestState::Closed(receipt)) = Inference::request(request) else {
			panic!("it has closed")
		};
		assert_eq!(receipt.outcome, Outcome::Rejected { fault });
	});
}

/// A valid proof with `bytes` written over it.
fn overwritten(at: usize, bytes: Vec<u8>) -> impl FnOnce(RequestId) -> Vec<u8> {
	move |request| {
		let mut proof = prove(request, &OUTPUT);
		proof[at..at + bytes.len()].copy_from_slice(&bytes);
		proof
	}
}

#[test]
fn wrong_output_length() {
	let proof = |request| prove(request, &OUTPUT);
	rejected(&OUTPUT[..1], proof, ResultFault::WrongOutputLength);
	// Such an output packs into the same word, with the last value at its least.
	rejected(
		&[OUTPUT[0], OUTPUT[1], 0x80],
		proof,
		ResultFault::WrongOutputLength,
	);
	rejected(&[], proof, ResultFault::WrongOutputLength);
}

#[test]
fn wrong_proof_length() {
	rejected(&OUTPUT, |_| Vec::new(), ResultFault::WrongProofLength);
	rejected(
		&OUTPUT,
		|request| prove(request, &OUTPUT)[1..].to_vec(),
		ResultFault::WrongProofLength,
	);
}

#[test]
fn non_canonical_coordinate() {
	for at in [0, G1_LEN, 3 * G1_LEN, 4 * G1_LEN] {
		rejected(
			&OUTPUT,
			overwritten(at, vec![0xff; 48]),
			ResultFault::NonCanonical,
		);
	}
	// The sign flag of the compressed encoding.
	rejected(
		&OUTPUT,
		|request| {
			let mut proof = prove(request, &OUTPUT);
			proof[0] |= 0x80;
			proof
		},
		ResultFault::NonCanonical,
	);
}

#[test]
fn point_off_the_curve() {
	for last in [G1_LEN, 3 * G1_LEN, 4 * G1_LEN, PROOF_LEN] {
		rejected(
			&OUTPUT,
			|request| {
				let mut proof = prove(request, &OUTPUT);
				proof[last - 1] ^= 1;
				proof
			},
			ResultFault::OffCurve,
		);
	}
}

#[test]
fn point_off_the_subgroup() {
	use ark_ec::AffineRepr;
	let point = (1u64..)
		.filter_map(|x| G1Affine::get_point_from_x_unchecked(x.into(), false))
		.find(|point| !point.is_zero() && !Native::is_in_subgroup_g1(point))
		.unwrap();
	let mut bytes = Vec::new();
	encode_g1(&mut bytes, &point);
	for at in [0, 3 * G1_LEN, 4 * G1_LEN] {
		rejected(&OUTPUT, overwritten(at, bytes.clone()), ResultFault::OffSubgroup);
	}
}

#[test]
fn identity_point() {
	for (at, len) in [
		(0, G1_LEN),
		(G1_LEN, 2 * G1_LEN),
		(3 * G1_LEN, G1_LEN),
		(4 * G1_LEN, G1_LEN),
	] {
		let mut identity = vec![0; len];
		identity[0] = 0x40;
		rejected(&OUTPUT, overwritten(at, identity), ResultFault::Identity);
	}
}

/// What the registry would not let happen is no fault of the worker's: the request stays open.
#[test]
fn a_registry_that_changes_under_a_request_costs_the_worker_nothing() {
	let changes: [fn(RequestId); 4] = [
		|request| RegisteredKeys::remove(record(request).key),
		|request| {
			let shape = StatementShape {
				visibility: Public,
				input_len: INPUT_LEN as u32 + 1,
				output_len: OUTPUT_LEN as u32,
			};
			let key = Trapdoor::new(0, shape)
				.key(opensand_zk_verifier::KeyOrigin::Development)
				.unwrap();
			RegisteredKeys::insert(record(request).key, key.to_bytes());
		},
		|request| {
			RegisteredModels::mutate(record(request).model, |entry| {
				entry.as_mut().unwrap().0.commitment = None;
			})
		},
		|request| {
			RegisteredModels::mutate(record(request).model, |entry| {
				entry.as_mut().unwrap().0.commitment = Some([0; G1_LEN]);
			})
		},
	];
	for change in changes {
		new_test_ext().execute_with(|| {
			serve(WORKER);
			let request = ask_committed(WORKER, Public, 1);
			let proof = prove(request, &OUTPUT);
			change(request);
			assert_eq!(
				apply(result_call(&WORKER, request, &OUTPUT, &proof)).unwrap(),
				Err(crate::Error::<Test>::MissingKey.into())
			);
			assert!(matches!(Inference::request(request), Some(RequestState::Open(_))));
			assert_eq!(Inference::worker(WORKER).unwrap().bond, 100 * SAND);
			assert_eq!(Inference::check_result(request, OUTPUT.to_vec(), proof), None);
		});
	}
}

#[test]
fn invalid_proofs() {
	let invalid = |proof: fn(RequestId) -> Vec<u8>| rejected(&OUTPUT, proof, ResultFault::InvalidProof);
	// For another output.
	invalid(|request| prove(request, &[0, 0]));
	// For another circuit.
	invalid(|request| {
		let statement = statement(request, &OUTPUT);
		let shape = StatementShape {
			visibility: Public,
			input_len: INPUT_LEN as u32,
			output_len: OUTPUT_LEN as u32,
		};
		Trapdoor::new(77, shape).prove(&statement, 0).unwrap().to_bytes()
	});
	// With A and C swapped.
	invalid(|request| {
		let proof = prove(request, &OUTPUT);
		let (a, b) = (&proof[..G1_LEN], &proof[G1_LEN..3 * G1_LEN]);
		let (c, committed) = (&proof[3 * G1_LEN..4 * G1_LEN], &proof[4 * G1_LEN..]);
		[c, b, a, committed].concat()
	});
	// With a point of another proof.
	invalid(|request| {
		let other = prove_statement(&statement(request, &OUTPUT), 1_000);
		[&other[..G1_LEN], &prove(request, &OUTPUT)[G1_LEN..]].concat()
	});
	// With the commitment of another proof, which gives another challenge.
	invalid(|request| {
		let other = prove_statement(&statement(request, &OUTPUT), 1_000);
		[&prove(request, &OUTPUT)[..4 * G1_LEN], &other[4 * G1_LEN..]].concat()
	});
}

#[test]
fn every_flipped_bit_is_refused() {
	run(|| {
		let request = asked();
		let proof = prove(request, &OUTPUT);
		for at in 0..PROOF_LEN {
			let mut bytes = proof.clone();
			bytes[at] ^= 1 << (at % 8);
			assert!(
				Inference::check_result(request, OUTPUT.to_vec(), bytes)
					.unwrap()
					.is_err(),
				"byte {at}"
			);
		}
		assert_eq!(
			Inference::check_result(request, OUTPUT.to_vec(), proof),
			Some(Ok(()))
		);
		assert_eq!(
			Inference::check_result(request + 1, OUTPUT.to_vec(), Vec::new()),
			None
		);
	});
}

#[test]
fn a_worker_has_one_attempt() {
	run(|| {
		let request = asked();
		let good = result_call(&WORKER, request, &OUTPUT, &prove(request, &OUTPUT));
		assert_ok!(apply(result_call(&WORKER, request, &OUTPUT, &[0; PROOF_LEN])).unwrap());
		assert!(apply(good).is_err());
		assert_eq!(Inference::worker(WORKER).unwrap().bond, 90 * SAND);
	});
}

#[test]
fn a_slashed_worker_has_slots_only_for_what_is_left() {
	run(|| {
		register(WORKER, 2 * RequestBond::get(), 4).unwrap();
		assert_ok!(Inference::offer_model(
			RuntimeOrigin::signed(WORKER),
			public_model(),
			PRICE,
			1
		));
		let request = ask(REQUESTER, Public, Some(WORKER)).unwrap();
		assert_ok!(apply(result_call(&WORKER, request, &OUTPUT, &[])).unwrap());
		assert_ok!(ask(REQUESTER, Public, Some(WORKER)));
		assert_eq!(
			ask(REQUESTER, Public, Some(WORKER)),
			Err(crate::Error::<Test>::WorkerBusy.into())
		);
	});
}

proptest::proptest! {
	#![proptest_config(proptest::prelude::ProptestConfig { cases: 64, ..Default::default() })]

	/// Whatever a worker sends is judged; nothing panics, and nothing but a proof settles.
	#[test]
	fn arbitrary_results_are_refused(
		output in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..8),
		proof in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..500),
		call in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600),
	) {
		use codec::Decode;
		let _ = crate::Call::<Test>::decode(&mut &call[..]);
		run(|| {
			let request = asked();
			assert!(Inference::check_result(request, output, proof).unwrap().is_err());
		});
	}
}
