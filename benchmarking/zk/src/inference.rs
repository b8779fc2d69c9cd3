//! Set-up, proof and verification of one model, each kind of work in a process of its own, because the peak of memory is a
//! process'.

use std::{
	env, fs,
	ops::ControlFlow,
	path::{Path, PathBuf},
	process::{Command, Stdio},
	sync::Arc,
	time::{Duration, Instant},
};

use anyhow::{ensure, Context, Result};
use clap::Subcommand;
use opensand_measure::peak_kib;
use opensand_nn::Model;
use opensand_zk_circuit::{DeclaredWidths, InferenceCircuit, RegistrationCircuit, WeightsMode};
use opensand_zk_prover::{
	setup_dev, setup_family_dev, Bundle, CommittedWeights, CpuBackend, Mask, Prover, ProvingKey, Registrar,
	PROVING_KEY_FILE,
};
use opensand_zk_verifier::{
	verify, Binding, InputVisibility, Native, Proof, Statement, StatementInput, VerifyingKey,
	WeightsCommitment,
};
use rand::rngs::OsRng;
use serde::{de::DeserializeOwned, Deserialize, Serialize};

use crate::models::Case;

/// Proofs after the first, of which the median counts: at least this many …
const FEWEST: usize = 5;
/// … and as many as fit into this time, up to [`MOST`].
const ENOUGH: Duration = Duration::from_secs(5);
const MOST: usize = 25;
/// Verifications of which the median counts.
const VERIFICATIONS: usize = 25;
/// Public inputs need no salt.
const NO_SALT: [u8; 32] = [0; 32];

/// The work of a process that measures one model.
#[derive(Subcommand)]
pub enum Work {
	/// Makes keys and writes a bundle into a folder.
	SetUp {
		/// The model's name.
		model: String,
		/// The folder.
		bundles: PathBuf,
		/// Whether weights are committed to: then they are registered, too.
		#[arg(long)]
		committed: bool,
	},
	/// Proves with a bundle.
	Prove {
		/// The model's name.
		model: String,
		/// The bundle.
		bundle: PathBuf,
	},
}

/// What the set-up took.
#[derive(Serialize, Deserialize)]
pub struct SetUp {
	/// Seconds for both keys, without writing them.
	pub seconds: f64,
	/// Seconds of the proof that registers the weights, where they are committed to.
	pub registration_seconds: Option<f64>,
	/// Most resident memory.
	pub peak_kib: u64,
	/// Where the bundle is.
	bundle: PathBuf,
}

/// What proofs took.
#[derive(Serialize, Deserialize)]
pub struct Proofs {
	/// Median seconds of a proof, with evaluation of the model and verification of the proof.
	pub seconds: f64,
	/// Median processor seconds of all threads.
	pub processor_seconds: f64,
	/// Seconds to load the bundle.
	pub load_seconds: f64,
	/// Most resident memory.
	pub peak_kib: u64,
	/// Median seconds of a verification.
	pub verify_seconds: f64,
	/// One accepted proof.
	pub accepted: Accepted,
}

/// An accepted proof with everything that it is verified against.
#[derive(Clone, Serialize, Deserialize)]
pub struct Accepted {
	/// The encoded verifying key.
	pub key: Vec<u8>,
	/// The request that the proof is bound to; the rest of the binding is [`binding`]'s.
	pub request: u64,
	/// The public input.
	pub input: Vec<i8>,
	/// The output.
	pub output: Vec<i8>,
	/// The encoded commitment to the weights, where there is one.
	pub commitment: Option<Vec<u8>>,
	/// The encoded proof.
	pub proof: Vec<u8>,
}

/// Everything about one model.
pub struct Inference {
	/// The model.
	pub case: &'static Case,
	/// Whether its weights are committed to.
	pub committed: bool,
	/// Constraints of its circuit.
	pub constraints: usize,
	/// The power of two that holds them.
	pub domain: usize,
	/// The set-up.
	pub set_up: SetUp,
	/// The proofs.
	pub proofs: Proofs,
	/// Bytes of the proving key's file.
	pub proving_key_bytes: u64,
}

