//! Proof time and peak memory of this prover and of `ark-groth16`'s own, on the same circuit in the same run.
//!
//! `cargo bench -p opensand-zk-prover` prints one JSON object. Each prover runs in a process of its own, because the peak
//! of memory is a process'. The circuit is a network of the digits model's shape, 64-64-10, with both kinds of input.

use ark_bls12_381::Bls12_381;
use ark_groth16::Groth16;
use opensand_nn::{Activation, Architecture, Layer, LayerWeights, Linear, Model, Operator, Shape, Weights};
use opensand_zk_circuit::InferenceCircuit;
use opensand_zk_prover::{setup_dev, CpuBackend, Prover, ProvingKey};
use opensand_zk_verifier::{verify, Binding, InputVisibility, Native, Proof};
use rand::{rngs::OsRng, Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::{
	ops::ControlFlow,
	process::Command,
	sync::Arc,
	time::{Duration, Instant},
};

const RUNS: usize = 20;
const INPUT: [i8; 64] = [31; 64];
const SALT: [u8; 32] = [7; 32];

fn main() {
	let arguments: Vec<String> = std::env::args().collect();
	let child = arguments.iter().position(|argument| argument == "--child");
	if let Some(position) = child {
		let visibility = match arguments[position + 2].as_str() {
			"public" => InputVisibility::Public,
			_ => InputVisibility::Hashed,
		};
		let figures = if arguments[position + 1] == "opensand" {
			opensand(visibility)
		} else {
			arkworks(visibility)
		};
		println!("{figures}");
		return;
	}
	let executable = std::env::current_exe().expect("a running process has an executable");
	let mut report = serde_json::Map::new();
	for visibility in ["public", "hashed"] {
		for prover in ["opensand", "arkworks"] {
			let output = Command::new(&executable)
				.args(["--child", prover, visibility])
				.output()
				.expect("the benchmark can start itself");
			assert!(
				output.status.success(),
				"{}",
				String::from_utf8_lossy(&output.stderr)
			);
			let figures: serde_json::Value =
				serde_json::from_slice(&output.stdout).expect("the child prints JSON");
			report.insert(format!("{prover}_{visibility}"), figures);
		}
	}
	println!(
		"{}",
		serde_json::to_string_pretty(&report).expect("a map of numbers is JSON")
	);
}

fn model() -> Arc<Model> {
	let mut rng = ChaCha20Rng::seed_from_u64(64);
	let mut layer = |outputs: u32, inputs: u32| LayerWeights {
		weights: (0..outputs * inputs).map(|_| rng.gen_range(-64..=64)).collect(),
		biases: (0..outputs).map(|_| rng.gen_range(-2000..2000)).collect(),
	};
	let weights = vec![layer(64, 64), layer(10, 64)];
	let linear = |outputs: u32, activation| {
		Operator::Linear(Linear {
			outputs,
			shifts: vec![8; outputs as usize],
			activation,
		})
	};
	let layers = vec![
		Layer {
			input: 0,
			operator: linear(64, Activation::Relu),
		},
		Layer {
			input: 1,
			operator: linear(10, Activation::Identity),
		},
	];
	let architecture = Architecture::new(Shape::vector(64), layers).expect("the shapes agree");
	let weights = Weights::new(weights).expect("the weights are few");
	Arc::new(Model::new(architecture, weights).expect("the weights fit the architecture"))
}

fn key(visibility: InputVisibility) -> (ProvingKey, Duration) {
	let start = Instant::now();
	let (key, _) = setup_dev(model(), visibility, &mut OsRng).expect("the model has a circuit");
	(key, start.elapsed())
}

fn opensand(visibility: InputVisibility) -> serde_json::Value {
	let (key, setup) = key(visibility);
	let key_bytes = key.to_bytes().len();
	let prover = Prover::new(model(), visibility, key, Arc::new(CpuBackend)).expect("the key is the model's");
	let binding = Binding {
		genesis: [1; 32],
		key: prover.key_id(),
		model: [2; 32],
		request: 3,
		worker: [4; 32],
	};
	let mut proof = Vec::new();
	let prove_ms = median_ms(|| {
		(_, proof) = prover
			.prove(binding.clone(), &INPUT, &SALT, &mut |_| ControlFlow::Continue(()))
			.expect("the model proves");
	});
	let statement = prover.statement(binding, &INPUT, &SALT).expect("the input fits");
	let inputs = statement.public_inputs().expect("the statement is canonical");
	let verify_ms = median_ms(|| {
		let proof = Proof::from_bytes_with::<Native>(&proof).expect("the proof is well-formed");
		verify::<Native>(prover.verifying_key(), &inputs, &proof).expect("the proof is valid");
	});
	let size = prover.circuit_size();
	serde_json::json!({
		"constraints": size.constraints,
		"domain": size.domain,
		"public_inputs": size.public_inputs,
		"setup_ms": setup.as_secs_f64() * 1e3,
		"prove_ms": prove_ms,
		"verify_ms": verify_ms,
		"proof_bytes": proof.len(),
		"proving_key_bytes": key_bytes,
		"verifying_key_bytes": prover.verifying_key().to_bytes().len(),
		"peak_memory_kib": peak_memory_kib(),
	})
}

fn arkworks(visibility: InputVisibility) -> serde_json::Value {
	let (key, setup) = key(visibility);
	let circuit = InferenceCircuit::new(model(), visibility).expect("the model has a circuit");
	let binding = Binding {
		genesis: [1; 32],
		key: [0; 32],
		model: [2; 32],
		request: 3,
		worker: [4; 32],
	};
	let prove_ms = median_ms(|| {
		// Evaluation and verification of the new proof are part of this prover's time too.
		let execution = circuit
			.execute(binding.clone(), &INPUT, SALT)
			.expect("the input fits");
		let proof = Groth16::<Bls12_381>::create_random_proof_with_reduction(
			circuit.with_execution(&execution),
			key.points(),
			&mut OsRng,
		)
		.expect("the model proves");
		let proof = Proof::from_points(proof.a, proof.b, proof.c).expect("a proof has no identities");
		let inputs = execution
			.statement
			.public_inputs()
			.expect("the statement is canonical");
		verify::<Native>(key.verifying_key(), &inputs, &proof).expect("the proof is valid");
	});
	serde_json::json!({
		"constraints": circuit.size().constraints,
		"setup_ms": setup.as_secs_f64() * 1e3,
		"prove_ms": prove_ms,
		"peak_memory_kib": peak_memory_kib(),
	})
}

fn median_ms(mut work: impl FnMut()) -> f64 {
	work();
	let mut times: Vec<Duration> = (0..RUNS)
		.map(|_| {
			let start = Instant::now();
			work();
			start.elapsed()
		})
		.collect();
	times.sort();
	times[RUNS / 2].as_secs_f64() * 1e3
}

/// The peak of resident memory of this process, from the kernel; none where it does not tell.
fn peak_memory_kib() -> Option<u64> {
	let status = std::fs::read_to_string("/proc/self/status").ok()?;
	let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
	line.split_whitespace().next()?.parse().ok()
}
