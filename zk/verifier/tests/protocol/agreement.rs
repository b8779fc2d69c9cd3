//! The verifier and the second, slow one agree on whatever they are given.

use crate::{
	scene::{verify_all, Proven, Scene},
	slow::{setup::Setup, verifier},
};
use ark_bls12_381::Fr;
use ark_ff::Field;
use opensand_zk_verifier::{
	verify, verify_batch, BatchItem, Native, Proof, Statement, StatementInput, VerifyingKey,
	WeightsCommitment, G1_LEN,
};
use proptest::{collection::vec, prelude::*, sample::Index};

/// Which bytes are changed, and how.
type Edits = Vec<(Index, u8)>;

/// A change of an honest proof, its statement or its key.
#[derive(Clone, Debug)]
enum Change {
	/// Nothing: the proof is valid.
	Nothing,
	/// Bytes of the proof, by exclusive or.
	ProofBytes(Edits),
	/// Bytes of the key.
	KeyBytes(Edits),
	/// Bytes of the commitment to weights, where there is one.
	WeightsBytes(Edits),
	/// An element of the key, times a small number, added to A, B, C, D₁ or D_w.
	Shift(Index, Index, i8),
	/// Two points exchanged.
	Exchange(Index, Index),
	/// One bit of the statement's parts.
	Statement(Index, Index),
	/// Another statement's proof.
	Other,
	/// A proof of z with one value changed.
	Witness(Index, i8),
}

fn edits() -> impl Strategy<Value = Edits> {
	vec(any::<(Index, u8)>(), 1..4)
}

fn changes() -> impl Strategy<Value = Change> {
	prop_oneof![
		1 => Just(Change::Nothing),
		2 => edits().prop_map(Change::ProofBytes),
		2 => edits().prop_map(Change::KeyBytes),
		1 => edits().prop_map(Change::WeightsBytes),
		6 => any::<(Index, Index, i8)>().prop_map(|(point, element, by)| Change::Shift(point, element, by)),
		2 => any::<(Index, Index)>().prop_map(|(one, other)| Change::Exchange(one, other)),
		3 => any::<(Index, Index)>().prop_map(|(part, bit)| Change::Statement(part, bit)),
		1 => Just(Change::Other),
		4 => any::<(Index, i8)>().prop_map(|(column, by)| Change::Witness(column, by)),
	]
}

/// Discrete logarithms of the key's elements in G1: those of a prover.
fn key_elements(setup: &Setup) -> Vec<Fr> {
	let t = &setup.trapdoors;
	let mut elements = vec![
		Fr::ONE,
		t.alpha,
		t.beta,
		t.delta,
		t.delta_committed,
		t.delta_weights,
	];
	elements.extend((0..setup.circuit.variables()).map(|i| setup.key_element(i)));
	elements.extend(setup.columns.iter().map(|column| column.a));
	elements.extend(setup.columns.iter().map(|column| column.b));
	elements
}

fn edited(bytes: &[u8], edits: &Edits) -> Vec<u8> {
	let mut bytes = bytes.to_vec();
	for (at, change) in edits {
		*at.get_mut(&mut bytes) ^= change;
	}
	bytes
}

fn flip(statement: &mut Statement, part: &Index, bit: &Index) {
	let binding = &mut statement.binding;
	let bytes: &mut [u8] = match part.index(6) {
		0 => &mut binding.genesis,
		1 => &mut binding.key,
		2 => &mut binding.model,
		3 => &mut binding.worker,
		4 => {
			binding.request ^= 1 << bit.index(64);
			return;
		}
		_ => {
			match &mut statement.input {
				StatementInput::Public(values) if values.is_empty() => values.push(0),
				StatementInput::Public(values) => *bit.get_mut(values) ^= 1,
				StatementInput::Hashed(hash) => hash[bit.index(32)] ^= 1,
			}
			return;
		}
	};
	bytes[bit.index(32)] ^= 1;
}

