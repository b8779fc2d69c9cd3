//! The prover service with worker processes that prove on a device, which is the mock plug-in's: what works, what fails, and that
//! no job is lost either way.

mod bundle;
mod service;

use std::{path::Path, process::Command, time::Duration};

use bundle::Bundle;
use opensand_node::prover::{Backend, Config, DeviceParams, DevicePolicy, ProverHandle, ProverService};
use opensand_primitives::proving::{DeviceKind, DeviceReport, DeviceStage, JobStatus};
use opensand_zk_bridge::Prover;
use opensand_zk_cuda::mock;
use service::*;
use substrate_prometheus_endpoint::Registry;
use tempfile::TempDir;

/// A service that proves with a plug-in. The mock fails as planned, in each process anew.
fn with(directory: &Path, backend: Backend, plugin: &Path, plan: &str) -> Config {
	let mut config = config(directory);
	let node = std::mem::replace(&mut config.command.program, "/usr/bin/env".into());
	config
		.command
		.arguments
		.splice(0..0, [format!("OPENSAND_MOCK={plan}").into(), node.into()]);
	config.command.device = DeviceParams {
		backend,
		plugin: Some(plugin.into()),
		memory: None,
	};
	config
}

fn kinds(devices: &[DeviceReport]) -> Vec<DeviceKind> {
	devices.iter().map(|report| report.device.kind).collect()
}

/// The devices, once the worker process is up.
fn devices(handle: &ProverHandle) -> Vec<DeviceReport> {
	process_of(handle);
	handle.devices().unwrap()
}

/// The sum of a metric over its labels.
fn metric(registry: &Registry, name: &str) -> f64 {
	let families = registry.gather();
	let family = families
		.iter()
		.find(|family| family.get_name() == format!("opensand_prover_{name}"));
	let metrics = family.map(|family| family.get_metric()).unwrap_or_default();
	metrics
		.iter()
		.map(|metric| metric.get_counter().get_value() + metric.get_gauge().get_value())
		.sum()
}

/// A service under test.
struct Case {
	handle: ProverHandle,
	_service: ProverService,
	registry: Registry,
	bundle: Bundle,
	_directory: TempDir,
}

impl Case {
	fn new(backend: Backend, plugin: &Path, plan: &str, change: impl FnOnce(&mut Config)) -> Self {
		Self::of(Bundle::small, backend, plugin, plan, change)
	}

	/// With a bundle of one's own.
	fn of(
		bundle: fn(&Path) -> Bundle,
		backend: Backend,
		plugin: &Path,
		plan: &str,
		change: impl FnOnce(&mut Config),
	) -> Self {
		let directory = TempDir::new().unwrap();
		let bundle = bundle(&directory.path().join("bundles"));
		let mut config = with(directory.path(), backend, plugin, plan);
		change(&mut config);
		let registry = Registry::new();
		let service = ProverService::start(config, Some(&registry)).unwrap();
		let handle = service.handle();
		Self {
			handle,
			_service: service,
			registry,
			bundle,
			_directory: directory,
		}
	}

	/// Has a proof made, and answers how many attempts failed before.
	fn prove(&self, request: u64) -> u32 {
		let job = job(&self.bundle, request);
		let id = self.handle.submit(job.clone()).unwrap();
		wait_for_status(&self.handle, &id, |status| *status == JobStatus::Done);
		self.bundle.verify(&job, &self.handle.result(&id).unwrap());
		let jobs = self.handle.jobs();
		let summary = jobs.iter().find(|summary| summary.id == id);
		summary.expect("the job is remembered").attempts
	}

	fn metric(&self, name: &str) -> f64 {
		metric(&self.registry, name)
	}
}

/// Device calls of the health check, of loading a key, and of a proof; the mock counts them.
const CHECK: u32 = 15;
const LOAD: u32 = 8;
/// Memory that suffices for the health check and not for a key.
const SMALL_MIB: u32 = 6;

/// A plan that fails in the middle of each process's first proof.
fn in_a_proof(word: &str) -> String {
	format!("{word}={}", CHECK + LOAD + 5)
}

