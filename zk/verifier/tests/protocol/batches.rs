//! Batches over different keys, with and without weights.

use crate::{
	scene::{Proven, Scene},
	slow::prover::Logarithms,
};
use ark_bls12_381::Fr;
use ark_ff::UniformRand;
use opensand_zk_verifier::{
	verify_batch, BatchItem, Host, Native, Proof, Statement, StatementInput, VerifyError,
};

/// Proofs under four keys, one of them for two models.
struct Batch {
	scenes: Vec<Scene>,
	/// Scene, statement and proof of each item.
	items: Vec<(usize, Statement, Proof)>,
}

impl Batch {
	fn new() -> Self {
		let mut scenes = vec![
			Scene::constant(1),
			Scene::committed(2),
			Scene::hashed(3),
			Scene::committed(2),
			Scene::constant(4),
		];
		// Another model's weights under the key of the second scene.
		let other = scenes[3].register(&[Fr::from(0u64), Fr::from(1u64)]);
		scenes[3].registered = Some(other);
		assert_eq!(scenes[1].key, scenes[3].key);
		assert_ne!(scenes[1].weights(), scenes[3].weights());
		let items = (0..9)
			.map(|i| {
				let scene = i % scenes.len();
				let proven = scenes[scene].proven();
				(scene, proven.statement.clone(), proven.proof())
			})
			.collect();
		Self { scenes, items }
	}

	fn verify(&self, items: &[(usize, Statement, Proof)]) -> Result<(), VerifyError> {
		let items: Vec<_> = items
			.iter()
			.map(|(scene, statement, proof)| BatchItem {
				key: &self.scenes[*scene].key,
				statement,
				weights: self.scenes[*scene].weights(),
				proof,
			})
			.collect();
		let native = verify_batch::<Native>(&items);
		assert_eq!(native, verify_batch::<Host>(&items));
		native
	}
}

#[test]
fn batches_of_valid_proofs_hold() {
	let batch = Batch::new();
	for len in 0..=batch.items.len() {
		assert_eq!(batch.verify(&batch.items[..len]), Ok(()));
	}
	// The same item twice is two items.
	let twice = [batch.items.clone(), batch.items.clone()].concat();
	assert_eq!(batch.verify(&twice), Ok(()));
}

#[test]
fn an_empty_batch_holds() {
	assert_eq!(verify_batch::<Native>(&[]), Ok(()));
	assert_eq!(verify_batch::<Host>(&[]), Ok(()));
}

#[test]
fn one_bad_item_anywhere_fails_the_batch() {
	let batch = Batch::new();
	for bad in 0..batch.items.len() {
		let mut wrong_statement = batch.items.clone();
		wrong_statement[bad].1.output[3] ^= 1;
		let mut wrong_worker = batch.items.clone();
		wrong_worker[bad].1.binding.worker[3] ^= 1;
		let (a, b, c, committed) = batch.items[bad].2.points();
		let (a, b, c, committed) = (*a, *b, *c, *committed);
		let wrong_points = [
			(-a, b, c, committed),
			(a, -b, c, committed),
			(a, b, -c, committed),
			(a, b, c, -committed),
		];
		let wrong_points = wrong_points.map(|(a, b, c, committed)| {
			let mut items = batch.items.clone();
			items[bad].2 = Proof::from_points(a, b, c, committed).unwrap();
			items
		});
		for items in [wrong_statement, wrong_worker].into_iter().chain(wrong_points) {
			assert_eq!(batch.verify(&items), Err(VerifyError::InvalidProof), "item {bad}");
		}
	}
}

/// Errors that cancel in a product without multipliers.
#[test]
fn errors_that_would_cancel_are_caught() {
	let mut scene = Scene::committed(5);
	let proven = [scene.proven(), scene.proven()];
	let shift = Fr::rand(&mut scene.rng);
	let verify = |logarithms: [Logarithms; 2]| {
		let proofs = logarithms.map(Logarithms::to_proof);
		let items: Vec<_> = proven
			.iter()
			.zip(&proofs)
			.map(|(Proven { statement, .. }, proof)| BatchItem {
				key: &scene.key,
				statement,
				weights: scene.weights(),
				proof,
			})
			.collect();
		verify_batch::<Native>(&items)
	};
	let honest = [proven[0].logarithms, proven[1].logarithms];
	assert_eq!(verify(honest), Ok(()));

	let mut cancelling = honest;
	cancelling[0].c += shift;
	cancelling[1].c -= shift;
	assert_eq!(verify(cancelling), Err(VerifyError::InvalidProof));

	// Exchanged between items whose inputs stay as they are: C of one and C of the other.
	let mut exchanged = honest;
	(exchanged[0].c, exchanged[1].c) = (honest[1].c, honest[0].c);
	assert_eq!(verify(exchanged), Err(VerifyError::InvalidProof));
	let mut exchanged = honest;
	exchanged.reverse();
	assert_eq!(verify(exchanged), Err(VerifyError::InvalidProof));

	// Within one item: what D₁ gains C loses.
	let mut within = honest;
	within[0].committed += shift * scene.setup.trapdoors.delta;
	within[0].c -= shift * scene.setup.trapdoors.delta_committed;
	assert_eq!(verify(within), Err(VerifyError::InvalidProof));
}

#[test]
fn items_that_do_not_fit_their_key_are_named() {
	let batch = Batch::new();
	let expect = |scene: usize, error, change: &dyn Fn(&mut Statement)| {
		let mut items = batch.items.clone();
		let item = items.iter_mut().find(|item| item.0 == scene).unwrap();
		change(&mut item.1);
		assert_eq!(batch.verify(&items), Err(error));
	};
	expect(0, VerifyError::WrongOutputLength, &|statement| {
		statement.output.pop();
	});
	expect(0, VerifyError::WrongInputLength, &|statement| {
		statement.input = StatementInput::Public(Vec::new());
	});
	expect(2, VerifyError::WrongVisibility, &|statement| {
		statement.input = StatementInput::Public(statement.output.clone());
	});
	expect(4, VerifyError::WrongKey, &|statement| {
		statement.binding.key[0] ^= 1
	});

	let (scene, statement, proof) = &batch.items[1];
	let item = BatchItem {
		key: &batch.scenes[*scene].key,
		statement,
		weights: None,
		proof,
	};
	assert_eq!(verify_batch::<Native>(&[item]), Err(VerifyError::MissingWeights));
	let (scene, statement, proof) = &batch.items[0];
	let item = BatchItem {
		key: &batch.scenes[*scene].key,
		statement,
		weights: batch.scenes[1].weights(),
		proof,
	};
	assert_eq!(
		verify_batch::<Native>(&[item]),
		Err(VerifyError::UnexpectedWeights)
	);
}

/// One key, two registered models: each item is held to its own commitment.
#[test]
fn commitments_exchanged_between_items_of_one_key_are_refused() {
	let batch = Batch::new();
	let (first, other) = (&batch.items[1], &batch.items[3]);
	let verify = |weights: [usize; 2]| {
		let items = [(first, weights[0]), (other, weights[1])];
		let items = items.map(|((scene, statement, proof), weights)| BatchItem {
			key: &batch.scenes[*scene].key,
			statement,
			weights: batch.scenes[weights].weights(),
			proof,
		});
		verify_batch::<Native>(&items)
	};
	assert_eq!(verify([1, 3]), Ok(()));
	assert_eq!(verify([3, 1]), Err(VerifyError::InvalidProof));
	assert_eq!(verify([1, 1]), Err(VerifyError::InvalidProof));
}
