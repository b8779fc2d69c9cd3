//! Brings a shard onto this machine, complete and checked, whatever is here already.
//!
//! One job does it for a slot that was accepted, for a repair that was taken, and for a shard that was damaged. It
//! fetches what is missing from whoever is connected (the owner's client comes by itself) or announces the shard in the
//! DHT; if that does not help, it rebuilds the shard from the order's other providers. At the end the whole shard is read
//! back and compared with the segment roots on chain. It goes on until that is so, or until it is cancelled; what was
//! fetched before a crash is not fetched again.

use std::{collections::HashSet, sync::Arc, time::Duration};

use cid::Cid;
use futures::{future::join_all, stream, StreamExt};
use log::{debug, info, warn};
use opensand_blocks::{PeerId, StoreError};
use opensand_primitives::storage::ErasureCode;
use opensand_slices::{
	raw_cid, rebuild_shard, shard_cid, BlockError, BlockFetcher, BlockSink, Manifest, RebuildError,
	ShardError, VerifyError, UNIXFS_CODEC,
};
use thiserror::Error;
use tokio::{
	runtime::Handle,
	task::JoinHandle,
	time::{sleep, Instant},
};

use crate::{
	chain::{ChainError, ShardId},
	commitments::{blocks_of, check, CheckError, Provable, StoreFetcher},
	context::Context,
	peers::Peer,
	record::{Blocks, Phase, RecordsError, Refusal},
	sources::{Cancel, Cancelled, NetworkFetcher, BLOCK_TIMEOUT},
	TARGET,
};

/// Bytes of blocks that are made durable at once.
const BATCH_BYTES: usize = 8 << 20;
/// Blocks that are fetched at once from an owner.
const FETCH_WIDTH: usize = 32;
/// Blocks that are fetched at once from each provider in a rebuild.
const REBUILD_WIDTH: usize = 6;
/// How long a provider may take to be reached.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a peer may take to give the root of a shard's tree, and how many are asked at once.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
const PROBES: usize = 16;
/// Pauses between attempts.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How often a pause looks at who is connected.
const GLANCE: Duration = Duration::from_millis(250);
/// Attempts to fetch a newly accepted shard from its owner before it is tried to be rebuilt.
const PATIENCE_WITH_OWNER: u32 = 3;

/// What the chain says of a shard that is to be brought here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
	pub id: ShardId,
	/// SHA2-256 digest of the manifest.
	pub manifest: [u8; 32],
	pub code: ErasureCode,
	/// What it has to be.
	pub shard: Provable,
	/// Whether it was proven before, by this provider or another: then its commitments are right, and the others may have
	/// what is missing.
	pub proven_before: bool,
}

