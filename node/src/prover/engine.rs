//! Proving inside a worker process: loads bundles, keeps the most recently used, and proves with them.

use std::{io, ops::ControlFlow, time::Instant};

use opensand_primitives::proving::{JobFailure, JobResult, ProvingStage};
use opensand_zk_circuit::CircuitError;
use opensand_zk_prover::{BundleError, ProveError, Prover, Stage};
use opensand_zk_verifier::InputVisibility;

use super::{
	bundles::{BundleName, BundleStore},
	protocol::Assignment,
};

/// Bundles that stay loaded.
const LOADED_BUNDLES: usize = 4;

/// Why there is no proof.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
	/// No further attempt can succeed.
	Permanent(JobFailure),
	/// Another attempt may succeed; the text is for the log.
	Passing(String),
}

/// Proves with the bundles of one store.
pub struct Engine {
	bundles: BundleStore,
	/// The most recently used first.
	loaded: Vec<(BundleName, Prover)>,
}

impl Engine {
	/// An engine that has loaded nothing yet.
	pub fn new(bundles: BundleStore) -> Self {
		Self {
			bundles,
			loaded: Vec::new(),
		}
	}

	/// Runs the model of the assignment's bundle on its input and proves the result. `progress` hears of each stage and the
	/// percentage of the whole that is done when the stage begins.
	pub fn prove(
		&mut self,
		assignment: &Assignment,
		mut progress: impl FnMut(ProvingStage, u8),
	) -> Result<JobResult, Fault> {
		let started = Instant::now();
		progress(ProvingStage::Loading, 0);
		let Assignment {
			binding,
			input,
			commitment,
			..
		} = assignment;
		let prover = self.load(BundleName {
			key: binding.key.into(),
			commitment: *commitment,
		})?;
		// A salt without a hash, or a hash without a salt, is a job for another model.
		let is_hashed = prover.visibility() == InputVisibility::Hashed;
		if is_hashed != input.salt.is_some() {
			return Err(Fault::Permanent(JobFailure::BadInput));
		}
		let salt = input.salt.unwrap_or_default();
		let mut enter = |stage| {
			let (stage, percent) = shown(stage);
			progress(stage, percent);
			ControlFlow::Continue(())
		};
		let (output, proof) = prover
			.prove(binding.clone(), &input.values, &salt, &mut enter)
			.map_err(fault)?;
		Ok(JobResult {
			output: output.iter().map(|value| value.cast_unsigned()).collect(),
			proof,
			elapsed_ms: started.elapsed().as_millis() as u64,
		})
	}

	/// The prover of a bundle, loaded now or before.
	fn load(&mut self, bundle: BundleName) -> Result<&Prover, Fault> {
		let prover = match self.loaded.iter().position(|(loaded, _)| *loaded == bundle) {
			Some(place) => self.loaded.remove(place).1,
			None => {
				// Make room first: a key can have gigabytes.
				self.loaded.truncate(LOADED_BUNDLES - 1);
				let prover = Prover::load(&self.bundles.path(&bundle)).map_err(load_fault)?;
				if BundleName::of_prover(&prover) != bundle {
					return Err(Fault::Permanent(JobFailure::BadBundle));
				}
				prover
			}
		};
		self.loaded.insert(0, (bundle, prover));
		Ok(&self.loaded[0].1)
	}
}

/// What a fault while loading means for the job.
fn load_fault(error: ProveError) -> Fault {
	match error {
		ProveError::Bundle(BundleError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
			Fault::Permanent(JobFailure::MissingBundle)
		}
		ProveError::Bundle(BundleError::Io { .. }) | ProveError::Backend(_) => {
			Fault::Passing(error.to_string())
		}
		_ => Fault::Permanent(JobFailure::BadBundle),
	}
}

/// What a fault while proving means for the job.
fn fault(error: ProveError) -> Fault {
	match error {
		ProveError::Circuit(CircuitError::Input(_)) => Fault::Permanent(JobFailure::BadInput),
		ProveError::Bundle(_) | ProveError::KeyMismatch | ProveError::OtherKey { .. } => {
			Fault::Permanent(JobFailure::BadBundle)
		}
		ProveError::Circuit(_) | ProveError::Backend(_) | ProveError::Cancelled | ProveError::SelfCheck => {
			Fault::Passing(error.to_string())
		}
	}
}

/// A stage as the chain's clients see it, and how much of a typical job is done when it begins, in percent.
fn shown(stage: Stage) -> (ProvingStage, u8) {
	match stage {
		Stage::Evaluating => (ProvingStage::Witness, 10),
		Stage::Assigning => (ProvingStage::Witness, 15),
		Stage::Proving => (ProvingStage::Proving, 20),
		Stage::Verifying => (ProvingStage::Verifying, 95),
	}
}
