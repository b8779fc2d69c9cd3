//! Registrations of weights: statements without words, and the one commitment that two keys have in common.

use crate::{
	scene::{verify_all, Scene},
	slow::{
		prover::{Blinding, Registered},
		setup::{g1, g2, Setup, Trapdoors},
	},
};
use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, Field, UniformRand};
use opensand_zk_verifier::{
	verify_batch, BatchItem, Binding, G1Affine, KeyG2, KeyOrigin, Native, Statement, StatementInput,
	StatementShape, VerifyError, VerifyingKey,
};
use std::mem::replace;

#[test]
fn a_registration_has_no_words_and_folds_to_zero() {
	let mut scene = Scene::registration(1);
	let proven = scene.proven();
	assert_eq!(proven.statement.words(), Ok(Vec::new()));
	assert_eq!(proven.inputs()[2], Fr::ZERO);
	let challenges = scene.challenges(&proven.statement, &proven.logarithms.committed);
	assert_eq!(
		proven.statement.public_inputs(&challenges),
		Ok([challenges.r, challenges.b, Fr::ZERO])
	);
	assert_eq!(scene.verify(&proven.statement, &proven.proof()), Ok(()));
}

/// What the registration is for: the commitment that was registered is the one of the inference's proofs.
#[test]
fn one_commitment_serves_both_keys() {
	for domains in [[32, 32], [16, 32], [64, 32], [16, 64]] {
		let (mut registration, mut inference) = Scene::family_over(2, domains);
		assert!(registration.key.registers_for(&inference.key));
		let registered = inference.registered.clone().unwrap();
		let (mask, weights) = registered.weights.split_first().unwrap();
		let again = registration.setup.register(*mask, weights);
		assert_eq!(again.commitment, registered.commitment);
		let deltas = [&registration.key, &inference.key].map(|key| key.points().1.delta_weights);
		assert_eq!(deltas[0] == deltas[1], domains[0] == domains[1]);

		let proven = [registration.proven(), inference.proven()];
		let proofs = [proven[0].proof(), proven[1].proof()];
		let items = [0, 1].map(|i| BatchItem {
			key: [&registration.key, &inference.key][i],
			statement: &proven[i].statement,
			weights: Some(&registered.commitment),
			proof: &proofs[i],
		});
		for item in items {
			let verdict = verify_all(item.key, item.statement, item.weights, item.proof);
			assert_eq!(verdict, Ok(()));
		}
		assert_eq!(verify_batch::<Native>(&items), Ok(()));
	}
}

/// The scene over the larger domain, then the other.
fn by_domain(registration: Scene, inference: Scene) -> [Scene; 2] {
	if registration.setup.domain > inference.setup.domain {
		[registration, inference]
	} else {
		[inference, registration]
	}
}

/// An honest prover's proof about a commitment that is none under the scene's key.
fn is_refused(scene: &mut Scene, registered: Registered) {
	let registered = scene.registered.replace(registered);
	let proven = scene.proven();
	assert_eq!(
		scene.verify(&proven.statement, &proven.proof()),
		Err(VerifyError::InvalidProof)
	);
	// Nor does it pass as the registered one.
	scene.registered = registered;
	assert_eq!(
		scene.verify(&proven.statement, &proven.proof()),
		Err(VerifyError::InvalidProof)
	);
}

/// Weights committed to with the elements that rows side by side in the larger domain would have.
#[test]
fn commitments_over_rows_that_are_not_spread_are_refused() {
	for domains in [[16, 32], [64, 32]] {
		let (registration, inference) = Scene::family_over(12, domains);
		let [mut larger, mut smaller] = by_domain(registration, inference);
		let registered = larger.registered.clone().unwrap();
		let (mask, weights) = registered.weights.split_first().unwrap();
		let with_factor = larger.setup.trapdoors.clone();
		let without = Trapdoors {
			delta_weights: smaller.setup.trapdoors.delta_weights,
			..with_factor.clone()
		};
		for trapdoors in [with_factor, without] {
			let (circuit, shape) = (larger.setup.circuit.clone(), larger.setup.shape);
			let unspread = Setup::with_stride(1, circuit, shape, trapdoors);
			let other = unspread.register(*mask, weights);
			assert_ne!(other.commitment, registered.commitment);
			is_refused(&mut larger, other.clone());
			is_refused(&mut smaller, other.clone());
			// A prover that has all rows side by side.
			let setup = replace(&mut larger.setup, unspread);
			is_refused(&mut larger, other);
			is_refused(&mut larger, registered.clone());
			larger.setup = setup;
		}
		// What is registered is still accepted.
		for scene in [&mut larger, &mut smaller] {
			let proven = scene.proven();
			assert_eq!(scene.verify(&proven.statement, &proven.proof()), Ok(()));
		}
	}
}