/// Why an attempt did not succeed.
#[derive(Debug, Error)]
enum ObtainError {
	#[error("{0}")]
	Refused(#[from] Refusal),
	#[error("{0}")]
	Cancelled(#[from] Cancelled),
	#[error("the order's manifest is not to be had")]
	NoManifest,
	#[error("{0}")]
	Unreadable(ShardError),
	#[error("only {found} of the {needed} other shards that are needed can be reached")]
	TooFewHolders { found: usize, needed: usize },
	#[error("{0}")]
	Rebuild(#[from] RebuildError),
	#[error("the rebuilt shard does not match its commitments")]
	BadRebuild,
	#[error("{0}")]
	Store(#[from] StoreError),
	#[error("{0}")]
	Records(#[from] RecordsError),
	#[error("{0}")]
	Chain(#[from] ChainError),
	#[error("{0}")]
	Disk(#[from] std::io::Error),
}

/// A job under way.
pub(crate) struct Job {
	cancel: Cancel,
	task: JoinHandle<()>,
}

impl Job {
	/// Starts to bring a shard here. The shard has a record.
	pub fn start(context: Arc<Context>, wanted: Wanted) -> Self {
		let cancel = Cancel::default();
		let task = tokio::spawn(run(context, wanted, cancel.clone()));
		Self { cancel, task }
	}

	/// Whether it has ended.
	pub fn is_finished(&self) -> bool {
		self.task.is_finished()
	}

	/// Tells it to end at its next block.
	pub fn cancel(&self) {
		self.cancel.cancel();
	}
}

impl Drop for Job {
	fn drop(&mut self) {
		self.cancel.cancel();
		self.task.abort();
	}
}

async fn run(context: Arc<Context>, wanted: Wanted, cancel: Cancel) {
	let id = wanted.id;
	let mut pause = FIRST_PAUSE;
	for attempt in 1u32.. {
		match obtain(&context, &wanted, &cancel, attempt).await {
			Ok(()) => {
				info!(target: TARGET, "shard {id} is stored: {} bytes, checked against the chain", wanted.shard.bytes);
				break;
			}
			Err(_) if cancel.check().is_err() => break,
			Err(ObtainError::Refused(refusal)) if !wanted.proven_before => {
				warn!(target: TARGET, "shard {id} is not taken: {refusal}; the slot is left to lapse");
				context
					.update_record(id, move |record| record.phase = Phase::Refused(refusal))
					.await;
				break;
			}
			// The first attempts often come before the owner's client has connected.
			Err(error) if attempt < PATIENCE_WITH_OWNER => {
				debug!(target: TARGET, "shard {id}, attempt {attempt}: {error}");
			}
			Err(error) => {
				let seconds = pause.as_secs();
				warn!(target: TARGET, "shard {id}, attempt {attempt}: {error}; next attempt in {seconds} s");
			}
		}
		rest(&context, &cancel, pause).await;
		pause = (pause * 2).min(LONGEST_PAUSE);
	}
	context.wake.notify_one();
}

/// Waits, but not when another peer connects: it may be the owner's client.
async fn rest(context: &Context, cancel: &Cancel, pause: Duration) {
	let before: HashSet<PeerId> = context.exchange.connected_peers().into_iter().collect();
	let end = Instant::now() + pause;
	while Instant::now() < end && cancel.check().is_ok() {
		sleep(GLANCE.min(pause)).await;
		if context
			.exchange
			.connected_peers()
			.iter()
			.any(|peer| !before.contains(peer))
		{
			return;
		}
	}
}

/// One attempt.
async fn obtain(
	context: &Arc<Context>,
	wanted: &Wanted,
	cancel: &Cancel,
	attempt: u32,
) -> Result<(), ObtainError> {
	cancel.check()?;
	let manifest = obtain_manifest(context, wanted).await?;
	let may_rebuild = wanted.proven_before || attempt > PATIENCE_WITH_OWNER;
	let root = &shard_cid(wanted.shard.root);

	// After a restart all may be here.
	let mut fetched = fetch(context, wanted, cancel, Vec::new()).await;
	if is_unreadable(&fetched) {
		let peers = having(context, root, context.exchange.connected_peers()).await;
		fetched = fetch(context, wanted, cancel, peers).await;
	}
	if is_unreadable(&fetched) && may_rebuild {
		fetched = rebuild(context, wanted, cancel, manifest).await;
	}
	if matches!(
		fetched,
		Err(ObtainError::Unreadable(_) | ObtainError::TooFewHolders { .. })
	) {
		let peers = announced(context, root).await;
		if !peers.is_empty() {
			fetched = fetch(context, wanted, cancel, peers).await;
		}
	}
	fetched?;
	cancel.check()?;
	finish(context, wanted).await
}

fn is_unreadable(result: &Result<(), ObtainError>) -> bool {
	matches!(result, Err(ObtainError::Unreadable(_)))
}

/// Those that announced a shard's root, which a provider does that has given it up or handed it over.
pub(crate) async fn announced(context: &Arc<Context>, root: &Cid) -> Vec<PeerId> {
	let local = context.exchange.local_peer_id();
	let announced = context.exchange.find_providers(root).await.unwrap_or_default();
	let peers = announced
		.into_iter()
		.filter(|provider| provider.peer != local)
		.map(|provider| Peer {
			id: provider.peer,
			addresses: provider.addresses,
		});
	let reached = reach(context, peers.map(|peer| (0, peer)).collect()).await;
	having(context, root, reached.into_iter().map(|(_, peer)| peer).collect()).await
}

/// Those of the peers that give a shard's root, so that the others are not asked for every block.
pub(crate) async fn having(context: &Arc<Context>, root: &Cid, peers: Vec<PeerId>) -> Vec<PeerId> {
	let questions = peers.into_iter().map(|peer| async move {
		let answer = context.exchange.fetch(root, &[peer], PROBE_TIMEOUT).await;
		answer.is_ok().then_some(peer)
	});
	stream::iter(questions)
		.buffer_unordered(PROBES)
		.filter_map(|peer| async move { peer })
		.collect()
		.await
}

/// The order's manifest, compared with the chain and stored.
async fn obtain_manifest(context: &Arc<Context>, wanted: &Wanted) -> Result<Manifest, ObtainError> {
	let cid = raw_cid(wanted.manifest);
	let stored = context
		.blocking(move |context| context.store.get(&cid).ok().flatten())
		.await;
	if let Some(bytes) = stored {
		return read_manifest(wanted, &bytes);
	}
	let mut bytes = None;
	let peers = context.exchange.connected_peers();
	if !peers.is_empty() {
		bytes = context.exchange.fetch(&cid, &peers, BLOCK_TIMEOUT).await.ok();
	}
	if bytes.is_none() {
		// Every provider of the order keeps it.
		let holders = context.holders(wanted.id).await?;
		let peers = reach(context, holders).await;
		let peers: Vec<PeerId> = peers.into_iter().map(|(_, peer)| peer).collect();
		if !peers.is_empty() {
			bytes = context.exchange.fetch(&cid, &peers, BLOCK_TIMEOUT).await.ok();
		}
	}
	let bytes = bytes.ok_or(ObtainError::NoManifest)?;
	context.metrics.fetched(bytes.len() as u64);
	let manifest = read_manifest(wanted, &bytes)?;
	let id = wanted.id;
	context
		.blocking(move |context| -> Result<(), ObtainError> {
			{
				let _references = context.references.lock();
				let mut blocks = match context.records.blocks(id)? {
					Blocks::Known(blocks) => blocks,
					Blocks::None | Blocks::Damaged => Vec::new(),
				};
				if !blocks.contains(&cid) {
					blocks.insert(0, cid);
					context.records.set_blocks(id, &blocks)?;
				}
			}
			context.store.put(&cid, &bytes)?;
			Ok(())
		})
		.await?;
	Ok(manifest)
}

/// Decodes a manifest, and compares what it says of the shard with the chain.
fn read_manifest(wanted: &Wanted, bytes: &[u8]) -> Result<Manifest, ObtainError> {
	let refused = || ObtainError::Refused(Refusal::Manifest);
	let manifest = Manifest::from_bytes(bytes).map_err(|_| refused())?;
	let shard = manifest
		.shards()
		.get(usize::from(wanted.id.shard))
		.ok_or_else(refused)?;
	let code = manifest.code();
	let agrees = code.data() == wanted.code.data
		&& code.total() == wanted.code.total
		&& manifest.shard_bytes() == wanted.shard.bytes
		&& shard.cid == wanted.shard.root
		&& shard.segments == wanted.shard.roots;
	agrees.then_some(manifest).ok_or_else(refused)
}

/// Connects to peers, and gives those that answered.
async fn reach(context: &Arc<Context>, holders: Vec<(u8, Peer)>) -> Vec<(u8, PeerId)> {
	let connected = context.exchange.connected_peers();
	let attempts = holders.into_iter().map(|(shard, peer)| {
		let is_connected = connected.contains(&peer.id);
		async move {
			if is_connected {
				return Some((shard, peer.id));
			}
			let attempt = context.exchange.connect(peer.id, peer.addresses);
			match tokio::time::timeout(CONNECT_TIMEOUT, attempt).await {
				Ok(Ok(())) => Some((shard, peer.id)),
				Ok(Err(error)) => {
					debug!(target: TARGET, "{} does not answer: {error}", peer.id);
					None
				}
				Err(_) => None,
			}
		}
	});
	join_all(attempts).await.into_iter().flatten().collect()
}

/// Brings the blocks that are missing into the store.
async fn fetch(
	context: &Arc<Context>,
	wanted: &Wanted,
	cancel: &Cancel,
	peers: Vec<PeerId>,
) -> Result<(), ObtainError> {
	let mut fetcher = fetcher(context, cancel, peers, FETCH_WIDTH);
	let (wanted, cancel) = (wanted.clone(), cancel.clone());
	context
		.blocking(move |context| fetch_blocks(context, &wanted, &cancel, &mut fetcher))
		.await
}

fn fetcher(context: &Arc<Context>, cancel: &Cancel, peers: Vec<PeerId>, width: usize) -> NetworkFetcher {
	NetworkFetcher::new(
		context.store.clone(),
		context.exchange.clone(),
		Handle::current(),
		context.metrics.clone(),
		cancel.clone(),
		peers.into(),
		width,
	)
}

fn fetch_blocks(
	context: &Context,
	wanted: &Wanted,
	cancel: &Cancel,
	fetcher: &mut NetworkFetcher,
) -> Result<(), ObtainError> {
	// The tree first: it is small, names every block, and shows whether the owner made it as a shard is made.
	let mut nodes = KeepingNodes {
		fetcher: &mut *fetcher,
		nodes: Vec::new(),
		nodes_ahead: Vec::new(),
	};
	let blocks =
		blocks_of(&mut nodes, wanted.manifest, wanted.shard.root, wanted.shard.bytes).map_err(unreadable)?;
	let nodes = nodes.nodes;
	{
		let _references = context.references.lock();
		context.records.set_blocks(wanted.id, &blocks)?;
	}
	context.store.put_batch(&nodes)?;

	let mut missing = Vec::new();
	let mut seen = HashSet::new();
	for cid in blocks {
		if cid.codec() != UNIXFS_CODEC && seen.insert(cid) && !context.store.has(&cid)? {
			missing.push(cid);
		}
	}
	fetcher.prefetch(&missing);
	let mut batch = Batch::default();
	for cid in missing {
		cancel.check()?;
		let bytes = match fetcher.get(&cid) {
			Ok(Some(bytes)) => bytes,
			other => {
				// What has come is kept for the next attempt.
				for (cid, bytes) in fetcher.drain() {
					batch.push(cid, bytes);
				}
				batch.flush(context)?;
				cancel.check()?;
				return Err(ObtainError::Unreadable(match other {
					Err(source) => ShardError::Fetch { cid, source },
					_ => ShardError::Missing(cid),
				}));
			}
		};
		if batch.push(cid, bytes) {
			batch.flush(context)?;
		}
	}
	batch.flush(context)?;
	Ok(())
}

/// Tells a shard that was made wrongly from one that is not to be had.
fn unreadable(error: ShardError) -> ObtainError {
	match error {
		ShardError::Node { .. } | ShardError::Shape(_) => ObtainError::Refused(Refusal::Layout),
		other => ObtainError::Unreadable(other),
	}
}

/// Keeps the inner nodes that pass, and does not fetch leaves ahead while only nodes are read.
struct KeepingNodes<'a> {
	fetcher: &'a mut NetworkFetcher,
	nodes: Vec<(Cid, Vec<u8>)>,
	nodes_ahead: Vec<Cid>,
}

impl BlockFetcher for KeepingNodes<'_> {
	fn get(&mut self, cid: &Cid) -> Result<Option<Vec<u8>>, BlockError> {
		let bytes = self.fetcher.get(cid)?;
		if let Some(bytes) = &bytes {
			self.nodes.push((*cid, bytes.clone()));
		}
		Ok(bytes)
	}

	fn prefetch(&mut self, upcoming: &[Cid]) {
		self.nodes_ahead.clear();
		self.nodes_ahead
			.extend(upcoming.iter().filter(|cid| cid.codec() == UNIXFS_CODEC));
		self.fetcher.prefetch(&self.nodes_ahead);
	}
}

/// Blocks that are made durable together.
#[derive(Default)]
struct Batch {
	blocks: Vec<(Cid, Vec<u8>)>,
	bytes: usize,
}

impl Batch {
	/// Adds a block, and says whether there are enough to be stored.
	fn push(&mut self, cid: Cid, bytes: Vec<u8>) -> bool {
		self.bytes += bytes.len();
		self.blocks.push((cid, bytes));
		self.bytes >= BATCH_BYTES
	}

	/// Stores what there is.
	fn flush(&mut self, context: &Context) -> Result<(), StoreError> {
		context.store.put_batch(&self.blocks)?;
		*self = Self::default();
		Ok(())
	}
}

/// Makes the shard anew from others of its order.
async fn rebuild(
	context: &Arc<Context>,
	wanted: &Wanted,
	cancel: &Cancel,
	manifest: Manifest,
) -> Result<(), ObtainError> {
	let holders = context.holders(wanted.id).await?;
	let reached = reach(context, holders).await;
	let needed = usize::from(wanted.code.data);
	if reached.len() < needed {
		return Err(ObtainError::TooFewHolders {
			found: reached.len(),
			needed,
		});
	}
	let sources: Vec<(u8, NetworkFetcher)> = reached
		.into_iter()
		.map(|(shard, peer)| (shard, fetcher(context, cancel, vec![peer], REBUILD_WIDTH)))
		.collect();
	let (wanted, cancel) = (wanted.clone(), cancel.clone());
	context
		.blocking(move |context| {
			let blocks = {
				let _references = context.references.lock();
				match context.records.blocks(wanted.id)? {
					Blocks::Known(blocks) => blocks,
					Blocks::None | Blocks::Damaged => vec![raw_cid(wanted.manifest)],
				}
			};
			let mut sink = AccountingSink {
				context,
				id: wanted.id,
				cancel: &cancel,
				known: blocks.iter().copied().collect(),
				blocks,
				batch: Batch::default(),
			};
			for failed in rebuild_shard(&manifest, wanted.id.shard, sources, &mut sink)? {
				debug!(target: TARGET, "shard {}: shard {} was of no use: {}", wanted.id, failed.shard, failed.error);
			}
			sink.flush()?;
			context.metrics.shard_rebuilt();
			info!(target: TARGET, "shard {} was rebuilt from others", wanted.id);
			Ok(())
		})
		.await
}

/// Stores the blocks of a rebuilt shard, accounting them to it before.
struct AccountingSink<'a> {
	context: &'a Context,
	id: ShardId,
	cancel: &'a Cancel,
	known: HashSet<Cid>,
	/// What is accounted to the shard once the batch is stored.
	blocks: Vec<Cid>,
	batch: Batch,
}

impl AccountingSink<'_> {
	fn flush(&mut self) -> Result<(), ObtainError> {
		if self.batch.blocks.is_empty() {
			return Ok(());
		}
		{
			let _references = self.context.references.lock();
			self.context.records.set_blocks(self.id, &self.blocks)?;
		}
		self.batch.flush(self.context)?;
		Ok(())
	}
}

impl BlockSink for AccountingSink<'_> {
	fn put(&mut self, cid: &Cid, bytes: &[u8]) -> Result<(), BlockError> {
		self.cancel.check()?;
		if self.known.insert(*cid) {
			self.blocks.push(*cid);
		}
		if self.batch.push(*cid, bytes.to_vec()) {
			self.flush()?;
		}
		Ok(())
	}
}

/// Reads the shard back, compares it with the chain, and notes that it is stored.
async fn finish(context: &Arc<Context>, wanted: &Wanted) -> Result<(), ObtainError> {
	let wanted = wanted.clone();
	context
		.blocking(move |context| {
			let id = wanted.id;
			match check(&context.store, &wanted.shard) {
				Ok(()) => {}
				Err(CheckError::Shard(VerifyError::Shard(error))) => return Err(unreadable(error)),
				Err(CheckError::Shard(_)) if wanted.proven_before => return Err(ObtainError::BadRebuild),
				Err(CheckError::Shard(_)) => return Err(ObtainError::Refused(Refusal::Roots)),
				Err(CheckError::Levels(error)) => return Err(ObtainError::Disk(error)),
			}
			if !context.store.has(&raw_cid(wanted.manifest))? {
				return Err(ObtainError::NoManifest);
			}
			// After a rebuild, the list may hold blocks of an earlier attempt; the tree has the last word.
			let store = StoreFetcher(&context.store);
			let blocks = blocks_of(store, wanted.manifest, wanted.shard.root, wanted.shard.bytes)
				.map_err(unreadable)?;
			{
				let _references = context.references.lock();
				context.records.set_blocks(id, &blocks)?;
			}
			context.records.update(id, |record| {
				let is_wanted = matches!(record.phase, Phase::Wanted | Phase::Damaged { .. });
				if is_wanted {
					record.phase = Phase::Stored;
				}
				is_wanted
			})?;
			Ok(())
		})
		.await
}
