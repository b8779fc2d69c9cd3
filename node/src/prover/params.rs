//! Flags and places of a node's prover service.

use std::{
	ffi::OsString,
	io,
	path::{Path, PathBuf},
	thread,
	time::Duration,
};

use clap::{Args, ValueEnum};
use thiserror::Error;

use super::{
	keys::{self, KeyError},
	pool::{Backoff, DevicePolicy},
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

/// When a device is left alone.
const DEVICE_POLICY: DevicePolicy = DevicePolicy {
	faults: 2,
	rest: Duration::from_secs(15 * 60),
	longest_start: Duration::from_secs(15 * 60),
};

/// What to prove on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Backend {
	/// The processor.
	Cpu,
	/// A GPU through its plug-in. Without one, that is a fault.
	Cuda,
	/// A GPU if there is one, else the processor.
	#[default]
	Auto,
}

/// What to prove on, and with how much of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct DeviceParams {
	/// What to prove on.
	#[arg(
		id = "prover_backend",
		long = "prover",
		value_name = "BACKEND",
		value_enum,
		default_value_t
	)]
	pub backend: Backend,

	/// The plug-in that drives the GPU.
	///
	/// The default is libopensand_prover_cuda.so beside the executable, if it is there.
	#[arg(id = "prover_plugin", long = "prover-plugin", value_name = "FILE")]
	pub plugin: Option<PathBuf>,

	/// Most memory of each GPU that keys and proofs take, in MiB.
	///
	/// The default is nine tenths of what is free when the prover starts. Keys that do not fit are proven with on the CPU.
	#[arg(id = "prover_memory",
		long = "prover-memory", value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..))]
	pub memory: Option<u32>,
}

impl DeviceParams {
	/// The processor and nothing else.
	pub fn cpu() -> Self {
		Self {
			backend: Backend::Cpu,
			..Self::default()
		}
	}

	/// The limit in bytes.
	pub fn memory_bytes(&self) -> Option<u64> {
		self.memory.map(|mebibytes| u64::from(mebibytes) << 20)
	}

	/// The arguments that say the same.
	pub fn arguments(&self) -> Vec<OsString> {
		let backend = self.backend.to_possible_value();
		let mut arguments: Vec<OsString> = backend
			.into_iter()
			.flat_map(|backend| ["--prover".into(), backend.get_name().into()])
			.collect();
		if let Some(plugin) = &self.plugin {
			arguments.extend(["--prover-plugin".into(), plugin.clone().into()]);
		}
		if let Some(memory) = self.memory {
			arguments.extend(["--prover-memory".into(), memory.to_string().into()]);
		}
		arguments
	}
}

/// How the node proves. These flags count with `--worker` only.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Prover")]
pub struct ProverParams {
	/// What to prove on.
	#[command(flatten)]
	pub device: DeviceParams,

	/// Directory of the artifact bundles to prove with.
	///
	/// The default is `prover/bundles` in the base path. Fill it with `prover install`.
	#[arg(long, value_name = "DIRECTORY")]
	pub prover_bundles: Option<PathBuf>,

	/// Worker processes, each of which makes one proof at a time.
	///
	/// The first has the first GPU, the second the second, and so on; those without one prove on the CPU.
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
		let plugin = self.device.plugin.as_ref().map(std::path::absolute);
		let arguments: [OsString; 4] = [
			"prover".into(),
			"worker".into(),
			"--prover-bundles".into(),
			bundle_directory.clone().into(),
		];
		let command = WorkerCommand {
			program: std::env::current_exe().map_err(SetUpError::Executable)?,
			arguments: arguments.into(),
			device: DeviceParams {
				plugin: plugin.transpose().map_err(SetUpError::Executable)?,
				..self.device.clone()
			},
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
			device_policy: DEVICE_POLICY,
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

#[cfg(test)]
mod tests {
	use super::*;
	use clap::Parser;

	#[derive(Parser)]
	struct Line {
		#[command(flatten)]
		device: DeviceParams,
	}

	#[test]
	fn devices_come_through_their_arguments() {
		for backend in [Backend::Cpu, Backend::Cuda, Backend::Auto] {
			for (plugin, memory) in [(None, None), (Some("/a/plug-in.so".into()), Some(3))] {
				let device = DeviceParams {
					backend,
					plugin,
					memory,
				};
				let program = [OsString::from("node")];
				let line = Line::parse_from(program.into_iter().chain(device.arguments()));
				assert_eq!(line.device, device);
			}
		}
		assert_eq!(Line::parse_from(["node"]).device, DeviceParams::default());
		assert_eq!(DeviceParams::default().backend, Backend::Auto);
		assert!(Line::try_parse_from(["node", "--prover", "tpu"]).is_err());
		assert!(Line::try_parse_from(["node", "--prover-memory", "0"]).is_err());
	}
}
