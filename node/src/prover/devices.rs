//! What this machine can prove on.

use std::{fs, sync::Arc};

use opensand_primitives::proving::{DeviceKind, DeviceReport, DeviceStage, ProverDevice, StageTime};
use opensand_zk_cuda::{check, CudaBackend, Plugin};
use opensand_zk_prover::{
	BackendError, CpuBackend, DeviceDescription, DeviceStage as BackendStage, ProverBackend, Statistics,
};

use super::params::{Backend, DeviceParams};

/// What a worker process proves on.
pub struct Opened {
	/// The backend.
	pub backend: Arc<dyn ProverBackend>,
	/// Why it is the processor, where that was not asked for.
	pub note: Option<String>,
}

impl Opened {
	/// The processor, with the reason why it is no other.
	fn cpu(note: Option<String>) -> Self {
		Self {
			backend: Arc::new(CpuBackend),
			note,
		}
	}
}

/// Opens what the parameters ask for: of several GPUs that which is at `place`. A GPU proves a small circuit before it is used,
/// for which its driver may have to compile kernels for minutes. This runs code of the plug-in and of drivers: the node leaves it to
/// its worker processes.
///
/// # Errors
///
/// Where a GPU is asked for and there is none, or it cannot be used. The text says what to do.
pub fn open(params: &DeviceParams, place: usize) -> Result<Opened, BackendError> {
	match params.backend {
		Backend::Cpu => Ok(Opened::cpu(None)),
		Backend::Cuda => gpu(params, place),
		Backend::Auto => Ok(gpu(params, place)
			.unwrap_or_else(|error| Opened::cpu(Some(format!("proving on the CPU: {error}"))))),
	}
}

/// Opens a GPU and sees whether it computes rightly.
fn gpu(params: &DeviceParams, place: usize) -> Result<Opened, BackendError> {
	let backend = CudaBackend::open(&find(params)?, place, params.memory_bytes())?;
	check(&backend)?;
	Ok(Opened {
		backend: Arc::new(backend),
		note: None,
	})
}

/// The plug-in that the parameters name, or the one beside the executable.
fn find(params: &DeviceParams) -> Result<Plugin, BackendError> {
	Plugin::find(params.plugin.as_deref())?.ok_or_else(|| {
		let place = Plugin::beside_executable().unwrap_or_default();
		BackendError::PluginMismatch(format!(
			"there is none at {}; build it with `make cuda`",
			place.display()
		))
	})
}

/// Every device that the parameters allow, the processor among them unless a GPU is asked for; and why there is no GPU where
/// there is none.
pub fn list(params: &DeviceParams) -> (Vec<DeviceReport>, Option<String>) {
	let mut devices = Vec::new();
	if params.backend != Backend::Cuda {
		devices.push(report_of(cpu(), DeviceDescription::default(), None));
	}
	if params.backend == Backend::Cpu {
		return (devices, None);
	}
	match find(params).and_then(|plugin| plugin.devices()) {
		Ok(found) => {
			devices.extend(found.into_iter().map(|device| {
				let memory_bytes = device.memory_bytes;
				report_of(cuda(&device, memory_bytes), device, None)
			}));
			(devices, None)
		}
		Err(error) => (devices, Some(error.to_string())),
	}
}

/// What a backend's device did so far.
///
/// # Errors
///
/// Where the device does not say, as after it was lost.
pub fn report(backend: &dyn ProverBackend) -> Result<DeviceReport, BackendError> {
	let Some(description) = backend.device() else {
		return Ok(report_of(cpu(), DeviceDescription::default(), None));
	};
	let statistics = backend.statistics()?;
	let limit = statistics.map_or(description.memory_bytes, |statistics| statistics.limit_bytes);
	Ok(report_of(cuda(&description, limit), description, statistics))
}

fn report_of(
	device: ProverDevice,
	description: DeviceDescription,
	statistics: Option<Statistics>,
) -> DeviceReport {
	let measured = statistics.unwrap_or_default();
	let stage = |(stage, figures): (BackendStage, opensand_zk_prover::StageStatistics)| StageTime {
		stage: shown(stage),
		nanoseconds: nanoseconds(figures.time),
		calls: figures.calls,
	};
	let stages = BackendStage::ALL.into_iter().zip(measured.stages).map(stage);
	DeviceReport {
		device,
		driver: description.driver.into_bytes(),
		plugin: description.plugin.into_bytes(),
		used_bytes: measured.device_bytes,
		peak_bytes: measured.peak_device_bytes,
		busy_nanoseconds: nanoseconds(measured.busy),
		stages: statistics.map(|_| stages.collect()).unwrap_or_default(),
		running: 0,
		waiting: 0,
	}
}