/// Holds all verifiers to one answer on these bytes, which it returns.
fn agree(key: &[u8], statement: &Statement, weights: Option<&[u8]>, proof: &[u8]) -> bool {
	let slow = verifier::accepts(key, statement, weights, proof);
	let fast = || {
		let key = VerifyingKey::from_bytes(key).ok()?;
		let proof = Proof::from_bytes(proof).ok()?;
		let weights = match weights {
			None => None,
			Some(bytes) => {
				let bytes: &[u8; G1_LEN] = bytes.try_into().ok()?;
				Some(WeightsCommitment::from_bytes(bytes).ok()?)
			}
		};
		let verdict = verify_all(&key, statement, weights.as_ref(), &proof);
		let item = BatchItem {
			key: &key,
			statement,
			weights: weights.as_ref(),
			proof: &proof,
		};
		assert_eq!(verify_batch::<Native>(&[item]), verdict);
		let again = Proof::from_compressed_bytes(&proof.to_compressed_bytes()).unwrap();
		assert_eq!(
			verify::<Native>(&key, statement, weights.as_ref(), &again),
			verdict
		);
		verdict.ok()
	};
	assert_eq!(fast().is_some(), slow);
	slow
}

/// Changes an honest proof and holds the verifiers to one answer.
fn check(scene: &mut Scene, change: &Change) {
	let Proven {
		mut statement,
		mut z,
		blinding,
		mut logarithms,
	} = scene.proven();
	let (mut key, mut proof) = (scene.key.to_bytes(), logarithms.to_proof().to_bytes());
	let mut weights = scene.weights().map(WeightsCommitment::to_bytes);
	match change {
		Change::Nothing => (),
		Change::ProofBytes(edits) => proof = edited(&proof, edits),
		Change::KeyBytes(edits) => {
			key = edited(&key, edits);
			// Let it come as far as it can.
			if let Ok(key) = VerifyingKey::from_bytes(&key) {
				statement.binding.key = key.id();
			}
		}
		Change::WeightsBytes(edits) => weights = weights.map(|weights| edited(&weights, edits)),
		Change::Shift(point, element, by) => {
			let elements = key_elements(&scene.setup);
			let shift = Fr::from(*by) * elements[element.index(elements.len())];
			match point.index(5) {
				0 => logarithms.a += shift,
				1 => logarithms.b += shift,
				2 => logarithms.c += shift,
				3 => logarithms.committed += shift,
				_ => {
					if let Some(registered) = &scene.registered {
						let shifted = crate::slow::setup::g1(&(registered.logarithm + shift));
						weights = Some(verifier::g1_bytes(&shifted));
					}
				}
			}
			proof = logarithms.to_proof().to_bytes();
		}
		Change::Exchange(one, other) => {
			let mut points = [logarithms.a, logarithms.b, logarithms.c, logarithms.committed];
			points.swap(one.index(4), other.index(4));
			[logarithms.a, logarithms.b, logarithms.c, logarithms.committed] = points;
			proof = logarithms.to_proof().to_bytes();
		}
		Change::Statement(part, bit) => flip(&mut statement, part, bit),
		Change::Other => proof = scene.proven().proof().to_bytes(),
		Change::Witness(column, by) => {
			// The public columns too: then it is a proof for other inputs than the hash gives.
			let column = 1 + column.index(z.len() - 1);
			z[column] += Fr::from(*by);
			proof = scene.setup.prove(&z, &blinding).to_proof().to_bytes();
		}
	}
	let unchanged = statement.binding.key == scene.key.id()
		&& match change {
			Change::Nothing => true,
			Change::Shift(_, _, by) | Change::Witness(_, by) => *by == 0,
			Change::Exchange(one, other) => one.index(4) == other.index(4),
			_ => false,
		};
	let accepted = agree(&key, &statement, weights.as_deref(), &proof);
	// Others may change nothing too: a commitment where there is none, or bytes twice.
	assert!(accepted || !unchanged);
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(48))]

	#[test]
	fn fast_and_slow_verifiers_agree(seed: u64, which in 0..4usize, change in changes()) {
		let mut scene = [Scene::constant, Scene::committed, Scene::hashed, Scene::registration][which](seed);
		check(&mut scene, &change);
	}
}

/// Every value of z that no constraint leaves free: a proof with it changed is refused by all.
#[test]
fn a_proof_of_any_changed_witness_is_refused() {
	for mut scene in [
		Scene::constant(1),
		Scene::committed(2),
		Scene::hashed(3),
		Scene::registration(4),
	] {
		let proven = scene.proven();
		for column in 1..proven.z.len() {
			let mut z = proven.z.clone();
			z[column] += Fr::ONE;
			assert!(!scene.setup.circuit.is_satisfied(&z), "column {column}");
			let proof = scene.setup.prove(&z, &proven.blinding).to_proof();
			assert!(scene.verify(&proven.statement, &proof).is_err());
		}
	}
}
