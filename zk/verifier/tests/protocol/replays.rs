//! A proof is for one chain, key, model, request and worker.

use crate::scene::{verify_all, Scene};
use opensand_zk_verifier::{Binding, VerifyError};

#[test]
fn a_proof_is_not_one_for_another_chain_model_request_or_worker() {
	for mut scene in [Scene::constant(1), Scene::committed(2), Scene::hashed(3)] {
		let proven = scene.proven();
		for change in [
			|binding: &mut Binding| binding.genesis[31] ^= 1,
			|binding: &mut Binding| binding.model[7] ^= 0x80,
			|binding: &mut Binding| binding.request = binding.request.wrapping_add(1),
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
}

#[test]
fn a_proof_is_not_one_under_another_key() {
	// The same circuit, set up twice.
	let (mut scene, other) = (Scene::constant(4), Scene::constant(5));
	let proven = scene.proven();
	let named = verify_all(&other.key, &proven.statement, None, &proven.proof());
	assert_eq!(named, Err(VerifyError::WrongKey));
	let mut statement = proven.statement.clone();
	statement.binding.key = other.key.id();
	let renamed = verify_all(&other.key, &statement, None, &proven.proof());
	assert_eq!(renamed, Err(VerifyError::InvalidProof));
	let named = scene.verify(&statement, &proven.proof());
	assert_eq!(named, Err(VerifyError::WrongKey));
}

#[test]
fn a_proof_is_not_one_of_another_statement_that_was_proven_too() {
	let mut scene = Scene::committed(6);
	let (first, second) = (scene.proven(), scene.proven());
	assert_eq!(
		scene.verify(&first.statement, &second.proof()),
		Err(VerifyError::InvalidProof)
	);
}

/// A copied D₁ has another challenge in another statement, and A, B and C answer the old one.
#[test]
fn a_commitment_copied_from_a_proof_is_of_no_use() {
	let mut scene = Scene::constant(7);
	let statement = scene.statement();
	let seen = scene.prove(&statement);
	let mut mine = statement.clone();
	mine.binding.worker = [7; 32];
	let own = scene.prove(&mine);
	let mut mixed = own.logarithms;
	mixed.committed = seen.logarithms.committed;
	assert_eq!(
		scene.verify(&mine, &mixed.to_proof()),
		Err(VerifyError::InvalidProof)
	);
}