fn nanoseconds(time: std::time::Duration) -> u64 {
	u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// A backend's stage as the bridge shows it.
fn shown(stage: BackendStage) -> DeviceStage {
	match stage {
		BackendStage::Upload => DeviceStage::Upload,
		BackendStage::Rows => DeviceStage::Rows,
		BackendStage::Transform => DeviceStage::Transform,
		BackendStage::MultiplyG1 => DeviceStage::MultiplyG1,
		BackendStage::MultiplyG2 => DeviceStage::MultiplyG2,
		BackendStage::Queue => DeviceStage::Queue,
	}
}

fn cuda(description: &DeviceDescription, memory_bytes: u64) -> ProverDevice {
	ProverDevice {
		name: description.name.clone().into_bytes(),
		kind: DeviceKind::Cuda,
		memory_bytes,
	}
}

/// The processor, which is always there.
fn cpu() -> ProverDevice {
	let cpu_info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
	let memory_info = fs::read_to_string("/proc/meminfo").unwrap_or_default();
	let threads = std::thread::available_parallelism().map_or(1, |count| count.get());
	let name = format!("{} ({threads} threads)", cpu_name(&cpu_info));
	ProverDevice {
		name: name.into_bytes(),
		kind: DeviceKind::Cpu,
		memory_bytes: total_memory(&memory_info),
	}
}

/// The processor's name in the text of `/proc/cpuinfo`, or its architecture.
fn cpu_name(cpu_info: &str) -> &str {
	field(cpu_info, "model name").unwrap_or(std::env::consts::ARCH)
}

/// Bytes of memory in the text of `/proc/meminfo`, or 0 where it does not say.
fn total_memory(memory_info: &str) -> u64 {
	field(memory_info, "MemTotal")
		.and_then(|value| value.strip_suffix("kB"))
		.and_then(|kibibytes| kibibytes.trim().parse::<u64>().ok())
		.map_or(0, |kibibytes| kibibytes.saturating_mul(1024))
}

/// The value of the first line `name : value`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
	let mut lines = text.lines().filter_map(|line| line.split_once(':'));
	lines
		.find(|(key, _)| key.trim() == name)
		.map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_processor_is_always_there() {
		let (devices, missing) = list(&DeviceParams::cpu());
		assert_eq!(devices[0].device.kind, DeviceKind::Cpu);
		assert!(!devices[0].device.name.is_empty());
		assert_eq!(missing, None);
		let opened = open(&DeviceParams::cpu(), 0).unwrap();
		assert_eq!(report(&*opened.backend), Ok(devices[0].clone()));
	}

	#[test]
	fn without_a_plugin_the_processor_proves_and_says_why() {
		let with = |backend| DeviceParams {
			backend,
			plugin: Some("/no/such/plug-in.so".into()),
			memory: None,
		};
		let opened = open(&with(Backend::Auto), 0).unwrap();
		assert_eq!(opened.backend.name(), "cpu");
		assert!(opened.note.unwrap().contains("/no/such/plug-in.so"));
		assert!(matches!(
			open(&with(Backend::Cuda), 0).err(),
			Some(BackendError::PluginMismatch(_))
		));
		let (devices, missing) = list(&with(Backend::Auto));
		assert_eq!(devices.len(), 1);
		assert!(missing.unwrap().contains("/no/such/plug-in.so"));
		assert!(list(&with(Backend::Cuda)).0.is_empty());
	}

	#[test]
	fn name_and_memory_are_read() {
		assert_eq!(
			cpu_name("processor\t: 0\nmodel name\t: AMD EPYC 9B14\n"),
			"AMD EPYC 9B14"
		);
		assert_eq!(cpu_name(""), std::env::consts::ARCH);
		assert_eq!(
			total_memory("MemTotal:       24689764 kB\nMemFree: 1 kB\n"),
			24_689_764 * 1024
		);
		assert_eq!(total_memory("MemTotal: many\n"), 0);
	}
}
