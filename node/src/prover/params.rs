//! Flags and places of a node's prover service.

use std::{
	ffi::OsString,
	io,
	path::{Path, PathBuf},
	thread,
	time::Duration,
};

use clap::Args;
use thiserror::Error;

use super::{
	keys::{self, KeyError},
	pool::Backoff,
	process::WorkerCommand,
	service::Config,
};

/// Attempts at a job after which it fails.
const MAX_ATTEMPTS: u32 = 3;
/// Delays between restarts of a worker process that keeps failing.
const BACKOFF: Backoff = Backoff {
	first: Duration::from_secs(1),
	longest: Duration::from_secs(60),
};

/// How the node proves. These flags count with `--worker` only.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Prover")]
pub struct ProverParams {
	/// Directory of the artifact bundles to prove with.
	///
	/// The default is `prover/bundles` in the base path. Fill it with `prover install`.
	#[arg(long, value_name = "DIRECTORY")]
	pub prover_bundles: Option<PathBuf>,

	/// Worker processes, each of which makes one proof at a time.
	#[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
	pub prover_workers: u16,

	/// Threads of one worker process.
	///
	/// The default divides the machine's threads among the worker processes. They yield to the node.
	#[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1024))]
	pub prover_threads: Option<u16>,

	/// Seconds after which an attempt at a proof is given up; a job fails after three attempts.
	#[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=86_400))]
	pub prover_timeout: u32,

	/// Most unfinished jobs; while there are as many, new ones have to wait in their requests.
	#[arg(long, value_name = "COUNT", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=65_536))]
	pub prover_queue: u32,
}

/// Where a node's prover keeps what serves every chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
	/// The file of the sealing key.
	pub key: PathBuf,
	/// The directory of the bundles.
	pub bundles: PathBuf,
}

impl Places {
	/// The places in the node directory `base`, with the bundles in a directory of their own if there is one.
	pub fn new(base: &Path, bundles: Option<&Path>) -> Self {
		let prover = base.join("prover");
		Self {
			key: prover.join("x25519.key"),
			bundles: bundles.map_or_else(|| prover.join("bundles"), Path::to_path_buf),
		}
	}
}

/// The directory of the queue's database of the chain whose directory is `chain`.
pub fn queue_directory(chain: &Path) -> PathBuf {
	chain.join("prover").join("queue")
}

/// Why the service cannot be set up.
#[derive(Debug, Error)]
pub enum SetUpError {
	/// See [`KeyError`].
	#[error("the prover's key cannot be had")]
	Key(#[from] KeyError),
	/// The node's own executable, which the worker processes run, cannot be found.
	#[error("the node's executable cannot be found: {0}")]
	Executable(io::Error),
}

impl ProverParams {
	/// The configuration that these flags ask for on the chain whose directory is `chain`, with the key at its place in
	/// the node directory `base` or a fresh one there.
	pub fn config(&self, base: &Path, chain: &Path) -> Result<Config, SetUpError> {
		let places = Places::new(base, self.prover_bundles.as_deref());
		let bundle_directory = std::path::absolute(&places.bundles).map_err(SetUpError::Executable)?;
		let arguments: [OsString; 4] = [
			"prover".into(),
			"worker".into(),
			"--prover-bundles".into(),
			bundle_directory.clone().into(),
		];
		let command = WorkerCommand {
			program: std::env::current_exe().map_err(SetUpError::Executable)?,
			arguments: arguments.into(),
			threads: self.threads(),
		};
		Ok(Config {
			queue_directory: queue_directory(chain),
			queue_capacity: self.prover_queue as usize,
			bundle_directory,
			secret: keys::load_or_generate(&places.key)?,
			command,
			workers: self.prover_workers.into(),
			job_timeout: Duration::from_secs(self.prover_timeout.into()),
			max_attempts: MAX_ATTEMPTS,
			backoff: BACKOFF,
		})
	}

	fn threads(&self) -> usize {
		let shared = || {
			let machine = thread::available_parallelism().map_or(1, |count| count.get());
			(machine / usize::from(self.prover_workers)).max(1)
		};
		self.prover_threads.map_or_else(shared, usize::from)
	}
}
