//! Fetching enough shards of an order into a pack of blocks.
//!
//! Shards come from their providers at once, each from its own; a shard whose provider fails is replaced by another.
//! Every block is checked against its CID and kept, so that what was fetched once is not fetched again, also by a later
//! run. When all providers have been tried, the chain is asked again, since repairs bring new ones.

use std::{
	collections::{BTreeMap, HashSet, VecDeque},
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc,
	},
	time::{Duration, Instant},
};

use futures::{stream::FuturesUnordered, StreamExt};
use opensand_blocks::{Cid, PeerId};
use opensand_primitives::{
	storage::{OrderRecord, OrderStatus, ProviderTerms, ShardStatus, ShardView},
	OrderId,
};
use opensand_slices::{decode_node, raw_cid, shard_cid, Manifest, LEAF_BLOCK_BYTES, RAW_CODEC};
use tokio::{
	task::{spawn_blocking, JoinHandle},
	time::sleep,
};

use crate::{
	chain::Chain,
	error::Error,
	network::{Network, NetworkError},
	output::{Bar, Output},
	pack::{Pack, PackError},
	transfer::{blocking, TransferError},
};

/// Providers that are dialled beyond those that are needed, so that a dead one does not hold things up.
const SPARE_DIALS: usize = 3;
/// How long one block may take.
const BLOCK_LIMIT: Duration = Duration::from_secs(60);
/// While nothing comes, how often the line to the provider is looked at, and how often in a row it may be down.
const LINE_CHECK: Duration = Duration::from_secs(2);
const MAX_ABSENCES: u32 = 3;
/// Bytes of blocks that are written at once, at most, and those of all shards that are fetched at once together. As many
/// are being written meanwhile.
const BATCH_BYTES: usize = 4 << 20;
const BATCHES_BYTES: usize = 32 << 20;
/// Pause before the providers are tried again.
const ROUND_PAUSE: Duration = Duration::from_secs(5);

/// Where an order's shards are to be had.
struct Source {
	shard: u8,
	root: Cid,
	provider: String,
	terms: ProviderTerms,
}

/// Fetches the manifest and as many shards as the order's code needs into `store`.
///
/// `patience` is for how long providers may send nothing new.
///
/// # Errors
/// When too few shards can be had.
pub async fn fetch_order(
	chain: &Chain,
	network: &Network,
	store: &Arc<Pack>,
	order: OrderId,
	record: &OrderRecord,
	patience: Duration,
	output: &Output,
) -> Result<(Manifest, Vec<u8>), Error> {
	let code = record.terms.code;
	let needed = usize::from(code.data);
	let bar = output.bytes(
		"fetching",
		record.terms.shard_bytes.saturating_mul(code.data.into()),
	);
	let counted = Arc::new(Counter {
		bytes: AtomicU64::new(0),
		bar: bar.clone(),
	});
	let mut manifest = None;
	let mut complete: Vec<u8> = Vec::new();
	let mut last = (Instant::now(), 0);
	loop {
		let (sources, roots, mut reasons) = sources(chain, order, needed).await?;
		if manifest.is_none() {
			manifest = match fetch_manifest(network, store, record, &roots, &sources).await? {
				Ok(manifest) => Some(manifest),
				Err(reason) => {
					reasons.push(reason);
					None
				}
			};
		}
		if let Some(manifest) = &manifest {
			let shard_bytes = manifest.shard_bytes();
			let round = Round {
				network,
				store,
				shard_bytes,
				batch_bytes: batch_bytes(needed),
				counted: &counted,
			};
			round.run(sources, needed, &mut complete, &mut reasons).await?;
			if complete.len() >= needed {
				bar.finish();
				complete.truncate(needed);
				return Ok((manifest.clone(), complete));
			}
		}
		let bytes = counted.bytes.load(Ordering::Relaxed);
		if bytes > last.1 {
			last = (Instant::now(), bytes);
		}
		if last.0.elapsed() + ROUND_PAUSE > patience {
			bar.finish();
			return Err(Error::Unrestorable {
				order,
				needed: code.data,
				found: complete.len(),
				reasons,
			});
		}
		bar.message(format!("{} of {needed} shards; trying again", complete.len()));
		sleep(ROUND_PAUSE).await;
	}
}

