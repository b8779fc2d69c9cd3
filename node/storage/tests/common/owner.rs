//! An owner: encodes a file and serves its blocks from memory over a real connection, as the client does.

use std::{
	collections::HashMap,
	sync::{
		atomic::{AtomicUsize, Ordering},
		Arc,
	},
};

use opensand_blocks::{BlockSource, Cid, Exchange, ExchangeConfig};
use opensand_primitives::{
	storage::{ErasureCode, Region, WindowIndex},
	AccountId, Balance, OrderId,
};
use opensand_slices::{encode, Code, FileKey, Manifest, Metadata, FILE_KEY_BYTES};
use parking_lot::Mutex;
use tokio::task::JoinHandle;

use super::{chain::TestChain, world::Node};

/// The blocks of an owner's files.
#[derive(Default)]
struct Staging {
	blocks: Mutex<HashMap<Cid, Vec<u8>>>,
	/// How often each block was given away.
	given: Mutex<HashMap<Cid, usize>>,
	/// Leaves that it still gives away; then it says that it has none.
	left: AtomicUsize,
}

const RAW: u64 = 0x55;

impl BlockSource for Staging {
	fn get(&self, cid: &Cid) -> Option<Vec<u8>> {
		let bytes = self.blocks.lock().get(cid).cloned()?;
		if cid.codec() == RAW {
			let take = |left: usize| left.checked_sub(1);
			self.left
				.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take)
				.ok()?;
		}
		*self.given.lock().entry(*cid).or_default() += 1;
		Some(bytes)
	}

	fn has(&self, cid: &Cid) -> bool {
		self.blocks.lock().contains_key(cid)
	}
}

/// An encoded file.
pub struct Upload {
	pub manifest: Manifest,
	/// The blocks of each shard.
	pub shards: Vec<HashMap<Cid, Vec<u8>>>,
}

impl Upload {
	/// Encodes `bytes` pseudo-random bytes: with the same seed, into the same blocks.
	pub fn new(bytes: usize, code: ErasureCode, seed: u64) -> Self {
		use rand::{RngCore, SeedableRng};
		let mut random = rand::rngs::StdRng::seed_from_u64(seed);
		let (mut content, mut key) = (vec![0; bytes], [0; FILE_KEY_BYTES]);
		random.fill_bytes(&mut content);
		random.fill_bytes(&mut key);
		let code = Code::new(code.data, code.total).unwrap();
		let mut shards = vec![HashMap::new(); usize::from(code.total())];
		let metadata = Metadata::default();
		let key = FileKey::from_bytes(&key);
		let manifest = encode(
			&content[..],
			Some(bytes as u64),
			&key,
			code,
			&metadata,
			&mut shards,
		)
		.unwrap();
		Self { manifest, shards }
	}

	/// What the chain is told of the shards.
	pub fn commitments(&self) -> Vec<([u8; 32], Vec<[u8; 32]>)> {
		self.manifest
			.shards()
			.iter()
			.map(|shard| (shard.cid, shard.segments.clone()))
			.collect()
	}
}

/// An owner's client.
pub struct Owner {
	pub account: AccountId,
	exchange: Exchange,
	task: JoinHandle<()>,
	staging: Arc<Staging>,
}

impl Owner {
	pub fn new(account: AccountId) -> Self {
		let staging = Arc::new(Staging {
			left: AtomicUsize::new(usize::MAX),
			..Staging::default()
		});
		let seed: [u8; 32] = account.clone().into();
		let (exchange, task) = Exchange::start(ExchangeConfig::new(seed), staging.clone()).unwrap();
		Self {
			account,
			exchange,
			task,
			staging,
		}
	}

	/// Offers an upload's blocks.
	pub fn stage(&self, upload: &Upload) {
		let mut blocks = self.staging.blocks.lock();
		blocks.insert(upload.manifest.cid(), upload.manifest.to_bytes());
		for shard in &upload.shards {
			blocks.extend(shard.iter().map(|(cid, bytes)| (*cid, bytes.clone())));
		}
	}

	/// Places an order for an upload whose blocks it offers.
	pub fn place(
		&self,
		chain: &TestChain,
		upload: &Upload,
		price: Balance,
		windows: WindowIndex,
		regions: Vec<Region>,
	) -> OrderId {
		self.stage(upload);
		let code = upload.manifest.code();
		chain.place(
			self.account.clone(),
			upload.manifest.digest(),
			ErasureCode {
				data: code.data(),
				total: code.total(),
			},
			upload.manifest.shard_bytes(),
			price,
			windows,
			regions,
			upload.commitments(),
		)
	}

	/// Connects to providers.
	pub async fn dial(&self, nodes: &[Node]) {
		for node in nodes {
			self.exchange
				.connect(node.peer(), node.addresses())
				.await
				.unwrap();
		}
	}

	/// Gives away no more than this many leaves from now on.
	pub fn give_only(&self, leaves: usize) {
		self.staging.left.store(leaves, Ordering::SeqCst);
	}

	/// How often the leaf of an upload that was given away most often was.
	pub fn most_given(&self, upload: &Upload) -> usize {
		let given = self.staging.given.lock();
		let leaves = given
			.iter()
			.filter(|(cid, _)| cid.codec() == RAW && **cid != upload.manifest.cid());
		leaves.map(|(_, times)| *times).max().unwrap_or(0)
	}

	/// Goes offline.
	pub async fn leave(self) {
		self.exchange.shutdown().await;
		let _ = self.task.await;
	}
}
