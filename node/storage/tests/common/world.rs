//! Providers that run the service.

use std::{
	fs,
	path::{Path, PathBuf},
	time::Duration,
};

use opensand_blocks::{Cid, Multiaddr, PeerId};
use opensand_primitives::{
	storage::{AddressBytes, ProviderTerms, MAX_ADDRESSES},
	AccountId, Balance,
};
use opensand_storage::{Config, StorageHandle, StorageService};
use sp_core::{bounded::BoundedVec, ConstU32};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::chain::TestChain;

/// Time for a block: enough for what one block sets in motion, most of the time.
const BLOCK_TIME: Duration = Duration::from_millis(40);

pub fn account(byte: u8) -> AccountId {
	AccountId::new([byte; 32])
}

/// A provider: a directory, and the service while it runs.
pub struct Node {
	pub account: AccountId,
	pub config: Config,
	/// Goes with it, unless the caller keeps its directory.
	_temporary: Option<TempDir>,
	running: Option<(StorageHandle, JoinHandle<()>)>,
}

impl Node {
	pub fn handle(&self) -> &StorageHandle {
		&self.running.as_ref().expect("the node runs").0
	}

	pub fn peer(&self) -> PeerId {
		self.handle().peer_id()
	}

	pub fn addresses(&self) -> Vec<Multiaddr> {
		self.handle().listen_addresses().to_vec()
	}

	/// How many shards stand in a phase.
	pub fn shards(&self, phase: &str) -> u64 {
		self.handle().status().shards.get(phase).copied().unwrap_or(0)
	}

	/// Stops it in the middle of whatever it does.
	pub async fn kill(&mut self) {
		if let Some((handle, task)) = self.running.take() {
			drop(handle);
			task.abort();
			let _ = task.await;
		}
	}

	/// The file of a stored block.
	pub fn block_path(&self, cid: &Cid) -> Option<PathBuf> {
		find(&self.path().join("blocks/blocks"), &cid.to_string())
	}

	/// The names of the blocks that are stored.
	pub fn block_names(&self) -> Vec<String> {
		let mut names = Vec::new();
		list(&self.path().join("blocks/blocks"), &mut names);
		names.sort();
		names
	}

	/// Flips a bit in a stored block.
	pub fn corrupt(&self, cid: &Cid) {
		let path = self.block_path(cid).expect("the block is stored");
		let mut bytes = fs::read(&path).unwrap();
		let middle = bytes.len() / 2;
		bytes[middle] ^= 1;
		fs::write(&path, bytes).unwrap();
	}

	pub fn path(&self) -> &Path {
		&self.config.directory
	}
}

fn find(directory: &Path, name: &str) -> Option<PathBuf> {
	for entry in fs::read_dir(directory).ok()? {
		let path = entry.ok()?.path();
		if path.is_dir() {
			if let Some(found) = find(&path, name) {
				return Some(found);
			}
		} else if path.file_name().is_some_and(|file| file == name) {
			return Some(path);
		}
	}
	None
}

fn list(directory: &Path, names: &mut Vec<String>) {
	for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
		let path = entry.path();
		if path.is_dir() {
			list(&path, names);
		} else if let Some(name) = path.file_name() {
			names.push(name.to_string_lossy().into_owned());
		}
	}
}

/// The chain and the providers.
pub struct World {
	pub chain: TestChain,
	pub nodes: Vec<Node>,
}

impl World {
	pub fn new() -> Self {
		Self {
			chain: TestChain::new(),
			nodes: Vec::new(),
		}
	}

	/// A world with `count` providers of a GiB each.
	pub async fn with_providers(count: u8) -> Self {
		let mut world = Self::new();
		for number in 1..=count {
			world.add(number, |_| {}).await;
		}
		world
	}

	/// Adds a provider that runs, registered with what it says of itself.
	pub async fn add(&mut self, number: u8, change: impl FnOnce(&mut Config)) -> usize {
		let temporary = tempfile::tempdir().unwrap();
		let index = self.add_stopped(number, temporary.path(), change);
		self.nodes[index]._temporary = Some(temporary);
		self.start(index).await;
		index
	}