/// The factor of another domain, none, or that of the larger domain in the key over the smaller: no commitment is one under both keys.
#[test]
fn another_factor_of_the_weights_trapdoor_parts_a_family() {
	for domains in [[16, 32], [64, 32]] {
		let (registration, inference) = Scene::family_over(13, domains);
		let [larger, smaller] = by_domain(registration, inference);
		let registered = larger.registered.clone().unwrap();
		let (mask, weights) = registered.weights.split_first().unwrap();
		let shared = &smaller.setup.trapdoors;
		let [small, large] = [&smaller, &larger].map(|scene| scene.setup.domain);
		for (scene, wrong) in [
			(&larger, shared.clone()),
			(&larger, shared.spread(small, 4 * small * large)),
			(&smaller, shared.spread(small, large)),
		] {
			let trapdoors = Trapdoors {
				delta_weights: wrong.delta_weights,
				..scene.setup.trapdoors.clone()
			};
			let stride = scene.setup.domain / small;
			let (circuit, shape) = (scene.setup.circuit.clone(), scene.setup.shape);
			let setup = Setup::with_stride(stride, circuit, shape, trapdoors);
			let mut other = Scene::of(setup, scene.rng.clone());
			let own = other.setup.register(*mask, weights);
			assert_ne!(own.commitment, registered.commitment);
			other.registered = Some(own);
			is_refused(&mut other, registered.clone());
		}
	}
}

#[test]
fn weights_that_are_not_well_formed_are_refused() {
	let mut scene = Scene::registration(3);
	for weights in [[4u64, 0], [0, 7]] {
		scene.registered = Some(scene.register(&weights.map(Fr::from)));
		let statement = scene.statement();
		let committed = scene.committed_values(&statement);
		let proven = scene.prove_with(&statement, &committed, Blinding::random(&mut scene.rng.clone()));
		assert!(!scene.setup.circuit.is_satisfied(&proven.z));
		assert_eq!(
			scene.verify(&statement, &proven.proof()),
			Err(VerifyError::InvalidProof)
		);
	}
}

#[test]
fn other_weights_than_the_committed_ones_are_refused() {
	let mut scene = Scene::registration(4);
	let statement = scene.statement();
	let other = scene.register(&[Fr::ONE, Fr::ONE]);
	let registered = scene.registered.replace(other).unwrap();
	// An honest proof of another commitment, and one that names the registered commitment to the challenge only.
	let proven = scene.prove(&statement);
	let other = scene.registered.replace(registered.clone()).unwrap();
	assert_eq!(
		scene.verify(&statement, &proven.proof()),
		Err(VerifyError::InvalidProof)
	);
	scene.registered = Some(crate::slow::prover::Registered {
		weights: other.weights,
		..registered
	});
	let proven = scene.prove(&statement);
	assert_eq!(
		scene.verify(&statement, &proven.proof()),
		Err(VerifyError::InvalidProof)
	);
}

#[test]
fn a_registration_is_one_owners_model_on_one_chain() {
	let mut scene = Scene::registration(5);
	let proven = scene.proven();
	assert_eq!(proven.statement.binding.request, 0);
	for change in [
		|binding: &mut Binding| binding.genesis[0] ^= 1,
		|binding: &mut Binding| binding.model[31] ^= 1,
		|binding: &mut Binding| binding.request = 1,
		|binding: &mut Binding| binding.worker[0] ^= 1,
	] {
		let mut statement = proven.statement.clone();
		change(&mut statement.binding);
		assert_eq!(
			scene.verify(&statement, &proven.proof()),
			Err(VerifyError::InvalidProof)
		);
	}
}

#[test]
fn a_registration_is_no_inference_and_an_inference_no_registration() {
	let (mut registration, mut inference) = Scene::family(6);
	let (registered, inferred) = (registration.proven(), inference.proven());
	for (scene, other, proven, refused) in [
		(
			&registration,
			&inference,
			&registered,
			VerifyError::WrongInputLength,
		),
		(
			&inference,
			&registration,
			&inferred,
			VerifyError::WrongInputLength,
		),
	] {
		let proof = proven.proof();
		assert_eq!(scene.verify(&proven.statement, &proof), Ok(()));
		assert_eq!(
			other.verify(&proven.statement, &proof),
			Err(VerifyError::WrongKey)
		);
		let mut renamed = proven.statement.clone();
		renamed.binding.key = other.key.id();
		assert_eq!(other.verify(&renamed, &proof), Err(refused));
	}
	assert_eq!(
		registration.verify(&registered.statement, &inferred.proof()),
		Err(VerifyError::InvalidProof)
	);
	assert_eq!(
		inference.verify(&inferred.statement, &registered.proof()),
		Err(VerifyError::InvalidProof)
	);
}

