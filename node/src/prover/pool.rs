//! The pool: one thread for each worker process, which feeds it jobs and replaces it when it fails.
//!
//! A thread looks at the queue again and again while its process works, so that a job that was cancelled or has
//! expired stops at once: the process is killed, which is the only way to stop a proof.

use std::{
	sync::Arc,
	time::{Duration, Instant},
};

use opensand_primitives::proving::{JobFailure, JobId, JobResult, ProvingJob, ProvingStage};
use opensand_zk_bridge::MAX_ANSWER_BYTES;
use opensand_zk_verifier::Binding;

use super::{
	bundles::BundleName,
	envelope::reveal,
	metrics::failure_label,
	params::Backend,
	process::{ProcessError, Start, WorkerProcess},
	protocol::{Assignment, FromWorker},
	queue::AfterAttempt,
	service::{Shared, Work},
	LOG_TARGET,
};

/// How often a thread looks whether its job is still wanted.
const WATCH_INTERVAL: Duration = Duration::from_millis(100);
/// How often an idle thread looks whether its process still lives.
const IDLE_INTERVAL: Duration = Duration::from_secs(1);
/// Bytes of an encoded answer that are neither output nor proof.
const RESULT_OVERHEAD: usize = 64;

/// Delays between restarts of a process that keeps failing.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
	/// The first delay; each following one is twice as long.
	pub first: Duration,
	/// The longest delay.
	pub longest: Duration,
}

impl Backoff {
	/// The delay after `failures` failures in a row, of which there is at least one.
	fn delay(&self, failures: u32) -> Duration {
		let factor = 1u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
		self.first.saturating_mul(factor).min(self.longest)
	}
}

/// When a device that keeps failing is left alone.
#[derive(Clone, Copy, Debug)]
pub struct DevicePolicy {
	/// Failures in a row after which a place of the pool proves on the CPU.
	pub faults: u32,
	/// For how long it does.
	pub rest: Duration,
	/// The longest that a process may take to open its device, kernels compiled.
	pub longest_start: Duration,
}

/// How far the device of one place of the pool can be trusted.
struct DeviceTrust {
	policy: DevicePolicy,
	/// Failures since it last proved something.
	faults: u32,
	/// Until when it is left alone.
	rests_until: Option<Instant>,
}

impl DeviceTrust {
	fn new(policy: DevicePolicy) -> Self {
		Self {
			policy,
			faults: 0,
			rests_until: None,
		}
	}

	/// Whether to leave it alone.
	fn rests(&self, now: Instant) -> bool {
		self.rests_until.is_some_and(|until| now < until)
	}

	/// It failed. Answers whether it is left alone from now on.
	fn fault(&mut self, now: Instant) -> bool {
		self.faults = self.faults.saturating_add(1);
		let gives_up = self.faults >= self.policy.faults;
		if gives_up {
			self.faults = 0;
			self.rests_until = Some(now + self.policy.rest);
		}
		gives_up
	}

	/// It proved something.
	fn proved(&mut self) {
		self.faults = 0;
	}
}

/// Why a process is replaced.
enum End {
	/// There was nothing wrong with it.
	Replaced,
	/// It is gone, or of no use any more.
	Lost(String),
	/// As lost, and for a reason that may be its device's.
	Failed(String),
}

/// How a process's work on a job ended.
enum Attempt {
	Done(JobResult),
	Failed(JobFailure),
	/// No verdict, and the process can go on.
	Stumbled(String),
	/// No verdict, and the process is of no use any more.
	Lost(String),
	/// No verdict, and the process is gone for a reason that is not the job's: it was asked to end, or killed before it
	/// had begun.
	Interrupted(String),
	/// Nobody wants the result any more.
	Withdrawn,
}

/// Runs the worker process of place `index` until the service stops.
pub fn run(shared: &Arc<Shared>, index: usize) {
	let mut failures = 0u32;
	let mut trust = DeviceTrust::new(shared.config.device_policy);
	while !shared.is_stopping() {
		let start = Start {
			place: index,
			on_cpu: trust.rests(Instant::now()),
			longest: shared.config.device_policy.longest_start,
		};
		let is_device_asked_for = !start.on_cpu && shared.config.command.device.backend != Backend::Cpu;
		let is_fault = match WorkerProcess::start(&shared.config.command, start, || shared.is_stopping()) {
			Ok(mut process) => {
				shared.worker_started(index, &process);
				let end = serve(
					shared,
					&mut process,
					index,
					start.on_cpu,
					&mut trust,
					&mut failures,
				);
				shared.worker_stopped(index);
				let (reason, is_fault) = match end {
					End::Replaced => continue,
					End::Lost(reason) => (reason, false),
					End::Failed(reason) => (reason, process.has_device()),
				};
				log::warn!(target: LOG_TARGET, "Prover process {} lost: {reason}", process.id());
				is_fault
			}
			Err(_) if shared.is_stopping() => return,
			Err(error) => {
				log::warn!(target: LOG_TARGET, "Prover process failed to start: {error}");
				is_device_asked_for && !matches!(error, ProcessError::OtherVersion(_))
			}
		};
		if is_fault {
			shared.metrics.device_failed(index);
			if trust.fault(Instant::now()) {
				log::warn!(
					target: LOG_TARGET,
					"The device of prover {index} failed {} time(s) in a row: proving on the CPU for {} s",
					trust.policy.faults,
					trust.policy.rest.as_secs(),
				);
			}
		}
		shared.metrics.worker_restarted();
		failures = failures.saturating_add(1);
		shared.sleep(shared.config.backoff.delay(failures));
	}
}