#[test]
fn proofs_are_made_on_the_device_and_it_is_reported() {
	let case = Case::new(Backend::Cuda, mock::plugin(), "", |_| {});
	let [before] = devices(&case.handle).try_into().unwrap();
	assert_eq!(before.device.kind, DeviceKind::Cuda);
	assert!(before.device.name.starts_with(b"Mock"));
	assert!(!before.driver.is_empty() && before.plugin.starts_with(b"mock"));
	assert!(before.device.memory_bytes > 0);

	assert_eq!((case.prove(1), case.prove(2)), (0, 0));
	let [after] = devices(&case.handle).try_into().unwrap();
	assert!(after.used_bytes > before.used_bytes, "the key is on the device");
	assert!(after.peak_bytes >= after.used_bytes && after.peak_bytes <= after.device.memory_bytes);
	assert!(after.busy_nanoseconds > before.busy_nanoseconds);
	assert_eq!((after.running, after.waiting), (0, 0));
	for stage in [
		DeviceStage::Transform,
		DeviceStage::MultiplyG1,
		DeviceStage::MultiplyG2,
	] {
		let calls = |report: &DeviceReport| {
			let stage = report.stages.iter().find(|time| time.stage == stage);
			stage.map(|time| time.calls)
		};
		assert!(calls(&after) > calls(&before), "{stage:?}");
	}
	assert!(case.metric("device_stage_seconds") > 0.0);
	assert!(case.metric("device_busy_seconds") > 0.0);
	assert!(case.metric("device_memory_bytes") > 0.0);
	assert_eq!(
		case.metric("device_faults") + case.metric("jobs_moved_to_cpu"),
		0.0
	);
}

#[test]
fn a_device_that_is_lost_in_proofs_is_left_alone_and_the_job_done_on_the_cpu() {
	let case = Case::new(Backend::Auto, mock::plugin(), &in_a_proof("lost"), |_| {});
	assert_eq!(case.prove(1), 2, "two attempts on the device");
	assert_eq!(kinds(&devices(&case.handle)), [DeviceKind::Cpu]);
	assert_eq!(case.metric("device_faults"), 2.0);
	assert_eq!(case.prove(2), 0);
}

#[test]
fn a_jobs_last_attempt_leaves_the_device_alone() {
	let case = Case::new(Backend::Auto, mock::plugin(), &in_a_proof("lost"), |config| {
		config.device_policy.faults = 100;
	});
	assert_eq!(case.prove(1), 2);
	assert_eq!(kinds(&devices(&case.handle)), [DeviceKind::Cuda]);
	assert_eq!(case.metric("jobs_moved_to_cpu"), 1.0);
}

#[test]
fn a_device_is_tried_again_after_its_rest() {
	let case = Case::new(Backend::Auto, mock::plugin(), &in_a_proof("lost"), |config| {
		config.device_policy = DevicePolicy {
			faults: 1,
			rest: Duration::from_secs(1),
			..config.device_policy
		};
	});
	case.prove(1);
	wait_for("the device", || {
		let devices = case.handle.devices().unwrap();
		(kinds(&devices) == [DeviceKind::Cuda]).then_some(())
	});
}

#[test]
fn a_device_that_hangs_is_given_up_and_the_job_done_on_the_cpu() {
	let case = Case::new(Backend::Auto, mock::plugin(), &in_a_proof("hang"), |config| {
		config.job_timeout = Duration::from_secs(30);
		config.device_policy.faults = 1;
	});
	assert_eq!(case.prove(1), 1);
	assert_eq!(case.metric("device_faults"), 1.0);
}

#[test]
fn a_process_that_crashes_on_its_device_is_replaced_and_at_last_proves_on_the_cpu() {
	// The device hangs, so that there is time to kill its process.
	let case = Case::new(Backend::Auto, mock::plugin(), &in_a_proof("hang"), |_| {});
	let job = job(&case.bundle, 1);
	let id = case.handle.submit(job.clone()).unwrap();
	for _ in 0..2 {
		wait_for_status(&case.handle, &id, is_proving);
		let process = process_of(&case.handle);
		kill_9(process);
		wait_for("another process", || {
			(process_of(&case.handle) != process).then_some(())
		});
	}
	wait_for_status(&case.handle, &id, |status| *status == JobStatus::Done);
	case.bundle.verify(&job, &case.handle.result(&id).unwrap());
	assert_eq!(kinds(&devices(&case.handle)), [DeviceKind::Cpu]);
}

#[test]
fn a_device_that_computes_wrongly_gives_no_proof() {
	// The health check makes four multiplications.
	let case = Case::new(Backend::Auto, mock::plugin(), "wrong=6", |_| {});
	assert_eq!(case.prove(1), 2);
	assert_eq!(case.metric("device_faults"), 2.0);
	// One that does so from the start is not used at all.
	let case = Case::new(Backend::Auto, mock::plugin(), "wrong=1", |_| {});
	assert_eq!(case.prove(1), 0);
	assert_eq!(kinds(&devices(&case.handle)), [DeviceKind::Cpu]);
}

