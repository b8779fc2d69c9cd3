//! Values moved between segments, and commitments that answer a challenge instead of preceding it.

use crate::{
	scene::{verify_all, Proven, Scene},
	slow::{
		circuit::{Circuit, Weights},
		prover::Blinding,
		setup::{Setup, Trapdoors},
	},
};
use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, Field, Zero};
use opensand_zk_verifier::{
	InputVisibility, KeyError, KeyG2, KeyOrigin, StatementShape, VerifyError, VerifyingKey, WeightsCommitment,
};

/// The three private segments' places in a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
	Committed,
	Weights,
	Rest,
}

const PLACES: [Place; 3] = [Place::Committed, Place::Weights, Place::Rest];

fn trapdoor(setup: &Setup, place: Place) -> Fr {
	match place {
		Place::Committed => setup.trapdoors.delta_committed,
		Place::Weights => setup.trapdoors.delta_weights,
		Place::Rest => setup.trapdoors.delta,
	}
}

/// Takes a column's contribution out of its own segment's point and adds it to another's, divided by a trapdoor. Only the
/// division by the own trapdoor is an element of the proving key.
#[test]
fn values_moved_between_segments_are_refused() {
	moved_values_are_refused(Scene::committed(1));
}

/// The same with a trapdoor of weights that has the factor of a larger domain.
#[test]
fn values_moved_between_segments_are_refused_over_the_larger_domain() {
	moved_values_are_refused(Scene::family(1).1);
	moved_values_are_refused(Scene::family_over(1, [64, 32]).0);
}

fn moved_values_are_refused(mut scene: Scene) {
	let proven = scene.proven();
	let setup = &scene.setup;
	let key = setup.slow_key();
	let registered = scene.registered.as_ref().unwrap().logarithm;
	let circuit = &setup.circuit;
	let segments = [
		(Place::Committed, circuit.committed.clone()),
		(Place::Weights, circuit.weight_columns.clone()),
		(Place::Rest, circuit.rest.clone()),
	];
	for (from, columns) in segments {
		for column in columns.filter(|column| !proven.z[*column].is_zero()) {
			for to in PLACES.into_iter().filter(|to| *to != from) {
				for divisor in PLACES {
					let (mut logarithms, mut weights) = (proven.logarithms, registered);
					let mut shift = |place, by: Fr| match place {
						Place::Committed => logarithms.committed += by,
						Place::Weights => weights += by,
						Place::Rest => logarithms.c += by,
					};
					let contribution = proven.z[column] * setup.mixed(column);
					shift(from, -contribution / trapdoor(setup, from));
					shift(to, contribution / trapdoor(setup, divisor));

					// For the old challenge the equation holds only with an element that no key contains.
					assert_eq!(
						scene.equation_holds(&key, &proven.inputs(), Some(&weights), &logarithms),
						divisor == to,
						"column {column} from {from:?} to {to:?} over the trapdoor of {divisor:?}"
					);
					let weights = crate::slow::setup::g1(&weights);
					let weights = WeightsCommitment::from_point(weights).unwrap();
					let refused = verify_all(
						&scene.key,
						&proven.statement,
						Some(&weights),
						&logarithms.to_proof(),
					);
					assert_eq!(refused, Err(VerifyError::InvalidProof));
				}
			}
		}
	}
}

/// A public input's contribution in place of a private one, and the other way round.
#[test]
fn public_inputs_moved_into_a_segment_are_refused() {
	let mut scene = Scene::committed(2);
	let proven = scene.proven();
	let setup = &scene.setup;
	for column in 0..crate::slow::circuit::PUBLIC {
		let contribution = proven.z[column] * setup.key_element(column);
		let mut in_c = proven.logarithms;
		in_c.c += contribution;
		let mut in_committed = proven.logarithms;
		in_committed.committed += contribution;
		for changed in [in_c, in_committed] {
			assert_eq!(
				scene.verify(&proven.statement, &changed.to_proof()),
				Err(VerifyError::InvalidProof)
			);
		}
	}
}

