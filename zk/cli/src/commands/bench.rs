//! `opensand-zk bench`.

use super::question::{Asked, Question};
use crate::{error::CliError, model_folder::Hash, output::Output};
use clap::{value_parser, Args};
use opensand_zk_prover::ProveError;
use opensand_zk_verifier::{verify, Native, Proof};
use serde::Serialize;
use std::{
	fmt::{self, Display, Formatter},
	fs,
	ops::ControlFlow,
	time::Instant,
};

/// Time proofs with a bundle, as a worker makes them, and their verification.
///
/// Every proof has new blinding, includes the evaluation of the model, and has verified before it counts. One more comes first and does
/// not count: it fills caches and starts threads.
#[derive(Debug, Args)]
pub struct Bench {
	/// What is asked.
	#[command(flatten)]
	pub question: Question,
	/// How many proofs to make.
	#[arg(long, default_value_t = 10, value_parser = value_parser!(u32).range(1..=1000))]
	pub runs: u32,
}

impl Bench {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		let spinner = output.spinner("loading the key");
		let Asked {
			prover,
			load_seconds,
			input,
			binding,
			salt,
			statement,
		} = self.question.ask()?;
		let (mut proving, mut verifying) = (Vec::new(), Vec::new());
		for run in 0..=self.runs {
			spinner.set_message(format!("proof {run} of {}", self.runs));
			let start = Instant::now();
			let (_, bytes) =
				prover.prove(binding.clone(), &input, &salt, &mut |_| ControlFlow::Continue(()))?;
			let proved = start.elapsed().as_secs_f64();
			let start = Instant::now();
			let proof = Proof::from_bytes_with::<Native>(&bytes).map_err(|_| ProveError::SelfCheck)?;
			let weights = prover.weights_commitment();
			verify::<Native>(prover.verifying_key(), &statement, weights, &proof)
				.map_err(CliError::Verify)?;
			if run > 0 {
				proving.push(proved);
				verifying.push(start.elapsed().as_secs_f64());
			}
		}
		spinner.finish_and_clear();
		output.report(&BenchReport {
			key: Hash(prover.key_id()),
			constraints: prover.circuit_size().constraints,
			threads: std::thread::available_parallelism().map_or(1, usize::from),
			load_seconds,
			prove: Seconds::of(proving),
			verify: Seconds::of(verifying),
			peak_memory_kib: peak_memory_kib(),
		});
		Ok(())
	}
}

/// Times of several runs, in seconds.
#[derive(Serialize)]
struct Seconds {
	least: f64,
	median: f64,
	greatest: f64,
}

impl Seconds {
	/// Of at least one run.
	fn of(mut times: Vec<f64>) -> Self {
		times.sort_by(f64::total_cmp);
		let at = |place: usize| times.get(place).copied().unwrap_or_default();
		Self {
			least: at(0),
			median: at(times.len() / 2),
			greatest: at(times.len().saturating_sub(1)),
		}
	}
}

/// The most memory that this process has had resident; none where the system does not tell.
fn peak_memory_kib() -> Option<u64> {
	let status = fs::read_to_string("/proc/self/status").ok()?;
	let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
	line.split_whitespace().next()?.parse().ok()
}

#[derive(Serialize)]
struct BenchReport {
	key: Hash,
	constraints: usize,
	threads: usize,
	load_seconds: f64,
	/// With evaluation of the model and verification of the proof.
	prove: Seconds,
	verify: Seconds,
	peak_memory_kib: Option<u64>,
}

impl Display for BenchReport {
	fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
		let times = |times: &Seconds| {
			format!(
				"{:.4} s median, {:.4} to {:.4}",
				times.median, times.least, times.greatest
			)
		};
		writeln!(formatter, "key      {}", self.key)?;
		writeln!(
			formatter,
			"circuit  {} constraints, {} threads",
			self.constraints, self.threads
		)?;
		writeln!(formatter, "load     {:.3} s", self.load_seconds)?;
		writeln!(formatter, "prove    {}", times(&self.prove))?;
		writeln!(formatter, "verify   {}", times(&self.verify))?;
		match self.peak_memory_kib {
			Some(kib) => writeln!(formatter, "memory   {} MiB at most", kib / 1024),
			None => Ok(()),
		}
	}
}
