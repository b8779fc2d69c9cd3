//! What Prometheus can ask of the prover service.

use std::time::Duration;

use opensand_primitives::proving::{JobFailure, ProvingStage};
use substrate_prometheus_endpoint::{
	exponential_buckets, register, Counter, CounterVec, Gauge, HistogramOpts, HistogramVec, Opts,
	PrometheusError, Registry, U64,
};

use super::queue::Counts;

/// Handles of the registered metrics; does nothing on a node without Prometheus.
#[derive(Clone, Default)]
pub struct Metrics(Option<Registered>);

#[derive(Clone)]
struct Registered {
	waiting: Gauge<U64>,
	running: Gauge<U64>,
	done: Counter<U64>,
	failed: CounterVec<U64>,
	stage_seconds: HistogramVec,
	worker_restarts: Counter<U64>,
}

impl Metrics {
	/// Registers the metrics, if there is a registry.
	///
	/// Errors: a metric of the same name is registered already.
	pub fn register(registry: Option<&Registry>) -> Result<Self, PrometheusError> {
		registry.map(Registered::register).transpose().map(Self)
	}

	/// The queue's depth changed.
	pub fn set_counts(&self, counts: Counts) {
		self.with(|metrics| {
			metrics.waiting.set(counts.waiting as u64);
			metrics.running.set(counts.running as u64);
		});
	}

	/// A job is done.
	pub fn job_done(&self) {
		self.with(|metrics| metrics.done.inc());
	}

	/// `count` jobs were given up.
	pub fn jobs_failed(&self, failure: JobFailure, count: usize) {
		self.with(|metrics| {
			metrics
				.failed
				.with_label_values(&[failure_label(failure)])
				.inc_by(count as u64);
		});
	}

	/// A stage of a proof took `elapsed`.
	pub fn stage_took(&self, stage: ProvingStage, elapsed: Duration) {
		self.with(|metrics| {
			metrics
				.stage_seconds
				.with_label_values(&[stage_label(stage)])
				.observe(elapsed.as_secs_f64());
		});
	}

	/// A worker process had to be replaced.
	pub fn worker_restarted(&self) {
		self.with(|metrics| metrics.worker_restarts.inc());
	}

	fn with(&self, change: impl FnOnce(&Registered)) {
		if let Some(metrics) = &self.0 {
			change(metrics);
		}
	}
}

impl Registered {
	fn register(registry: &Registry) -> Result<Self, PrometheusError> {
		let full = |name: &str| format!("opensand_prover_{name}");
		let gauge = |name: &str, help: &str| register(Gauge::new(full(name), help)?, registry);
		let counter = |name: &str, help: &str| register(Counter::new(full(name), help)?, registry);
		let failed = Opts::new(full("jobs_failed"), "Proving jobs that were given up");
		// 1 ms to 17 minutes.
		let buckets = exponential_buckets(0.001, 4.0, 11)?;
		let stage_seconds = HistogramOpts::new(full("stage_seconds"), "Seconds that a stage of a proof took");
		Ok(Self {
			waiting: gauge("jobs_waiting", "Proving jobs that wait for a worker process")?,
			running: gauge("jobs_running", "Proving jobs in a worker process")?,
			done: counter("jobs_done", "Proving jobs that have a proof")?,
			failed: register(CounterVec::new(failed, &["reason"])?, registry)?,
			stage_seconds: register(
				HistogramVec::new(stage_seconds.buckets(buckets), &["stage"])?,
				registry,
			)?,
			worker_restarts: counter("worker_restarts", "Worker processes that had to be replaced")?,
		})
	}
}

/// The name of a failure in metrics and JSON.
pub fn failure_label(failure: JobFailure) -> &'static str {
	match failure {
		JobFailure::MissingBundle => "missing_bundle",
		JobFailure::BadBundle => "bad_bundle",
		JobFailure::BadInput => "bad_input",
		JobFailure::BadEnvelope => "bad_envelope",
		JobFailure::Exhausted => "exhausted",
		JobFailure::Cancelled => "cancelled",
		JobFailure::Expired => "expired",
	}
}

/// The name of a stage in metrics and JSON.
pub fn stage_label(stage: ProvingStage) -> &'static str {
	match stage {
		ProvingStage::Loading => "loading",
		ProvingStage::Witness => "witness",
		ProvingStage::Proving => "proving",
		ProvingStage::Verifying => "verifying",
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn metrics_register_once_and_show_what_happened() {
		let registry = Registry::new();
		let metrics = Metrics::register(Some(&registry)).unwrap();
		metrics.set_counts(Counts {
			waiting: 3,
			running: 1,
			..Default::default()
		});
		metrics.job_done();
		metrics.jobs_failed(JobFailure::Expired, 2);
		metrics.stage_took(ProvingStage::Proving, Duration::from_millis(300));
		metrics.worker_restarted();

		let value = |name: &str| {
			let families = registry.gather();
			let family = families
				.iter()
				.find(|family| family.get_name() == name)
				.expect(name);
			let metric = &family.get_metric()[0];
			metric.get_gauge().get_value() + metric.get_counter().get_value()
		};
		assert_eq!(value("opensand_prover_jobs_waiting"), 3.0);
		assert_eq!(value("opensand_prover_jobs_running"), 1.0);
		assert_eq!(value("opensand_prover_jobs_done"), 1.0);
		assert_eq!(value("opensand_prover_jobs_failed"), 2.0);
		assert_eq!(value("opensand_prover_worker_restarts"), 1.0);
		assert!(Metrics::register(Some(&registry)).is_err());
	}
}
