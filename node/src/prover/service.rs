//! The running service: the queue, the pool's threads, and the handle by which the rest of the node reaches them.

use std::{
	io,
	path::PathBuf,
	sync::{
		atomic::{AtomicBool, Ordering},
		Arc,
	},
	thread::{self, JoinHandle},
	time::{Duration, Instant},
};

use opensand_primitives::{
	proving::{
		BridgeError, DeviceKind, JobFailure, JobId, JobResult, JobStatus, ProverDevice, ProvingJob,
		ProvingStage,
	},
	BlockNumber,
};
use opensand_zk_bridge::{Prover, ProverExt};
use opensand_zk_envelope::{PublicKey, SecretKey};
use parking_lot::{Condvar, Mutex};
use substrate_prometheus_endpoint::{PrometheusError, Registry};
use thiserror::Error;

use super::{
	bundles::BundleStore,
	metrics::{failure_label, Metrics},
	pool::{self, Backoff},
	process::WorkerCommand,
	queue::{AfterAttempt, JobSummary, Queue, QueueError},
	LOG_TARGET,
};

/// How a prover service runs.
#[derive(Clone, Debug)]
pub struct Config {
	/// Directory of the queue's database.
	pub queue_directory: PathBuf,
	/// Most unfinished jobs; more are refused.
	pub queue_capacity: usize,
	/// Directory of the installed bundles.
	pub bundle_directory: PathBuf,
	/// The key that private inputs are sealed to.
	pub secret: SecretKey,
	/// How worker processes are started.
	pub command: WorkerCommand,
	/// How many worker processes run.
	pub workers: usize,
	/// Longest that an attempt at a job may take.
	pub job_timeout: Duration,
	/// Attempts after which a job fails.
	pub max_attempts: u32,
	/// Delays between restarts of a failing worker process.
	pub backoff: Backoff,
}

/// Why the service could not start.
#[derive(Debug, Error)]
pub enum StartError {
	/// See [`QueueError`].
	#[error(transparent)]
	Queue(#[from] QueueError),
	/// A directory or thread could not be made.
	#[error("{0}: {1}")]
	System(String, io::Error),
	/// The metrics exist already.
	#[error("the prover's metrics cannot be registered")]
	Metrics(#[from] PrometheusError),
}

/// A worker process as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerSummary {
	/// The operating system's id of the process.
	pub process: u32,
	/// What it proves on.
	pub devices: Vec<ProverDevice>,
}

/// Owns the pool: dropping it kills the worker processes and waits for the threads. Jobs stay in the queue.
pub struct ProverService {
	handle: ProverHandle,
	threads: Vec<JoinHandle<()>>,
}

impl ProverService {
	/// Opens the queue and starts the worker processes.
	pub fn start(config: Config, registry: Option<&Registry>) -> Result<Self, StartError> {
		for directory in [&config.queue_directory, &config.bundle_directory] {
			std::fs::create_dir_all(directory)
				.map_err(|error| StartError::System(directory.display().to_string(), error))?;
		}
		let queue = Queue::open(&config.queue_directory, config.queue_capacity)?;
		let metrics = Metrics::register(registry)?;
		metrics.set_counts(queue.counts());
		let shared = Arc::new(Shared {
			bundles: BundleStore::new(config.bundle_directory.clone()),
			metrics,
			state: Mutex::new(State {
				queue,
				workers: vec![None; config.workers],
				announced: false,
			}),
			work: Condvar::new(),
			stopping: AtomicBool::new(false),
			config,
		});

		let mut service = Self {
			handle: ProverHandle(shared.clone()),
			threads: Vec::new(),
		};
		for index in 0..shared.config.workers {
			let (shared, name) = (shared.clone(), format!("prover-{index}"));
			let thread = thread::Builder::new()
				.name(name.clone())
				.spawn(move || pool::run(&shared, index))
				.map_err(|error| StartError::System(name, error))?;
			service.threads.push(thread);
		}
		Ok(service)
	}

	/// The way to the service for the rest of the node.
	pub fn handle(&self) -> ProverHandle {
		self.handle.clone()
	}
}

impl Drop for ProverService {
	fn drop(&mut self) {
		let shared = &self.handle.0;
		{
			// Under the lock, so that no thread misses it between looking and waiting.
			let _state = shared.state.lock();
			shared.stopping.store(true, Ordering::Release);
		}
		shared.work.notify_all();
		for thread in self.threads.drain(..) {
			// A thread that panicked has said so itself.
			let _ = thread.join();
		}
	}
}

/// Reaches the service. After the service has stopped, submissions are refused as `Unavailable`.
#[derive(Clone)]
pub struct ProverHandle(Arc<Shared>);

impl ProverHandle {
	/// The extension by which off-chain workers reach this prover.
	pub fn extension(&self) -> ProverExt {
		ProverExt::new(self.clone())
	}

