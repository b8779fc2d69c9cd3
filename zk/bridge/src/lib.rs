//! The host functions by which the runtime's off-chain workers reach the native prover.
//!
//! # Surface
//!
//! - Runtime side: [`submit`], [`status`], [`result`], [`devices`], [`cancel`]. They never panic; where
//!   there is no prover they answer [`BridgeError::Unavailable`].
//!   [`read_answer`] is how they read what a host answers, whatever it is.
//! - Node side: [`Prover`] is what the node's prover service implements, [`ProverExt`] the externalities
//!   extension that carries it, [`HostFunctions`] what the executor registers.
//!
//! # Contract
//!
//! Block execution never calls these functions: what they answer differs from node to node. The node
//! therefore registers [`ProverExt`] through `OffchainWorkerOptions::custom_extensions` only, so that the same
//! call during block import finds no prover.
//!
//! # Compatibility
//!
//! Every argument and answer crosses as SCALE bytes that both sides decode for themselves, so a runtime that
//! is newer or older than its node gets [`BridgeError::Malformed`], not a trap. A changed meaning or type is a
//! new `#[version]` of the function beside the old one.

#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
	not(test),
	deny(
		clippy::unwrap_used,
		clippy::expect_used,
		clippy::indexing_slicing,
		clippy::arithmetic_side_effects
	)
)]
#![warn(missing_docs)]

extern crate alloc;

mod answer;
mod client;
#[cfg(not(substrate_runtime))]
mod extension;
mod interface;

pub use answer::read as read_answer;
pub use client::{cancel, devices, result, status, submit};
#[cfg(not(substrate_runtime))]
pub use extension::{Prover, ProverExt};
#[cfg(not(substrate_runtime))]
pub use interface::prover_bridge::HostFunctions;
pub use opensand_primitives::proving::{
	BridgeError, DeviceKind, DeviceReport, DeviceStage, JobFailure, JobId, JobInput, JobResult, JobStatus,
	ProverDevice, ProvingJob, ProvingStage, StageTime,
};

/// Longest encoded [`ProvingJob`] that crosses, in bytes; longer ones are [`BridgeError::Malformed`].
pub const MAX_JOB_BYTES: usize = 1 << 20;
/// Longest encoded answer that crosses, in bytes; a longer one is [`BridgeError::Storage`].
pub const MAX_ANSWER_BYTES: usize = 1 << 20;
/// Most devices that [`devices`] lists.
pub const MAX_DEVICES: usize = 64;
/// Longest name of a device, of its driver and of its plug-in, in bytes.
pub const MAX_DEVICE_NAME_BYTES: usize = 128;

/// Most stages of a device that are told apart.
pub const MAX_DEVICE_STAGES: usize = 16;

#[cfg(test)]
mod tests;
