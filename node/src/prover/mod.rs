//! The prover service: from a job that an off-chain worker submitted to a verified proof.
//!
//! ```text
//! off-chain worker ── bridge ──▶ service ──▶ queue (RocksDB, synchronous writes)
//!                                   │
//!                                   ▼
//!                     pool: one thread a worker process
//!                                   │  frames over stdin and stdout
//!                                   ▼
//!                  `opensand-node prover worker` ──▶ engine ──▶ bundles, device
//! ```
//!
//! A job that was acknowledged survives `kill -9` of the node, and a crash in a prover or a driver ends a worker
//! process and not the node. Nothing here runs on the threads that import blocks.

pub mod bundles;
pub mod cli;
pub mod devices;
mod engine;
mod envelope;
pub mod keys;
mod metrics;
pub mod params;
mod pool;
mod process;
pub mod protocol;
pub mod queue;
pub mod record;
pub mod rpc;
mod service;
pub mod worker;

pub use self::{
	params::{Backend, DeviceParams},
	pool::{Backoff, DevicePolicy},
	process::WorkerCommand,
	service::{Config, ProverHandle, ProverService, StartError, WorkerSummary},
};

/// Target of the service's log lines.
pub const LOG_TARGET: &str = "prover";
