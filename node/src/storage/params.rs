//! Flags of a node that stores data for others.

use std::path::PathBuf;

use clap::Args;
use opensand_primitives::{storage::Region, AccountId, Balance};
use opensand_storage::{Config, Policy};
use sp_core::crypto::Ss58Codec;

/// Whether and how the node stores data for others.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Storage")]
pub struct StorageParams {
	/// Store data for others in this directory.
	///
	/// The node then bids for storage orders, proves what it holds and repairs what others lost, in the name of the
	/// provider that has registered this node's agent key (key type `stor`, sr25519) on chain. The other flags of this
	/// group count with this one only.
	#[arg(long, value_name = "DIRECTORY")]
	pub storage: Option<PathBuf>,

	/// Space that stored data may take, in bytes or with one of the suffixes KiB, MiB, GiB, TiB.
	#[arg(long, value_name = "SIZE", default_value = "100GiB", value_parser = size)]
	pub storage_quota: u64,

	/// The least price to store for, in units of 10^-12 SAND per MiB and window.
	#[arg(long, value_name = "PRICE", default_value_t = 0)]
	pub storage_price: Balance,

	/// The least reward to repair for, in units of 10^-12 SAND per MiB.
	#[arg(long, value_name = "PRICE", default_value_t = 0)]
	pub storage_repair_price: Balance,

	/// Regions in which the disks are, for example `eu-west`; orders that ask for another region are not taken.
	#[arg(long, value_name = "REGION", value_delimiter = ',', value_parser = region)]
	pub storage_regions: Vec<Region>,

	/// Owners whose orders are not taken: the operator's own, which would have a copy less with this node.
	#[arg(long, value_name = "ACCOUNT", value_delimiter = ',', value_parser = account)]
	pub storage_refuse: Vec<AccountId>,

	/// Take nothing new; go on proving what is held.
	#[arg(long)]
	pub storage_no_bids: bool,

	/// While the provider drains, hand its shards over to others, at its own cost.
	#[arg(long)]
	pub storage_hand_over: bool,

	/// Where to listen for those who store and fetch.
	#[arg(long, value_name = "MULTIADDRESS", default_value = "/ip4/0.0.0.0/tcp/30444")]
	pub storage_listen: Vec<String>,

	/// Where to listen for stock IPFS software; nowhere unless given.
	#[arg(long, value_name = "MULTIADDRESS")]
	pub storage_ipfs_listen: Vec<String>,

	/// Take part in the public IPFS DHT there, and announce the roots of stored shards in it.
	#[arg(long, requires = "storage_ipfs_listen")]
	pub storage_ipfs_dht: bool,

	/// Peers of the public IPFS DHT, with their ids, to begin with.
	#[arg(long, value_name = "MULTIADDRESS", requires = "storage_ipfs_dht")]
	pub storage_ipfs_bootstrap: Vec<String>,

	/// Where others reach this node, without the peer's id, if that differs from where it listens.
	#[arg(long, value_name = "MULTIADDRESS")]
	pub storage_public_address: Vec<String>,

	/// Peers, with their ids, that introduce this node to the network of storage providers.
	#[arg(long, value_name = "MULTIADDRESS")]
	pub storage_bootstrap: Vec<String>,
}

impl StorageParams {
	/// What the service is told; `None` unless the node stores.
	pub fn config(&self) -> Option<Config> {
		let directory = self.storage.clone()?;
		Some(Config {
			policy: Policy {
				bid: !self.storage_no_bids,
				price_floor: self.storage_price,
				repair_floor: self.storage_repair_price,
				regions: self.storage_regions.clone(),
				refused_owners: self.storage_refuse.clone(),
				hand_over: self.storage_hand_over,
			},
			listen: self.storage_listen.clone(),
			ipfs_listen: self.storage_ipfs_listen.clone(),
			ipfs_dht: self.storage_ipfs_dht,
			ipfs_bootstrap: self.storage_ipfs_bootstrap.clone(),
			public: self.storage_public_address.clone(),
			bootstrap: self.storage_bootstrap.clone(),
			..Config::new(directory, self.storage_quota)
		})
	}
}

/// A number of bytes, with a binary suffix or without.
fn size(text: &str) -> Result<u64, String> {
	let digits = text.trim_end_matches(|character: char| !character.is_ascii_digit());
	let shift = match &text[digits.len()..] {
		"" | "B" => 0,
		"KiB" => 10,
		"MiB" => 20,
		"GiB" => 30,
		"TiB" => 40,
		suffix => return Err(format!("`{suffix}` is none of B, KiB, MiB, GiB and TiB")),
	};
	let number: u64 = digits
		.parse()
		.map_err(|_| format!("`{digits}` is not a number"))?;
	number
		.checked_mul(1 << shift)
		.ok_or_else(|| "more bytes than a disk can have".into())
}

fn region(text: &str) -> Result<Region, String> {
	Region::new(text).ok_or_else(|| "a region is 1 to 8 lower-case letters, digits and `-`".into())
}

fn account(text: &str) -> Result<AccountId, String> {
	AccountId::from_ss58check(text).map_err(|error| format!("not an address: {error}"))
}

#[cfg(test)]
mod tests {
	use clap::Parser;

	use super::*;

	#[derive(Debug, Parser)]
	struct Node {
		#[command(flatten)]
		storage: StorageParams,
	}

	fn config(flags: &str) -> Result<Config, clap::Error> {
		let words = ["node", "--storage", "directory"].into_iter();
		let node = Node::try_parse_from(words.chain(flags.split_whitespace()))?;
		Ok(node.storage.config().expect("a directory is given"))
	}

	#[test]
	fn the_public_dht_is_joined_only_where_ipfs_software_is_served() {
		let listen = "--storage-ipfs-listen /ip4/0.0.0.0/tcp/4001";
		let apart = config(listen).unwrap();
		assert!(!apart.ipfs_dht && apart.ipfs_bootstrap.is_empty());
		let first = "/dns4/one.example.org/tcp/4001/p2p/12D3KooWA";
		let second = "/dns4/two.example.org/tcp/4001/p2p/12D3KooWB";
		let joined = config(&format!(
			"{listen} --storage-ipfs-dht --storage-ipfs-bootstrap {first} --storage-ipfs-bootstrap {second}"
		))
		.unwrap();
		assert!(joined.ipfs_dht);
		assert_eq!(joined.ipfs_bootstrap, [first, second]);

		assert!(
			config("--storage-ipfs-dht").is_err(),
			"there is nothing to be found"
		);
		let unused = format!("{listen} --storage-ipfs-bootstrap {first}");
		assert!(config(&unused).is_err(), "nothing would be done with it");
	}

	#[test]
	fn sizes_have_binary_suffixes() {
		assert_eq!(size("7"), Ok(7));
		assert_eq!(size("2KiB"), Ok(2_048));
		assert_eq!(size("1TiB"), Ok(1 << 40));
		for bad in ["", "GiB", "1GB", "-1", "99999999999TiB", "1.5GiB"] {
			assert!(size(bad).is_err(), "{bad}");
		}
	}

	#[test]
	fn regions_are_checked() {
		assert_eq!(region("eu-west"), Ok(Region(*b"eu-west\0")));
		assert!(region("EU").is_err());
	}
}
