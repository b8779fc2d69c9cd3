//! Verifying keys: encoding and the checks at registration.

use crate::{
	proofs::{off_subgroup, replaced},
	scene::Scene,
};
use ark_bls12_381::{G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use opensand_zk_verifier::{
	encode_g1, encode_g2, InputVisibility, KeyError, KeyG2, KeyOrigin, Native, StatementShape, VerifyingKey,
	MAX_KEY_LEN, MAX_WORDS,
};

/// Offsets in a development key.
const VISIBILITY: usize = 2;
const INPUT_LEN: usize = 3;
const OUTPUT_LEN: usize = 7;
const SEGMENTS: usize = 11;
const ALPHA: usize = 12;
const BETA: usize = ALPHA + 96;

fn decode(bytes: &[u8]) -> Result<VerifyingKey, KeyError> {
	let native = VerifyingKey::from_bytes_with::<Native>(bytes);
	assert_eq!(native, VerifyingKey::from_bytes(bytes));
	native
}

#[test]
fn keys_round_trip_and_have_ids_of_their_own() {
	let mut ids = Vec::new();
	for (scene, len) in [
		(Scene::constant(1), 1260),
		(Scene::committed(2), 1452),
		(Scene::hashed(3), 1260),
		(Scene::registration(4), 1452),
	] {
		let ceremony = scene.setup.key_of_origin(KeyOrigin::Ceremony {
			transcript_hash: [9; 32],
		});
		for (key, len) in [(&scene.key, len), (&ceremony, len + 32)] {
			let bytes = key.to_bytes();
			assert_eq!(bytes.len(), len);
			assert!(len <= MAX_KEY_LEN);
			assert_eq!(decode(&bytes).as_ref(), Ok(key));
			assert_eq!(VerifyingKey::from_trusted_bytes(&bytes).as_ref(), Ok(key));
			ids.push(key.id());
		}
		assert_eq!(scene.key.shape(), scene.setup.shape);
		assert_eq!(scene.key.has_weights(), scene.registered.is_some());
		assert_eq!(scene.key.origin(), KeyOrigin::Development);
	}
	assert_eq!(MAX_KEY_LEN, 1452 + 32);
	for (i, id) in ids.iter().enumerate() {
		assert!(!ids[..i].contains(id));
	}
}

#[test]
fn headers_are_checked() {
	for scene in [Scene::constant(4), Scene::committed(5)] {
		let bytes = scene.key.to_bytes();
		for len in 0..bytes.len() {
			assert_eq!(decode(&bytes[..len]), Err(KeyError::WrongLength), "{len} bytes");
		}
		assert_eq!(decode(&[&bytes[..], &[0]].concat()), Err(KeyError::WrongLength));
		for version in [0, 1, 3, 0xff] {
			assert_eq!(
				decode(&replaced(&bytes, 0, &[version])),
				Err(KeyError::UnsupportedVersion)
			);
		}
		assert_eq!(decode(&replaced(&bytes, 1, &[1])), {
			// A ceremony's hash takes the next 32 bytes, and what follows is no header.
			let shifted = bytes[34];
			assert!(
				shifted > 1,
				"the test's key has a coordinate byte that is no visibility"
			);
			Err(KeyError::UnknownVisibility)
		});
		assert_eq!(decode(&replaced(&bytes, 1, &[2])), Err(KeyError::UnknownOrigin));
		assert_eq!(
			decode(&replaced(&bytes, VISIBILITY, &[2])),
			Err(KeyError::UnknownVisibility)
		);
		assert_eq!(
			decode(&replaced(&bytes, SEGMENTS, &[2])),
			Err(KeyError::UnknownSegments)
		);
		// The other number of segments has another length.
		let other = bytes[SEGMENTS] ^ 1;
		assert_eq!(
			decode(&replaced(&bytes, SEGMENTS, &[other])),
			Err(KeyError::WrongLength)
		);
		for tensor in [INPUT_LEN, OUTPUT_LEN] {
			assert_eq!(
				decode(&replaced(&bytes, tensor, &[0; 4])),
				Err(KeyError::EmptyTensor)
			);
			assert_eq!(
				decode(&replaced(&bytes, tensor, &[0xff; 4])),
				Err(KeyError::TooManyWords)
			);
		}
	}
}

/// Neither input nor output: a registration key, which has a weights' segment and a public input.
#[test]
fn empty_tensors_are_a_registrations() {
	let registration = Scene::registration(10).key;
	assert!(registration.is_registration());
	assert_eq!(registration.shape().words(), 0);
	let bytes = registration.to_bytes();
	for (at, part) in [
		(VISIBILITY, [1].as_slice()),
		(INPUT_LEN, &[1]),
		(OUTPUT_LEN, &[1]),
	] {
		assert_eq!(decode(&replaced(&bytes, at, part)), Err(KeyError::EmptyTensor));
	}
	let without_weights = replaced(&bytes, SEGMENTS, &[0]);
	assert_eq!(decode(&without_weights), Err(KeyError::EmptyTensor));

	for (scene, emptied) in [
		(Scene::constant(11), Err(KeyError::EmptyTensor)),
		(Scene::hashed(12), Err(KeyError::EmptyTensor)),
		(Scene::committed(13), Ok(true)),
	] {
		assert!(!scene.key.is_registration());
		let empty = replaced(&scene.key.to_bytes(), INPUT_LEN, &[0; 8]);
		assert_eq!(decode(&empty).map(|key| key.is_registration()), emptied);
	}
}

#[test]
fn words_are_bounded() {
	let scene = Scene::constant(6);
	let key = |visibility, input_len: usize, output_len: usize| {
		let mut bytes = scene.key.to_bytes();
		bytes[VISIBILITY] = matches!(visibility, InputVisibility::Hashed).into();
		bytes[INPUT_LEN..OUTPUT_LEN].copy_from_slice(&(input_len as u32).to_le_bytes());
		bytes[OUTPUT_LEN..SEGMENTS].copy_from_slice(&(output_len as u32).to_le_bytes());
		decode(&bytes).map(|key| key.shape().words())
	};
	use InputVisibility::{Hashed, Public};
	assert_eq!(key(Public, 31 * (MAX_WORDS - 1), 31), Ok(MAX_WORDS));
	assert_eq!(key(Public, 31 * (MAX_WORDS - 1), 1), Ok(MAX_WORDS));
	assert_eq!(key(Public, 31 * (MAX_WORDS - 1), 32), Err(KeyError::TooManyWords));
	assert_eq!(key(Hashed, u32::MAX as usize, 31), Ok(2));
	assert_eq!(key(Hashed, 1, 31 * (MAX_WORDS - 1)), Ok(MAX_WORDS));
	assert_eq!(
		key(Hashed, 1, 31 * (MAX_WORDS - 1) + 1),
		Err(KeyError::TooManyWords)
	);
}

#[test]
fn points_are_checked_in_every_position() {
	let (off1, off2) = off_subgroup();
	let (mut off1_bytes, mut off2_bytes) = (Vec::new(), Vec::new());
	encode_g1(&mut off1_bytes, &off1);
	encode_g2(&mut off2_bytes, &off2);
	for (scene, g2_points) in [(Scene::constant(7), 4), (Scene::committed(8), 5)] {
		let bytes = scene.key.to_bytes();
		let ic = BETA + g2_points * 192;
		let g1 = [ALPHA, ic, ic + 96, ic + 192, ic + 288].map(|offset| (offset, 96, &off1_bytes));
		let g2 = (0..g2_points).map(|i| (BETA + i * 192, 192, &off2_bytes));
		for (offset, len, off_subgroup) in g1.into_iter().chain(g2) {
			let wrong = replaced(&bytes, offset, off_subgroup);
			assert_eq!(decode(&wrong), Err(KeyError::OffSubgroup), "at {offset}");
			// What was stored was checked: only the subgroup test is left out.
			assert!(VerifyingKey::from_trusted_bytes(&wrong).is_ok());

			let wrong = replaced(&bytes, offset, &vec![0; len]);
			assert_eq!(decode(&wrong), Err(KeyError::OffCurve));
			assert_eq!(VerifyingKey::from_trusted_bytes(&wrong), Err(KeyError::OffCurve));
			let wrong = replaced(&bytes, offset, &vec![0xff; len]);
			assert_eq!(decode(&wrong), Err(KeyError::NonCanonical));
			let mut identity = vec![0; len];
			identity[0] = 0x40;
			let wrong = replaced(&bytes, offset, &identity);
			assert_eq!(decode(&wrong), Err(KeyError::Identity));
		}
	}
}

#[test]
fn trapdoors_are_different_up_to_sign() {
	let scene = Scene::committed(9);
	let bytes = scene.key.to_bytes();
	let (alpha, points, ic) = scene.key.points();
	let trapdoors = [
		points.gamma,
		points.delta,
		points.delta_committed,
		points.delta_weights.unwrap(),
	];
	for (i, one) in trapdoors.iter().enumerate() {
		for j in (0..trapdoors.len()).filter(|j| *j != i) {
			for same in [*one, -*one] {
				let mut part = Vec::new();
				encode_g2(&mut part, &same);
				let wrong = replaced(&bytes, BETA + (1 + j) * 192, &part);
				assert_eq!(decode(&wrong), Err(KeyError::EqualTrapdoors));
				assert_eq!(
					VerifyingKey::from_trusted_bytes(&wrong),
					Err(KeyError::EqualTrapdoors)
				);
			}
		}
	}
	// β belongs to no segment and may be anything but the identity.
	let beta = KeyG2 {
		beta: points.gamma,
		..*points
	};
	assert!(VerifyingKey::from_points(KeyOrigin::Development, scene.key.shape(), *alpha, beta, *ic).is_ok());
}

#[test]
fn keys_from_points_are_checked_too() {
	let g1 = G1Affine::generator();
	let g2 = |scalar: u64| (G2Affine::generator() * ark_bls12_381::Fr::from(scalar)).into_affine();
	let shape = StatementShape {
		visibility: InputVisibility::Public,
		input_len: 1,
		output_len: 1,
	};
	let points = KeyG2 {
		beta: g2(1),
		gamma: g2(2),
		delta: g2(3),
		delta_committed: g2(4),
		delta_weights: Some(g2(5)),
	};
	let key = |shape, alpha, points, ic| {
		VerifyingKey::from_points(KeyOrigin::Development, shape, alpha, points, ic).map(|_| ())
	};
	assert_eq!(key(shape, g1, points, [g1; 4]), Ok(()));
	let zero = G1Affine::identity();
	assert_eq!(key(shape, zero, points, [g1; 4]), Err(KeyError::Identity));
	for position in 0..4 {
		let mut ic = [g1; 4];
		ic[position] = zero;
		assert_eq!(key(shape, g1, points, ic), Err(KeyError::Identity));
	}
	for set in [
		|points: &mut KeyG2, point| points.beta = point,
		|points: &mut KeyG2, point| points.gamma = point,
		|points: &mut KeyG2, point| points.delta = point,
		|points: &mut KeyG2, point| points.delta_committed = point,
		|points: &mut KeyG2, point| points.delta_weights = Some(point),
	] {
		let mut points = points;
		set(&mut points, G2Affine::identity());
		assert_eq!(key(shape, g1, points, [g1; 4]), Err(KeyError::Identity));
	}
	let empty = StatementShape {
		output_len: 0,
		..shape
	};
	assert_eq!(key(empty, g1, points, [g1; 4]), Err(KeyError::EmptyTensor));
	let registration = StatementShape::REGISTRATION;
	assert_eq!(key(registration, g1, points, [g1; 4]), Ok(()));
	let constant = KeyG2 {
		delta_weights: None,
		..points
	};
	assert_eq!(
		key(registration, g1, constant, [g1; 4]),
		Err(KeyError::EmptyTensor)
	);
}
