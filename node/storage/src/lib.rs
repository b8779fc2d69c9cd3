//! The storage provider's service: it takes slots that the chain offers, fetches shards, proves possession, heals, and
//! repairs.
//!
//! ```text
//! chain ──best blocks, questions──▶ Agent ──calls──▶ chain            policy: what is taken
//!                                    │  ▲
//!                               jobs │  │ records                     obtain: fetch or rebuild, check, store
//!                                    ▼  │
//!               Exchange ◀──▶ BlockStore, shards/<order>-<shard>/     scrub, collect: damage and garbage
//! ```
//!
//! The node gives it a [`Chain`], a [`Config`] and a place for metrics, and runs it:
//! [`StorageService::open`], [`StorageService::run`]. What an operator must know is in the crate's README.

#![warn(missing_docs)]

mod agent;
pub mod chain;
mod collect;
mod commitments;
pub mod config;
mod context;
mod in_flight;
mod metrics;
mod obtain;
mod peers;
mod policy;
pub mod record;
mod scrub;
pub mod sealed;
mod search;
mod service;
mod sources;
pub mod status;

pub use chain::{BestBlock, Chain, ChainError, ShardId, StorageCall, SubmitError};
pub use config::{Config, Policy};
pub use scrub::{Cursor as ScrubCursor, CURSOR_KIND};
pub use sealed::Damage;
pub use service::{ServiceError, StorageHandle, StorageService};
pub use status::StorageStatus;

/// The target of the service's log lines.
const TARGET: &str = "storage";
