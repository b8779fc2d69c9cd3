//! Starts real nodes as processes of their own, on free ports and in temporary directories, and drives them
//! through their RPC as a client would.
//!
//! - [`node`]: one node; [`network`]: a connected set of validators; [`ports`]: where servers can listen.
//! - [`client`]: transactions and storage through `subxt`, without generated code.
//! - [`storage`]: a chain with storage providers, and the owners' command line; [`hurried`]: such a chain with short periods.
//! - [`inference`]: the main job's steps; [`digits`]: a model for it; [`market`]: a chain where it can be asked.
//!
//! Everything waits on conditions ([`eventually`]), never on a fixed time:
//! with a block in a third of the slots on average, the time to the next block has a long tail.

#![warn(missing_docs)]

pub mod client;
pub mod digits;
pub mod hurried;
pub mod inference;
pub mod market;
pub mod network;
pub mod node;
pub mod ports;
pub mod storage;

use std::{future::Future, time::Duration};

use anyhow::{anyhow, Result};
use tokio::time::{sleep, Instant};

/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(500);

/// Probes until the condition yields a value, and returns it.
///
/// An error of the probe counts as "not yet": a node that starts or that was killed refuses connections for a while.
///
/// # Errors
/// When `limit` has passed; the message names `what` was awaited and carries the probe's last error.
pub async fn eventually<T, F, Fut>(what: &str, limit: Duration, mut probe: F) -> Result<T>
where
	F: FnMut() -> Fut,
	Fut: Future<Output = Result<Option<T>>>,
{
	let start = Instant::now();
	loop {
		let last = match probe().await {
			Ok(Some(value)) => return Ok(value),
			Ok(None) => None,
			Err(error) => Some(error),
		};
		if start.elapsed() >= limit {
			let waited = format!("{what}: not so after {} s", limit.as_secs());
			return Err(match last {
				Some(error) => error.context(waited),
				None => anyhow!(waited),
			});
		}
		sleep(POLL).await;
	}
}
