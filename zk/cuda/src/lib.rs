//! Proving on a GPU: loads a plug-in at run time and computes with it, behind [`ProverBackend`](opensand_zk_prover::ProverBackend).
//!
//! ```text
//! libopensand_prover_cuda.so ──Plugin::load──▶ Plugin ──CudaBackend::open──▶ CudaBackend ──Prover::load_with──▶ Prover
//! ```
//!
//! - [`Plugin`] is a shared library with the C interface of `native/include/opensand_prover.h`, checked before it is used.
//! - [`CudaBackend`] is one device of it, with a bound on the memory that it takes. Its proofs are the CPU's, byte by byte.
//! - [`check`] proves a small circuit on a backend and compares it with the CPU's proof.
//!
//! Nothing of CUDA is needed to build or test this crate: the feature `mock` compiles a plug-in whose device is the processor.
//!
//! # Trust
//!
//! A plug-in runs with the rights of its process, and a driver can crash it: load one only in a process that may end. What comes
//! back from a device is checked to be field elements and points of the curve, and a proof verifies before it leaves the
//! prover.

#![deny(unsafe_code)]
#![warn(missing_docs)]

mod backend;
mod health;
mod layout;
#[cfg(feature = "mock")]
pub mod mock;
mod plugin;
#[allow(unsafe_code)]
mod raw;

pub use backend::CudaBackend;
pub use health::check;
pub use plugin::{Plugin, PluginError, PLUGIN_FILE};
