//! Proving inside a worker process: loads bundles, keeps the most recently used, and proves with them.

use std::{io, ops::ControlFlow, sync::Arc, time::Instant};

use opensand_primitives::proving::{JobFailure, JobResult, ProvingStage};
use opensand_zk_circuit::CircuitError;
use opensand_zk_prover::{BackendError, BundleError, CpuBackend, ProveError, Prover, ProverBackend, Stage};
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
	/// The device failed; another process, or the CPU, may succeed. The text is for the log.
	Device(String),
}

/// Where a bundle's key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placed {
	/// Where this process proves.
	Device,
	/// In memory, because it is too large for the device.
	TooLarge,
	/// In memory, because the device failed.
	Cpu,
}

struct Loaded {
	name: BundleName,
	placed: Placed,
	prover: Prover,
}

/// Proves with the bundles of one store.
pub struct Engine {
	bundles: BundleStore,
	backend: Arc<dyn ProverBackend>,
	/// The most recently used first.
	loaded: Vec<Loaded>,
	/// What an operator should know.
	notes: Vec<String>,
}

impl Engine {
	/// An engine that has loaded nothing yet.
	pub fn new(bundles: BundleStore, backend: Arc<dyn ProverBackend>) -> Self {
		Self {
			bundles,
			backend,
			loaded: Vec::new(),
			notes: Vec::new(),
		}
	}

	/// What an operator should know and has not been told, such as that a key is too large for the device.
	pub fn take_notes(&mut self) -> Vec<String> {
		std::mem::take(&mut self.notes)
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
			on_cpu,
			..
		} = assignment;
		let bundle = BundleName {
			key: binding.key.into(),
			commitment: *commitment,
		};
		self.load(&bundle, *on_cpu)?;
		let visibility = self.first()?.prover.visibility();
		// A salt without a hash, or a hash without a salt, is a job for another model.
		if (visibility == InputVisibility::Hashed) != input.salt.is_some() {
			return Err(Fault::Permanent(JobFailure::BadInput));
		}
		let salt = input.salt.unwrap_or_default();
		let mut enter = |stage| {
			let (stage, percent) = shown(stage);
			progress(stage, percent);
			ControlFlow::Continue(())
		};
		let proven = loop {
			let loaded = self.first()?;
			let on_device = loaded.prover.backend().device().is_some();
			match loaded
				.prover
				.prove(binding.clone(), &input.values, &salt, &mut enter)
			{
				Err(ProveError::Backend(error)) if on_device && error.is_about_size() => {
					// Room for keys, and none to work in.
					if self.make_room(1) {
						continue;
					}
					self.loaded.remove(0);
					self.move_to_cpu(&bundle, &error)?;
				}
				result => break result.map_err(|error| fault(error, on_device)),
			}
		};
		let (output, proof) = proven?;
		Ok(JobResult {
			output: output.iter().map(|value| value.cast_unsigned()).collect(),
			proof,
			elapsed_ms: started.elapsed().as_millis() as u64,
		})
	}

	/// The bundle that was loaded last.
	fn first(&self) -> Result<&Loaded, Fault> {
		self.loaded
			.first()
			.ok_or_else(|| Fault::Passing("no bundle is loaded".into()))
	}

	/// Puts a bundle first, loaded now or before.
	fn load(&mut self, bundle: &BundleName, on_cpu: bool) -> Result<(), Fault> {
		let wanted = match self.backend.device() {
			Some(_) if on_cpu => Placed::Cpu,
			_ => Placed::Device,
		};
		let serves = |loaded: &Loaded| {
			loaded.name == *bundle && (loaded.placed == wanted || loaded.placed == Placed::TooLarge)
		};
		if let Some(place) = self.loaded.iter().position(serves) {
			let loaded = self.loaded.remove(place);
			self.loaded.insert(0, loaded);
			return Ok(());
		}
		// Make room first: a key can have gigabytes.
		self.loaded.truncate(LOADED_BUNDLES - 1);
		if wanted == Placed::Cpu {
			return self
				.load_on(bundle, Placed::Cpu)
				.map_err(|error| load_fault(error, false));
		}
		loop {
			match self.load_on(bundle, Placed::Device) {
				Err(ProveError::Backend(error)) if error.is_about_size() => {
					if !self.make_room(0) {
						return self.move_to_cpu(bundle, &error);
					}
				}
				result => {
					let on_device = self.backend.device().is_some();
					return result.map_err(|error| load_fault(error, on_device));
				}
			}
		}
	}

	/// Frees the device of the bundle that was not used for longest, but for the first `kept`. Answers whether there was one.
	fn make_room(&mut self, kept: usize) -> bool {
		let on_device = |loaded: &Loaded| loaded.placed == Placed::Device;
		match self.loaded.iter().rposition(on_device) {
			Some(place) if place >= kept => {
				self.loaded.remove(place);
				true
			}
			_ => false,
		}
	}

	/// Loads a bundle into memory, because it is too large for the device.
	fn move_to_cpu(&mut self, bundle: &BundleName, error: &BackendError) -> Result<(), Fault> {
		self.notes.push(format!(
			"key {} is proven with on the CPU: {error}",
			hex::encode(bundle.key)
		));
		self.load_on(bundle, Placed::TooLarge)
			.map_err(|error| load_fault(error, false))
	}

	/// Loads a bundle to a place and puts it first.
	fn load_on(&mut self, bundle: &BundleName, placed: Placed) -> Result<(), ProveError> {
		let backend = match placed {
			Placed::Device => self.backend.clone(),
			Placed::TooLarge | Placed::Cpu => Arc::new(CpuBackend),
		};
		let prover = Prover::load_with(&self.bundles.path(bundle), backend)?;
		if BundleName::of_prover(&prover) != *bundle {
			return Err(ProveError::KeyMismatch);
		}
		self.loaded.insert(
			0,
			Loaded {
				name: bundle.clone(),
				placed,
				prover,
			},
		);
		Ok(())
	}
}

/// What a fault while loading means for the job.
fn load_fault(error: ProveError, on_device: bool) -> Fault {
	match error {
		ProveError::Bundle(BundleError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
			Fault::Permanent(JobFailure::MissingBundle)
		}
		ProveError::Bundle(BundleError::Io { .. }) => Fault::Passing(error.to_string()),
		ProveError::Backend(ref cause) => backend_fault(cause, on_device),
		// Of committed weights, whose commitment is computed while loading.
		ProveError::SelfCheck if on_device => Fault::Device(error.to_string()),
		_ => Fault::Permanent(JobFailure::BadBundle),
	}
}

/// What a fault while proving means for the job.
fn fault(error: ProveError, on_device: bool) -> Fault {
	match error {
		ProveError::Circuit(CircuitError::Input(_)) => Fault::Permanent(JobFailure::BadInput),
		ProveError::Bundle(_) | ProveError::KeyMismatch | ProveError::OtherKey { .. } => {
			Fault::Permanent(JobFailure::BadBundle)
		}
		ProveError::Backend(cause) => backend_fault(&cause, on_device),
		// The device computed wrongly, or the key is wrong: on the CPU it shows.
		ProveError::SelfCheck if on_device => Fault::Device(error.to_string()),
		ProveError::Circuit(_) | ProveError::Cancelled | ProveError::SelfCheck => {
			Fault::Passing(error.to_string())
		}
	}
}

/// What a backend's fault means for the job.
fn backend_fault(error: &BackendError, on_device: bool) -> Fault {
	match error {
		BackendError::Host(_) => Fault::Passing(error.to_string()),
		_ if on_device => Fault::Device(error.to_string()),
		_ => Fault::Passing(error.to_string()),
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
