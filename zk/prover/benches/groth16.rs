//! Time and peak memory of this prover and of `ark-groth16`'s, on the same constraint systems in the same run.
//!
//! `cargo bench -p opensand-zk-prover` prints one JSON object: for 2^16 and 2^18 rows (or `-- --log2 n`), with a witness of bits
//! and one of full width, each prover's set-up, proof and peak memory, and the digits model's shape through `Prover`.
//! Each prover runs in a process of its own, because the peak of memory is a process', and they take turns, so that what
//! else the machine does falls on both. Processor times are those of all threads, and hold on a busy machine, too.
//! arkworks is given its matrices ready-made: its time is without synthesis. `stages` are processor times of one proof on one
//! thread.

#[path = "../tests/relations/mod.rs"]
mod relations;

use ark_bls12_381::{Bls12_381, Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ff::UniformRand;
use ark_groth16::{r1cs_to_qap::LibsnarkReduction, Groth16};
use opensand_nn::{Activation, Architecture, Layer, LayerWeights, Linear, Model, Operator, Shape, Weights};
use opensand_zk_prover::{
	generate,
	groth16::{prove, ResidentKey},
	setup_dev, BackendError, Blinding, CpuBackend, Prover, ProverBackend, Query, ResidentBases, ResidentRows,
	ResidentScalars, Rows, Trapdoors,
};
use opensand_zk_r1cs::Matrices;
use opensand_zk_verifier::{Binding, InputVisibility};
use rand::{rngs::OsRng, Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use relations::{multiplications, Relation, Values};
use rustix::time::{clock_gettime, ClockId};
use serde_json::{json, Map, Value};
use std::{
	collections::BTreeMap,
	hint::black_box,
	io::{BufRead, BufReader, Write},
	ops::ControlFlow,
	process::{Child, ChildStdin, ChildStdout, Command, Stdio},
	sync::{Arc, Mutex},
	time::Instant,
};

const RUNS: usize = 5;
const WITNESSES: [(&str, Values); 2] = [("bits", Values::Bits), ("full width", Values::FullWidth)];
const PROVERS: [&str; 2] = ["opensand", "arkworks"];

fn main() {
	let arguments: Vec<String> = std::env::args().collect();
	let after = |name: &str| {
		let position = arguments.iter().position(|argument| argument == name)?;
		Some(&arguments[position + 1..])
	};
	if let Some([prover, witness, log2, ..]) = after("--child") {
		return child(prover, witness, log2.parse().expect("the parent gives a number"));
	}
	let sizes = match after("--log2") {
		Some([log2, ..]) => vec![log2.parse().expect("--log2 takes a number")],
		_ => vec![16, 18],
	};
	let mut report = Map::new();
	report.insert("threads".into(), rayon::current_num_threads().into());
	for log2 in sizes {
		for (witness, _) in WITNESSES {
			report.insert(format!("2^{log2} rows, {witness}"), compare(witness, log2));
		}
	}
	report.insert("network 64-64-10".into(), network());
	println!(
		"{}",
		serde_json::to_string_pretty(&report).expect("a map of numbers is JSON")
	);
}

/// Runs both provers, one proof at a time in turn.
fn compare(witness: &str, log2: u32) -> Value {
	let mut workers = PROVERS.map(|prover| Worker::start(prover, witness, log2));
	let mut times = [const { Vec::new() }; 2];
	for _ in 0..RUNS {
		for (worker, times) in workers.iter_mut().zip(&mut times) {
			times.push(worker.prove());
		}
	}
	let median = |times: &[Value], figure: &str| {
		let mut values: Vec<f64> = times.iter().filter_map(|time| time[figure].as_f64()).collect();
		values.sort_by(f64::total_cmp);
		values[values.len() / 2]
	};
	let [ours, arkworks] = workers.map(Worker::finish);
	let figures = |times: &[Value], mut end: Value| {
		end["prove_ms"] = median(times, "ms").into();
		end["prove_cpu_ms"] = median(times, "cpu_ms").into();
		end
	};
	json!({
		"times_faster": median(&times[1], "ms") / median(&times[0], "ms"),
		"times_less_cpu": median(&times[1], "cpu_ms") / median(&times[0], "cpu_ms"),
		"opensand": figures(&times[0], ours),
		"arkworks": figures(&times[1], arkworks),
	})
}

/// A process that proves each time a line is written to it.
struct Worker {
	child: Child,
	requests: ChildStdin,
	answers: BufReader<ChildStdout>,
}

impl Worker {
	fn start(prover: &str, witness: &str, log2: u32) -> Self {
		let executable = std::env::current_exe().expect("a running process has an executable");
		let mut child = Command::new(executable)
			.args(["--child", prover, witness, &log2.to_string()])
			.stdin(Stdio::piped())
			.stdout(Stdio::piped())
			.spawn()
			.expect("the benchmark can start itself");
		let requests = child.stdin.take().expect("it is piped");
		let answers = BufReader::new(child.stdout.take().expect("it is piped"));
		let mut worker = Self {
			child,
			requests,
			answers,
		};
		// Set up, and proven once.
		worker.answer();
		worker
	}

	fn answer(&mut self) -> Value {
		let mut line = String::new();
		self.answers.read_line(&mut line).expect("the child answers");
		serde_json::from_str(&line).expect("the child prints JSON")
	}

	fn prove(&mut self) -> Value {
		writeln!(self.requests, "prove").expect("the child listens");
		self.answer()
	}

	fn finish(mut self) -> Value {
		writeln!(self.requests, "finish").expect("the child listens");
		let answer = self.answer();
		self.child.wait().expect("the child ends");
		answer
	}
}

fn child(prover: &str, witness: &str, log2: u32) {
	let (_, values) = WITNESSES
		.into_iter()
		.find(|(name, _)| *name == witness)
		.expect("the parent names a witness");
	// Rows for the constant one and the public input come on top.
	let (matrices, z) = multiplications(values, (1 << log2) - 2);
	if prover == "opensand" {
		opensand(&matrices, &z);
	} else {
		arkworks(&matrices, &z);
	}
}

fn opensand(matrices: &Matrices, z: &[Fr]) {
	let before = peak_memory_kib();
	let ((key, _), setup) =
		measure(|| generate(matrices, &Trapdoors::random(&mut OsRng)).expect("the size is small enough"));
	let setup_peak = peak_memory_kib();
	let key = ResidentKey::load(&CpuBackend, key).expect("memory does not refuse bases");
	let rows = CpuBackend
		.load_rows(Rows::new(matrices))
		.expect("the domain has a coset");
	let prove_with = |backend: &dyn ProverBackend| {
		let proof = prove(backend, &key, &rows, z, &Blinding::random(&mut OsRng)).expect("the sizes fit");
		let _ = black_box(proof);
	};
	serve(
		|| prove_with(&CpuBackend),
		|| {
			let timed = Timed::default();
			let pool = rayon::ThreadPoolBuilder::new()
				.num_threads(1)
				.build()
				.expect("a pool of one thread");
			let ((), total) = measure(|| {
				pool.install(|| prove_with(&timed));
			});
			let mut stages = timed.stages.into_inner().expect("nobody panicked");
			stages.insert("all", total["cpu_ms"].as_f64().unwrap_or_default());
			json!({
				"setup": setup,
				"stages_ms": stages,
				"matrices_and_witness_kib": before,
				"setup_peak_memory_kib": setup_peak,
				"peak_memory_kib": peak_memory_kib(),
			})
		},
	);
}

fn arkworks(matrices: &Matrices, z: &[Fr]) {
	let (key, setup) = measure(|| {
		Groth16::<Bls12_381>::generate_random_parameters_with_reduction(
			Relation { matrices, z: None },
			&mut OsRng,
		)
		.expect("the relation synthesises")
	});
	let public = matrices.segments().public;
	let rows = [0, 1, 2].map(|matrix| {
		let row = |row| {
			let terms = matrices.row(matrix, row);
			terms
				.map(|(column, coefficient)| (*coefficient, column))
				.collect()
		};
		(0..matrices.constraints()).map(row).collect::<Vec<Vec<_>>>()
	});
	serve(
		|| {
			Groth16::<Bls12_381, LibsnarkReduction>::create_proof_with_reduction_and_matrices(
				&key,
				Fr::rand(&mut OsRng),
				Fr::rand(&mut OsRng),
				&rows,
				public,
				matrices.constraints(),
				z,
			)
			.expect("the sizes fit");
		},
		|| json!({ "setup": setup, "peak_memory_kib": peak_memory_kib() }),
	);
}

/// Proves once; then as often as asked, with the times; then answers with the figures of the whole.
fn serve(mut work: impl FnMut(), finish: impl FnOnce() -> Value) {
	work();
	println!("null");
	for line in std::io::stdin().lines() {
		if line.expect("the parent writes lines") == "prove" {
			let ((), time) = measure(&mut work);
			println!("{time}");
		} else {
			break;
		}
	}
	println!("{}", finish());
}

/// The CPU backend, with the time in each kind of call.
#[derive(Default)]
struct Timed {
	stages: Mutex<BTreeMap<&'static str, f64>>,
}

impl Timed {
	fn time<T>(&self, stage: &'static str, work: impl FnOnce() -> T) -> T {
		let start = milliseconds(ClockId::ThreadCPUTime);
		let result = work();
		let time = milliseconds(ClockId::ThreadCPUTime) - start;
		*self
			.stages
			.lock()
			.expect("nobody panicked")
			.entry(stage)
			.or_default() += time;
		result
	}
}

impl ProverBackend for Timed {
	fn name(&self) -> &str {
		"timed"
	}
	fn load_g1(&self, bases: Query<G1Affine>) -> Result<ResidentBases, BackendError> {
		CpuBackend.load_g1(bases)
	}
	fn load_g2(&self, bases: Query<G2Affine>) -> Result<ResidentBases, BackendError> {
		CpuBackend.load_g2(bases)
	}
	fn load_scalars(&self, scalars: &[Fr]) -> Result<ResidentScalars, BackendError> {
		self.time("classify", || CpuBackend.load_scalars(scalars))
	}
	fn load_rows(&self, rows: Rows) -> Result<ResidentRows, BackendError> {
		CpuBackend.load_rows(rows)
	}
	fn quotient(&self, rows: &ResidentRows, z: &ResidentScalars) -> Result<ResidentScalars, BackendError> {
		self.time("products and transforms", || CpuBackend.quotient(rows, z))
	}
	fn multiply_g1(
		&self,
		bases: &[&ResidentBases],
		scalars: &ResidentScalars,
	) -> Result<Vec<G1Projective>, BackendError> {
		let stage = if bases.len() == 1 {
			"h in G1"
		} else {
			"a, b, l in G1"
		};
		self.time(stage, || CpuBackend.multiply_g1(bases, scalars))
	}
	fn multiply_g2(
		&self,
		bases: &[&ResidentBases],
		scalars: &ResidentScalars,
	) -> Result<Vec<G2Projective>, BackendError> {
		self.time("b in G2", || CpuBackend.multiply_g2(bases, scalars))
	}
}

/// A network of the digits model's shape: from an input to a verified proof.
fn network() -> Value {
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
	let model = Arc::new(Model::new(architecture, weights).expect("the weights fit the architecture"));
	let mut report = Map::new();
	for (name, visibility) in [
		("public input", InputVisibility::Public),
		("hashed input", InputVisibility::Hashed),
	] {
		let ((key, _), setup) =
			measure(|| setup_dev(model.clone(), visibility, &mut OsRng).expect("the model has a circuit"));
		let key_bytes = key.to_bytes().len();
		let prover = Prover::new(model.clone(), visibility, key, Arc::new(CpuBackend))
			.expect("the key is the model's");
		let binding = Binding {
			genesis: [1; 32],
			key: prover.key_id(),
			model: [2; 32],
			request: 3,
			worker: [4; 32],
		};
		let mut times: Vec<f64> = (0..4 * RUNS)
			.map(|_| {
				let proceed = &mut |_| ControlFlow::Continue(());
				let (_, time) = measure(|| {
					prover
						.prove(binding.clone(), &[31; 64], &[7; 32], proceed)
						.expect("the model proves")
				});
				time["ms"].as_f64().unwrap_or_default()
			})
			.collect();
		times.sort_by(f64::total_cmp);
		report.insert(
			name.into(),
			json!({
				"rows": prover.circuit_size().domain,
				"setup": setup,
				"prove_and_verify_ms": times[times.len() / 2],
				"proving_key_bytes": key_bytes,
				"verifying_key_bytes": prover.verifying_key().to_bytes().len(),
			}),
		);
	}
	Value::Object(report)
}

/// The result, with wall-clock and processor time in milliseconds.
fn measure<T>(work: impl FnOnce() -> T) -> (T, Value) {
	let processor = || milliseconds(ClockId::ProcessCPUTime);
	let (wall_start, processor_start) = (Instant::now(), processor());
	let result = work();
	let processor = processor() - processor_start;
	let wall = wall_start.elapsed().as_secs_f64() * 1e3;
	(result, json!({ "ms": wall, "cpu_ms": processor }))
}

/// What a clock shows.
fn milliseconds(clock: ClockId) -> f64 {
	let time = clock_gettime(clock);
	time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

/// The peak of resident memory of this process, from the kernel; none where it does not tell.
fn peak_memory_kib() -> Option<u64> {
	let status = std::fs::read_to_string("/proc/self/status").ok()?;
	let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
	line.split_whitespace().next()?.parse().ok()
}