/// Feeds jobs to `process` until it has to be replaced.
fn serve(
	shared: &Shared,
	process: &mut WorkerProcess,
	index: usize,
	on_cpu: bool,
	trust: &mut DeviceTrust,
	failures: &mut u32,
) -> End {
	loop {
		let Some(work) = shared.next_job(IDLE_INTERVAL) else {
			if shared.is_stopping() {
				return End::Replaced;
			}
			if !process.is_alive() {
				return End::Failed("it ended while it was idle".into());
			}
			if on_cpu && !trust.rests(Instant::now()) {
				log::info!(target: LOG_TARGET, "The device of prover {index} is tried again");
				return End::Replaced;
			}
			continue;
		};
		let (id, job) = (&work.id, &work.job);
		if !process.is_alive() {
			shared.put_back(id);
			return End::Failed("it ended while it was idle".into());
		}
		let started = Instant::now();
		// What failed on devices so far is done without one at last.
		let leaves_device = work.is_last_attempt && process.has_device();
		if leaves_device {
			log::warn!(target: LOG_TARGET, "Proof for request {} is made on the CPU", job.request);
			shared.metrics.moved_to_cpu();
		}
		shared.worker_busy(index, true);
		let ended = attempt(shared, process, index, &work, leaves_device);
		shared.worker_busy(index, false);
		match ended {
			Attempt::Done(result) => {
				*failures = 0;
				if !leaves_device {
					trust.proved();
				}
				shared.finish(id, job, &result, started.elapsed());
			}
			Attempt::Failed(failure) => {
				*failures = 0;
				shared.fail(id, job, failure);
			}
			Attempt::Stumbled(reason) => {
				retry(shared, id, job, &reason);
			}
			Attempt::Lost(reason) => {
				retry(shared, id, job, &reason);
				return match leaves_device {
					true => End::Lost(reason),
					false => End::Failed(reason),
				};
			}
			Attempt::Interrupted(reason) => {
				shared.put_back(id);
				return End::Lost(reason);
			}
			Attempt::Withdrawn => return End::Replaced,
		}
	}
}

fn retry(shared: &Shared, id: &JobId, job: &ProvingJob, reason: &str) {
	let request = job.request;
	match shared.retry(id) {
		AfterAttempt::Retried => {
			log::warn!(target: LOG_TARGET, "Proof for request {request} failed and will be tried again: {reason}")
		}
		AfterAttempt::Exhausted => log::error!(
			target: LOG_TARGET,
			"Proof for request {request} given up ({}): {reason}",
			failure_label(JobFailure::Exhausted),
		),
		AfterAttempt::Withdrawn => {}
	}
}

/// Lets `process` work on one job.
fn attempt(
	shared: &Shared,
	process: &mut WorkerProcess,
	index: usize,
	Work { id, job, .. }: &Work,
	on_cpu: bool,
) -> Attempt {
	if !shared.bundles.contains(&BundleName::of(job)) {
		return Attempt::Failed(JobFailure::MissingBundle);
	}
	let input = match reveal(job, &shared.config.secret) {
		Ok(input) => input,
		Err(failure) => return Attempt::Failed(failure),
	};
	let binding = Binding {
		genesis: job.genesis,
		key: job.key.0,
		model: job.model.0,
		request: job.request,
		worker: *job.worker.as_ref(),
	};
	let assignment = Assignment {
		id: *id,
		binding,
		input,
		commitment: job.commitment,
		on_cpu,
	};
	if let Err(error) = process.assign(&assignment) {
		return lost(shared, id, error, false);
	}
	drop(assignment);

	let deadline = Instant::now() + shared.config.job_timeout;
	let mut stage = StageClock::start();
	let mut has_begun = false;
	loop {
		let now = Instant::now();
		if now >= deadline {
			return Attempt::Lost(format!(
				"no proof within {} s",
				shared.config.job_timeout.as_secs_f32()
			));
		}
		match process.receive(WATCH_INTERVAL.min(deadline - now)) {
			Ok(None) => {}
			Ok(Some(message)) => {
				has_begun = true;
				if let Some(ended) = hear(shared, id, index, message, &mut stage) {
					return ended;
				}
			}
			Err(error) => return lost(shared, id, error, has_begun),
		}
		if !shared.is_wanted(id) {
			return Attempt::Withdrawn;
		}
	}
}

