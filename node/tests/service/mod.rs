//! A prover service with real worker processes, for tests.
#![allow(dead_code)] // each test uses its own part

use std::{
	fs,
	path::Path,
	process::Command,
	thread,
	time::{Duration, Instant},
};

use opensand_node::prover::{
	Backoff, Config, DeviceParams, DevicePolicy, ProverHandle, ProverService, WorkerCommand,
};
use opensand_primitives::{
	proving::{JobId, JobInput, JobStatus, ProvingJob, ProvingStage},
	AccountId, ModelId,
};
use opensand_zk_bridge::Prover;
use opensand_zk_envelope::SecretKey;

use crate::bundle::Bundle;

/// Longest that anything in these tests may take.
pub const PATIENCE: Duration = Duration::from_secs(300);
/// The chain of every job.
pub const GENESIS: [u8; 32] = [1; 32];
/// The model of every job.
pub const MODEL: [u8; 32] = [2; 32];
/// The worker of every job.
pub const WORKER: [u8; 32] = [4; 32];

/// A service with one worker process, which proves on what the tests of it say, or else on the processor.
pub fn config(directory: &Path) -> Config {
	let bundle_directory = directory.join("bundles");
	Config {
		queue_directory: directory.join("queue"),
		queue_capacity: 16,
		secret: SecretKey::from_bytes([9; 32]),
		command: WorkerCommand {
			program: env!("CARGO_BIN_EXE_opensand-node").into(),
			arguments: ["prover", "worker", "--prover-bundles"]
				.map(Into::into)
				.into_iter()
				.chain([bundle_directory.clone().into()])
				.collect(),
			device: DeviceParams::cpu(),
			threads: 1,
		},
		bundle_directory,
		workers: 1,
		job_timeout: PATIENCE,
		max_attempts: 3,
		backoff: Backoff {
			first: Duration::from_millis(20),
			longest: Duration::from_millis(200),
		},
		device_policy: DevicePolicy {
			faults: 2,
			rest: PATIENCE,
			longest_start: PATIENCE,
		},
	}
}

/// Starts a service.
pub fn start(config: Config) -> (ProverService, ProverHandle) {
	let service = ProverService::start(config, None).unwrap();
	let handle = service.handle();
	(service, handle)
}

/// A job with the input of a bundle in the clear.
pub fn job(bundle: &Bundle, request: u64) -> ProvingJob {
	ProvingJob {
		genesis: GENESIS,
		model: ModelId::from(MODEL),
		key: bundle.key,
		commitment: bundle.commitment,
		request,
		worker: AccountId::from(WORKER),
		input: JobInput::Public(bundle.input.clone()),
		deadline: 100,
	}
}

/// Waits until `condition` gives a value.
pub fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
	let start = Instant::now();
	loop {
		if let Some(value) = condition() {
			return value;
		}
		assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
		thread::sleep(Duration::from_millis(5));
	}
}

/// Waits until a job has a status; it must not end with another.
pub fn wait_for_status(handle: &ProverHandle, id: &JobId, wanted: impl Fn(&JobStatus) -> bool) -> JobStatus {
	wait_for("a status", || {
		let status = handle.status(id).unwrap();
		let ended = matches!(status, JobStatus::Done | JobStatus::Failed(_));
		if wanted(&status) {
			return Some(status);
		}
		assert!(!ended, "ended as {status:?}");
		None
	})
}

/// Whether the job is in the stage that takes longest.
pub fn is_proving(status: &JobStatus) -> bool {
	matches!(
		status,
		JobStatus::Running {
			stage: ProvingStage::Proving,
			..
		}
	)
}

/// The worker process, once it is up.
pub fn process_of(handle: &ProverHandle) -> u32 {
	wait_for("a worker process", || {
		handle.workers().first().map(|worker| worker.process)
	})
}

/// Sends a signal.
pub fn kill(signal: &str, process: u32) {
	assert!(Command::new("kill")
		.args([signal, &process.to_string()])
		.status()
		.unwrap()
		.success());
}

/// Kills a process as a crash does.
pub fn kill_9(process: u32) {
	kill("-KILL", process);
}

/// Whether a process runs.
pub fn is_alive(process: u32) -> bool {
	// A zombie still has its directory, with an empty command line.
	fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|command| !command.is_empty())
}
