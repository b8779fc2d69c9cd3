//! A short measurement of the machine, so that an operator learns at start whether it can keep up.

use std::path::Path;

use sc_service::{Configuration, TaskManager};
use sc_sysinfo::{HwBench, Metric, Requirement, Requirements, Throughput};
use sc_telemetry::TelemetryHandle;

/// MiB/s that a validator's machine must reach: those of the machine on which polkadot-sdk measures its weights.
/// On a slower one, a full block takes longer than its weight says.
const REFERENCE_MACHINE: [(Metric, f64); 4] = [
	(Metric::Blake2256, 1_000.0),
	(Metric::MemCopy, 11_768.0),
	(Metric::DiskSeqWrite, 950.0),
	(Metric::DiskRndWrite, 420.0),
];

fn requirements() -> Requirements {
	Requirements(
		REFERENCE_MACHINE
			.iter()
			.map(|(metric, mebibytes)| Requirement {
				metric: *metric,
				minimum: Throughput::from_mibs(*mebibytes),
				validator_only: false,
			})
			.collect(),
	)
}

/// Measures processor, memory, and the disk of the database, for about half a second each.
pub fn measure(config: &Configuration) -> HwBench {
	let disk = config.database.path().and_then(Path::parent).filter(|path| {
		std::fs::create_dir_all(path)
			.inspect_err(|error| log::warn!("The disk is not measured: {}: {error}", path.display()))
			.is_ok()
	});
	sc_sysinfo::gather_hwbench(disk, &requirements())
}

/// Prints a measurement, warns a validator whose machine is too slow, and tells the telemetry server.
pub fn report(
	task_manager: &TaskManager,
	measured: HwBench,
	is_authority: bool,
	telemetry: Option<TelemetryHandle>,
) {
	sc_sysinfo::print_hwbench(&measured);
	if is_authority {
		if let Err(failures) = requirements().check_hardware(&measured, false) {
			log::warn!("This machine may be too slow for a validator. {failures}");
		}
	}
	if let Some(telemetry) = telemetry {
		task_manager.spawn_handle().spawn(
			"telemetry-hardware",
			None,
			sc_sysinfo::initialize_hwbench_telemetry(telemetry, measured),
		);
	}
}