/// A prover who commits to a digit outside the table, waits for the challenge and then picks a multiplicity that answers it.
/// The values satisfy the constraints. What is left is to bring the multiplicity into the proof after D₁ is fixed.
struct LateMultiplicity {
	proven: Proven,
	/// C with the multiplicity's element as the key has it.
	c: Fr,
}

impl LateMultiplicity {
	fn new(scene: &mut Scene) -> Self {
		let statement = scene.statement();
		let words = statement.words().unwrap();
		let mut committed = scene.setup.circuit.commit(&words, 7);
		let blinding = Blinding::random(&mut scene.rng);
		let commitment = scene.setup.commit(&committed, &blinding.committed);
		let challenges = scene.challenges(&statement, &commitment);
		// m₀/r = 1/(r − 7).
		let late = challenges.r / (challenges.r - Fr::from(7u64));
		let column = scene.setup.circuit.multiplicity_columns().start;
		committed[column - scene.setup.circuit.committed.start] = late;
		let z = scene.setup.circuit.assign(&committed, &[], &challenges);
		assert!(scene.setup.circuit.is_satisfied(&z));
		let mut logarithms = scene.setup.prove(&z, &blinding);
		logarithms.committed = commitment;
		let c = logarithms.c + late * scene.setup.key_element(column);
		Self {
			proven: Proven {
				statement,
				z,
				blinding,
				logarithms,
			},
			c,
		}
	}
}

#[test]
fn a_value_committed_after_the_challenge_is_refused() {
	let mut scene = Scene::constant(3);
	let LateMultiplicity { mut proven, c } = LateMultiplicity::new(&mut scene);
	for c in [proven.logarithms.c, c] {
		proven.logarithms.c = c;
		let refused = scene.verify(&proven.statement, &proven.proof());
		assert_eq!(refused, Err(VerifyError::InvalidProof));
	}
	// Put where it belongs, it changes the challenge that it answers.
	proven.logarithms = scene.setup.prove(&proven.z, &proven.blinding);
	let refused = scene.verify(&proven.statement, &proven.proof());
	assert_eq!(refused, Err(VerifyError::InvalidProof));
}

/// With δ₁ = ±δ the same forgery passes the equation: the separate trapdoors are what stops it, and such keys are refused.
#[test]
fn one_trapdoor_for_two_segments_would_let_a_value_be_committed_after_the_challenge() {
	for sign in [Fr::ONE, -Fr::ONE] {
		let mut scene = Scene::constant(4);
		let mut trapdoors = Trapdoors::random(&mut scene.rng);
		trapdoors.delta_committed = sign * trapdoors.delta;
		let shape = StatementShape {
			visibility: InputVisibility::Public,
			input_len: 62,
			output_len: 31,
		};
		let weights = Weights::Constant(vec![Fr::ZERO, Fr::ONE]);
		scene.setup = Setup::new(Circuit::new(weights), shape, trapdoors);
		let key = scene.setup.slow_key();

		let LateMultiplicity { mut proven, c } = LateMultiplicity::new(&mut scene);
		let without = proven.logarithms.c;
		proven.logarithms.c = without + sign * (c - without);
		assert!(scene.equation_holds(&key, &proven.inputs(), None, &proven.logarithms));

		let points = KeyG2 {
			beta: key.beta,
			gamma: key.gamma,
			delta: key.delta,
			delta_committed: key.delta_committed,
			delta_weights: None,
		};
		let refused = VerifyingKey::from_points(KeyOrigin::Development, shape, key.alpha, points, key.ic);
		assert_eq!(refused.map(|_| ()), Err(KeyError::EqualTrapdoors));
	}
}

