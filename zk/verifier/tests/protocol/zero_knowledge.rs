//! What can be seen of hiding: fresh blinding makes every part of a proof fresh, and without it a guess can be tested.

use crate::{scene::Scene, slow::prover::Blinding};
use ark_bls12_381::Fr;
use ark_ff::AdditiveGroup;

#[test]
fn two_proofs_of_one_witness_have_nothing_in_common() {
	for mut scene in [Scene::constant(1), Scene::committed(2), Scene::hashed(3)] {
		let statement = scene.statement();
		let committed = scene.committed_values(&statement);
		let [one, other] = [(); 2].map(|()| {
			let blinding = Blinding::random(&mut scene.rng);
			scene.prove_with(&statement, &committed, blinding)
		});
		for proven in [&one, &other] {
			assert_eq!(scene.verify(&statement, &proven.proof()), Ok(()));
		}
		assert_ne!(one.logarithms.a, other.logarithms.a);
		assert_ne!(one.logarithms.b, other.logarithms.b);
		assert_ne!(one.logarithms.c, other.logarithms.c);
		assert_ne!(one.logarithms.committed, other.logarithms.committed);
		assert_ne!(one.inputs()[0], other.inputs()[0]);
		assert_ne!(one.inputs()[1], other.inputs()[1]);
	}
}

/// The verifier cannot see whether a commitment is blinded: that the prover blinds is the prover's interest. Without
/// blinding the key's elements suffice to test a guess of the witness.
#[test]
fn unblinded_proofs_are_valid_and_show_the_witness_to_who_guesses_it() {
	let mut scene = Scene::constant(4);
	let statement = scene.statement();
	let unblinded = Blinding {
		a: Fr::ZERO,
		b: Fr::ZERO,
		committed: Fr::ZERO,
	};
	let guesses: Vec<_> = (0..4)
		.map(|digit| scene.setup.circuit.commit(&statement.words().unwrap(), digit))
		.collect();
	let proven = scene.prove_with(&statement, &guesses[2], unblinded);
	assert_eq!(scene.verify(&statement, &proven.proof()), Ok(()));
	let matches = |committed: &Fr| -> Vec<bool> {
		let commitments = guesses.iter().map(|guess| scene.setup.commit(guess, &Fr::ZERO));
		commitments.map(|commitment| commitment == *committed).collect()
	};
	assert_eq!(matches(&proven.logarithms.committed), [false, false, true, false]);

	let blinding = Blinding::random(&mut scene.rng.clone());
	let proven = scene.prove_with(&statement, &guesses[2], blinding);
	assert_eq!(matches(&proven.logarithms.committed), [false; 4]);
}

/// Any committed values have a blinding under which they give the same D₁: it tells nothing about them.
#[test]
fn a_blinded_commitment_is_one_to_any_values() {
	let mut scene = Scene::constant(5);
	let statement = scene.statement();
	let words = statement.words().unwrap();
	let [one, other] = [1, 2].map(|digit| scene.setup.circuit.commit(&words, digit));
	let blinding = Blinding::random(&mut scene.rng).committed;
	let difference = scene.setup.commit(&one, &Fr::ZERO) - scene.setup.commit(&other, &Fr::ZERO);
	let equivalent = blinding + difference / scene.setup.trapdoors.delta;
	assert_eq!(
		scene.setup.commit(&one, &blinding),
		scene.setup.commit(&other, &equivalent)
	);
}