/// What has been fetched, on the bar.
struct Counter {
	bytes: AtomicU64,
	bar: Bar,
}

impl Counter {
	fn add(&self, bytes: u64) {
		self.bar
			.set(self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes);
	}

	fn subtract(&self, bytes: u64) {
		self.bar.set(
			self.bytes
				.fetch_sub(bytes, Ordering::Relaxed)
				.saturating_sub(bytes),
		);
	}
}

/// The shards that somebody holds, the roots of all, and why the others are not to be had.
async fn sources(
	chain: &Chain,
	order: OrderId,
	needed: usize,
) -> Result<(Vec<Source>, Vec<[u8; 32]>, Vec<String>), Error> {
	let view = chain.best().await?;
	let record = view.order(order).await?.ok_or(Error::NoOrder(order))?;
	if record.status == OrderStatus::Lost {
		return Err(Error::Lost(order));
	}
	let shards = view.shards(order).await?;
	let mut roots = vec![[0; 32]; shards.len()];
	let (mut sources, mut reasons) = (Vec::with_capacity(shards.len()), Vec::new());
	for ShardView {
		index, cid, status, ..
	} in shards
	{
		if let Some(root) = roots.get_mut(usize::from(index)) {
			*root = cid;
		}
		let ShardStatus::Active { provider, .. } = status else {
			reasons.push(format!(
				"shard {index}: nobody holds it now ({})",
				status_name(&status)
			));
			continue;
		};
		let address = chain.address(&provider);
		match view.provider(&provider).await? {
			Some(record) => sources.push(Source {
				shard: index,
				root: shard_cid(cid),
				provider: address,
				terms: record.terms,
			}),
			None => reasons.push(format!("shard {index}: provider {address} is gone")),
		}
	}
	if sources.len() < needed {
		reasons.push(format!(
			"{} of {needed} shards that are needed are held at present",
			sources.len()
		));
	}
	Ok((sources, roots, reasons))
}

/// A shard's status in one word.
pub fn status_name(status: &ShardStatus) -> &'static str {
	match status {
		ShardStatus::Open => "open",
		ShardStatus::Accepted { .. } => "accepted",
		ShardStatus::Active { .. } => "active",
		ShardStatus::Repair { .. } => "repair",
		ShardStatus::Repairing { .. } => "repairing",
	}
}

/// The order's manifest, from the store or a provider, compared with what the chain records.
async fn fetch_manifest(
	network: &Network,
	store: &Arc<Pack>,
	record: &OrderRecord,
	roots: &[[u8; 32]],
	sources: &[Source],
) -> Result<Result<Manifest, String>, Error> {
	let cid = raw_cid(record.terms.manifest);
	if let Some(bytes) = store.get(&cid).map_err(TransferError::Store)? {
		return Ok(Ok(check_manifest(&bytes, record, roots)?));
	}
	let mut dials: FuturesUnordered<_> = sources.iter().map(|source| network.dial(&source.terms)).collect();
	let mut reason = "the manifest: no provider could be reached".to_owned();
	while let Some(peer) = dials.next().await {
		let fetched = match peer {
			Ok(peer) => network.fetch(&cid, &[peer], BLOCK_LIMIT).await,
			Err(error) => Err(error),
		};
		match fetched {
			Ok(bytes) => {
				let manifest = check_manifest(&bytes, record, roots)?;
				let store = store.clone();
				blocking(move || store.put(&cid, &bytes).map_err(TransferError::Store)).await?;
				return Ok(Ok(manifest));
			}
			Err(error) => reason = format!("the manifest: {error}"),
		}
	}
	Ok(Err(reason))
}

/// Decodes a manifest and holds it against the order.
fn check_manifest(bytes: &[u8], record: &OrderRecord, roots: &[[u8; 32]]) -> Result<Manifest, TransferError> {
	let manifest = Manifest::from_bytes(bytes)?;
	let code = manifest.code();
	if (code.data(), code.total()) != (record.terms.code.data, record.terms.code.total) {
		return Err(TransferError::Contradiction("the code"));
	}
	if manifest.shard_bytes() != record.terms.shard_bytes {
		return Err(TransferError::Contradiction("the length of shards"));
	}
	if *manifest.key_commitment() != record.terms.key_commitment {
		return Err(TransferError::Contradiction("the commitment to the key"));
	}
	if !manifest.shards().iter().map(|shard| &shard.cid).eq(roots) {
		return Err(TransferError::Contradiction("the shards"));
	}
	Ok(manifest)
}

