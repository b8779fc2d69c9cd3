//! Honest proofs are accepted; what does not fit the key is named.

use crate::{
	scene::{verify_all, Scene},
	slow::prover::Blinding,
};
use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, Field};
use opensand_zk_verifier::{
	fold, pack_words, Challenges, InputVisibility, Statement, StatementError, StatementInput, VerifyError,
};

fn scenes() -> [Scene; 3] {
	[Scene::constant(1), Scene::committed(2), Scene::hashed(3)]
}

#[test]
fn honest_proofs_are_accepted() {
	for mut scene in scenes() {
		for _ in 0..4 {
			let proven = scene.proven();
			assert_eq!(scene.verify(&proven.statement, &proven.proof()), Ok(()));
		}
	}
}

#[test]
fn proofs_of_false_statements_are_refused() {
	for mut scene in scenes() {
		let truth = scene.statement();
		let mut lie = truth.clone();
		lie.output[5] ^= 1;
		// The true words do not fold to the lie's; the lie's words are not what the model computes.
		for told in [&truth, &lie] {
			let committed = scene.committed_values(told);
			let blinding = Blinding::random(&mut scene.rng);
			let proven = scene.prove_with(&lie, &committed, blinding);
			let refused = scene.verify(&lie, &proven.proof());
			assert_eq!(refused, Err(VerifyError::InvalidProof));
		}
	}
}

#[test]
fn values_outside_the_table_are_refused() {
	let mut scene = Scene::constant(4);
	let statement = scene.statement();
	let words = statement.words().unwrap();
	// No multiplicities make up for a digit that is not in the table.
	let committed = scene.setup.circuit.commit(&words, 4);
	let blinding = Blinding::random(&mut scene.rng);
	let proven = scene.prove_with(&statement, &committed, blinding);
	assert!(!scene.setup.circuit.is_satisfied(&proven.z));
	let refused = scene.verify(&statement, &proven.proof());
	assert_eq!(refused, Err(VerifyError::InvalidProof));
}

#[test]
fn swapped_words_are_refused() {
	let mut scene = Scene::constant(5);
	let proven = scene.proven();
	let mut swapped = proven.statement.clone();
	let StatementInput::Public(input) = &mut swapped.input else {
		unreachable!("the scene shows its input");
	};
	input.rotate_left(crate::scene::WORD);
	let refused = scene.verify(&swapped, &proven.proof());
	assert_eq!(refused, Err(VerifyError::InvalidProof));
}

#[test]
fn every_value_of_the_statement_counts() {
	let mut scene = Scene::constant(6);
	let proven = scene.proven();
	let proof = proven.proof();
	let changed = |change: &dyn Fn(&mut Statement)| {
		let mut statement = proven.statement.clone();
		change(&mut statement);
		statement
	};
	for i in [0, 30, 31, 61] {
		let statement = changed(&|statement| match &mut statement.input {
			StatementInput::Public(input) => input[i] ^= 1,
			StatementInput::Hashed(_) => unreachable!("the scene shows its input"),
		});
		assert_eq!(scene.verify(&statement, &proof), Err(VerifyError::InvalidProof));
	}
	for i in 0..proven.statement.output.len() {
		let statement = changed(&|statement| statement.output[i] ^= -128);
		assert_eq!(scene.verify(&statement, &proof), Err(VerifyError::InvalidProof));
	}
}

/// A missing value packs like −128, so a number of words would let tensors pass that are a little too long or too short.
#[test]
fn tensors_of_another_length_are_refused_although_they_pack_alike() {
	let mut scene = Scene::constant(7);
	let mut statement = scene.statement();
	let StatementInput::Public(input) = &mut statement.input else {
		unreachable!("the scene shows its input");
	};
	*input.last_mut().unwrap() = -128;
	*statement.output.last_mut().unwrap() = -128;

	let mut shorter = statement.clone();
	shorter.output.pop();
	assert_eq!(shorter.words(), statement.words());
	let proven = scene.prove(&shorter);
	assert_eq!(
		scene.verify(&shorter, &proven.proof()),
		Err(VerifyError::WrongOutputLength)
	);

	let mut shorter = statement.clone();
	let StatementInput::Public(input) = &mut shorter.input else {
		unreachable!("the scene shows its input");
	};
	input.pop();
	assert_eq!(shorter.words(), statement.words());
	let proven = scene.prove(&shorter);
	assert_eq!(
		scene.verify(&shorter, &proven.proof()),
		Err(VerifyError::WrongInputLength)
	);
}

/// Three words are two of the input and one of the output, or the other way round.
#[test]
fn the_border_between_input_and_output_is_fixed() {
	let mut scene = Scene::constant(15);
	let statement = scene.statement();
	let StatementInput::Public(input) = &statement.input else {
		unreachable!("the scene shows its input");
	};
	let (first, second) = input.split_at(crate::scene::WORD);
	let mut moved = statement.clone();
	moved.input = StatementInput::Public(first.to_vec());
	moved.output = [second, &statement.output].concat();
	assert_eq!(moved.words(), statement.words());
	let proven = scene.prove(&moved);
	assert_eq!(
		scene.verify(&moved, &proven.proof()),
		Err(VerifyError::WrongInputLength)
	);
}

