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
	process::{ProcessError, WorkerProcess},
	protocol::{Assignment, FromWorker},
	queue::AfterAttempt,
	service::Shared,
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
	while !shared.is_stopping() {
		match WorkerProcess::start(&shared.config.command, || shared.is_stopping()) {
			Ok(mut process) => {
				shared.worker_started(index, process.id(), &process.devices);
				let reason = serve(shared, &mut process, &mut failures);
				shared.worker_stopped(index);
				match reason {
					Some(reason) => {
						log::warn!(target: LOG_TARGET, "Prover process {} lost: {reason}", process.id())
					}
					None => continue,
				}
			}
			Err(_) if shared.is_stopping() => return,
			Err(error) => log::warn!(target: LOG_TARGET, "Prover process failed to start: {error}"),
		}
		shared.metrics.worker_restarted();
		failures = failures.saturating_add(1);
		shared.sleep(shared.config.backoff.delay(failures));
	}
}

/// Feeds jobs to `process` until it has to be replaced. Answers why, or `None` if nothing was wrong with it.
fn serve(shared: &Shared, process: &mut WorkerProcess, failures: &mut u32) -> Option<String> {
	loop {
		let Some((id, job)) = shared.next_job(IDLE_INTERVAL) else {
			if shared.is_stopping() {
				return None;
			}
			if !process.is_alive() {
				return Some("it ended while it was idle".into());
			}
			continue;
		};
		if !process.is_alive() {
			shared.put_back(&id);
			return Some("it ended while it was idle".into());
		}
		let started = Instant::now();
		match attempt(shared, process, &id, &job) {
			Attempt::Done(result) => {
				*failures = 0;
				shared.finish(&id, &job, &result, started.elapsed());
			}
			Attempt::Failed(failure) => {
				*failures = 0;
				shared.fail(&id, &job, failure);
			}
			Attempt::Stumbled(reason) => {
				retry(shared, &id, &job, &reason);
			}
			Attempt::Lost(reason) => {
				retry(shared, &id, &job, &reason);
				return Some(reason);
			}
			Attempt::Interrupted(reason) => {
				shared.put_back(&id);
				return Some(reason);
			}
			Attempt::Withdrawn => return None,
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
fn attempt(shared: &Shared, process: &mut WorkerProcess, id: &JobId, job: &ProvingJob) -> Attempt {
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
				if let Some(ended) = hear(shared, id, message, &mut stage) {
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
fn hear(shared: &Shared, id: &JobId, message: FromWorker, clock: &mut StageClock) -> Option<Attempt> {
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
