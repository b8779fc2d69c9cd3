//! A bundle for tests: a model whose proofs take long enough to be interrupted.

use std::{
	fs,
	path::Path,
	sync::{Arc, OnceLock},
};

use opensand_nn::{Activation, Architecture, Layer, LayerWeights, Linear, Model, Operator, Shape, Weights};
use opensand_primitives::{
	proving::{JobResult, ProvingJob},
	KeyId,
};
use opensand_zk_verifier::{
	verify, Binding, InputVisibility, Native, Proof, Statement, StatementInput, VerifyingKey,
};
use tempfile::TempDir;

const INPUTS: u32 = 64;
const HIDDEN: u32 = 1024;
const OUTPUTS: u32 = 10;

/// An installed bundle.
pub struct Bundle {
	/// Its key.
	pub key: KeyId,
	/// An input of its model.
	pub input: Vec<u8>,
	model: Arc<Model>,
	verifying: VerifyingKey,
}

impl Bundle {
	/// Installs the bundle in `store`.
	pub fn install(store: &Path) -> Self {
		let (made, key, model, verifying) = made();
		let name = hex::encode(key);
		fs::create_dir_all(store.join(&name)).unwrap();
		for file in fs::read_dir(made.path().join(&name)).unwrap() {
			let file = file.unwrap();
			fs::copy(file.path(), store.join(&name).join(file.file_name())).unwrap();
		}
		Self {
			key: *key,
			input: (0..INPUTS).map(|index| index as u8).collect(),
			model: model.clone(),
			verifying: verifying.clone(),
		}
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
			input: StatementInput::Public(input),
			output,
		};
		let proof = Proof::from_bytes_with::<Native>(&result.proof).unwrap();
		verify::<Native>(&self.verifying, &statement.public_inputs().unwrap(), &proof).unwrap();
	}
}

/// The bundle's directory, key and model, made once a process: the set-up takes seconds.
fn made() -> &'static (TempDir, KeyId, Arc<Model>, VerifyingKey) {
	static MADE: OnceLock<(TempDir, KeyId, Arc<Model>, VerifyingKey)> = OnceLock::new();
	MADE.get_or_init(|| {
		let model = Arc::new(model());
		let visibility = InputVisibility::Public;
		let (proving_key, verifying) =
			opensand_zk_prover::setup_dev(model.clone(), visibility, &mut rand::rngs::OsRng).unwrap();
		let directory = TempDir::new().unwrap();
		let bundle = opensand_zk_prover::Bundle {
			model: model.clone(),
			visibility,
			proving_key,
		};
		bundle.write(directory.path()).unwrap();
		(directory, KeyId::from(verifying.id()), model, verifying)
	})
}

fn model() -> Model {
	let layer = |input, outputs: u32, activation| Layer {
		input,
		operator: Operator::Linear(Linear {
			outputs,
			shifts: vec![7; outputs as usize],
			activation,
		}),
	};
	let layers = vec![
		layer(0, HIDDEN, Activation::Relu),
		layer(1, OUTPUTS, Activation::Identity),
	];
	let weights = |inputs: u32, outputs: u32| LayerWeights {
		weights: (0..inputs * outputs)
			.map(|index| (index * 37 % 255) as u8 as i8)
			.collect(),
		biases: vec![0; outputs as usize],
	};
	let weights = Weights::new(vec![weights(INPUTS, HIDDEN), weights(HIDDEN, OUTPUTS)]).unwrap();
	Model::new(Architecture::new(Shape::vector(INPUTS), layers).unwrap(), weights).unwrap()
}
