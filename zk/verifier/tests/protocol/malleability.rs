//! What anyone can do to a valid proof without a witness. Groth16's own re-randomisation stays; whatever touches D₁ or D_w
//! keeps the equation for the old challenge and meets a new one.

use crate::{scene::Scene, slow::prover::Logarithms};
use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, UniformRand};
use opensand_zk_verifier::{verify_batch, BatchItem, Native, VerifyError};

/// (A/t, t·B + t·u·δ, C + u·A, D₁).
#[test]
fn rerandomised_proofs_of_the_same_commitment_are_accepted() {
	for mut scene in [Scene::constant(1), Scene::committed(2), Scene::hashed(3)] {
		let proven = scene.proven();
		let (t, u) = (Fr::rand(&mut scene.rng), Fr::rand(&mut scene.rng));
		let Logarithms { a, b, c, committed } = proven.logarithms;
		let fresh = Logarithms {
			a: a / t,
			b: t * b + t * u * scene.setup.trapdoors.delta,
			c: c + u * a,
			committed,
		};
		assert_eq!(scene.verify(&proven.statement, &fresh.to_proof()), Ok(()));
		let proof = fresh.to_proof();
		let item = BatchItem {
			key: &scene.key,
			statement: &proven.statement,
			weights: scene.weights(),
			proof: &proof,
		};
		assert_eq!(verify_batch::<Native>(&[item]), Ok(()));
	}
}

fn keeps_the_equation_and_is_refused(scene: &Scene, proven: &crate::scene::Proven, changed: &Logarithms) {
	let key = scene.setup.slow_key();
	let weights = scene.registered.as_ref().map(|registered| &registered.logarithm);
	assert!(scene.equation_holds(&key, &proven.inputs(), weights, changed));
	let refused = scene.verify(&proven.statement, &changed.to_proof());
	assert_eq!(refused, Err(VerifyError::InvalidProof));
}

/// (A, B, C − t·δ₁, D₁ + t·δ).
#[test]
fn a_commitment_blinded_once_more_is_refused() {
	for mut scene in [Scene::constant(4), Scene::committed(5)] {
		let proven = scene.proven();
		let t = Fr::rand(&mut scene.rng);
		let mut shifted = proven.logarithms;
		shifted.committed += t * scene.setup.trapdoors.delta;
		shifted.c -= t * scene.setup.trapdoors.delta_committed;
		keeps_the_equation_and_is_refused(&scene, &proven, &shifted);
	}
}

/// (A, B + u·δ₁, C, D₁ + u·A).
#[test]
fn a_commitment_with_part_of_a_is_refused() {
	for mut scene in [Scene::constant(6), Scene::committed(7)] {
		let proven = scene.proven();
		let u = Fr::rand(&mut scene.rng);
		let mut shifted = proven.logarithms;
		shifted.committed += u * shifted.a;
		shifted.b += u * scene.setup.trapdoors.delta_committed;
		keeps_the_equation_and_is_refused(&scene, &proven, &shifted);
	}
}

/// D₁ − t·δ_w beside D_w + t·δ₁, and C − t·δ_w beside D_w + t·δ: another D_w is another model's.
#[test]
fn a_registered_commitment_blinded_once_more_is_refused() {
	let mut scene = Scene::committed(8);
	let proven = scene.proven();
	let key = scene.setup.slow_key();
	let trapdoors = scene.setup.trapdoors.clone();
	let registered = scene.registered.clone().unwrap();
	let t = Fr::rand(&mut scene.rng);

	let mut beside_committed = proven.logarithms;
	beside_committed.committed -= t * trapdoors.delta_weights;
	let mut beside_c = proven.logarithms;
	beside_c.c -= t * trapdoors.delta_weights;
	for (changed, shift) in [
		(beside_committed, t * trapdoors.delta_committed),
		(beside_c, t * trapdoors.delta),
	] {
		let weights = registered.logarithm + shift;
		assert!(scene.equation_holds(&key, &proven.inputs(), Some(&weights), &changed));
		let proof = changed.to_proof();
		// Under the registered commitment the equation fails, under the other the challenge is another.
		assert_eq!(
			scene.verify(&proven.statement, &proof),
			Err(VerifyError::InvalidProof)
		);
		let other = crate::slow::setup::g1(&weights);
		let other = opensand_zk_verifier::WeightsCommitment::from_point(other).unwrap();
		let refused = crate::scene::verify_all(&scene.key, &proven.statement, Some(&other), &proof);
		assert_eq!(refused, Err(VerifyError::InvalidProof));
	}
}

#[test]
fn exchanged_and_negated_points_are_refused() {
	let mut scene = Scene::committed(9);
	let proven = scene.proven();
	let Logarithms { a, b, c, committed } = proven.logarithms;
	for (a, b, c, committed) in [
		(-a, b, c, committed),
		(a, -b, c, committed),
		(a, b, -c, committed),
		(a, b, c, -committed),
		(c, b, a, committed),
		(a, b, committed, c),
		(committed, b, c, a),
		(a.double(), b, c, committed),
	] {
		let changed = Logarithms { a, b, c, committed };
		assert_eq!(
			scene.verify(&proven.statement, &changed.to_proof()),
			Err(VerifyError::InvalidProof)
		);
	}
	// Both signs together are the re-randomisation with t = −1.
	let negated = Logarithms {
		a: -a,
		b: -b,
		c,
		committed,
	};
	assert_eq!(scene.verify(&proven.statement, &negated.to_proof()), Ok(()));
}
