//! What this machine can prove on.

use std::fs;

use opensand_primitives::proving::{DeviceKind, ProverDevice};

/// Every device: the processor, which is always there.
pub fn list() -> Vec<ProverDevice> {
	let cpu_info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
	let memory_info = fs::read_to_string("/proc/meminfo").unwrap_or_default();
	let threads = std::thread::available_parallelism().map_or(1, |count| count.get());
	let name = format!("{} ({threads} threads)", cpu_name(&cpu_info));
	vec![ProverDevice {
		name: name.into_bytes(),
		kind: DeviceKind::Cpu,
		memory_bytes: total_memory(&memory_info),
	}]
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
		let devices = list();
		assert_eq!(devices[0].kind, DeviceKind::Cpu);
		assert!(!devices[0].name.is_empty());
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
