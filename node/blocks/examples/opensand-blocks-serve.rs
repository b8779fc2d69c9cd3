//! Serves a block store to OpenSand's peers and to IPFS software, and takes orders on standard input.
//!
//! Usage: `opensand-blocks-serve <directory> [<file to import>...]`
//!
//! It prints one line `ipfs <multiaddress>` and one line `peer <multiaddress>` per address, one line `block <cid> <path>` per
//! imported file, which becomes one raw block, and then `ready`. It ends with its standard input, on which it takes two
//! orders, and answers each with one line, or with `failed <order>: <why>`:
//!
//! - `fetch <cid> <multiaddress>` fetches a block by Bitswap into the store: `fetched <cid> <bytes>`.
//! - `encode <data> <total> <path>` encrypts a file and stores its shards, any <data> of which restore it:
//!   `encoded` and for each shard ` <cid>:<bytes>:<SHA2-256 of the bytes in hex>`.
//!
//! `tests/clients/helia.test.js` drives it.

use opensand_blocks::{
	parse_cid, BlockStore, Cid, Codec, Exchange, ExchangeConfig, IpfsConfig, Multiaddr, PeerId,
};
use opensand_slices::{
	encode, shard_cid, BlockError, BlockFetcher, BlockSink, Code, FileKey, Metadata, ShardReader,
	LEAF_BLOCK_BYTES,
};
use sha2::{Digest, Sha256};
use std::{
	error::Error,
	fs::{self, File},
	io::{self, BufRead},
	sync::Arc,
	time::Duration,
};

/// Errors cross threads.
type Failure = Box<dyn Error + Send + Sync>;

const QUOTA: u64 = 1 << 30;
const FETCH_LIMIT: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), Failure> {
	let mut arguments = std::env::args().skip(1);
	let directory = arguments
		.next()
		.ok_or("usage: opensand-blocks-serve <directory> [<file to import>...]")?;
	let store = Arc::new(BlockStore::open(directory, QUOTA)?);
	for path in arguments {
		let bytes = fs::read(&path)?;
		let cid = Codec::Raw.cid(&bytes);
		store.put(&cid, &bytes)?;
		println!("block {cid} {path}");
	}

	let loopback: Multiaddr = "/ip4/127.0.0.1/tcp/0".parse()?;
	let mut seed = [0; 32];
	seed[..4].copy_from_slice(&std::process::id().to_le_bytes());
	let mut config = ExchangeConfig::new(seed);
	config.listen = vec![loopback.clone()];
	config.ipfs = Some(IpfsConfig::new(vec![loopback]));
	let (exchange, ended) = Exchange::start(config, store.clone())?;
	for address in exchange.listen_addresses() {
		println!("peer {address}");
	}
	for address in exchange.ipfs_addresses() {
		println!("ipfs {address}");
	}
	println!("ready");

	// Standard input blocks, so it is read on a thread of its own.
	let (orders, mut received) = tokio::sync::mpsc::channel(16);
	std::thread::spawn(move || {
		for line in io::stdin().lock().lines().map_while(Result::ok) {
			if orders.blocking_send(line).is_err() {
				return;
			}
		}
	});
	while let Some(order) = received.recv().await {
		match carry_out(&order, &exchange, &store).await {
			Ok(answer) => println!("{answer}"),
			Err(error) => println!("failed {order}: {error}"),
		}
	}
	exchange.shutdown().await;
	ended.await?;
	Ok(())
}

async fn carry_out(order: &str, exchange: &Exchange, store: &Arc<BlockStore>) -> Result<String, Failure> {
	match order.split_whitespace().collect::<Vec<_>>()[..] {
		["fetch", cid, address] => {
			let cid = parse_cid(cid)?;
			let address: Multiaddr = address.parse()?;
			let peer = PeerId::try_from_multiaddr(&address).ok_or("the address names no peer")?;
			let bytes = exchange
				.fetch_ipfs(&cid, peer, vec![address], FETCH_LIMIT)
				.await?;
			store.put(&cid, &bytes)?;
			Ok(format!("fetched {cid} {}", bytes.len()))
		}
		["encode", data, total, path] => {
			let code = Code::new(data.parse()?, total.parse()?)?;
			let file = File::open(path)?;
			let blocks = Blocks(store.clone());
			tokio::task::spawn_blocking(move || encode_file(file, code, blocks)).await?
		}
		_ => Err("not an order; say fetch <cid> <multiaddress> or encode <data> <total> <path>".into()),
	}
}

/// Stores a file's shards, and says what each is as our own reader reads it.
fn encode_file(file: File, code: Code, blocks: Blocks) -> Result<String, Failure> {
	let length = file.metadata()?.len();
	let metadata = Metadata {
		name: "file".into(),
		media_type: String::new(),
		modified: None,
	};
	let mut sinks = vec![blocks.clone(); code.total().into()];
	let manifest = encode(
		file,
		Some(length),
		&FileKey::generate(),
		code,
		&metadata,
		&mut sinks,
	)?;
	let bytes = manifest.shard_bytes();
	let mut answer = "encoded".to_string();
	for shard in manifest.shards() {
		let cid = shard_cid(shard.cid);
		let mut reader = ShardReader::new(blocks.clone(), cid, bytes);
		let mut digest = Sha256::new();
		let mut part = vec![0; LEAF_BLOCK_BYTES];
		let mut at = 0;
		while at < bytes {
			let length = (bytes - at).min(LEAF_BLOCK_BYTES as u64);
			let part = &mut part[..length as usize];
			reader.read_at(at, part)?;
			digest.update(part);
			at += length;
		}
		let digest: String = digest
			.finalize()
			.iter()
			.map(|byte| format!("{byte:02x}"))
			.collect();
		answer += &format!(" {cid}:{bytes}:{digest}");
	}
	Ok(answer)
}

/// The store, as the encoder and the reader want it.
#[derive(Clone)]
struct Blocks(Arc<BlockStore>);

impl BlockSink for Blocks {
	fn put(&mut self, cid: &Cid, bytes: &[u8]) -> Result<(), BlockError> {
		Ok(self.0.put(cid, bytes)?)
	}
}

impl BlockFetcher for Blocks {
	fn get(&mut self, cid: &Cid) -> Result<Option<Vec<u8>>, BlockError> {
		Ok(self.0.get(cid)?)
	}
}