/// One attempt with every provider.
struct Round<'a> {
	network: &'a Network,
	store: &'a Arc<Pack>,
	shard_bytes: u64,
	/// Bytes of a shard's blocks that are written at once.
	batch_bytes: usize,
	counted: &'a Arc<Counter>,
}

/// How much of each of `shards` shards is written at once, so that all of them together stay in bounds.
fn batch_bytes(shards: usize) -> usize {
	BATCH_BYTES.min(BATCHES_BYTES / shards.max(1))
}

/// The end of a task that writes.
type Written = JoinHandle<Result<(), PackError>>;

/// Blocks that are being written, while further ones are fetched.
#[derive(Default)]
struct Writing(Option<(Vec<Cid>, Written)>);

impl Writing {
	/// Waits for what is being written, and tells of each block of it.
	async fn finish(&mut self, arrived: &mut impl FnMut(&Cid)) -> Result<(), ShardFailure> {
		if let Some((cids, task)) = self.0.take() {
			let written = task.await;
			written
				.map_err(|error| TransferError::Thread(error.to_string()))?
				.map_err(store_failure)?;
			cids.iter().for_each(arrived);
		}
		Ok(())
	}

	/// Writes further blocks when those before them are written.
	async fn begin(
		&mut self,
		store: &Arc<Pack>,
		batch: Vec<(Cid, Vec<u8>)>,
		arrived: &mut impl FnMut(&Cid),
	) -> Result<(), ShardFailure> {
		self.finish(arrived).await?;
		if !batch.is_empty() {
			let cids = batch.iter().map(|(cid, _)| *cid).collect();
			let store = store.clone();
			let task = spawn_blocking(move || store.put_batch(&batch));
			self.0 = Some((cids, task));
		}
		Ok(())
	}
}

