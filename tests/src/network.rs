//! A connected set of validators of the `local` chain.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{
	eventually,
	node::{Node, StoppedNode},
};

/// The validators of the `local` chain, whose keys the node derives from their names.
pub const VALIDATORS: [&str; 4] = ["alice", "bob", "charlie", "dave"];

/// How long nodes may take to find each other.
const CONNECT_LIMIT: Duration = Duration::from_secs(120);

/// The four validators of the `local` chain.
pub struct Network {
	/// In the order of [`VALIDATORS`].
	pub nodes: Vec<Node>,
	/// The address of the first, by which every other node joins.
	pub entrance: String,
}

impl Network {
	/// Starts all four and waits until each sees the three others.
	///
	/// # Errors
	/// When a node does not start or does not find its peers in time.
	pub async fn local() -> Result<Self> {
		let mut nodes: Vec<Node> = Vec::with_capacity(VALIDATORS.len());
		let mut entrance = String::new();
		for name in VALIDATORS {
			let mut node = validator(name)?;
			if !entrance.is_empty() {
				node = node.with(&["--bootnodes", &entrance]);
			}
			let node = node.start().await?;
			if entrance.is_empty() {
				entrance = node.multiaddress().await?;
			}
			nodes.push(node);
		}
		for node in &nodes {
			wait_for_peers(node, VALIDATORS.len() - 1).await?;
		}
		Ok(Self { nodes, entrance })
	}
}

/// The validator `name`, one of [`VALIDATORS`], not yet started.
///
/// # Errors
/// When its temporary directory cannot be made.
pub fn validator(name: &str) -> Result<StoppedNode> {
	let flag = format!("--{name}");
	Ok(StoppedNode::new(name, "local")?.with(&[&flag]))
}

/// Waits until a node has at least `count` peers.
///
/// # Errors
/// When it does not in time.
pub async fn wait_for_peers(node: &Node, count: usize) -> Result<()> {
	let what = format!("{} has {count} peers", node.name());
	eventually(&what, CONNECT_LIMIT, || async {
		let health = node.call("system_health", &[]).await?;
		let peers = health["peers"].as_u64().with_context(|| format!("peers in {health}"))?;
		Ok((peers >= count as u64).then_some(()))
	})
	.await
}

/// Waits until a node has finalised block `number`.
///
/// # Errors
/// When it does not within `limit`.
pub async fn wait_for_finality(node: &Node, number: u32, limit: Duration) -> Result<()> {
	let what = format!("{} finalises block {number}", node.name());
	eventually(&what, limit, || async { Ok((node.finalized_number().await? >= number).then_some(())) }).await
}

/// The authority that claimed the slot of block `number`: its index among the epoch's authorities.
///
/// # Errors
/// When the node does not have the block, or the block carries no BABE digest.
pub async fn author_index(node: &Node, number: u32) -> Result<u32> {
	let hash = node.block_hash(number).await?.with_context(|| format!("block {number}"))?;
	let header = node.call("chain_getHeader", &[hash.into()]).await?;
	let logs = header["digest"]["logs"].as_array().context("a header has a digest")?;
	logs.iter()
		.filter_map(Value::as_str)
		.filter_map(|log| hex::decode(log.trim_start_matches("0x")).ok())
		.find_map(|log| claimed_by(&log))
		.with_context(|| format!("a BABE digest in {header}"))
}

/// The authority index in an encoded digest item, if that is BABE's pre-runtime digest.
///
/// Layout: item kind (6 is pre-runtime), engine id, compact length of the rest, kind of claim, index as a little-endian u32.
fn claimed_by(item: &[u8]) -> Option<u32> {
	let rest = item.strip_prefix(b"\x06BABE")?;
	// The length is below 2^14; its two low bits say in how many bytes it stands.
	let claim = rest.get(if rest.first()? & 0b11 == 0 { 1 } else { 2 }..)?;
	Some(u32::from_le_bytes(claim.get(1..5)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
	use super::claimed_by;

	#[test]
	fn the_author_is_read_from_a_primary_claim() {
		let mut item = b"\x06BABE".to_vec();
		item.extend([0xb5, 0x01, 0x01]);
		item.extend(3u32.to_le_bytes());
		item.extend([0; 104]);
		assert_eq!(claimed_by(&item), Some(3));
		assert_eq!(claimed_by(b"\x05BABE"), None);
		assert_eq!(claimed_by(b"\x06BABE"), None);
	}
}