#[test]
fn a_device_that_does_not_open_in_time_is_left_alone() {
	let case = Case::new(Backend::Auto, mock::plugin(), "hang=1", |config| {
		config.device_policy.longest_start = Duration::from_secs(3);
	});
	assert_eq!(case.prove(1), 0, "the job was not touched");
	assert_eq!(kinds(&devices(&case.handle)), [DeviceKind::Cpu]);
	assert_eq!(case.metric("device_faults"), 2.0);
}

#[test]
fn without_a_usable_plugin_the_cpu_proves() {
	for plugin in [
		mock::other_version(),
		mock::no_plugin(),
		mock::no_device(),
		mock::old_driver(),
		Path::new("/no/such/plug-in.so"),
	] {
		let case = Case::new(Backend::Auto, plugin, "", |_| {});
		assert_eq!(kinds(&devices(&case.handle)), [DeviceKind::Cpu], "{plugin:?}");
		assert_eq!(case.metric("device_faults"), 0.0, "{plugin:?}");
		if plugin == mock::other_version() {
			assert_eq!(case.prove(1), 0);
		}
	}
	// Where a GPU is asked for, that is a fault, and jobs are done all the same.
	let case = Case::new(Backend::Cuda, mock::other_version(), "", |_| {});
	assert_eq!(case.prove(1), 0);
	assert_eq!(case.metric("device_faults"), 2.0);
}

#[test]
fn a_key_that_is_too_large_for_the_device_is_proven_with_on_the_cpu() {
	// Enough for the health check, too little for the key.
	let case = Case::of(Bundle::public, Backend::Cuda, mock::plugin(), "", |config| {
		config.command.device.memory = Some(SMALL_MIB);
	});
	assert_eq!((case.prove(1), case.prove(2)), (0, 0));
	let [report] = devices(&case.handle).try_into().unwrap();
	assert_eq!(report.device.kind, DeviceKind::Cuda);
	assert_eq!(report.device.memory_bytes, u64::from(SMALL_MIB) << 20);
	assert!(report.peak_bytes <= report.device.memory_bytes);
	assert_eq!(case.metric("device_faults"), 0.0);
}

#[test]
fn several_processes_have_a_device_each_as_far_as_they_go() {
	let case = Case::new(Backend::Auto, mock::plugin(), "devices=2", |config| {
		config.workers = 3
	});
	wait_for("all processes", || {
		(case.handle.workers().len() == 3).then_some(())
	});
	let mut devices = case.handle.devices().unwrap();
	devices.sort_by_key(|report| report.device.name.clone());
	let names: Vec<_> = devices
		.iter()
		.filter(|report| report.device.kind == DeviceKind::Cuda)
		.map(|report| String::from_utf8_lossy(&report.device.name).into_owned())
		.collect();
	assert_eq!(names, ["Mock device 0", "Mock device 1"]);
	assert_eq!(devices.len(), 3, "the third proves on the processor");
}

#[test]
fn devices_are_listed_with_driver_memory_and_plugin() {
	let list = |arguments: &[&str], plugin: &Path| {
		let output = Command::new(env!("CARGO_BIN_EXE_opensand-node"))
			.args(["prover", "devices", "--prover-plugin"])
			.arg(plugin)
			.args(arguments)
			.env("OPENSAND_MOCK", "devices=2")
			.output()
			.unwrap();
		let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
		(
			output.status.success(),
			text(&output.stdout),
			text(&output.stderr),
		)
	};
	let (done, text, _) = list(&[], mock::plugin());
	assert!(done);
	let lines: Vec<_> = text.lines().collect();
	assert_eq!(lines.len(), 3, "{text}");
	assert!(lines[0].starts_with("cpu  "), "{text}");
	assert!(
		lines[2].starts_with("cuda  Mock device 1") && lines[2].contains("driver 1.0"),
		"{text}"
	);
	assert!(lines[2].contains("plug-in mock"), "{text}");

	let (done, text, _) = list(&["--json", "--prover", "cuda"], mock::plugin());
	let devices: serde_json::Value = serde_json::from_str(&text).unwrap();
	assert!(done);
	assert_eq!(devices.as_array().map(Vec::len), Some(2));
	assert_eq!(devices[0]["driver"], "1.0");
	assert!(devices[0]["memoryBytes"].as_u64() > Some(0));
	assert!(devices[0]["plugin"].as_str().unwrap().starts_with("mock"));

	let (done, text, errors) = list(&[], mock::other_version());
	assert!(
		done && text.starts_with("cpu  ") && text.lines().count() == 1,
		"{text}"
	);
	assert!(errors.contains("version 2"), "{errors}");
	let (done, _, errors) = list(&["--prover", "cuda"], mock::no_device());
	assert!(!done && errors.contains("this machine has no device"), "{errors}");
}