	/// The chain's best block is now `number`: jobs whose deadline has passed end.
	pub fn note_best_block(&self, number: BlockNumber) {
		let mut state = self.0.state.lock();
		match state.queue.collect(number) {
			Ok(0) => {}
			Ok(expired) => {
				log::warn!(target: LOG_TARGET, "{expired} proving jobs missed their deadline");
				self.0.metrics.jobs_failed(JobFailure::Expired, expired);
			}
			Err(error) => log::error!(target: LOG_TARGET, "{error}"),
		}
		self.0.metrics.set_counts(state.queue.counts());
	}

	/// Every job that is remembered, the oldest first.
	pub fn jobs(&self) -> Vec<JobSummary> {
		self.0.state.lock().queue.jobs()
	}

	/// The worker processes that are up.
	pub fn workers(&self) -> Vec<WorkerSummary> {
		self.0.state.lock().workers.iter().flatten().cloned().collect()
	}

	/// The key that clients seal private inputs to.
	pub fn public_key(&self) -> PublicKey {
		self.0.config.secret.public_key()
	}

	fn available(&self) -> Result<(), BridgeError> {
		if self.0.is_stopping() {
			return Err(BridgeError::Unavailable);
		}
		Ok(())
	}
}

impl Prover for ProverHandle {
	fn submit(&self, job: ProvingJob) -> Result<JobId, BridgeError> {
		self.available()?;
		let mut state = self.0.state.lock();
		let id = state.queue.submit(&job).map_err(bridge_error)?;
		self.0.metrics.set_counts(state.queue.counts());
		self.0.work.notify_all();
		Ok(id)
	}

	fn status(&self, id: &JobId) -> Result<JobStatus, BridgeError> {
		self.0.state.lock().queue.status(id).map_err(bridge_error)
	}

	fn result(&self, id: &JobId) -> Result<JobResult, BridgeError> {
		self.0
			.state
			.lock()
			.queue
			.result(id)
			.map_err(bridge_error)?
			.ok_or(BridgeError::NotReady)
	}

	fn devices(&self) -> Result<Vec<ProverDevice>, BridgeError> {
		self.available()?;
		let mut devices: Vec<ProverDevice> = Vec::new();
		for worker in self.workers() {
			for device in worker.devices {
				// All processes share one processor; each GPU belongs to one process.
				let shared = device.kind == DeviceKind::Cpu && devices.contains(&device);
				if !shared {
					devices.push(device);
				}
			}
		}
		Ok(devices)
	}

	fn cancel(&self, id: &JobId) -> Result<(), BridgeError> {
		let mut state = self.0.state.lock();
		let before = state.queue.counts();
		state.queue.cancel(id).map_err(bridge_error)?;
		let after = state.queue.counts();
		self.0
			.metrics
			.jobs_failed(JobFailure::Cancelled, after.failed - before.failed);
		self.0.metrics.set_counts(after);
		Ok(())
	}
}

/// What the bridge says of a queue's error; the log has the details of a broken database.
fn bridge_error(error: QueueError) -> BridgeError {
	match error {
		QueueError::Full => BridgeError::QueueFull,
		QueueError::UnknownJob => BridgeError::UnknownJob,
		error => {
			log::error!(target: LOG_TARGET, "{error}");
			BridgeError::Storage
		}
	}
}

/// What the pool's threads and the handles share.
pub(super) struct Shared {
	pub(super) config: Config,
	pub(super) bundles: BundleStore,
	pub(super) metrics: Metrics,
	state: Mutex<State>,
	/// Signalled when there may be work, and when the service stops.
	work: Condvar,
	stopping: AtomicBool,
}

struct State {
	queue: Queue,
	/// The process at each place of the pool, while it is up.
	workers: Vec<Option<WorkerSummary>>,
	/// Whether the log has the line with the devices.
	announced: bool,
}

impl Shared {
	pub(super) fn is_stopping(&self) -> bool {
		self.stopping.load(Ordering::Acquire)
	}

	/// Waits for `duration`, or until the service stops.
	pub(super) fn sleep(&self, duration: Duration) {
		let until = Instant::now() + duration;
		let mut state = self.state.lock();
		while !self.is_stopping() && !self.work.wait_until(&mut state, until).timed_out() {}
	}

