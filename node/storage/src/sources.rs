//! Blocks from the network, for code that reads them one after the other.

use std::{
	collections::{HashMap, VecDeque},
	sync::{
		atomic::{AtomicBool, Ordering},
		Arc,
	},
	time::Duration,
};

use cid::Cid;
use opensand_blocks::{BlockStore, Exchange, PeerId};
use opensand_slices::{BlockError, BlockFetcher};
use thiserror::Error;
use tokio::{runtime::Handle, task::JoinHandle};

use crate::{commitments::read_block, metrics::Metrics};

/// How long a block may take.
pub(crate) const BLOCK_TIMEOUT: Duration = Duration::from_secs(20);

/// The chain does not want the shard here any more, or the service stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not wanted any more")]
pub(crate) struct Cancelled;

/// Tells blocking work to stop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cancel(Arc<AtomicBool>);

impl Cancel {
	/// Stops the work at its next block.
	pub fn cancel(&self) {
		self.0.store(true, Ordering::Relaxed);
	}

	/// Fails once it is cancelled.
	pub fn check(&self) -> Result<(), Cancelled> {
		if self.0.load(Ordering::Relaxed) {
			Err(Cancelled)
		} else {
			Ok(())
		}
	}
}

/// Gives blocks from the store, and from peers what the store lacks. It must be used outside of the asynchronous threads.
pub(crate) struct NetworkFetcher {
	store: Arc<BlockStore>,
	exchange: Exchange,
	runtime: Handle,
	metrics: Metrics,
	cancel: Cancel,
	peers: Arc<[PeerId]>,
	/// Blocks that are fetched at once.
	width: usize,
	/// What is likely to be asked for next.
	upcoming: VecDeque<Cid>,
	/// What is under way.
	running: HashMap<Cid, JoinHandle<Option<Vec<u8>>>>,
}

impl NetworkFetcher {
	/// Fetches from `peers`, `width` blocks at once.
	pub fn new(
		store: Arc<BlockStore>,
		exchange: Exchange,
		runtime: Handle,
		metrics: Metrics,
		cancel: Cancel,
		peers: Arc<[PeerId]>,
		width: usize,
	) -> Self {
		Self {
			store,
			exchange,
			runtime,
			metrics,
			cancel,
			peers,
			width,
			upcoming: VecDeque::new(),
			running: HashMap::new(),
		}
	}

	fn start(&mut self, cid: Cid) {
		let (exchange, peers) = (self.exchange.clone(), self.peers.clone());
		let fetch = async move { exchange.fetch(&cid, &peers, BLOCK_TIMEOUT).await.ok() };
		self.running.insert(cid, self.runtime.spawn(fetch));
	}

	/// Keeps `width` fetches under way.
	fn fill(&mut self) {
		while self.running.len() < self.width {
			let Some(cid) = self.upcoming.pop_front() else {
				return;
			};
			if !self.running.contains_key(&cid) && !self.is_stored(&cid) {
				self.start(cid);
			}
		}
	}

	/// Ends the fetches, and gives the blocks that had been asked for.
	pub fn drain(&mut self) -> Vec<(Cid, Vec<u8>)> {
		self.upcoming.clear();
		let running = std::mem::take(&mut self.running);
		let blocks = running.into_iter().filter_map(|(cid, fetch)| {
			let bytes = self.runtime.block_on(fetch).ok().flatten()?;
			self.metrics.fetched(bytes.len() as u64);
			Some((cid, bytes))
		});
		blocks.collect()
	}

	fn is_stored(&self, cid: &Cid) -> bool {
		self.store.has(cid).unwrap_or(false)
	}
}

impl BlockFetcher for NetworkFetcher {
	fn get(&mut self, cid: &Cid) -> Result<Option<Vec<u8>>, BlockError> {
		self.cancel.check()?;
		// A block that cannot be read is fetched, too.
		if let Ok(Some(bytes)) = read_block(&self.store, cid) {
			return Ok(Some(bytes));
		}
		if let Some(position) = self
			.upcoming
			.iter()
			.take(self.width * 2)
			.position(|next| next == cid)
		{
			self.upcoming.drain(..=position);
		}
		if !self.running.contains_key(cid) {
			self.start(*cid);
		}
		self.fill();
		let Some(fetch) = self.running.remove(cid) else {
			return Ok(None);
		};
		let bytes = self.runtime.block_on(fetch)?;
		if let Some(bytes) = &bytes {
			self.metrics.fetched(bytes.len() as u64);
		}
		Ok(bytes)
	}

	fn prefetch(&mut self, upcoming: &[Cid]) {
		// The latest announcement comes first: it is about the node that is being read.
		for cid in upcoming.iter().rev() {
			self.upcoming.push_front(*cid);
		}
		self.fill();
	}
}

impl Drop for NetworkFetcher {
	fn drop(&mut self) {
		self.running.values().for_each(JoinHandle::abort);
	}
}
