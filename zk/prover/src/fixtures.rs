//! A small model with a key and valid proofs, for tests of crates that verify them.
//!
//! Everything is derived from a fixed seed, so ids are the same in every run. The key is a development key whose secrets
//! anyone can reproduce.

use crate::{setup_dev, CpuBackend, Prover};
use ark_ff::{Field, UniformRand};
use opensand_nn::{Activation, Architecture, Layer, LayerWeights, Linear, Model, Operator, Shape, Weights};
use opensand_zk_verifier::{encode_g1, Binding, Fr, G1Affine, InputVisibility, Proof, ProofError, Statement};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::{
	ops::ControlFlow,
	sync::{Arc, OnceLock},
};

/// The salt of every fixture with a hashed input.
pub const SALT: [u8; 32] = [0xa5; 32];
/// An input of the small model.
pub const INPUT: [i8; 4] = [12, -7, 100, 3];

/// A prover for the small model, 4-3-2 with ReLU.
pub struct Fixture {
	prover: Prover,
}

impl Fixture {
	/// The fixture for a visibility; made once a process.
	pub fn get(visibility: InputVisibility) -> &'static Self {
		static PUBLIC: OnceLock<Fixture> = OnceLock::new();
		static HASHED: OnceLock<Fixture> = OnceLock::new();
		let cell = match visibility {
			InputVisibility::Public => &PUBLIC,
			InputVisibility::Hashed => &HASHED,
		};
		cell.get_or_init(|| Self::new(visibility, 1))
	}

	/// A fixture of its own: the small model under a key from another seed.
	pub fn new(visibility: InputVisibility, seed: u64) -> Self {
		let model = Arc::new(model());
		let mut rng = ChaCha20Rng::seed_from_u64(seed);
		let (key, _) = setup_dev(model.clone(), visibility, &mut rng).expect("the small model has a circuit");
		let prover =
			Prover::new(model, visibility, key, Arc::new(CpuBackend)).expect("the key is the model's");
		Self { prover }
	}

	/// The prover.
	pub fn prover(&self) -> &Prover {
		&self.prover
	}

	/// The encoded architecture.
	pub fn architecture(&self) -> Vec<u8> {
		self.prover.model().architecture().to_bytes()
	}

	/// The encoded weights.
	pub fn weights(&self) -> Vec<u8> {
		self.prover.model().weights().to_bytes()
	}

	/// The encoded verifying key.
	pub fn verifying_key(&self) -> Vec<u8> {
		self.prover.verifying_key().to_bytes()
	}

	/// The id of the verifying key.
	pub fn key_id(&self) -> [u8; 32] {
		self.prover.key_id()
	}

	/// A valid proof of an input, with its statement: the same for the same arguments. `binding.key` is overwritten with
	/// this fixture's key id.
	pub fn prove(&self, binding: Binding, input: &[i8]) -> (Statement, Vec<u8>) {
		let binding = Binding {
			key: self.key_id(),
			..binding
		};
		let statement = self
			.prover
			.statement(binding.clone(), input, &SALT)
			.expect("the input has four values");
		let mut rng = ChaCha20Rng::seed_from_u64(binding.request);
		let (_, proof) = self
			.prover
			.prove_with_rng(
				binding,
				input,
				&SALT,
				&mut |_| ControlFlow::Continue(()),
				&mut rng,
			)
			.expect("the small model proves");
		(statement, proof)
	}

	/// Another proof of the same statement, as anyone can compute it from the proof alone (ePrint 2020/811, figure 1).
	pub fn rerandomise(&self, proof: &[u8], seed: u64) -> Vec<u8> {
		let proof = Proof::from_bytes(proof).expect("a valid proof decodes");
		let (a, b, c, committed) = proof.points();
		let (_, g2, _) = self.prover.verifying_key().points();
		let mut rng = ChaCha20Rng::seed_from_u64(seed);
		let (t, u) = (Fr::rand(&mut rng), Fr::rand(&mut rng));
		let a_fresh = *a * t.inverse().expect("a random element is not zero");
		let b_fresh = *b * t + g2.delta * (t * u);
		let c_fresh = *a * u + c;
		Proof::from_points(a_fresh.into(), b_fresh.into(), c_fresh.into(), *committed)
			.expect("no point becomes the identity")
			.to_bytes()
	}
}

/// A valid proof spoilt in each way that decoding tells apart, with the error it gives.
pub fn malformed(proof: &[u8]) -> [(ProofError, Vec<u8>); 5] {
	let spoilt = |spoil: &dyn Fn(&mut Vec<u8>)| {
		let mut bytes = proof.to_vec();
		spoil(&mut bytes);
		bytes
	};
	let stray = (1u64..)
		.find_map(|x| G1Affine::get_point_from_x_unchecked(x.into(), false))
		.expect("half of all x are on the curve");
	let mut stray_bytes = Vec::new();
	encode_g1(&mut stray_bytes, &stray);
	[
		(
			ProofError::WrongLength,
			spoilt(&|bytes| bytes.truncate(bytes.len() - 1)),
		),
		(ProofError::NonCanonical, spoilt(&|bytes| bytes[0] |= 0x80)),
		(ProofError::OffCurve, spoilt(&|bytes| bytes[95] ^= 1)),
		(
			ProofError::OffSubgroup,
			spoilt(&|bytes| bytes[..96].copy_from_slice(&stray_bytes)),
		),
		(
			ProofError::Identity,
			spoilt(&|bytes| {
				bytes[..96].fill(0);
				bytes[0] = 0x40;
			}),
		),
	]
}

/// The small model: four inputs, three hidden values with ReLU, two outputs.
pub fn model() -> Model {
	let linear = |outputs: u32, shift: u8, activation| {
		Operator::Linear(Linear {
			outputs,
			shifts: vec![shift; outputs as usize],
			activation,
		})
	};
	let layers = vec![
		Layer {
			input: 0,
			operator: linear(3, 6, Activation::Relu),
		},
		Layer {
			input: 1,
			operator: linear(2, 5, Activation::Identity),
		},
	];
	let weights = vec![
		LayerWeights {
			weights: vec![20, -31, 7, 44, -12, 9, 60, -3, 35, 50, -28, 17],
			biases: vec![100, -50, 0],
		},
		LayerWeights {
			weights: vec![33, -21, 14, -40, 25, 8],
			biases: vec![-7, 300],
		},
	];
	Architecture::new(Shape::vector(4), layers)
		.and_then(|architecture| Model::new(architecture, Weights::new(weights)?))
		.expect("the small model is well-formed")
}
