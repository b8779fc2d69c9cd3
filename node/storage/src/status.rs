//! What the node's RPC method `storage_status` shows.

use std::collections::BTreeMap;

use opensand_primitives::{
	storage::{ProviderStatus, WindowIndex},
	BlockNumber, OrderId,
};
use serde::{Deserialize, Serialize};

/// How the storage service stands, as JSON shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StorageStatus {
	/// The peer's id, as IPFS tools write it.
	pub peer: String,
	/// The Ed25519 peer key in it, `0x` and 64 hexadecimal digits: the field `peer` of the provider's terms.
	pub peer_key: String,
	/// Multiaddresses at which others reach it: what the operator says, or what it listens on. They are what the provider's
	/// terms should name.
	pub addresses: Vec<String>,
	/// Multiaddresses at which stock IPFS software reaches it.
	pub ipfs_addresses: Vec<String>,
	/// The account of the agent key in the node's keystore.
	pub agent: Option<String>,
	/// Peers that it is connected to.
	pub connected_peers: usize,
	/// The best block that was looked at.
	pub best_block: BlockNumber,
	/// The window of that block.
	pub window: WindowIndex,
	/// The provider as the chain has it; none if this node's agent key belongs to no registered provider.
	pub provider: Option<ProviderView>,
	/// Bytes of blocks on disk.
	pub used_bytes: u64,
	/// Bytes that blocks may take on disk.
	pub quota_bytes: u64,
	/// Numbers of shards by where they stand: wanted, stored, damaged, refused, released.
	pub shards: BTreeMap<String, u64>,
	/// Shards that are being fetched or rebuilt now.
	pub fetching: Vec<ShardName>,
	/// Whether a window's proof is due that the chain does not have yet, and until which block it is taken.
	pub proof_due: Option<ProofDue>,
	/// Why nothing happens, or the last thing that went wrong, for people.
	pub trouble: Option<String>,
}

/// A shard, as JSON shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShardName {
	/// Its order.
	pub order: OrderId,
	/// Its place in the order.
	pub shard: u8,
}

/// A proof that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProofDue {
	/// The window.
	pub window: WindowIndex,
	/// The last block in which it is taken.
	pub deadline: BlockNumber,
}

/// A provider, as JSON shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderView {
	/// Its account.
	pub account: String,
	/// `active`, `draining` or `jailed`.
	pub status: String,
	/// First block in which a jailed one may come back.
	pub jailed_until: Option<BlockNumber>,
	/// Collateral, in the token's smallest unit: a decimal number, too large for JSON's.
	pub collateral: String,
	/// The part that shards have reserved.
	pub reserved: String,
	/// Bytes of the shards that it has accepted or holds.
	pub committed_bytes: u64,
	/// Bytes that it has offered.
	pub quota_bytes: u64,
	/// The last window that it has proven.
	pub last_proven_window: WindowIndex,
	/// Windows missed or answered wrongly in a row.
	pub faults: u32,
	/// Whether the peer key on chain is this node's. If not, owners and other providers cannot reach it: run
	/// `update_provider`.
	pub peer_matches: bool,
}

/// The names of a provider's status.
pub(crate) fn provider_status(status: &ProviderStatus) -> (&'static str, Option<BlockNumber>) {
	match status {
		ProviderStatus::Active => ("active", None),
		ProviderStatus::Draining => ("draining", None),
		ProviderStatus::Jailed { until } => ("jailed", Some(*until)),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn json_has_the_names_that_clients_use() {
		let status = StorageStatus {
			shards: BTreeMap::from([("stored".into(), 2)]),
			proof_due: Some(ProofDue {
				window: 3,
				deadline: 40,
			}),
			..StorageStatus::default()
		};
		let json = serde_json::to_value(&status).unwrap();
		assert_eq!(json["shards"]["stored"], 2);
		assert_eq!(json["proofDue"]["deadline"], 40);
		assert_eq!(json["provider"], serde_json::Value::Null);
		assert_eq!(serde_json::from_value::<StorageStatus>(json).unwrap(), status);
	}
}
