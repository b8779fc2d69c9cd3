//! Groth16 proving on BLS12-381: keys, the prover and its arithmetic backends.
//!
//! ```text
//! model ──setup_dev──▶ ProvingKey ──Bundle──▶ directory ──Prover::load──▶ Prover ──prove──▶ output, proof
//!                                                                          │
//!                                                          ProverBackend (CpuBackend)
//! ```
//!
//! - [`generate`] makes the key of any constraint system with segments; [`groth16`] commits and proves.
//! - [`setup_family_dev`] makes the keys of an architecture whose weights are committed to: [`Registrar`] registers them, and a
//!   [`Prover`] of [`CommittedWeights`] proves about them.
//! - [`setup_dev`] makes a model's key on one machine and marks it so ([`KeyOrigin::Development`](opensand_zk_verifier::KeyOrigin)).
//! - [`Bundle`] keeps a model with its keys in one directory, with checksums, written in one piece or not at all.
//! - [`Prover`] holds a key's bases where its [`ProverBackend`] wants them and the circuit's matrices; a proof verifies
//!   under its own key before it is handed out.
//!
//! The protocol and its security argument are in `zk/PROTOCOL.md`.

#![deny(unsafe_code)]
#![warn(missing_docs)]

#[cfg(feature = "arkworks")]
pub mod arkworks;
mod backend;
mod bundle;
mod cpu;
mod family;
#[cfg(feature = "fixtures")]
pub mod fixtures;
mod folder;
mod generator;
pub mod groth16;
mod key;
mod mapped_file;
mod odd_coset;
mod prover;
mod query;
mod rows;
mod setup;
#[cfg(target_arch = "x86_64")]
mod vector_transform;
mod weights;

pub use backend::{
	BackendError, DeviceDescription, DeviceStage, ProverBackend, ResidentBases, ResidentRows,
	ResidentScalars, StageStatistics, Statistics,
};
pub use bundle::{
	Bundle, BundleError, ARCHITECTURE_FILE, MANIFEST_FILE, OPENING_FILE, PROVING_KEY_FILE,
	VERIFYING_KEY_FILE, WEIGHTS_FILE,
};
pub use cpu::CpuBackend;
pub use family::{
	FamilyFolder, FAMILY_FILE, INFERENCE_KEY_FILE, REGISTRATION_KEY_FILE, REGISTRATION_VERIFYING_KEY_FILE,
};
pub use generator::{generate, GeneratorError, ProvingPoints, Trapdoors, VerifyingPoints};
pub use groth16::Blinding;
pub use key::{ProvingKey, ProvingKeyError};
pub use prover::{ProveError, Prover, Stage};
pub use query::Query;
pub use rows::Rows;
pub use setup::{setup_dev, setup_family_dev, KeyFamily, SetupError};
pub use weights::{CommittedWeights, Mask, Registrar, Registration, MASK_LEN};