	/// The next job, as soon as there is one; `None` after `timeout` or when the service stops.
	pub(super) fn next_job(&self, timeout: Duration) -> Option<(JobId, ProvingJob)> {
		let until = Instant::now() + timeout;
		let mut state = self.state.lock();
		loop {
			if self.is_stopping() {
				return None;
			}
			match state.queue.take() {
				Ok(Some(job)) => {
					self.metrics.set_counts(state.queue.counts());
					return Some(job);
				}
				Ok(None) => {}
				Err(error) => log::error!(target: LOG_TARGET, "{error}"),
			}
			if self.work.wait_until(&mut state, until).timed_out() {
				return None;
			}
		}
	}

	/// Whether somebody still waits for the job, and the service for its processes.
	pub(super) fn is_wanted(&self, id: &JobId) -> bool {
		!self.is_stopping() && self.state.lock().queue.is_running(id)
	}

	pub(super) fn progress(&self, id: &JobId, stage: ProvingStage, percent: u8) {
		self.state.lock().queue.progress(id, stage, percent);
	}

	pub(super) fn put_back(&self, id: &JobId) {
		let mut state = self.state.lock();
		state.queue.put_back(id);
		self.metrics.set_counts(state.queue.counts());
		self.work.notify_all();
	}

	pub(super) fn finish(&self, id: &JobId, job: &ProvingJob, result: &JobResult, elapsed: Duration) {
		let mut state = self.state.lock();
		match state.queue.finish(id, result) {
			Ok(false) => {}
			Ok(true) => {
				self.metrics.job_done();
				log::info!(
					target: LOG_TARGET,
					"Proof for request {} done in {:.2} s",
					job.request,
					elapsed.as_secs_f32(),
				);
			}
			Err(error) => self.put_back_after(&mut state, id, &error),
		}
		self.metrics.set_counts(state.queue.counts());
	}

	pub(super) fn fail(&self, id: &JobId, job: &ProvingJob, failure: JobFailure) {
		let mut state = self.state.lock();
		match state.queue.fail(id, failure) {
			Ok(false) => {}
			Ok(true) => {
				self.metrics.jobs_failed(failure, 1);
				log::warn!(
					target: LOG_TARGET,
					"Request {} cannot be proven: {} (key {})",
					job.request,
					failure_label(failure),
					hex::encode(job.key),
				);
			}
			Err(error) => self.put_back_after(&mut state, id, &error),
		}
		self.metrics.set_counts(state.queue.counts());
	}

	pub(super) fn retry(&self, id: &JobId) -> AfterAttempt {
		let mut state = self.state.lock();
		let after = state
			.queue
			.retry(id, self.config.max_attempts)
			.unwrap_or_else(|error| {
				self.put_back_after(&mut state, id, &error);
				AfterAttempt::Retried
			});
		match after {
			AfterAttempt::Exhausted => self.metrics.jobs_failed(JobFailure::Exhausted, 1),
			AfterAttempt::Retried => {
				self.work.notify_all();
			}
			AfterAttempt::Withdrawn => {}
		}
		self.metrics.set_counts(state.queue.counts());
		after
	}

	/// The database would not take a verdict: the job waits again, so that nothing is lost once it does.
	fn put_back_after(&self, state: &mut State, id: &JobId, error: &QueueError) {
		log::error!(target: LOG_TARGET, "{error}");
		state.queue.put_back(id);
	}

	pub(super) fn worker_started(&self, index: usize, process: u32, devices: &[ProverDevice]) {
		let mut state = self.state.lock();
		if !state.announced {
			state.announced = true;
			let names: Vec<_> = devices
				.iter()
				.map(|device| String::from_utf8_lossy(&device.name).into_owned())
				.collect();
			log::info!(
				target: LOG_TARGET,
				"🔏 Prover: {} worker process(es) on {}, {} bundle(s), sealing key 0x{}",
				self.config.workers,
				names.join(", "),
				self.bundles.keys().len(),
				hex::encode(self.config.secret.public_key()),
			);
		}
		if let Some(place) = state.workers.get_mut(index) {
			*place = Some(WorkerSummary {
				process,
				devices: devices.to_vec(),
			});
		}
	}

	pub(super) fn worker_stopped(&self, index: usize) {
		if let Some(place) = self.state.lock().workers.get_mut(index) {
			*place = None;
		}
	}
}