#[test]
fn a_challenge_is_not_used_twice() {
	for mut scene in [Scene::constant(5), Scene::committed(6)] {
		let statement = scene.statement();
		let (first, second) = (scene.prove(&statement), scene.prove(&statement));
		// D₁ of the first with A, B and C of the second, which answer another challenge.
		let mut mixed = second.logarithms;
		mixed.committed = first.logarithms.committed;
		assert_eq!(
			scene.verify(&statement, &mixed.to_proof()),
			Err(VerifyError::InvalidProof)
		);
		// A new D₁, and A, B and C for the challenge of the old one.
		let committed = first.z[scene.setup.circuit.committed.clone()].to_vec();
		let mut reused = first.logarithms;
		reused.committed = scene.setup.commit(&committed, &second.blinding.committed);
		reused.c +=
			(first.blinding.committed - second.blinding.committed) * scene.setup.trapdoors.delta_committed;
		let key = scene.setup.slow_key();
		let weights = scene.registered.as_ref().map(|registered| &registered.logarithm);
		assert!(scene.equation_holds(&key, &first.inputs(), weights, &reused));
		assert_eq!(
			scene.verify(&statement, &reused.to_proof()),
			Err(VerifyError::InvalidProof)
		);
	}
}

#[test]
fn another_models_weights_are_refused() {
	let mut scene = Scene::committed(7);
	let proven = scene.proven();
	let first_word = scene.register(&[Fr::ONE, Fr::ZERO]);
	let same_weights = scene.register(&[Fr::ZERO, Fr::ONE]);
	for other in [&first_word, &same_weights] {
		let refused = verify_all(
			&scene.key,
			&proven.statement,
			Some(&other.commitment),
			&proven.proof(),
		);
		assert_eq!(refused, Err(VerifyError::InvalidProof));
	}

	// A prover who uses other weights than the registered ones: its output is true of those only.
	let registered = scene.registered.replace(first_word).unwrap();
	let mut statement = scene.statement();
	let opensand_zk_verifier::StatementInput::Public(input) = &statement.input else {
		unreachable!("the scene shows its input");
	};
	statement.output = input[..crate::scene::WORD].to_vec();
	let proven = scene.prove(&statement);
	assert_eq!(scene.verify(&statement, &proven.proof()), Ok(()));
	scene.registered = Some(registered);
	assert_eq!(
		scene.verify(&statement, &proven.proof()),
		Err(VerifyError::InvalidProof)
	);
}

/// The trapdoors of weights of both keys are multiples of each other, and neither stands for the other: a weight that is moved into D₁ or C with
/// the one is not what the other's equation asks for.
#[test]
fn the_trapdoor_of_weights_of_the_other_domain_is_of_no_use() {
	for domains in [[16, 32], [64, 32]] {
		let (registration, inference) = Scene::family_over(10, domains);
		let trapdoors = [&registration, &inference].map(|scene| scene.setup.trapdoors.delta_weights);
		for (mut scene, foreign) in [(registration, trapdoors[1]), (inference, trapdoors[0])] {
			let proven = scene.proven();
			let key = scene.setup.slow_key();
			let registered = scene.registered.as_ref().unwrap().logarithm;
			let own = scene.setup.trapdoors.delta_weights;
			for column in scene.setup.circuit.weight_columns.clone() {
				let contribution = proven.z[column] * scene.setup.mixed(column);
				if contribution.is_zero() {
					continue;
				}
				for (divisor, holds) in [(foreign, false), (own, true)] {
					let weights = registered - contribution / own + contribution / divisor;
					let found =
						scene.equation_holds(&key, &proven.inputs(), Some(&weights), &proven.logarithms);
					assert_eq!(found, holds);
				}
			}
		}
	}
}

/// The commitment is reused in every proof; one registered under another key is of no use.
#[test]
fn weights_registered_under_another_key_are_refused() {
	let (mut scene, other) = (Scene::committed(8), Scene::committed(9));
	scene.registered = other.registered;
	let statement = scene.statement();
	let proven = scene.prove(&statement);
	assert_eq!(
		scene.verify(&statement, &proven.proof()),
		Err(VerifyError::InvalidProof)
	);
}