impl Round<'_> {
	/// Fetches shards until `needed` are complete or every source has been tried.
	async fn run(
		&self,
		mut sources: Vec<Source>,
		needed: usize,
		complete: &mut Vec<u8>,
		reasons: &mut Vec<String>,
	) -> Result<(), Error> {
		sources.retain(|source| !complete.contains(&source.shard));
		// What an earlier run completed needs no provider.
		let mut incomplete = Vec::with_capacity(sources.len());
		for source in sources {
			let is_begun = self.store.has(&source.root).unwrap_or(false);
			if complete.len() >= needed || !is_begun {
				incomplete.push(source);
				continue;
			}
			match self.fetch_shard(source, None).await {
				(source, Ok(())) => complete.push(source.shard),
				(_, Err(ShardFailure::Store(error))) => return Err(error.into()),
				(source, Err(_)) => incomplete.push(source),
			}
		}
		let mut sources = incomplete;
		// What an earlier run began comes first, so that its blocks are of use.
		sources.sort_by_cached_key(|source| !self.store.has(&source.root).unwrap_or(false));
		let mut waiting = VecDeque::from(sources);
		let mut dialling = FuturesUnordered::new();
		let mut ready: VecDeque<(Source, PeerId)> = VecDeque::new();
		let mut fetching = FuturesUnordered::new();
		loop {
			while complete.len() + fetching.len() < needed {
				let Some((source, peer)) = ready.pop_front() else {
					break;
				};
				fetching.push(self.fetch_shard(source, Some(peer)));
			}
			let missing = needed.saturating_sub(complete.len() + fetching.len());
			let spare = if missing > 0 { SPARE_DIALS } else { 0 };
			while dialling.len() + ready.len() < missing + spare {
				let Some(source) = waiting.pop_front() else { break };
				dialling.push(async move {
					let peer = self.network.dial(&source.terms).await;
					(source, peer)
				});
			}
			if complete.len() >= needed || (fetching.is_empty() && dialling.is_empty()) {
				return Ok(());
			}
			tokio::select! {
				Some((source, dialled)) = dialling.next() => match dialled {
					Ok(peer) => ready.push_back((source, peer)),
					Err(error) => reasons.push(reason(&source, &error)),
				},
				Some((source, fetched)) = fetching.next() => match fetched {
					Ok(()) => complete.push(source.shard),
					Err(ShardFailure::Source(error)) => reasons.push(reason(&source, &error)),
					Err(ShardFailure::Unfinished) => reasons.push(format!("shard {}: it was not fetched", source.shard)),
					Err(ShardFailure::Shape) => reasons.push(format!(
						"shard {}: its blocks do not make a shard; the owner made it wrongly", source.shard
					)),
					Err(ShardFailure::Store(error)) => return Err(error.into()),
				},
			}
		}
	}

	/// Fetches a shard from a peer; without one, only looks whether it is complete.
	async fn fetch_shard(&self, source: Source, peer: Option<PeerId>) -> (Source, Result<(), ShardFailure>) {
		let mut counted = 0;
		let outcome = self.fetch_blocks(source.root, peer, &mut counted).await;
		if outcome.is_err() {
			self.counted.subtract(counted);
		}
		(source, outcome)
	}

	/// Fetches the blocks of a shard that are not in the store yet, level by level.
	async fn fetch_blocks(
		&self,
		root: Cid,
		peer: Option<PeerId>,
		counted: &mut u64,
	) -> Result<(), ShardFailure> {
		let mut leaves: Vec<(Cid, u64)> = Vec::new();
		let most = self.shard_bytes.div_ceil(LEAF_BLOCK_BYTES as u64);
		let mut level = vec![(root, self.shard_bytes)];
		while !level.is_empty() {
			let wanted: Vec<Cid> = level.iter().map(|(cid, _)| *cid).collect();
			self.fetch_missing(&wanted, peer, |_| {}).await?;
			let mut below = Vec::new();
			for (cid, bytes) in level {
				let block = match self.store.get(&cid).map_err(store_failure)? {
					Some(block) => block,
					None => {
						// It was damaged since an earlier run fetched it.
						self.fetch_missing(&[cid], peer, |_| {}).await?;
						self.store
							.get(&cid)
							.map_err(store_failure)?
							.ok_or(ShardFailure::Unfinished)?
					}
				};
				let node = decode_node(&block).map_err(|_| ShardFailure::Shape)?;
				if node.file_bytes() != Some(bytes) {
					return Err(ShardFailure::Shape);
				}
				for link in node.links {
					let children = if link.cid.codec() == RAW_CODEC {
						&mut leaves
					} else {
						&mut below
					};
					children.push((link.cid, link.file_bytes));
				}
				// A malicious owner may link to ever more blocks of no length.
				if (leaves.len() + below.len()) as u64 > most {
					return Err(ShardFailure::Shape);
				}
			}
			level = below;
		}
		let lengths: BTreeMap<Cid, u64> = leaves.iter().copied().collect();
		let wanted: Vec<Cid> = leaves.iter().map(|(cid, _)| *cid).collect();
		self.fetch_missing(&wanted, peer, |cid| {
			let bytes = lengths.get(cid).copied().unwrap_or(0);
			*counted += bytes;
			self.counted.add(bytes);
		})
		.await
	}

	/// Brings blocks into the store, and tells of each that is there.
	async fn fetch_missing(
		&self,
		wanted: &[Cid],
		peer: Option<PeerId>,
		mut arrived: impl FnMut(&Cid),
	) -> Result<(), ShardFailure> {
		let (store, looked_for) = (self.store.clone(), wanted.to_vec());
		let held: HashSet<Cid> = blocking(move || {
			let mut held = HashSet::new();
			for cid in looked_for {
				if store.has(&cid)? {
					held.insert(cid);
				}
			}
			Ok::<_, TransferError>(held)
		})
		.await?;
		held.iter().for_each(&mut arrived);
		let mut seen = HashSet::new();
		let missing: Vec<Cid> = wanted
			.iter()
			.filter(|cid| !held.contains(*cid) && seen.insert(**cid))
			.copied()
			.collect();
		if missing.is_empty() {
			return Ok(());
		}
		let peer = peer.ok_or(ShardFailure::Unfinished)?;
		let exchange = self.network.exchange();
		let mut blocks = std::pin::pin!(exchange.fetch_many(missing, vec![peer], BLOCK_LIMIT));
		let mut batch: Vec<(Cid, Vec<u8>)> = Vec::new();
		let mut batch_bytes = 0;
		let mut writing = Writing::default();
		let mut failure = None;
		let mut absences = 0;
		loop {
			let next = tokio::select! {
				next = blocks.next() => next,
				() = sleep(LINE_CHECK) => {
					let is_there = exchange.connected_peers().contains(&peer);
					absences = if is_there { 0 } else { absences + 1 };
					if absences < MAX_ABSENCES {
						continue;
					}
					failure = Some(ShardFailure::Source(NetworkError::Lost));
					break;
				}
			};
			match next {
				Some((cid, Ok(bytes))) => {
					batch_bytes += bytes.len();
					batch.push((cid, bytes));
				}
				Some((_, Err(error))) => {
					failure = Some(ShardFailure::Source(error.into()));
					break;
				}
				None => break,
			}
			if batch_bytes >= self.batch_bytes {
				let batch = std::mem::take(&mut batch);
				writing.begin(self.store, batch, &mut arrived).await?;
				batch_bytes = 0;
			}
		}
		writing.begin(self.store, batch, &mut arrived).await?;
		writing.finish(&mut arrived).await?;
		failure.map_or(Ok(()), Err)
	}
}

