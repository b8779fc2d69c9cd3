//! The node's side of the bridge.

use alloc::{boxed::Box, vec::Vec};

use crate::{BridgeError, DeviceReport, JobId, JobResult, JobStatus, ProvingJob};

/// A prover as the bridge sees it.
///
/// Calls come from the threads of off-chain workers, several at a time, one for each block: they must return
/// within milliseconds and must not panic.
pub trait Prover: Send {
	/// Takes `job` into the queue; once this returns `Ok`, the job survives a crash of the node.
	/// Submitting a known job again is no error.
	///
	/// Errors: [`BridgeError::QueueFull`], [`BridgeError::Storage`], [`BridgeError::Unavailable`].
	fn submit(&self, job: ProvingJob) -> Result<JobId, BridgeError>;

	/// Where a job stands.
	///
	/// Errors: [`BridgeError::UnknownJob`], [`BridgeError::Storage`], [`BridgeError::Unavailable`].
	fn status(&self, id: &JobId) -> Result<JobStatus, BridgeError>;

	/// The result of a job that is done.
	///
	/// Errors: [`BridgeError::NotReady`], [`BridgeError::UnknownJob`], [`BridgeError::Storage`],
	/// [`BridgeError::Unavailable`].
	fn result(&self, id: &JobId) -> Result<JobResult, BridgeError>;

	/// The devices that prove, with what they did so far.
	///
	/// Errors: [`BridgeError::Unavailable`].
	fn devices(&self) -> Result<Vec<DeviceReport>, BridgeError>;

	/// Stops work on a job; nothing changes where it is finished.
	///
	/// Errors: [`BridgeError::UnknownJob`], [`BridgeError::Storage`], [`BridgeError::Unavailable`].
	fn cancel(&self, id: &JobId) -> Result<(), BridgeError>;
}

sp_externalities::decl_extension! {
	/// Carries the prover into an off-chain worker's externalities. Block import must not have it.
	pub struct ProverExt(Box<dyn Prover>);
}

impl ProverExt {
	/// An extension backed by `prover`.
	pub fn new(prover: impl Prover + 'static) -> Self {
		Self(Box::new(prover))
	}
}