/// An output beside no input, a hash instead of it, a missing commitment.
#[test]
fn a_registration_says_nothing_else() {
	let mut scene = Scene::registration(7);
	let proven = scene.proven();
	let expect = |error, change: &dyn Fn(&mut Statement)| {
		let mut statement = proven.statement.clone();
		change(&mut statement);
		assert_eq!(scene.verify(&statement, &proven.proof()), Err(error));
	};
	expect(VerifyError::WrongOutputLength, &|statement| {
		statement.output.push(0)
	});
	expect(VerifyError::WrongInputLength, &|statement| {
		statement.input = StatementInput::Public(vec![-128]);
	});
	expect(VerifyError::WrongVisibility, &|statement| {
		statement.input = StatementInput::Hashed([0; 32]);
	});
	let missing = verify_all(&scene.key, &proven.statement, None, &proven.proof());
	assert_eq!(missing, Err(VerifyError::MissingWeights));
}

/// A key like the given one with another α, other points of G2 or another shape.
fn like(
	key: &VerifyingKey,
	change: impl FnOnce(&mut G1Affine, &mut KeyG2, &mut StatementShape),
) -> VerifyingKey {
	let (alpha, g2, ic) = key.points();
	let (mut alpha, mut g2, mut shape) = (*alpha, *g2, key.shape());
	change(&mut alpha, &mut g2, &mut shape);
	VerifyingKey::from_points(key.origin(), shape, alpha, g2, *ic).unwrap()
}

#[test]
fn a_registration_key_registers_for_its_family_only() {
	let (mut registration, inference) = Scene::family(8);
	let other = Scene::committed(9);
	let logarithm = Fr::rand(&mut registration.rng);
	let (registration, inference) = (registration.key, inference.key);
	assert!(registration.registers_for(&inference));
	assert!(!inference.registers_for(&registration));
	assert!(!inference.registers_for(&inference));
	assert!(!registration.registers_for(&registration));
	assert!(!registration.registers_for(&other.key));
	assert!(!registration.registers_for(&Scene::constant(8).key));
	// A second registration key of the family is not one for inference.
	let emptied = like(&inference, |_, _, shape| *shape = StatementShape::REGISTRATION);
	assert!(emptied.is_registration());
	assert!(!registration.registers_for(&emptied));

	let (g1, g2) = (g1(&logarithm), g2(&logarithm));
	for changed in [
		like(&inference, |alpha, _, _| *alpha = g1),
		like(&inference, |_, points, _| points.beta = g2),
		like(&inference, |_, points, _| points.delta_weights = None),
	] {
		assert!(!registration.registers_for(&changed));
	}
	// What is each key's own.
	for changed in [
		like(&inference, |_, points, _| points.gamma = g2),
		like(&inference, |_, points, _| points.delta = g2),
		like(&inference, |_, points, _| points.delta_committed = g2),
		like(&inference, |_, _, shape| shape.output_len += 1),
	] {
		assert!(registration.registers_for(&changed));
	}
}

/// δ_w may differ, as it does between domains, if both keys claim the same origin; that it differs as it should is part of that claim.
#[test]
fn another_trapdoor_of_weights_is_believed_as_the_origin_is() {
	let (ceremony, other) = (
		KeyOrigin::Ceremony {
			transcript_hash: [1; 32],
		},
		KeyOrigin::Ceremony {
			transcript_hash: [2; 32],
		},
	);
	for domains in [[32, 32], [16, 32], [64, 32]] {
		let (registration, inference) = Scene::family_over(14, domains);
		let equal = domains[0] == domains[1];
		for (origin, other_origin) in [
			(KeyOrigin::Development, KeyOrigin::Development),
			(ceremony, ceremony),
			(ceremony, other),
			(ceremony, KeyOrigin::Development),
			(KeyOrigin::Development, ceremony),
		] {
			let own = registration.setup.key_of_origin(origin);
			let infers = inference.setup.key_of_origin(other_origin);
			assert_eq!(own.registers_for(&infers), equal || origin == other_origin);
			// Up to sign it is the same or another.
			let negated = g2(&-registration.setup.trapdoors.delta_weights);
			let negated = like(&infers, |_, points, _| points.delta_weights = Some(negated));
			assert!(!own.registers_for(&negated));
		}
	}
}

/// With a trapdoor in common, the elements of the one key's segments would be of use in the other's.
#[test]
fn private_segments_of_a_family_have_different_trapdoors() {
	let (registration, inference) = Scene::family(10);
	let (registration, inference) = (registration.key, inference.key);
	let own = registration.points().1;
	let own = [
		own.gamma,
		own.delta,
		own.delta_committed,
		own.delta_weights.unwrap(),
	];
	let set = [
		|points: &mut KeyG2, point| points.gamma = point,
		|points: &mut KeyG2, point| points.delta = point,
		|points: &mut KeyG2, point| points.delta_committed = point,
		|points: &mut KeyG2, point| points.delta_weights = Some(point),
	];
	for (i, own) in own.into_iter().enumerate() {
		for (j, set) in set.iter().enumerate() {
			for point in [own, -own] {
				let changed = like(&inference, |_, points, _| set(points, point));
				let may_be = i == 0 && j == 0 || i == 3 && j == 3 && point == own;
				assert_eq!(registration.registers_for(&changed), may_be, "{i}, {j}");
			}
		}
	}
}