/// Why one shard was not fetched.
enum ShardFailure {
	/// Its provider did not send it.
	Source(NetworkError),
	/// Blocks are missing, and nobody was to be asked for them.
	Unfinished,
	/// It is no shard.
	Shape,
	/// The local disk failed, which another provider does not mend.
	Store(TransferError),
}

impl From<TransferError> for ShardFailure {
	fn from(error: TransferError) -> Self {
		Self::Store(error)
	}
}

fn store_failure(error: PackError) -> ShardFailure {
	ShardFailure::Store(error.into())
}

fn reason(source: &Source, error: &NetworkError) -> String {
	format!("shard {}: provider {}: {error}", source.shard, source.provider)
}

#[cfg(test)]
mod tests {
	use opensand_blocks::{public_key_of, BlockSource};
	use opensand_primitives::storage::{ErasureCode, OrderTerms, Visibility};
	use opensand_slices::{Code, FileKey, Metadata};
	use sp_core::bounded::BoundedVec;

	use super::*;
	use crate::{
		network::Nothing,
		transfer::{encode_into, Restorable},
	};

	/// Providers with a shard each, on this machine, and the order that they keep.
	struct Market {
		directory: tempfile::TempDir,
		networks: Vec<Option<Network>>,
		sources: Vec<ProviderTerms>,
		manifest: Manifest,
		record: OrderRecord,
		key: FileKey,
		content: Vec<u8>,
	}

	/// Serves a store, except for some blocks.
	struct Holder {
		store: Arc<Pack>,
		without: Option<Cid>,
	}

	impl BlockSource for Holder {
		fn get(&self, cid: &Cid) -> Option<Vec<u8>> {
			if self.without == Some(*cid) {
				return None;
			}
			self.store.get(cid).ok()?
		}
	}

