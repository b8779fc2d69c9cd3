//! Peers on loopback, and sources of blocks for them.

#![allow(dead_code)]

use opensand_blocks::{BlockSource, Cid, Codec, Exchange, ExchangeConfig, IpfsConfig, Multiaddr, PeerId};
use rand::{rngs::StdRng, RngCore, SeedableRng};
use std::{
	collections::HashMap,
	sync::{
		atomic::{AtomicU8, Ordering},
		Arc,
	},
	time::Duration,
};
use tokio::task::JoinHandle;

/// Time for what has to work. Only a failure takes so long.
pub const LIMIT: Duration = Duration::from_secs(60);
/// The length of a leaf in a stored file.
pub const LEAF_BYTES: usize = 256 << 10;

/// Blocks in memory.
#[derive(Default, Clone)]
pub struct Memory(pub HashMap<Cid, Vec<u8>>);

impl BlockSource for Memory {
	fn get(&self, cid: &Cid) -> Option<Vec<u8>> {
		self.0.get(cid).cloned()
	}
}

/// Sends other bytes than asked for.
pub struct Liar;

impl BlockSource for Liar {
	fn get(&self, _: &Cid) -> Option<Vec<u8>> {
		Some(b"trust me".to_vec())
	}
}

/// Takes its time for each block.
pub struct Slow(pub Memory, pub Duration);

impl BlockSource for Slow {
	fn get(&self, cid: &Cid) -> Option<Vec<u8>> {
		std::thread::sleep(self.1);
		self.0.get(cid)
	}
}

/// Random blocks of one length, in order.
pub fn blocks(seed: u64, count: usize, bytes: usize) -> Vec<(Cid, Vec<u8>)> {
	let mut random = StdRng::seed_from_u64(seed);
	(0..count)
		.map(|_| {
			let mut block = vec![0; bytes];
			random.fill_bytes(&mut block);
			(Codec::Raw.cid(&block), block)
		})
		.collect()
}

pub fn memory(blocks: &[(Cid, Vec<u8>)]) -> Memory {
	Memory(blocks.iter().cloned().collect())
}

/// A running peer.
pub struct Peer {
	pub exchange: Exchange,
	pub task: JoinHandle<()>,
}

impl Peer {
	pub fn id(&self) -> PeerId {
		self.exchange.local_peer_id()
	}

	pub fn addresses(&self) -> Vec<Multiaddr> {
		self.exchange.listen_addresses().to_vec()
	}

	/// Connects to another peer at its addresses.
	pub async fn connect(&self, other: &Peer) {
		self.exchange
			.connect(other.id(), other.addresses())
			.await
			.expect("the other peer listens");
	}

	/// Fetches from one peer.
	pub async fn fetch(&self, cid: &Cid, from: &Peer) -> Result<Vec<u8>, opensand_blocks::FetchError> {
		self.exchange.fetch(cid, &[from.id()], LIMIT).await
	}
}

/// A configuration that listens on a free port of loopback, with a key of its own.
pub fn config() -> ExchangeConfig {
	let mut config = dialer();
	config.listen = vec![loopback()];
	config
}

/// A configuration that only dials, with a key of its own.
pub fn dialer() -> ExchangeConfig {
	static NEXT: AtomicU8 = AtomicU8::new(1);
	ExchangeConfig::new([NEXT.fetch_add(1, Ordering::Relaxed); 32])
}

pub fn loopback() -> Multiaddr {
	"/ip4/127.0.0.1/tcp/0".parse().expect("a multiaddress")
}

/// A configuration that is open to IPFS too.
pub fn with_ipfs() -> ExchangeConfig {
	let mut config = config();
	config.ipfs = Some(IpfsConfig::new(vec![loopback()]));
	config
}

pub fn start(config: ExchangeConfig, source: impl BlockSource) -> Peer {
	let (exchange, task) = Exchange::start(config, Arc::new(source)).expect("the peer starts");
	Peer { exchange, task }
}