/// How a model's weights are taken.
fn mode(model: &Model, committed: bool) -> WeightsMode {
	if committed {
		WeightsMode::Committed(DeclaredWidths::of(model))
	} else {
		WeightsMode::Constant
	}
}

/// Measures one model.
///
/// # Errors
/// When a process fails.
pub fn measure(case: &'static Case, committed: bool) -> Result<Inference> {
	let model = Arc::new(case.model()?);
	let mode = mode(&model, committed);
	let size = InferenceCircuit::with_weights(model, InputVisibility::Public, mode)?;
	let directory = tempfile::tempdir()?;
	let mut work = vec!["set-up", case.name];
	work.extend(committed.then_some("--committed"));
	let set_up: SetUp = process(&work, directory.path())?;
	let proofs: Proofs = process(&["prove", case.name], &set_up.bundle)?;
	Ok(Inference {
		case,
		committed,
		constraints: size.size().constraints,
		domain: size.size().domain,
		proving_key_bytes: fs::metadata(set_up.bundle.join(PROVING_KEY_FILE))?.len(),
		set_up,
		proofs,
	})
}

/// What a process of this program answers to a piece of work over `path`.
fn process<T: DeserializeOwned>(work: &[&str], path: &Path) -> Result<T> {
	let output = Command::new(env::current_exe()?)
		.arg("work")
		.args(work)
		.arg(path)
		.stderr(Stdio::inherit())
		.output()?;
	ensure!(output.status.success(), "{work:?} failed");
	Ok(serde_json::from_slice(&output.stdout)?)
}

impl Work {
	/// Does the work and prints what it took as JSON.
	///
	/// # Errors
	/// When the model is unknown, the bundle not the model's, or a proof fails.
	pub fn run(&self) -> Result<()> {
		let answer = match self {
			Work::SetUp {
				model,
				bundles,
				committed,
			} => serde_json::to_string(&set_up(Case::named(model)?, bundles, *committed)?)?,
			Work::Prove { model, bundle } => serde_json::to_string(&prove(Case::named(model)?, bundle)?)?,
		};
		println!("{answer}");
		Ok(())
	}
}

fn set_up(case: &Case, bundles: &Path, committed: bool) -> Result<SetUp> {
	let model = Arc::new(case.model()?);
	let visibility = InputVisibility::Public;
	let start = Instant::now();
	let (proving_key, registration) = if committed {
		let widths = DeclaredWidths::of(&model);
		let family = setup_family_dev(model.clone(), visibility, widths, &mut OsRng)?;
		(family.inference, Some(family.registration))
	} else {
		(setup_dev(model.clone(), visibility, &mut OsRng)?.0, None)
	};
	let seconds = start.elapsed().as_secs_f64();
	let peak_kib = peak_kib(None)?;
	let (weights, registration_seconds) = match registration {
		Some(key) => {
			let (weights, seconds) = register(&model, key)?;
			(Some(weights), Some(seconds))
		}
		None => (None, None),
	};
	let bundle = Bundle {
		model,
		visibility,
		weights,
		proving_key,
	}
	.write(bundles)?;
	Ok(SetUp {
		seconds,
		registration_seconds,
		peak_kib,
		bundle,
	})
}

/// Registers a model's weights, and how long the proof took.
fn register(model: &Arc<Model>, key: ProvingKey) -> Result<(CommittedWeights, f64)> {
	let widths = DeclaredWidths::of(model);
	let mode = WeightsMode::Committed(widths.clone());
	let circuit = InferenceCircuit::with_weights(model.clone(), InputVisibility::Public, mode)?;
	let registrar = Registrar::new(RegistrationCircuit::of(&circuit)?, key, Arc::new(CpuBackend))?;
	let mask = Mask::random(&mut OsRng);
	let start = Instant::now();
	registrar.register(binding(registrar.key_id(), 0), &mask)?;
	Ok((CommittedWeights { widths, mask }, start.elapsed().as_secs_f64()))
}

