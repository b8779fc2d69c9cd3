//! A connected set of validators of the `local` chain.

use std::time::Duration;

use anyhow::{Context, Result};
use subxt::dynamic::{At, Value};
use subxt_signer::{sr25519::Keypair, SecretUri};

use crate::{
	client::{storage, Client},
	eventually,
	node::{Node, StoppedNode},
};

/// The validators of the `local` chain, whose keys the node derives from their names.
pub const VALIDATORS: [&str; 4] = ["alice", "bob", "charlie", "dave"];

/// How long nodes may take to find each other.
const CONNECT_LIMIT: Duration = Duration::from_secs(120);

/// The validator of [`Network::local_observed`] that keeps its chain in ParityDB.
pub const PARITYDB_VALIDATOR: &str = "dave";

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
		Self::start(|_, node| node).await
	}

	/// As [`local`](Self::local), where the first validator offers its metrics and one has the database that is not the
	/// default.
	///
	/// # Errors
	/// As there.
	pub async fn local_observed() -> Result<Self> {
		Self::start(|name, node| match name {
			"alice" => node.with_metrics(),
			PARITYDB_VALIDATOR => node.with(&["--database", "paritydb"]),
			_ => node,
		})
		.await
	}

	async fn start(configure: impl Fn(&str, StoppedNode) -> StoppedNode) -> Result<Self> {
		let mut nodes: Vec<Node> = Vec::with_capacity(VALIDATORS.len());
		let mut entrance = String::new();
		for name in VALIDATORS {
			let mut node = configure(name, validator(name)?);
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

/// The account whose bond backs the validator `name`.
///
/// # Errors
/// When `name` makes no key derivation path.
pub fn stash(name: &str) -> Result<Keypair> {
	let mut letters = name.chars();
	let capitalised = letters
		.next()
		.context("a name")?
		.to_uppercase()
		.chain(letters)
		.collect::<String>();
	Ok(Keypair::from_uri(
		&format!("//{capitalised}//stash").parse::<SecretUri>()?,
	)?)
}

/// Waits until a node has at least `count` peers.
///
/// # Errors
/// When it does not in time.
pub async fn wait_for_peers(node: &Node, count: usize) -> Result<()> {
	let what = format!("{} has {count} peers", node.name());
	eventually(&what, CONNECT_LIMIT, || async {
		let health = node.call("system_health", &[]).await?;
		let peers = health["peers"]
			.as_u64()
			.with_context(|| format!("peers in {health}"))?;
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
	eventually(&what, limit, || async {
		Ok((node.finalized_number().await? >= number).then_some(()))
	})
	.await
}

/// The position of a validator among those of the session that block `number` belongs to; `None` if it is not among them.
///
/// # Errors
/// When the node does not have the block's state.
pub async fn validator_index(client: &Client, number: u32, stash: &[u8; 32]) -> Result<Option<u32>> {
	let at = client.at_block(number).await?;
	let validators = storage(&at, "Session", "Validators", vec![])
		.await?
		.context("a session has validators")?;
	let wanted = Value::unnamed_composite([Value::from_bytes(stash)]);
	let position = (0..)
		.map_while(|index: u32| validators.at(index as usize))
		.position(|validator| validator.clone().remove_context() == wanted);
	position
		.map(u32::try_from)
		.transpose()
		.context("an index fits 32 bits")
}

/// The first block from `from` on, on the node's best chain, that the validator with this stash authored.
///
/// # Errors
/// When the node does not answer.
pub async fn block_by(node: &Node, client: &Client, stash: &[u8; 32], from: u32) -> Result<Option<u32>> {
	for number in from..=node.best_number().await? {
		if validator_index(client, number, stash).await? == Some(author_index(node, number).await?) {
			return Ok(Some(number));
		}
	}
	Ok(None)
}

/// The authority that claimed the slot of block `number`: its index among the session's validators.
async fn author_index(node: &Node, number: u32) -> Result<u32> {
	let hash = node
		.block_hash(number)
		.await?
		.with_context(|| format!("block {number}"))?;
	let header = node.call("chain_getHeader", &[hash.into()]).await?;
	let logs = header["digest"]["logs"]
		.as_array()
		.context("a header has a digest")?;
	logs.iter()
		.filter_map(serde_json::Value::as_str)
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
	use super::{claimed_by, stash};

	#[test]
	fn stashes_are_those_of_the_genesis_preset() {
		let alice = hex::encode(stash("alice").unwrap().public_key().0);
		assert_eq!(
			alice,
			"be5ddb1579b72e84524fc29e78609e3caf42e85aa118ebfe0b0ad404b5bdd25f"
		);
	}

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
