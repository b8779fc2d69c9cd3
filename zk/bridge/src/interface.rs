//! The raw host functions. [`crate::client`] wraps them with types.

#[cfg(not(substrate_runtime))]
use alloc::vec::Vec;
#[cfg(not(substrate_runtime))]
use codec::DecodeAll;
#[cfg(not(substrate_runtime))]
use sp_externalities::ExternalitiesExt;
use sp_runtime_interface::{
	pass_by::{PassFatPointerAndRead, PassFatPointerAndWrite, PassPointerAndReadCopy},
	runtime_interface,
};

use crate::JobId;
#[cfg(not(substrate_runtime))]
use crate::{
	answer::write, BridgeError, DeviceReport, ProverExt, ProvingJob, MAX_DEVICES, MAX_DEVICE_NAME_BYTES,
	MAX_DEVICE_STAGES, MAX_JOB_BYTES,
};

/// The calls that a runtime may make of the node's prover. Each writes the SCALE encoding of a
/// `Result<_, BridgeError>` to the front of `answer` and returns the encoding's length; where that is more
/// than `answer` holds, nothing is written.
#[runtime_interface]
pub trait ProverBridge {
	/// Hands over the SCALE encoding of a `ProvingJob`; answers `Result<JobId, BridgeError>`.
	fn submit(
		&mut self,
		job: PassFatPointerAndRead<&[u8]>,
		answer: PassFatPointerAndWrite<&mut [u8]>,
	) -> u32 {
		let submitted = match self.extension::<ProverExt>() {
			Some(prover) => decode_job(job).and_then(|job| prover.submit(job)),
			None => Err(BridgeError::Unavailable),
		};
		write(submitted, answer)
	}

	/// Answers `Result<JobStatus, BridgeError>`.
	fn status(
		&mut self,
		id: PassPointerAndReadCopy<JobId, 32>,
		answer: PassFatPointerAndWrite<&mut [u8]>,
	) -> u32 {
		let prover = self.extension::<ProverExt>().ok_or(BridgeError::Unavailable);
		write(prover.and_then(|prover| prover.status(&id)), answer)
	}

	/// Answers `Result<JobResult, BridgeError>`.
	fn result(
		&mut self,
		id: PassPointerAndReadCopy<JobId, 32>,
		answer: PassFatPointerAndWrite<&mut [u8]>,
	) -> u32 {
		let prover = self.extension::<ProverExt>().ok_or(BridgeError::Unavailable);
		write(prover.and_then(|prover| prover.result(&id)), answer)
	}

	/// Answers `Result<Vec<ProverDevice>, BridgeError>`.
	fn devices(&mut self, answer: PassFatPointerAndWrite<&mut [u8]>) -> u32 {
		let prover = self.extension::<ProverExt>().ok_or(BridgeError::Unavailable);
		let devices = prover.and_then(|prover| prover.devices()).map(|reports| {
			let devices = bounded(reports).into_iter().map(|report| report.device);
			devices.collect::<Vec<_>>()
		});
		write(devices, answer)
	}

	/// Answers `Result<Vec<DeviceReport>, BridgeError>`.
	#[version(2)]
	fn devices(&mut self, answer: PassFatPointerAndWrite<&mut [u8]>) -> u32 {
		let prover = self.extension::<ProverExt>().ok_or(BridgeError::Unavailable);
		write(prover.and_then(|prover| prover.devices()).map(bounded), answer)
	}

	/// Answers `Result<(), BridgeError>`.
	fn cancel(
		&mut self,
		id: PassPointerAndReadCopy<JobId, 32>,
		answer: PassFatPointerAndWrite<&mut [u8]>,
	) -> u32 {
		let prover = self.extension::<ProverExt>().ok_or(BridgeError::Unavailable);
		write(prover.and_then(|prover| prover.cancel(&id)), answer)
	}
}

/// As many devices, stages and bytes of names as may cross.
#[cfg(not(substrate_runtime))]
fn bounded(mut reports: Vec<DeviceReport>) -> Vec<DeviceReport> {
	reports.truncate(MAX_DEVICES);
	for report in &mut reports {
		report.device.name.truncate(MAX_DEVICE_NAME_BYTES);
		report.driver.truncate(MAX_DEVICE_NAME_BYTES);
		report.plugin.truncate(MAX_DEVICE_NAME_BYTES);
		report.stages.truncate(MAX_DEVICE_STAGES);
	}
	reports
}

/// Decodes a job of at most [`MAX_JOB_BYTES`] bytes; trailing bytes are an error.
#[cfg(not(substrate_runtime))]
fn decode_job(bytes: &[u8]) -> Result<ProvingJob, BridgeError> {
	if bytes.len() > MAX_JOB_BYTES {
		return Err(BridgeError::Malformed);
	}
	ProvingJob::decode_all(&mut &bytes[..]).map_err(|_| BridgeError::Malformed)
}
