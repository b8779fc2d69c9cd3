//! The runtime's view of the bridge: typed calls over the host functions.
//!
//! They may be called wherever an externalities environment is set up, which is every runtime call and every
//! test inside `TestExternalities`.

use alloc::vec::Vec;
use codec::Encode;

use crate::{
	answer::read, interface::prover_bridge, BridgeError, DeviceReport, JobId, JobResult, JobStatus,
	ProvingJob,
};

/// Hands `job` to the prover, which keeps it over crashes until its deadline has passed.
///
/// Submitting a known job again changes nothing, except that a job that failed is tried again, unless its input
/// does not fit the model or its deadline has passed.
///
/// Errors: [`BridgeError::Unavailable`], [`BridgeError::QueueFull`], [`BridgeError::Malformed`] (longer than
/// [`crate::MAX_JOB_BYTES`], or a node of another version), [`BridgeError::Storage`].
pub fn submit(job: &ProvingJob) -> Result<JobId, BridgeError> {
	let encoded = job.encode();
	read(|buffer| prover_bridge::submit(&encoded, buffer))
}

/// Where the job `id` stands.
///
/// Errors: [`BridgeError::Unavailable`], [`BridgeError::UnknownJob`], [`BridgeError::Storage`].
pub fn status(id: JobId) -> Result<JobStatus, BridgeError> {
	read(|buffer| prover_bridge::status(id, buffer))
}

/// The output and proof of a job whose status is [`JobStatus::Done`]. They can be fetched any number of times
/// until the job's deadline.
///
/// Errors: [`BridgeError::Unavailable`], [`BridgeError::UnknownJob`], [`BridgeError::NotReady`] (also for a
/// failed job: [`status`] has the reason), [`BridgeError::Storage`].
pub fn result(id: JobId) -> Result<JobResult, BridgeError> {
	read(|buffer| prover_bridge::result(id, buffer))
}

/// The devices that prove on this node, at most [`crate::MAX_DEVICES`], with their queue, times and memory.
///
/// Errors: [`BridgeError::Unavailable`].
pub fn devices() -> Result<Vec<DeviceReport>, BridgeError> {
	read(|buffer| prover_bridge::devices(buffer))
}

/// Stops work on the job `id`; nothing changes where it is finished.
///
/// Errors: [`BridgeError::Unavailable`], [`BridgeError::UnknownJob`], [`BridgeError::Storage`].
pub fn cancel(id: JobId) -> Result<(), BridgeError> {
	read(|buffer| prover_bridge::cancel(id, buffer))
}
