//! Bundles for tests.
#![allow(dead_code)] // each test uses its own part

use std::{
	fs,
	path::{Path, PathBuf},
	sync::{Arc, OnceLock},
};

use opensand_nn::{Activation, Architecture, Layer, LayerWeights, Linear, Model, Operator, Shape, Weights};
use opensand_node::prover::bundles::BundleStore;
use opensand_primitives::{
	models::CommitmentBytes,
	proving::{JobInput, JobResult, ProvingJob},
	KeyId,
};
use opensand_zk_circuit::DeclaredWidths;
use opensand_zk_prover::{setup_family_dev, CommittedWeights, Mask};
use opensand_zk_verifier::{
	verify, Binding, InputVisibility, Native, Proof, Statement, StatementInput, VerifyingKey,
	WeightsCommitment,
};
use rand::rngs::OsRng;
use tempfile::TempDir;

const INPUTS: u32 = 64;
const OUTPUTS: u32 = 10;

/// An installed bundle.
pub struct Bundle {
	/// Its directory.
	pub path: PathBuf,
	/// Its key.
	pub key: KeyId,
	/// The commitment to its weights, where they are no constants.
	pub commitment: Option<CommitmentBytes>,
	/// An input of its model.
	pub input: Vec<u8>,
	model: Arc<Model>,
	verifying: VerifyingKey,
}

impl Bundle {
	/// Puts a bundle into `store` whose inputs are public, and whose proofs take long enough to be interrupted.
	pub fn public(store: &Path) -> Self {
		static MADE: OnceLock<Made> = OnceLock::new();
		MADE.get_or_init(|| Made::new(512, InputVisibility::Public))
			.copy_to(store)
	}

	/// Puts a small bundle into `store` whose inputs are public.
	pub fn small(store: &Path) -> Self {
		static MADE: OnceLock<Made> = OnceLock::new();
		MADE.get_or_init(|| Made::new(4, InputVisibility::Public))
			.copy_to(store)
	}

	/// Puts a small bundle into `store` whose inputs are hashed.
	pub fn hashed(store: &Path) -> Self {
		static MADE: OnceLock<Made> = OnceLock::new();
		MADE.get_or_init(|| Made::new(4, InputVisibility::Hashed))
			.copy_to(store)
	}

	/// Installs two bundles of one model and one key, with commitments of their own to its weights.
	pub fn committed(store: &Path) -> [Self; 2] {
		let model = Arc::new(model(4));
		let (widths, visibility) = (DeclaredWidths::of(&model), InputVisibility::Public);
		let family = setup_family_dev(model.clone(), visibility, widths.clone(), &mut OsRng).unwrap();
		let verifying = family.inference.verifying_key().clone();
		[(); 2].map(|()| {
			let bundle = opensand_zk_prover::Bundle {
				model: model.clone(),
				visibility,
				weights: Some(CommittedWeights {
					widths: widths.clone(),
					mask: Mask::random(&mut OsRng),
				}),
				proving_key: family.inference.clone(),
			};
			let directory = TempDir::new().unwrap();
			let written = bundle.write(directory.path()).unwrap();
			let installed = BundleStore::new(store.to_path_buf());
			let name = installed.install(&written).unwrap();
			Self {
				path: installed.path(&name),
				key: name.key,
				commitment: name.commitment,
				input: input(),
				model: model.clone(),
				verifying: verifying.clone(),
			}
		})
	}

	/// Checks that `result` is the model's output for `job`, with a proof of it.
	pub fn verify(&self, job: &ProvingJob, result: &JobResult) {
		let input: Vec<i8> = self.input.iter().map(|value| value.cast_signed()).collect();
		let output: Vec<i8> = result.output.iter().map(|value| value.cast_signed()).collect();
		assert_eq!(output, self.model.evaluate(&input).unwrap());
		let statement = Statement {
			binding: Binding {
				genesis: job.genesis,
				key: job.key.0,
				model: job.model.0,
				request: job.request,
				worker: *job.worker.as_ref(),
			},
			input: match job.input {
				JobInput::Public(_) => StatementInput::Public(input),
				JobInput::Sealed { hash, .. } => StatementInput::Hashed(hash),
			},
			output,
		};
		let proof = Proof::from_bytes_with::<Native>(&result.proof).unwrap();
		let commitment = self
			.commitment
			.map(|bytes| WeightsCommitment::from_bytes(&bytes).unwrap());
		verify::<Native>(&self.verifying, &statement, commitment.as_ref(), &proof).unwrap();
	}
}

/// What a set-up left behind; it takes seconds, so each is made once a process.
struct Made {
	directory: TempDir,
	model: Arc<Model>,
	verifying: VerifyingKey,
}

impl Made {
	fn new(hidden: u32, visibility: InputVisibility) -> Self {
		let model = Arc::new(model(hidden));
		let (proving_key, verifying) =
			opensand_zk_prover::setup_dev(model.clone(), visibility, &mut rand::rngs::OsRng).unwrap();
		let bundle = opensand_zk_prover::Bundle {
			model: model.clone(),
			visibility,
			weights: None,
			proving_key,
		};
		let directory = TempDir::new().unwrap();
		bundle.write(directory.path()).unwrap();
		Self {
			directory,
			model,
			verifying,
		}
	}

	fn copy_to(&self, store: &Path) -> Bundle {
		let name = hex::encode(self.verifying.id());
		let path = store.join(&name);
		fs::create_dir_all(&path).unwrap();
		for file in fs::read_dir(self.directory.path().join(&name)).unwrap() {
			let file = file.unwrap();
			fs::copy(file.path(), path.join(file.file_name())).unwrap();
		}
		Bundle {
			path,
			key: KeyId::from(self.verifying.id()),
			commitment: None,
			input: input(),
			model: self.model.clone(),
			verifying: self.verifying.clone(),
		}
	}
}

fn input() -> Vec<u8> {
	(0..INPUTS).map(|index| index as u8).collect()
}

fn model(hidden: u32) -> Model {
	let layer = |input, outputs: u32, activation| Layer {
		input,
		operator: Operator::Linear(Linear {
			outputs,
			shifts: vec![7; outputs as usize],
			activation,
		}),
	};
	let layers = vec![
		layer(0, hidden, Activation::Relu),
		layer(1, OUTPUTS, Activation::Identity),
	];
	let weights = |inputs: u32, outputs: u32| LayerWeights {
		weights: (0..inputs * outputs)
			.map(|index| (index * 37 % 255) as u8 as i8)
			.collect(),
		biases: vec![0; outputs as usize],
	};
	let weights = Weights::new(vec![weights(INPUTS, hidden), weights(hidden, OUTPUTS)]).unwrap();
	Model::new(Architecture::new(Shape::vector(INPUTS), layers).unwrap(), weights).unwrap()
}
