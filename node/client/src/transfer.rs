//! Files and their blocks on disk: encoding into a pack, restoring from one, and serving from one.

use std::{
	collections::{HashMap, HashSet},
	io::{self, Read, Write},
	sync::{Arc, Mutex, PoisonError},
};

use opensand_blocks::{BlockSource, Cid};
use opensand_slices::{
	decode, encode, shard_cid, BlockError, BlockFetcher, BlockSink, Code, CodeError, DecodeError,
	EncodeError, FileKey, Manifest, ManifestError, Metadata, ShardError, ShardReader,
};
use thiserror::Error;

use crate::{
	output::Bar,
	pack::{Pack, PackError},
};

/// Why a file could not be cut into shards or put together.
#[derive(Debug, Error)]
pub enum TransferError {
	/// Encoding failed.
	#[error("cannot encode the file: {0}")]
	Encode(#[from] EncodeError),
	/// The file does not fit its code.
	#[error("the file does not fit its code: {0}")]
	Code(#[from] CodeError),
	/// Restoring failed.
	#[error("cannot restore the file: {0}")]
	Decode(#[from] DecodeError),
	/// The manifest does not decode.
	#[error("the manifest is damaged: {0}")]
	Manifest(#[from] ManifestError),
	/// The manifest is not what the chain records.
	#[error("the manifest that the order names and the order on chain differ in {0}")]
	Contradiction(&'static str),
	/// The blocks on disk are not complete.
	#[error("the staged blocks are not complete: {0}")]
	Incomplete(#[from] ShardError),
	/// The manifest is missing on disk.
	#[error("the staged blocks are not complete: the manifest is missing")]
	NoManifest,
	/// The blocks' file failed.
	#[error("cannot keep blocks: {0}")]
	Store(#[from] PackError),
	/// A thread ended in a panic, which is a fault of this program.
	#[error("a worker thread failed: {0}")]
	Thread(String),
}

impl TransferError {
	/// Whether the data themselves are at fault.
	pub fn is_damage(&self) -> bool {
		match self {
			Self::Manifest(_) | Self::Contradiction(_) => true,
			Self::Decode(error) => !matches!(error, DecodeError::Write(_)),
			_ => false,
		}
	}

	/// What to do about it.
	pub fn remedy(&self) -> Option<String> {
		let text = match self {
			Self::Encode(EncodeError::LengthChanged { .. }) => "leave the file alone while it is stored, and run it again",
			Self::Store(error) => error.remedy(),
			Self::Encode(EncodeError::Sink { .. }) => {
				"the cache directory (--cache-dir) needs space, and has to be writable; run the same command again then"
			}
			Self::Decode(DecodeError::TooFewShards(_)) => {
				"blocks in the cache directory were damaged and have been set aside: run the same command again"
			}
			Self::Decode(DecodeError::Unauthentic(_)) | Self::Contradiction(_) => {
				"the owner made these data wrongly; ask it to store them again"
			}
			Self::Incomplete(_) | Self::NoManifest => "repeat with --discard to encode the file anew",
			Self::Thread(_) => "report this as a bug, with the text above",
			Self::Encode(_) | Self::Code(_) | Self::Decode(_) | Self::Manifest(_) => return None,
		};
		Some(text.to_owned())
	}
}

/// Runs work that blocks on a thread of its own.
///
/// # Errors
/// Those of the work, or that it panicked.
pub async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
	T: Send + 'static,
	E: From<TransferError> + Send + 'static,
{
	match tokio::task::spawn_blocking(work).await {
		Ok(outcome) => outcome,
		Err(error) => Err(TransferError::Thread(error.to_string()).into()),
	}
}

/// The sink of one shard; all shards go into one file.
struct Sink(Arc<Pack>);

impl BlockSink for Sink {
	fn put(&mut self, cid: &Cid, bytes: &[u8]) -> Result<(), BlockError> {
		Ok(self.0.put(cid, bytes)?)
	}
}

/// Counts what is read.
struct Counted<T> {
	inner: T,
	bar: Bar,
}

impl<R: Read> Read for Counted<R> {
	fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
		let read = self.inner.read(buffer)?;
		self.bar.advance(read as u64);
		Ok(read)
	}
}

impl<W: Write> Write for Counted<W> {
	fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
		let written = self.inner.write(buffer)?;
		self.bar.advance(written as u64);
		Ok(written)
	}

	fn flush(&mut self) -> io::Result<()> {
		self.inner.flush()
	}
}

/// Encrypts and encodes `reader`'s `bytes` bytes into `store`. When it returns, all blocks and the manifest are on disk.
///
/// # Errors
/// When the content has another length, does not fit the code, or cannot be read or written.
pub fn encode_into(
	store: &Arc<Pack>,
	reader: impl Read,
	bytes: u64,
	key: &FileKey,
	code: Code,
	metadata: &Metadata,
	bar: &Bar,
) -> Result<Manifest, TransferError> {
	let mut sinks: Vec<_> = (0..code.total()).map(|_| Sink(store.clone())).collect();
	let reader = Counted {
		inner: reader,
		bar: bar.clone(),
	};
	let manifest = encode(reader, Some(bytes), key, code, metadata, &mut sinks)?;
	store.put(&manifest.cid(), &manifest.to_bytes())?;
	store.sync()?;
	Ok(manifest)
}

/// Gives the blocks of a store to readers, which check each of them.
pub struct StoreFetcher(pub Arc<Pack>);

impl BlockFetcher for StoreFetcher {
	fn get(&mut self, cid: &Cid) -> Result<Option<Vec<u8>>, BlockError> {
		Ok(self.0.read(cid)?)
	}
}

/// A file whose blocks are at hand.
pub struct Restorable {
	/// Has all blocks of the shards.
	pub store: Arc<Pack>,
	/// The file's manifest.
	pub manifest: Manifest,
	/// The file's key.
	pub key: FileKey,
	/// Shards that suffice.
	pub shards: Vec<u8>,
}

impl Restorable {
	/// Writes the file.
	///
	/// # Errors
	/// When blocks turn out damaged, or the file cannot be written.
	pub fn restore(&self, writer: impl Write, bar: &Bar) -> Result<(), TransferError> {
		let sources = self
			.shards
			.iter()
			.map(|shard| (*shard, StoreFetcher(self.store.clone())))
			.collect();
		let decoded = decode(
			&self.manifest,
			&self.key,
			sources,
			Counted {
				inner: writer,
				bar: bar.clone(),
			},
		);
		if let Err(DecodeError::TooFewShards(_)) = &decoded {
			// Blocks were damaged since they were fetched: the next run fetches them again.
			self.store.set_damaged_aside()?;
		}
		decoded?;
		Ok(())
	}

	/// Encodes the file again under another key, without writing it anywhere in between.
	///
	/// # Errors
	/// Those of [`Self::restore`] and [`encode_into`].
	pub fn reencode(
		&self,
		store: &Arc<Pack>,
		key: &FileKey,
		metadata: &Metadata,
		bar: &Bar,
	) -> Result<Manifest, TransferError> {
		let (reader, writer) =
			io::pipe().map_err(|error| TransferError::Decode(DecodeError::Write(error)))?;
		std::thread::scope(|scope| {
			let restoring = scope.spawn(move || self.restore(writer, bar));
			let (bytes, code) = (self.manifest.file_bytes(), self.manifest.code());
			let encoded = encode_into(store, reader, bytes, key, code, metadata, bar);
			match (restoring.join(), encoded) {
				// A failure to encode closes the pipe, which is then the smaller news of the two.
				(Ok(Err(TransferError::Decode(DecodeError::Write(_)))), Err(error)) => Err(error),
				(Ok(Err(error)), _) => Err(error),
				(Ok(Ok(())), encoded) => encoded,
				(Err(_), _) => Err(TransferError::Thread(
					"restoring the old data panicked".to_owned(),
				)),
			}
		})
	}
}

/// The manifest with this digest in a store.
///
/// # Errors
/// When it is not there, or damaged.
pub fn manifest_in(store: &Pack, digest: [u8; 32]) -> Result<Manifest, TransferError> {
	let bytes = store
		.get(&opensand_slices::raw_cid(digest))?
		.ok_or(TransferError::NoManifest)?;
	Ok(Manifest::from_bytes(&bytes)?)
}

/// The blocks of one order, as providers may have them: those of its shards and the manifest, and no others.
pub struct Served {
	store: Arc<Pack>,
	/// The shard of each block; none for the manifest.
	blocks: HashMap<Cid, Option<u8>>,
	sent: Mutex<Sent>,
}

/// What has been sent for the first time.
#[derive(Default)]
struct Sent {
	cids: HashSet<Cid>,
	bytes: HashMap<u8, u64>,
}

impl Served {
	/// Finds all blocks of the manifest's shards in `store`.
	///
	/// # Errors
	/// When some are missing.
	pub fn new(store: Arc<Pack>, manifest: &Manifest) -> Result<Self, TransferError> {
		let mut blocks = HashMap::from([(manifest.cid(), None)]);
		for (index, shard) in (0u8..).zip(manifest.shards()) {
			let fetcher = StoreFetcher(store.clone());
			let mut reader = ShardReader::new(fetcher, shard_cid(shard.cid), manifest.shard_bytes());
			let mut missing = None;
			reader.visit_blocks(|cid| {
				if !store.has(cid).unwrap_or(false) {
					missing.get_or_insert(*cid);
				}
				blocks.insert(*cid, Some(index));
			})?;
			if let Some(cid) = missing {
				return Err(ShardError::Missing(cid).into());
			}
		}
		Ok(Self {
			store,
			blocks,
			sent: Mutex::default(),
		})
	}

	/// Bytes of a shard's blocks that have been sent at least once.
	pub fn sent(&self, shard: u8) -> u64 {
		let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
		sent.bytes.get(&shard).copied().unwrap_or(0)
	}
}

impl BlockSource for Served {
	fn get(&self, cid: &Cid) -> Option<Vec<u8>> {
		let shard = *self.blocks.get(cid)?;
		let bytes = self.store.get(cid).ok()??;
		if let Some(shard) = shard {
			let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
			if sent.cids.insert(*cid) {
				*sent.bytes.entry(shard).or_default() += bytes.len() as u64;
			}
		}
		Some(bytes)
	}

	fn has(&self, cid: &Cid) -> bool {
		self.blocks.contains_key(cid)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::output::Output;

	struct Fixture {
		directory: tempfile::TempDir,
		store: Arc<Pack>,
		content: Vec<u8>,
		key: FileKey,
		bar: Bar,
	}

	fn store(directory: &tempfile::TempDir, name: &str) -> Arc<Pack> {
		Arc::new(Pack::open(directory.path().join(name)).unwrap())
	}

	impl Fixture {
		fn new(bytes: usize) -> Self {
			let directory = tempfile::tempdir().unwrap();
			Self {
				store: store(&directory, "store"),
				directory,
				content: (0..bytes).map(|index| (index * 7 + index / 251) as u8).collect(),
				key: FileKey::generate(),
				bar: Output::new(false, true).bytes("test", bytes as u64),
			}
		}

		fn encode(&self, store: &Arc<Pack>) -> Manifest {
			let code = Code::new(2, 4).unwrap();
			let bytes = self.content.len() as u64;
			encode_into(
				store,
				&self.content[..],
				bytes,
				&self.key,
				code,
				&Metadata::default(),
				&self.bar,
			)
			.unwrap()
		}

		fn restorable(
			&self,
			store: &Arc<Pack>,
			manifest: &Manifest,
			key: &FileKey,
			shards: &[u8],
		) -> Restorable {
			Restorable {
				store: store.clone(),
				manifest: manifest.clone(),
				key: key.clone(),
				shards: shards.to_vec(),
			}
		}

		fn restore(&self, store: &Arc<Pack>, manifest: &Manifest, key: &FileKey, shards: &[u8]) -> Vec<u8> {
			let mut restored = Vec::new();
			self.restorable(store, manifest, key, shards)
				.restore(&mut restored, &self.bar)
				.unwrap();
			restored
		}
	}

	#[test]
	fn any_two_of_four_shards_restore_the_file() {
		let fixture = Fixture::new(1_000_000);
		let manifest = fixture.encode(&fixture.store);
		assert_eq!(manifest_in(&fixture.store, manifest.digest()).unwrap(), manifest);
		for shards in [[0, 1], [1, 3], [2, 3]] {
			let restored = fixture.restore(&fixture.store, &manifest, &fixture.key, &shards);
			assert_eq!(restored, fixture.content, "{shards:?}");
		}
	}

	#[test]
	fn encoding_again_after_a_crash_gives_the_same_blocks() {
		let fixture = Fixture::new(600_000);
		let first = fixture.encode(&fixture.store);
		let blocks = fixture.store.digests();
		// As a crash leaves it: some blocks are there, the manifest is not.
		fixture.store.remove(&first.digest());
		for digest in blocks.iter().step_by(2) {
			fixture.store.remove(digest);
		}
		assert_eq!(fixture.encode(&fixture.store), first);
		assert_eq!(fixture.store.digests(), blocks);
	}

	#[test]
	fn a_changed_length_is_noticed() {
		let fixture = Fixture::new(1_000);
		let code = Code::new(2, 4).unwrap();
		let metadata = Metadata::default();
		let error = encode_into(
			&fixture.store,
			&fixture.content[..999],
			1_000,
			&fixture.key,
			code,
			&metadata,
			&fixture.bar,
		)
		.unwrap_err();
		assert!(matches!(
			error,
			TransferError::Encode(EncodeError::LengthChanged {
				expected: 1_000,
				found: 999
			})
		));
	}

	#[test]
	fn a_block_that_is_damaged_later_is_missing_afterwards() {
		let fixture = Fixture::new(600_000);
		let manifest = fixture.encode(&fixture.store);
		let root = fixture
			.store
			.get(&shard_cid(manifest.shards()[1].cid))
			.unwrap()
			.unwrap();
		let leaf = opensand_slices::decode_node(&root).unwrap().links[0].cid;
		let bytes = fixture.store.get(&leaf).unwrap().unwrap();
		let path = fixture.directory.path().join("store/pack");
		let mut pack = std::fs::read(&path).unwrap();
		let at = pack
			.windows(64)
			.position(|window| *window == bytes[..64])
			.unwrap();
		pack[at] ^= 1;
		std::fs::write(&path, pack).unwrap();

		let restorable = fixture.restorable(&fixture.store, &manifest, &fixture.key, &[1, 2]);
		let error = restorable.restore(io::sink(), &fixture.bar).unwrap_err();
		assert!(
			error.is_damage() && error.remedy().unwrap().contains("again"),
			"{error}"
		);
		assert!(!fixture.store.has(&leaf).unwrap(), "so that it is fetched again");
		let others = fixture.restore(&fixture.store, &manifest, &fixture.key, &[0, 3]);
		assert_eq!(others, fixture.content);
	}

	#[test]
	fn a_new_key_changes_every_block_and_not_the_content() {
		let fixture = Fixture::new(700_000);
		let old = fixture.encode(&fixture.store);
		let directory = tempfile::tempdir().unwrap();
		let target = store(&directory, "rotated");
		let key = FileKey::generate();
		let restorable = fixture.restorable(&fixture.store, &old, &fixture.key, &[1, 2]);
		let new = restorable
			.reencode(&target, &key, &Metadata::default(), &fixture.bar)
			.unwrap();
		assert_ne!(new.digest(), old.digest());
		assert_eq!(fixture.restore(&target, &new, &key, &[0, 3]), fixture.content);
		assert!(target.digests().is_disjoint(&fixture.store.digests()));

		let wrong = fixture.restorable(&fixture.store, &old, &key, &[1, 2]);
		let error = wrong.reencode(&target, &key, &Metadata::default(), &fixture.bar);
		assert!(matches!(
			error,
			Err(TransferError::Decode(DecodeError::Metadata(_)))
		));
	}

	#[test]
	fn nothing_but_the_orders_blocks_is_served() {
		let fixture = Fixture::new(600_000);
		let manifest = fixture.encode(&fixture.store);
		let foreign = opensand_blocks::Codec::Raw.cid(b"left over from an attempt with another key");
		fixture
			.store
			.put(&foreign, b"left over from an attempt with another key")
			.unwrap();
		let served = Served::new(fixture.store.clone(), &manifest).unwrap();
		assert!(served.get(&foreign).is_none() && !served.has(&foreign));
		assert_eq!(served.get(&manifest.cid()).unwrap(), manifest.to_bytes());

		let root = shard_cid(manifest.shards()[3].cid);
		let bytes = served.get(&root).unwrap().len() as u64;
		served.get(&root).unwrap();
		assert_eq!((served.sent(3), served.sent(0)), (bytes, 0));
	}

	#[test]
	fn a_missing_block_is_found_before_anything_is_served() {
		let fixture = Fixture::new(600_000);
		let manifest = fixture.encode(&fixture.store);
		let root = fixture
			.store
			.get(&shard_cid(manifest.shards()[0].cid))
			.unwrap()
			.unwrap();
		let leaf = opensand_slices::decode_node(&root).unwrap().links[0].cid;
		fixture.store.remove(leaf.hash().digest().try_into().unwrap());
		let Err(error) = Served::new(fixture.store.clone(), &manifest) else {
			panic!("it is complete")
		};
		assert!(error.remedy().unwrap().contains("--discard"));
	}
}
