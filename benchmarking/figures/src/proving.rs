//! Proof time and peak memory for the digits model: this project's prover and `ark-groth16`'s own on the same circuit,
//! each in a process of its own, because the peak of memory is a process'.

use std::{
	env, fs,
	ops::ControlFlow,
	path::Path,
	process::Command,
	time::{Duration, Instant},
};

use anyhow::{bail, ensure, Result};
use ark_bls12_381::{Bls12_381, G1Affine};
use ark_ec::AffineRepr;
use ark_groth16::Groth16;
use ark_snark::SNARK;
use opensand_tests::digits::Digits;
use opensand_zk_circuit::InferenceCircuit;
use opensand_zk_prover::{arkworks::Relation, Bundle, Prover};
use opensand_zk_verifier::{Binding, InputVisibility};
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};

use crate::verification::Accepted;

/// Proofs of which the median counts.
const RUNS: usize = 15;
/// The held-out image that is proven.
const IMAGE: usize = 0;
/// First argument of a process that measures one prover.
pub const CHILD: &str = "prove-once";
/// Public inputs need no salt.
const NO_SALT: [u8; 32] = [0; 32];

/// Which prover a process measures.
#[derive(Clone, Copy)]
enum Engine {
	OpenSand,
	Arkworks,
}

impl Engine {
	const fn name(self) -> &'static str {
		match self {
			Engine::OpenSand => "opensand",
			Engine::Arkworks => "arkworks",
		}
	}
}

/// What one prover took.
#[derive(Clone, Serialize, Deserialize)]
pub struct ProverFigures {
	/// Median of a proof, with evaluation of the model and verification of the proof, in milliseconds.
	pub milliseconds: f64,
	/// Most resident memory, in KiB.
	pub peak_kib: u64,
}

/// Both provers on the digits model.
pub struct Proving {
	/// Constraints of the circuit.
	pub constraints: usize,
	/// Bytes of the proving key's file.
	pub proving_key_bytes: u64,
	/// This project's.
	pub opensand: ProverFigures,
	/// `ark-groth16`'s.
	pub arkworks: ProverFigures,
	/// One proof, for the measurement of verification.
	pub accepted: Accepted,
}

/// Measures both provers on the bundle in `bundle`.
///
/// # Errors
/// When a process fails.
pub fn measure(digits: &Digits, bundle: &Path) -> Result<Proving> {
	let input = digits.input(IMAGE)?;
	let prover = Prover::load(bundle)?;
	let binding = binding(prover.key_id());
	let (output, proof) = prover.prove(binding.clone(), &input, &NO_SALT, &mut |_| {
		ControlFlow::Continue(())
	})?;
	let accepted = Accepted {
		key: prover.verifying_key().to_bytes(),
		binding,
		input: input.clone(),
		output,
		proof,
	};
	let in_a_process = |engine: Engine| -> Result<ProverFigures> {
		let input = hex::encode(
			input
				.iter()
				.map(|value| value.cast_unsigned())
				.collect::<Vec<_>>(),
		);
		let child = Command::new(env::current_exe()?)
			.args([CHILD, engine.name(), &bundle.display().to_string(), &input])
			.output()?;
		ensure!(
			child.status.success(),
			"{}",
			String::from_utf8_lossy(&child.stderr)
		);
		Ok(serde_json::from_slice(&child.stdout)?)
	};
	Ok(Proving {
		constraints: prover.circuit_size().constraints,
		proving_key_bytes: fs::metadata(bundle.join(opensand_zk_prover::PROVING_KEY_FILE))?.len(),
		opensand: in_a_process(Engine::OpenSand)?,
		arkworks: in_a_process(Engine::Arkworks)?,
		accepted,
	})
}

/// The work of a process that measures one prover; prints [`ProverFigures`].
///
/// # Errors
/// When the arguments are not those that [`measure`] gives, or a proof fails.
pub fn child(arguments: &[String]) -> Result<()> {
	let [engine, bundle, input] = arguments else {
		bail!("{CHILD} takes a prover, a bundle and an input")
	};
	let bundle = Path::new(bundle);
	let input: Vec<i8> = hex::decode(input)?.into_iter().map(u8::cast_signed).collect();
	let milliseconds = if engine == Engine::OpenSand.name() {
		opensand(bundle, &input)?
	} else {
		arkworks(bundle, &input)?
	};
	println!(
		"{}",
		serde_json::to_string(&ProverFigures {
			milliseconds,
			peak_kib: opensand_measure::peak_kib(None)?
		})?
	);
	Ok(())
}

fn opensand(bundle: &Path, input: &[i8]) -> Result<f64> {
	let prover = Prover::load(bundle)?;
	let binding = binding(prover.key_id());
	median(|| {
		prover.prove(binding.clone(), input, &NO_SALT, &mut |_| {
			ControlFlow::Continue(())
		})?;
		Ok(())
	})
}

/// On the same constraint system, whose committed variables are ordinary ones to it, under a key of its own.
fn arkworks(bundle: &Path, input: &[i8]) -> Result<f64> {
	let bundle = Bundle::read(bundle)?;
	let circuit = InferenceCircuit::new(bundle.model.clone(), InputVisibility::Public)?;
	let matrices = circuit.matrices()?;
	let unknown = Relation {
		matrices: &matrices,
		z: None,
	};
	let key = Groth16::<Bls12_381>::generate_random_parameters_with_reduction(unknown, &mut OsRng)?;
	let verifying = Groth16::<Bls12_381>::process_vk(&key.vk)?;
	let binding = binding(bundle.proving_key.verifying_key().id());
	median(|| {
		let execution = circuit.execute(binding.clone(), input, NO_SALT)?;
		let committed = circuit.commit(&execution)?;
		// Any will do where nothing is committed to.
		let challenges = execution.statement.challenges(&G1Affine::generator(), None);
		let z = circuit.assign(&execution, &committed, &challenges)?;
		let known = Relation {
			matrices: &matrices,
			z: Some(&z),
		};
		let proof = Groth16::<Bls12_381>::create_random_proof_with_reduction(known, &key, &mut OsRng)?;
		let inputs = &z[1..matrices.instance_len()];
		ensure!(
			Groth16::<Bls12_381>::verify_proof(&verifying, &proof, inputs)?,
			"the proof is invalid"
		);
		Ok(())
	})
}

/// What the measured proofs are bound to; a request of a chain that does not exist.
fn binding(key: [u8; 32]) -> Binding {
	Binding {
		genesis: [1; 32],
		key,
		model: [2; 32],
		request: 3,
		worker: [4; 32],
	}
}

fn median(mut proof: impl FnMut() -> Result<()>) -> Result<f64> {
	// The first proof warms caches and thread pool.
	proof()?;
	let mut times = Vec::with_capacity(RUNS);
	for _ in 0..RUNS {
		let start = Instant::now();
		proof()?;
		times.push(start.elapsed());
	}
	times.sort_unstable();
	Ok(times.get(RUNS / 2).map(Duration::as_secs_f64).unwrap_or_default() * 1e3)
}
