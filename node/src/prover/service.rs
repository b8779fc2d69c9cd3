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
		BridgeError, DeviceKind, DeviceReport, JobFailure, JobId, JobResult, JobStatus, ProvingJob,
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
	pool::{self, Backoff, DevicePolicy},
	process::{WorkerCommand, WorkerProcess},
	queue::{AfterAttempt, JobSummary, Queue, QueueError},
	LOG_TARGET,
};

/// Different words of starting processes that are remembered, so as not to be repeated.
const MAX_NOTED: usize = 16;

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
	/// When a device that keeps failing is left alone.
	pub device_policy: DevicePolicy,
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
	/// What it proves on, and did there so far.
	pub devices: Vec<DeviceReport>,
	/// Whether it works on a job.
	pub is_busy: bool,
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
				noted: Vec::new(),
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
		self.0.state.lock().workers()
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

	fn devices(&self) -> Result<Vec<DeviceReport>, BridgeError> {
		self.available()?;
		let (workers, waiting) = {
			let state = self.0.state.lock();
			(state.workers(), state.queue.counts().waiting as u32)
		};
		let mut devices: Vec<DeviceReport> = Vec::new();
		for worker in workers {
			for report in worker.devices {
				let running = u32::from(worker.is_busy);
				// All processes share one processor; each GPU belongs to one process.
				let known = devices
					.iter_mut()
					.find(|known| report.device.kind == DeviceKind::Cpu && known.device == report.device);
				match known {
					Some(known) => known.running = known.running.saturating_add(running),
					None => devices.push(DeviceReport {
						running,
						waiting,
						..report
					}),
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
	/// What processes said when they started that the log has.
	noted: Vec<String>,
}

impl State {
	fn workers(&self) -> Vec<WorkerSummary> {
		self.workers.iter().flatten().cloned().collect()
	}
}

/// A job to work on.
pub(super) struct Work {
	pub(super) id: JobId,
	pub(super) job: ProvingJob,
	/// Whether it failed before, and fails for good if it fails again.
	pub(super) is_last_attempt: bool,
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
	pub(super) fn next_job(&self, timeout: Duration) -> Option<Work> {
		let until = Instant::now() + timeout;
		let mut state = self.state.lock();
		loop {
			if self.is_stopping() {
				return None;
			}
			match state.queue.take() {
				Ok(Some((id, job))) => {
					self.metrics.set_counts(state.queue.counts());
					let is_last_attempt = state.queue.is_last_attempt(&id, self.config.max_attempts);
					return Some(Work {
						id,
						job,
						is_last_attempt,
					});
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

	pub(super) fn worker_started(&self, index: usize, process: &WorkerProcess) {
		let mut state = self.state.lock();
		// Once, however often a process is replaced.
		for note in &process.notes {
			if !state.noted.contains(note) {
				log::info!(target: LOG_TARGET, "Prover: {note}");
				state.noted.truncate(MAX_NOTED);
				state.noted.insert(0, note.clone());
			}
		}
		if !state.announced {
			state.announced = true;
			let names: Vec<_> = process
				.devices
				.iter()
				.map(|report| String::from_utf8_lossy(&report.device.name).into_owned())
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
		let summary = WorkerSummary {
			process: process.id(),
			devices: process.devices.clone(),
			is_busy: false,
		};
		for report in &summary.devices {
			self.metrics.device_started(index, report);
		}
		if let Some(place) = state.workers.get_mut(index) {
			*place = Some(summary);
		}
	}

	/// The process at a place begins to work on a job, or ends it.
	pub(super) fn worker_busy(&self, index: usize, is_busy: bool) {
		if let Some(Some(worker)) = self.state.lock().workers.get_mut(index) {
			worker.is_busy = is_busy;
		}
	}

	/// The device of a place did more.
	pub(super) fn device_reported(&self, index: usize, report: DeviceReport) {
		let mut state = self.state.lock();
		let Some(Some(worker)) = state.workers.get_mut(index) else {
			return;
		};
		let known = worker
			.devices
			.iter_mut()
			.find(|known| known.device.kind == report.device.kind && known.device.name == report.device.name);
		if let Some(known) = known {
			self.metrics.device_did(index, known, &report);
			*known = report;
		}
	}

	pub(super) fn worker_stopped(&self, index: usize) {
		if let Some(place) = self.state.lock().workers.get_mut(index) {
			*place = None;
		}
		self.metrics.device_stopped(index);
	}
}
