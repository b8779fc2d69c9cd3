//! What Prometheus can ask of the prover service.

use std::time::Duration;

use opensand_primitives::proving::{DeviceReport, DeviceStage, JobFailure, ProvingStage};
use substrate_prometheus_endpoint::{
	exponential_buckets, register, Counter, CounterVec, Gauge, GaugeVec, HistogramOpts, HistogramVec, Opts,
	PrometheusError, Registry, F64, U64,
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
	device_faults: CounterVec<U64>,
	jobs_moved_to_cpu: Counter<U64>,
	device_stage_seconds: CounterVec<F64>,
	device_busy_seconds: CounterVec<F64>,
	device_memory: GaugeVec<U64>,
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

	/// The device of a place of the pool failed.
	pub fn device_failed(&self, place: usize) {
		self.with(|metrics| {
			metrics
				.device_faults
				.with_label_values(&[place.to_string().as_str()])
				.inc()
		});
	}

	/// A job that devices failed on is done on the CPU.
	pub fn moved_to_cpu(&self) {
		self.with(|metrics| metrics.jobs_moved_to_cpu.inc());
	}

	/// A process opened the device of a place.
	pub fn device_started(&self, place: usize, report: &DeviceReport) {
		let fresh = DeviceReport {
			busy_nanoseconds: 0,
			stages: Vec::new(),
			..report.clone()
		};
		self.device_did(place, &fresh, report);
	}

	/// The device of a place did what `after` has more than `before`.
	pub fn device_did(&self, place: usize, before: &DeviceReport, after: &DeviceReport) {
		let place = place.to_string();
		let seconds = |before: u64, after: u64| after.saturating_sub(before) as f64 / 1e9;
		self.with(|metrics| {
			for stage in &after.stages {
				let known = before.stages.iter().find(|known| known.stage == stage.stage);
				let known = known.map_or(0, |known| known.nanoseconds);
				metrics
					.device_stage_seconds
					.with_label_values(&[place.as_str(), device_stage_label(stage.stage)])
					.inc_by(seconds(known, stage.nanoseconds));
			}
			// Of the processor nothing is measured.
			if after.stages.is_empty() {
				return;
			}
			metrics
				.device_busy_seconds
				.with_label_values(&[place.as_str()])
				.inc_by(seconds(before.busy_nanoseconds, after.busy_nanoseconds));
			for (kind, bytes) in [
				("used", after.used_bytes),
				("peak", after.peak_bytes),
				("limit", after.device.memory_bytes),
			] {
				metrics
					.device_memory
					.with_label_values(&[place.as_str(), kind])
					.set(bytes);
			}
		});
	}

	/// The process at a place ended, and gave its device's memory back.
	pub fn device_stopped(&self, place: usize) {
		let place = place.to_string();
		self.with(|metrics| {
			for kind in ["used", "peak", "limit"] {
				// Fails where the place had no device.
				let _ = metrics.device_memory.remove_label_values(&[place.as_str(), kind]);
			}
		});
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
			device_faults: register(
				CounterVec::new(
					Opts::new(
						full("device_faults"),
						"Failures of a GPU, of its driver, or to open it",
					),
					&["device"],
				)?,
				registry,
			)?,
			jobs_moved_to_cpu: counter(
				"jobs_moved_to_cpu",
				"Proving jobs that failed on a GPU again and again, and were done on the CPU",
			)?,
			device_stage_seconds: register(
				CounterVec::new(
					Opts::new(
						full("device_stage_seconds"),
						"Seconds that a GPU spent on a stage",
					),
					&["device", "stage"],
				)?,
				registry,
			)?,
			device_busy_seconds: register(
				CounterVec::new(
					Opts::new(full("device_busy_seconds"), "Seconds in which a GPU computed"),
					&["device"],
				)?,
				registry,
			)?,
			device_memory: register(
				GaugeVec::new(
					Opts::new(
						full("device_memory_bytes"),
						"Memory of a GPU: used, peak, and limit",
					),
					&["device", "kind"],
				)?,
				registry,
			)?,
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

/// The name of a device's stage in metrics and JSON.
pub fn device_stage_label(stage: DeviceStage) -> &'static str {
	match stage {
		DeviceStage::Upload => "upload",
		DeviceStage::Rows => "rows",
		DeviceStage::Transform => "transform",
		DeviceStage::MultiplyG1 => "multiply_g1",
		DeviceStage::MultiplyG2 => "multiply_g2",
		DeviceStage::Queue => "queue",
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use opensand_primitives::proving::{DeviceKind, ProverDevice, StageTime};

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

	#[test]
	fn what_devices_do_adds_up_over_processes() {
		let registry = Registry::new();
		let metrics = Metrics::register(Some(&registry)).unwrap();
		let report = |seconds: u64| DeviceReport {
			device: ProverDevice {
				name: b"GPU".to_vec(),
				kind: DeviceKind::Cuda,
				memory_bytes: 100,
			},
			driver: Vec::new(),
			plugin: Vec::new(),
			used_bytes: 10,
			peak_bytes: 20,
			busy_nanoseconds: seconds * 1_000_000_000,
			stages: vec![StageTime {
				stage: DeviceStage::Transform,
				nanoseconds: 2 * seconds * 1_000_000_000,
				calls: 1,
			}],
			running: 0,
			waiting: 0,
		};
		let count = |name: &str| {
			let families = registry.gather();
			let family = families.iter().find(|family| family.get_name() == name);
			family.map_or(0, |family| family.get_metric().len())
		};
		let value = |name: &str| {
			let families = registry.gather();
			let family = families
				.iter()
				.find(|family| family.get_name() == name)
				.expect(name);
			family.get_metric()[0].get_counter().get_value()
		};
		metrics.device_started(1, &report(1));
		metrics.device_did(1, &report(1), &report(3));
		assert_eq!(count("opensand_prover_device_memory_bytes"), 3);
		metrics.device_stopped(1);
		assert_eq!(count("opensand_prover_device_memory_bytes"), 0);
		metrics.device_started(1, &report(0));
		metrics.device_did(1, &report(0), &report(2));
		metrics.device_failed(1);
		metrics.moved_to_cpu();
		assert_eq!(value("opensand_prover_device_busy_seconds"), 5.0);
		assert_eq!(value("opensand_prover_device_stage_seconds"), 10.0);
		assert_eq!(value("opensand_prover_device_faults"), 1.0);
		assert_eq!(value("opensand_prover_jobs_moved_to_cpu"), 1.0);
	}
}
