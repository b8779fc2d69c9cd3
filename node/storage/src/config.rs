//! What the operator decides.

use std::path::PathBuf;

use opensand_primitives::{
	storage::{Region, WindowIndex},
	AccountId, Balance, BlockNumber,
};

/// How the service runs.
#[derive(Clone, Debug)]
pub struct Config {
	/// Where blocks, records and the peer key are kept. It belongs to this service alone.
	pub directory: PathBuf,
	/// Bytes that it may take on disk.
	pub quota: u64,
	/// What it takes on.
	pub policy: Policy,
	/// Multiaddresses to listen on.
	pub listen: Vec<String>,
	/// Multiaddresses, without the peer's id, at which others reach it; told to peers beside what they observe.
	pub public: Vec<String>,
	/// Multiaddresses at which stock IPFS software is served; empty: it is not.
	pub ipfs_listen: Vec<String>,
	/// Whether it takes part in the public IPFS DHT there and announces what it stores; it tells the world what that is.
	pub ipfs_dht: bool,
	/// Multiaddresses, with the peer's id, of peers that introduce it to the public IPFS DHT.
	pub ipfs_bootstrap: Vec<String>,
	/// Multiaddresses, with the peer's id, of peers that introduce it to the DHT.
	pub bootstrap: Vec<String>,
	/// New shards that are fetched at once, and lost or damaged ones that are rebuilt at once.
	pub max_fetches: usize,
	/// Bytes a second that the scrubber reads to find damage before a challenge does; 0 stops it.
	pub scrub_bytes_per_second: u64,
	/// Blocks for which a shard is kept after the chain has moved it away, so that a fork or a change of mind costs nothing.
	pub grace_blocks: BlockNumber,
	/// Windows for which a damaged shard that no challenge asks for is tried to be healed before it is declared lost.
	pub heal_windows: WindowIndex,
	/// Windows after which an order is settled, so that the provider is paid.
	pub settle_windows: WindowIndex,
}

impl Config {
	/// The defaults for a directory and a quota.
	pub fn new(directory: PathBuf, quota: u64) -> Self {
		Self {
			directory,
			quota,
			policy: Policy::default(),
			listen: vec!["/ip4/0.0.0.0/tcp/30444".into()],
			public: Vec::new(),
			ipfs_listen: Vec::new(),
			ipfs_dht: false,
			ipfs_bootstrap: Vec::new(),
			bootstrap: Vec::new(),
			max_fetches: 4,
			scrub_bytes_per_second: 8 << 20,
			grace_blocks: 600,
			heal_windows: 24,
			settle_windows: 168,
		}
	}

	/// Slots of one owner that are taken and not proven at once: half of what is fetched, so that an owner that delivers
	/// nothing leaves the other half to others.
	pub fn max_fetches_of_owner(&self) -> usize {
		self.max_fetches.div_ceil(2)
	}
}

/// What a provider takes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
	/// Whether it takes slots and repairs at all.
	pub bid: bool,
	/// The least price per MiB and window.
	pub price_floor: Balance,
	/// The least reward per MiB of a repaired shard, beside the price.
	pub repair_floor: Balance,
	/// Where its disks are. Only orders that allow one of these regions are taken; empty: only orders without constraint.
	pub regions: Vec<Region>,
	/// Owners whose orders it does not take: the operator's own, because an owner that stores with itself has one copy less.
	pub refused_owners: Vec<AccountId>,
	/// Whether shards are handed over to others, at the provider's cost, while it drains.
	pub hand_over: bool,
}

impl Default for Policy {
	fn default() -> Self {
		Self {
			bid: true,
			price_floor: 0,
			repair_floor: 0,
			regions: Vec::new(),
			refused_owners: Vec::new(),
			hand_over: false,
		}
	}
}