	impl Market {
		/// A market in which the providers of `poor` shards lack a leaf.
		fn new(poor: &[u8]) -> Self {
			let directory = tempfile::tempdir().unwrap();
			let store = Arc::new(Pack::open(directory.path().join("all")).unwrap());
			let content: Vec<u8> = (0..3_000_000u32)
				.map(|index| (index ^ (index >> 9)) as u8)
				.collect();
			let key = FileKey::generate();
			let code = Code::new(2, 4).unwrap();
			let bar = Output::new(false, true).bytes("test", 0);
			let bytes = content.len() as u64;
			let manifest = encode_into(
				&store,
				&content[..],
				bytes,
				&key,
				code,
				&Metadata::default(),
				&bar,
			)
			.unwrap();
			let mut networks = Vec::new();
			let mut sources = Vec::new();
			for (index, shard) in (0u8..).zip(manifest.shards()) {
				let root = store.get(&shard_cid(shard.cid)).unwrap().unwrap();
				let without = poor
					.contains(&index)
					.then(|| decode_node(&root).unwrap().links[1].cid);
				let holder = Holder {
					store: store.clone(),
					without,
				};
				let network = Network::start(Arc::new(holder), &["/ip4/127.0.0.1/tcp/0".to_owned()]).unwrap();
				let addresses: Vec<_> = network
					.exchange()
					.listen_addresses()
					.iter()
					.map(|address| BoundedVec::try_from(address.to_string().into_bytes()).unwrap())
					.collect();
				sources.push(ProviderTerms {
					agent: [index; 32].into(),
					peer: public_key_of(&network.exchange().local_peer_id()).unwrap(),
					addresses: addresses.try_into().unwrap(),
					regions: Default::default(),
					quota: 0,
				});
				networks.push(Some(network));
			}
			let record = OrderRecord {
				owner: [1; 32].into(),
				terms: OrderTerms {
					manifest: manifest.digest(),
					code: ErasureCode { data: 2, total: 4 },
					shard_bytes: manifest.shard_bytes(),
					price: 1,
					windows: 1,
					regions: Default::default(),
					visibility: Visibility::Private,
					training: false,
					key_commitment: key.commitment(),
				},
				escrow: 0,
				status: OrderStatus::Active { start: 0, end: 1 },
				placed_at: 0,
				supersedes: None,
			};
			Self {
				directory,
				networks,
				sources,
				manifest,
				record,
				key,
				content,
			}
		}

		fn roots(&self) -> Vec<[u8; 32]> {
			self.manifest.shards().iter().map(|shard| shard.cid).collect()
		}

		fn sources(&self) -> Vec<Source> {
			(0u8..)
				.zip(&self.sources)
				.zip(self.manifest.shards())
				.map(|((shard, terms), commitment)| Source {
					shard,
					root: shard_cid(commitment.cid),
					provider: format!("provider {shard}"),
					terms: terms.clone(),
				})
				.collect()
		}

		fn cache(&self) -> Arc<Pack> {
			Arc::new(Pack::open(self.directory.path().join("cache")).unwrap())
		}

		/// Fetches as the command does, without a chain.
		async fn fetch(&self, cache: &Arc<Pack>) -> (Vec<u8>, Vec<String>) {
			let reader = Network::start(Arc::new(Nothing), &[]).unwrap();
			let manifest = fetch_manifest(&reader, cache, &self.record, &self.roots(), &self.sources()).await;
			let (mut complete, mut reasons) = (Vec::new(), Vec::new());
			match manifest.unwrap() {
				Ok(manifest) => assert_eq!(manifest, self.manifest),
				Err(reason) => reasons.push(reason),
			}
			let bar = Output::new(false, true).bytes("test", 0);
			let counted = Arc::new(Counter {
				bytes: AtomicU64::new(0),
				bar,
			});
			let shard_bytes = self.manifest.shard_bytes();
			let round = Round {
				network: &reader,
				store: cache,
				shard_bytes,
				batch_bytes: batch_bytes(2),
				counted: &counted,
			};
			round
				.run(self.sources(), 2, &mut complete, &mut reasons)
				.await
				.unwrap();
			assert_eq!(
				counted.bytes.load(Ordering::Relaxed),
				complete.len() as u64 * shard_bytes
			);
			reader.end().await;
			(complete, reasons)
		}

		fn assert_restores(&self, cache: &Arc<Pack>, shards: &[u8]) {
			let mut restored = Vec::new();
			let bar = Output::new(false, true).bytes("test", 0);
			let restorable = Restorable {
				store: cache.clone(),
				manifest: self.manifest.clone(),
				key: self.key.clone(),
				shards: shards.to_vec(),
			};
			restorable.restore(&mut restored, &bar).unwrap();
			assert!(restored == self.content);
		}
	}

	#[tokio::test(flavor = "multi_thread")]
	async fn two_of_four_providers_are_enough() {
		let market = Market::new(&[]);
		let cache = market.cache();
		let (complete, _) = market.fetch(&cache).await;
		assert_eq!(complete.len(), 2);
		market.assert_restores(&cache, &complete);
	}

