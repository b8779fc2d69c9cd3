//! With known secrets, a ceremony's keys are those of the generator.

use super::scene::{circuit, family, known_powers, seeded, spread};
use crate::{verify, Ceremony, Circuit};
use ark_bls12_381::Fr;
use ark_ec::CurveGroup;
use ark_ff::{AdditiveGroup, Field, UniformRand};
use opensand_zk_prover::{generate, Trapdoors};
use zeroize::Zeroizing;

/// α, β, γ, δ, τ, δ₁ and δ_w in the generator's order.
fn secrets(seed: u64) -> [Fr; 7] {
	let mut rng = seeded(seed);
	std::array::from_fn(|_| loop {
		let secret = Fr::rand(&mut rng);
		if secret != Fr::ZERO {
			return secret;
		}
	})
}

/// The elements that a ceremony has after factors, without the checks of contributions.
fn agrees(circuits: &[Circuit], circuit: usize, log2: u32, seed: u64) {
	let [alpha, beta, gamma, delta, tau, delta_committed, delta_weights] = secrets(seed);
	let powers = known_powers(log2, &tau, &alpha, &beta);
	let mut ceremony = Ceremony::new(&powers, circuits).unwrap();
	// The factors of this circuit are the generator's trapdoors, all others are 3.
	let mut factors = vec![Zeroizing::new(Fr::from(3u64)); ceremony.trapdoors()];
	*factors[2 * circuit] = delta;
	*factors[2 * circuit + 1] = delta_committed;
	if ceremony.has_weights() {
		*factors[2 * circuits.len()] = delta_weights;
	}
	let after = ceremony.multiply(&factors);
	let verified = ceremony.unproven_keys(&powers, circuits, after);
	let (proving, verifying) = verified.points().nth(circuit).unwrap();

	let mut trapdoors = Trapdoors::random(&mut seeded(seed));
	if ceremony.has_weights() {
		let smallest = circuits.iter().map(Circuit::rows).min().unwrap();
		let stride = circuits[circuit].rows() / smallest;
		trapdoors = trapdoors.spread(smallest, stride).unwrap();
	}
	let (mut expected, mut expected_verifying) = generate(&circuits[circuit].matrices, &trapdoors).unwrap();
	if !ceremony.has_weights() {
		// Without weights there is no δ_w to contribute to.
		expected.delta_weights_g1 = proving.delta_weights_g1;
		expected_verifying.delta_weights = verifying.delta_weights;
	}
	assert_eq!(*proving, expected);
	// A ceremony's γ is 1.
	expected_verifying.gamma = (expected_verifying.gamma * gamma.inverse().unwrap()).into_affine();
	for point in &mut expected_verifying.ic {
		*point = (*point * gamma).into_affine();
	}
	assert_eq!(*verifying, expected_verifying);
}

#[test]
fn keys_are_those_of_the_generator() {
	let shapes = [
		([4, 5, 0, 9], 20),
		([4, 6, 5, 8], 28),
		([1, 0, 0, 3], 3),
		([2, 1, 1, 0], 2),
		([4, 30, 7, 60], 124),
	];
	for (seed, (shape, constraints)) in (0..).zip(shapes) {
		let circuit = circuit(shape, constraints, seed);
		let log2 = circuit.rows().trailing_zeros() + 1;
		agrees(std::slice::from_ref(&circuit), 0, log2, seed);
		// More powers than needed make no difference.
		agrees(&[circuit], 0, log2 + 1, seed);
	}
}

#[test]
fn long_columns_are_summed_alike() {
	// The unit column occurs in every row.
	let circuit = circuit([1, 0, 0, 1], 200, 5);
	agrees(&[circuit], 0, 9, 9);
}

#[test]
fn keys_of_a_family_are_those_of_the_generator() {
	let [small, large] = family();
	let equal = [small.clone(), circuit([4, 1, 4, 7], 11, 6)];
	let far = [circuit([4, 2, 4, 3], 120, 4), small.clone()];
	let far = far.map(|circuit| {
		let stride = circuit.rows() / 16;
		spread(circuit, stride)
	});
	let three = [far[0].clone(), small.clone(), large.clone()];
	for (circuits, log2) in [
		(&[small.clone(), large.clone()][..], 6),
		(&[large, small][..], 6),
		(&equal[..], 5),
		(&far[..], 8),
		(&three[..], 8),
	] {
		for place in 0..circuits.len() {
			agrees(circuits, place, log2, 11);
		}
	}
	let unrelated = [circuit([4, 5, 0, 9], 20, 1), circuit([4, 2, 0, 3], 4, 2)];
	agrees(&unrelated, 0, 6, 12);
	agrees(&unrelated, 1, 6, 13);
}

#[test]
fn keys_of_a_family_share_the_weights() {
	let [alpha, beta, _, _, tau, ..] = secrets(1);
	let powers = known_powers(6, &tau, &alpha, &beta);
	let circuits = family();
	let ceremony = super::scene::ceremony(&powers, &circuits, &[1, 2]);
	let verified = verify(&ceremony, &powers, &circuits).unwrap();
	let [first, second] = [0, 1].map(|circuit| verified.points().nth(circuit).unwrap());
	assert_eq!(first.0.weights, second.0.weights);
	assert_eq!((first.0.domain, second.0.domain), (16, 32));
	// q = (X^16 + 1) / 2.
	let factor = (tau.pow([16]) + Fr::ONE) / Fr::from(2u64);
	let spread = (first.1.delta_weights * factor).into_affine();
	assert_eq!(second.1.delta_weights, spread);
	let spread = (first.0.delta_weights_g1 * factor).into_affine();
	assert_eq!(second.0.delta_weights_g1, spread);
	assert_ne!(first.1.delta, second.1.delta);
	assert_ne!(first.1.delta_committed, second.1.delta_committed);
	let keys = verified.into_keys().unwrap();
	assert_eq!(keys[0].verifying_key().origin(), keys[1].verifying_key().origin());
	assert!(keys.iter().all(|key| key.verifying_key().has_weights()));
	assert_ne!(keys[0].verifying_key().id(), keys[1].verifying_key().id());
}