#[test]
fn another_number_of_words_is_refused() {
	for mut scene in scenes() {
		let proven = scene.proven();
		for len in [0, 30, 32, 62] {
			let mut statement = proven.statement.clone();
			statement.output.resize(len, 0);
			assert_eq!(
				scene.verify(&statement, &proven.proof()),
				Err(VerifyError::WrongOutputLength)
			);
		}
	}
	let mut scene = Scene::constant(8);
	let proven = scene.proven();
	for len in [0, 31, 61, 63, 93] {
		let mut statement = proven.statement.clone();
		statement.input = StatementInput::Public(vec![0; len]);
		assert_eq!(
			scene.verify(&statement, &proven.proof()),
			Err(VerifyError::WrongInputLength)
		);
	}
}

/// A word of at most 31 values and a hash are both one field element: whoever may choose which it is shows a hash as an
/// input.
#[test]
fn a_hash_is_not_an_input() {
	let mut hashed = Scene::hashed(9);
	let proven = hashed.proven();
	let mut shown = proven.statement.clone();
	shown.input = StatementInput::Public(shown.output.clone());
	assert_eq!(shown.words(), proven.statement.words());
	let proven = hashed.prove(&shown);
	assert_eq!(
		hashed.verify(&shown, &proven.proof()),
		Err(VerifyError::WrongVisibility)
	);

	let mut public = Scene::constant(10);
	let proven = public.proven();
	let mut hidden = proven.statement.clone();
	hidden.input = StatementInput::Hashed([0; 32]);
	assert_eq!(
		public.verify(&hidden, &proven.proof()),
		Err(VerifyError::WrongVisibility)
	);
	assert_eq!(public.key.shape().visibility, InputVisibility::Public);
}

#[test]
fn a_hash_that_is_not_canonical_is_refused() {
	let mut scene = Scene::hashed(11);
	let proven = scene.proven();
	let mut statement = proven.statement.clone();
	statement.input = StatementInput::Hashed([0xff; 32]);
	assert_eq!(
		scene.verify(&statement, &proven.proof()),
		Err(VerifyError::Statement(StatementError::NonCanonicalHash))
	);
}

#[test]
fn weights_are_given_if_and_only_if_the_key_has_them() {
	let mut committed = Scene::committed(12);
	let proven = committed.proven();
	let missing = verify_all(&committed.key, &proven.statement, None, &proven.proof());
	assert_eq!(missing, Err(VerifyError::MissingWeights));

	let mut constant = Scene::constant(13);
	let proven = constant.proven();
	let unexpected = verify_all(
		&constant.key,
		&proven.statement,
		committed.weights(),
		&proven.proof(),
	);
	assert_eq!(unexpected, Err(VerifyError::UnexpectedWeights));
}

/// r = 0 is a pole of the table's entry 0. The fold is then zero whatever the words are; nothing panics, and what is lost
/// is what the bounds of `PROTOCOL.md` count as lost.
#[test]
fn a_challenge_of_zero_is_one_of_the_lost_ones() {
	let mut scene = Scene::constant(14);
	let statement = scene.statement();
	let words = statement.words().unwrap();
	let zero = Challenges {
		r: Fr::ZERO,
		b: Fr::ZERO,
	};
	assert_eq!(statement.public_inputs(&zero), Ok([Fr::ZERO; 3]));
	let key = scene.setup.slow_key();
	let blinding = Blinding::random(&mut scene.rng);
	let holds = |z: &[Fr]| {
		let logarithms = scene.setup.prove(z, &blinding);
		scene.equation_holds(&key, &[Fr::ZERO; 3], None, &logarithms)
	};

	// An honest prover whose digit is 0 has no inverse and no proof.
	let circuit = &scene.setup.circuit;
	let z = circuit.assign(&circuit.commit(&words, 0), &[], &zero);
	assert!(!circuit.is_satisfied(&z));
	assert!(!holds(&z));

	// A digit outside the table passes: the fraction of the entry 0 is free.
	let mut z = circuit.assign(&circuit.commit(&words, 7), &[], &zero);
	let inverse = -Fr::from(7u64).inverse().unwrap();
	assert!(z.contains(&inverse));
	z[circuit.fraction_columns().start] = inverse;
	assert!(circuit.is_satisfied(&z));
	assert!(holds(&z));
}

#[test]
fn a_fold_is_the_sum_of_words_times_powers() {
	let values: Vec<i8> = (-100..100).collect();
	let words: Vec<Fr> = pack_words(&values).collect();
	for r in [
		Fr::ZERO,
		Fr::ONE,
		-Fr::ONE,
		Fr::from(3u64),
		Fr::from(7u64).inverse().unwrap(),
	] {
		assert_eq!(fold(&words, &r), crate::slow::verifier::fold(&words, &r));
	}
	assert_eq!(fold(&[], &Fr::from(2u64)), Fr::ZERO);
}