	#[tokio::test(flavor = "multi_thread")]
	async fn dead_and_poor_providers_are_replaced() {
		let mut market = Market::new(&[0]);
		market.networks[2].take().unwrap().end().await;
		let cache = market.cache();
		let (complete, reasons) = market.fetch(&cache).await;
		assert_eq!(complete.len(), 2, "{reasons:?}");
		assert!(!complete.contains(&0) && !complete.contains(&2), "{complete:?}");
		market.assert_restores(&cache, &complete);
	}

	#[tokio::test(flavor = "multi_thread")]
	async fn too_few_providers_are_named_and_what_came_is_kept() {
		let market = Market::new(&[0, 1, 2]);
		let cache = market.cache();
		let (complete, reasons) = market.fetch(&cache).await;
		assert_eq!(complete, [3]);
		for shard in 0..3 {
			assert!(
				reasons
					.iter()
					.any(|reason| reason.starts_with(&format!("shard {shard}: "))),
				"{reasons:?}"
			);
		}
		// What the poor providers sent before that was kept, so that it need not be sent again.
		assert!(cache.bytes() >= market.manifest.shard_bytes() + 3 * LEAF_BLOCK_BYTES as u64);
	}

	#[tokio::test(flavor = "multi_thread")]
	async fn a_second_run_needs_no_provider_for_what_it_has() {
		let mut market = Market::new(&[]);
		let cache = market.cache();
		let (complete, _) = market.fetch(&cache).await;
		market.assert_restores(&cache, &complete);
		for network in &mut market.networks {
			network.take().unwrap().end().await;
		}
		let (again, reasons) = market.fetch(&cache).await;
		assert_eq!(again.len(), 2, "{reasons:?}");
		market.assert_restores(&cache, &again);
	}

	#[tokio::test(flavor = "multi_thread")]
	async fn a_node_that_was_damaged_since_is_fetched_again() {
		let market = Market::new(&[]);
		let cache = market.cache();
		let (complete, _) = market.fetch(&cache).await;
		let damaged = shard_cid(market.manifest.shards()[usize::from(complete[0])].cid);
		let node = cache.get(&damaged).unwrap().unwrap();
		let path = market.directory.path().join("cache/pack");
		let mut pack = std::fs::read(&path).unwrap();
		let at = pack
			.windows(node.len())
			.position(|window| window == node)
			.unwrap();
		pack[at + node.len() / 2] ^= 1;
		std::fs::write(&path, pack).unwrap();

		let (again, reasons) = market.fetch(&cache).await;
		assert_eq!(again.len(), 2, "{reasons:?}");
		market.assert_restores(&cache, &again);
	}

	#[test]
	fn batches_stay_in_bounds_whatever_the_code() {
		assert_eq!(batch_bytes(2), BATCH_BYTES);
		for shards in 1..=255 {
			assert!(batch_bytes(shards) * shards <= BATCHES_BYTES);
		}
	}

	#[test]
	fn a_manifest_that_contradicts_the_order_is_refused() {
		let runtime = tokio::runtime::Runtime::new().unwrap();
		let market = runtime.block_on(async { Market::new(&[]) });
		let bytes = market.manifest.to_bytes();
		let roots = market.roots();
		check_manifest(&bytes, &market.record, &roots).unwrap();
		let change = |change: fn(&mut OrderTerms)| {
			let mut record = market.record.clone();
			change(&mut record.terms);
			check_manifest(&bytes, &record, &roots)
		};
		for wrong in [
			change(|terms| terms.code.total += 1),
			change(|terms| terms.shard_bytes += 256),
			change(|terms| terms.key_commitment[0] ^= 1),
			check_manifest(&bytes, &market.record, &roots[1..]),
		] {
			let error = Error::from(wrong.unwrap_err());
			assert_eq!(error.exit_code(), 4, "{error}");
		}
		assert!(matches!(
			check_manifest(&bytes[1..], &market.record, &roots),
			Err(TransferError::Manifest(_))
		));
		drop(runtime);
	}
}