/// What the loss of the process means for its job, on which it `has_begun` or not.
fn lost(shared: &Shared, id: &JobId, error: ProcessError, has_begun: bool) -> Attempt {
	match error {
		_ if !shared.is_wanted(id) => Attempt::Withdrawn,
		ProcessError::Terminated => Attempt::Interrupted(error.to_string()),
		ProcessError::Killed(_) if !has_begun => Attempt::Interrupted(error.to_string()),
		error => Attempt::Lost(error.to_string()),
	}
}

/// Takes in one message about the job `id`. Answers how the attempt ended, if it did.
fn hear(
	shared: &Shared,
	id: &JobId,
	index: usize,
	message: FromWorker,
	clock: &mut StageClock,
) -> Option<Attempt> {
	match message {
		FromWorker::Progress {
			id: of,
			stage,
			percent,
		} if of == *id => {
			if let Some((ended, took)) = clock.enter(stage) {
				shared.metrics.stage_took(ended, took);
			}
			shared.progress(id, stage, percent);
			None
		}
		FromWorker::Done { id: of, result } if of == *id => {
			let (ended, took) = clock.end();
			shared.metrics.stage_took(ended, took);
			if result.output.len() + result.proof.len() + RESULT_OVERHEAD > MAX_ANSWER_BYTES {
				return Some(Attempt::Failed(JobFailure::BadBundle));
			}
			Some(Attempt::Done(result))
		}
		FromWorker::Failed { id: of, failure } if of == *id => Some(Attempt::Failed(failure)),
		FromWorker::Stumbled { id: of, reason } if of == *id => Some(Attempt::Stumbled(reason)),
		FromWorker::DeviceLost { id: of, reason } if of == *id => Some(Attempt::Lost(reason)),
		FromWorker::Device { report } => {
			shared.device_reported(index, report);
			None
		}
		FromWorker::Note { text } => {
			log::warn!(target: LOG_TARGET, "{text}");
			None
		}
		_ => Some(Attempt::Lost("it spoke of something else than its job".into())),
	}
}

/// Measures how long the stages of a proof take.
struct StageClock {
	stage: ProvingStage,
	since: Instant,
}

impl StageClock {
	fn start() -> Self {
		Self {
			stage: ProvingStage::Loading,
			since: Instant::now(),
		}
	}

	/// Enters `stage`; answers the stage that ended with this and its duration, if one did.
	fn enter(&mut self, stage: ProvingStage) -> Option<(ProvingStage, Duration)> {
		(stage != self.stage).then(|| {
			let ended = self.end();
			*self = Self {
				stage,
				since: Instant::now(),
			};
			ended
		})
	}

	fn end(&self) -> (ProvingStage, Duration) {
		(self.stage, self.since.elapsed())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn delays_double_up_to_the_longest() {
		let backoff = Backoff {
			first: Duration::from_secs(1),
			longest: Duration::from_secs(60),
		};
		let delays: Vec<_> = (1..=8)
			.map(|failures| backoff.delay(failures).as_secs())
			.collect();
		assert_eq!(delays, [1, 2, 4, 8, 16, 32, 60, 60]);
		assert_eq!(backoff.delay(u32::MAX), backoff.longest);
	}

	#[test]
	fn devices_rest_after_faults_in_a_row() {
		let policy = DevicePolicy {
			faults: 2,
			rest: Duration::from_secs(60),
			longest_start: Duration::from_secs(1),
		};
		let (mut trust, start) = (DeviceTrust::new(policy), Instant::now());
		assert!(!trust.fault(start));
		trust.proved();
		assert!(!trust.fault(start) && !trust.rests(start));
		assert!(trust.fault(start));
		assert!(trust.rests(start + Duration::from_secs(59)));
		assert!(!trust.rests(start + Duration::from_secs(60)));
		assert!(!trust.fault(start + Duration::from_secs(61)), "counted anew");
	}

	#[test]
	fn the_clock_tells_stages_apart() {
		let mut clock = StageClock::start();
		assert!(clock.enter(ProvingStage::Loading).is_none());
		assert_eq!(
			clock.enter(ProvingStage::Witness).unwrap().0,
			ProvingStage::Loading
		);
		assert_eq!(clock.end().0, ProvingStage::Witness);
	}
}