	/// Adds a provider in a directory that may have been used before: registered, but not yet started.
	pub fn add_stopped(&mut self, number: u8, directory: &Path, change: impl FnOnce(&mut Config)) -> usize {
		let mut config = Config::new(directory.to_owned(), 1 << 30);
		config.listen = vec!["/ip4/127.0.0.1/tcp/0".into()];
		config.grace_blocks = 5;
		config.scrub_bytes_per_second = 0;
		change(&mut config);
		let terms = ProviderTerms {
			agent: account(number),
			peer: [0; 32],
			addresses: BoundedVec::default(),
			regions: config.policy.regions.clone().try_into().unwrap(),
			quota: config.quota,
		};
		self.chain.register(account(number), terms, 1_000_000 as Balance);
		self.nodes.push(Node {
			account: account(number),
			config,
			_temporary: None,
			running: None,
		});
		self.nodes.len() - 1
	}

	fn texts(&self, index: usize) -> BoundedVec<AddressBytes, ConstU32<MAX_ADDRESSES>> {
		let addresses = self.nodes[index].handle().status().addresses;
		let texts: Vec<_> = addresses
			.into_iter()
			.map(|address| address.into_bytes().try_into().unwrap())
			.collect();
		texts.try_into().unwrap()
	}

	/// Starts a provider that does not run. It tells the chain its peer key, and its port, which may be another one than
	/// before.
	pub async fn start(&mut self, index: usize) {
		let node = &mut self.nodes[index];
		let chain = self.chain.of(node.account.clone());
		let mut service = None;
		// The blocking threads of a killed service let go of the store a moment later.
		for _ in 0..100 {
			match StorageService::open(node.config.clone(), chain.clone(), None).await {
				Ok(opened) => {
					service = Some(opened);
					break;
				}
				Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
			}
		}
		let service = service.expect("the directory is free again");
		let handle = service.handle();
		node.running = Some((handle, tokio::spawn(service.run())));
		let (account, peer) = (node.account.clone(), node.handle().peer_key());
		let addresses = self.texts(index);
		self.chain.update(&account, |record| {
			record.terms.peer = peer;
			record.terms.addresses = addresses;
		});
	}

	/// Makes a block once every provider has looked at the one before.
	async fn make_block(&self) {
		for _ in 0..400 {
			let number = self.chain.number();
			let are_there = |node: &Node| {
				let running = node.running.as_ref();
				running.is_none_or(|(handle, _)| handle.status().best_block >= number)
			};
			if self.nodes.iter().all(are_there) {
				break;
			}
			tokio::time::sleep(Duration::from_millis(5)).await;
		}
		self.chain.advance();
		tokio::time::sleep(BLOCK_TIME).await;
	}

	/// Makes blocks until `condition` holds, and fails after `blocks` of them.
	pub async fn until(&self, blocks: u32, what: &str, condition: impl Fn(&Self) -> bool) {
		for _ in 0..blocks {
			if condition(self) {
				return;
			}
			self.make_block().await;
		}
		let log: Vec<String> = self
			.chain
			.log()
			.iter()
			.rev()
			.take(20)
			.map(|call| format!("{} {}: {:?}", call.block, name(&call.call), call.result))
			.collect();
		panic!("not within {blocks} blocks: {what}; last calls: {log:#?}");
	}

	/// Makes blocks.
	pub async fn advance(&self, blocks: u32) {
		for _ in 0..blocks {
			self.make_block().await;
		}
	}

	/// The provider with an account.
	pub fn node(&self, account: &AccountId) -> &Node {
		self.nodes.iter().find(|node| node.account == *account).unwrap()
	}
}

/// A call without its proof.
fn name(call: &opensand_storage::StorageCall) -> String {
	let mut text = format!("{call:?}");
	text.truncate(60);
	text
}