fn prove(case: &Case, bundle: &Path) -> Result<Proofs> {
	let start = Instant::now();
	let prover = Prover::load(bundle)?;
	let load_seconds = start.elapsed().as_secs_f64();
	let input = Case::input(&case.model()?);
	// The first proof warms caches and thread pool.
	let first = accepted(&prover, &input, 0)?;
	let (mut times, mut processor_times) = (Vec::new(), Vec::new());
	let begin = Instant::now();
	while times.len() < FEWEST || times.len() < MOST && begin.elapsed() < ENOUGH {
		let (start, processor) = (Instant::now(), opensand_measure::processor_time());
		accepted(&prover, &input, 0)?;
		times.push(start.elapsed());
		processor_times.push(opensand_measure::processor_time() - processor);
	}
	let peak_kib = peak_kib(None)?;
	Ok(Proofs {
		seconds: median(&mut times)?,
		processor_seconds: median(&mut processor_times)?,
		load_seconds,
		peak_kib,
		verify_seconds: verify_seconds(&first)?,
		accepted: first,
	})
}

/// Proves the answer to a request.
///
/// # Errors
/// When there is no proof.
pub fn accepted(prover: &Prover, input: &[i8], request: u64) -> Result<Accepted> {
	let key = prover.verifying_key();
	let binding = binding(key.id(), request);
	let (output, proof) = prover.prove(binding, input, &NO_SALT, &mut |_| ControlFlow::Continue(()))?;
	Ok(Accepted {
		key: key.to_bytes(),
		request,
		input: input.to_vec(),
		output,
		commitment: prover
			.weights_commitment()
			.map(|commitment| commitment.to_bytes().to_vec()),
		proof,
	})
}

/// Median seconds in which the proof is decoded and verified natively.
fn verify_seconds(accepted: &Accepted) -> Result<f64> {
	let key = VerifyingKey::from_trusted_bytes(&accepted.key)
		.map_err(|error| anyhow::anyhow!("the key: {error:?}"))?;
	let statement = accepted.statement(&key);
	let commitment = match accepted.commitment.as_deref() {
		None => None,
		Some(bytes) => Some(
			WeightsCommitment::from_bytes(bytes.try_into()?)
				.map_err(|error| anyhow::anyhow!("the commitment: {error:?}"))?,
		),
	};
	let mut times = Vec::with_capacity(VERIFICATIONS);
	for _ in 0..VERIFICATIONS {
		let start = Instant::now();
		let proof = Proof::from_bytes_with::<Native>(&accepted.proof);
		let is_valid =
			proof.is_ok_and(|proof| verify::<Native>(&key, &statement, commitment.as_ref(), &proof).is_ok());
		times.push(start.elapsed());
		ensure!(is_valid, "the proof is refused");
	}
	median(&mut times)
}

impl Accepted {
	/// What the proof proves.
	pub fn statement(&self, key: &VerifyingKey) -> Statement {
		Statement {
			binding: binding(key.id(), self.request),
			input: StatementInput::Public(self.input.clone()),
			output: self.output.clone(),
		}
	}
}

/// A request of a chain that does not exist.
pub fn binding(key: [u8; 32], request: u64) -> Binding {
	Binding {
		genesis: [1; 32],
		key,
		model: [2; 32],
		request,
		worker: [4; 32],
	}
}

/// The median, in seconds.
///
/// # Errors
/// Of no times there is none.
pub fn median(times: &mut [Duration]) -> Result<f64> {
	times.sort_unstable();
	let median = times.get(times.len() / 2).context("no time was taken")?;
	Ok(median.as_secs_f64())
}
