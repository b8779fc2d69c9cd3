//! What a window's answer takes a provider as the node's service makes it: from its block store, where each leaf lies in a
//! block of 256 KiB, every block on the way to it checked against its CID.

use std::{
	fs::{self, File},
	io::{self, Read},
	os::unix::fs::FileExt,
	path::Path,
	time::{Duration, Instant},
};

use anyhow::{Context, Result};
use cid::Cid;
use opensand_blocks::BlockStore;
use opensand_slices::{
	encode, shard_cid, BlockError, BlockFetcher, BlockSink, Code, FileKey, Metadata, ShardReader,
};
use opensand_storage_proof::{
	draw, prove, verify, Claim, Native, SegmentCommitter, SegmentSource, SegmentTree, ShardLayout,
	SEGMENT_BYTES, SEGMENT_LEAVES,
};

use crate::possession::{forget, median, samples};

/// Bytes of the file, of which a shard has about half.
const FILE_BYTES: u64 = 512 << 20;
/// Bytes that are read at a time to commit to the shard.
const READ_BYTES: usize = 1 << 20;

/// A window's answer from a block store.
pub struct Answer {
	/// Bytes of the shard that is held.
	pub held: u64,
	/// With what is read in memory.
	pub warm: Duration,
	/// With nothing of it in memory.
	pub cold: Duration,
}

/// Measures it.
///
/// # Errors
/// When the disk or a proof fails.
pub fn measure() -> Result<Answer> {
	let directory = tempfile::tempdir()?;
	let store = BlockStore::open(directory.path(), u64::MAX)?;
	let mut sinks = [Sink::Store(&store), Sink::Forget, Sink::Forget];
	let manifest = encode(
		io::repeat(0xa5).take(FILE_BYTES),
		Some(FILE_BYTES),
		&FileKey::generate(),
		Code::new(2, 3)?,
		&Metadata::default(),
		&mut sinks,
	)?;
	let shard = manifest.shards().first().context("a shard")?;
	let bytes = manifest.shard_bytes();
	let held = Held {
		store: &store,
		root: shard_cid(shard.cid),
		layout: ShardLayout::of(bytes).context("a multiple of a leaf")?,
		bytes,
		levels: levels(&store, shard_cid(shard.cid), bytes, directory.path())?,
		roots: shard.segments.to_vec(),
	};
	Ok(Answer {
		held: bytes,
		warm: median(|| held.timed())?,
		cold: median(|| {
			forget_all(directory.path())?;
			held.timed()
		})?,
	})
}

/// Takes blocks or forgets them.
enum Sink<'a> {
	Store(&'a BlockStore),
	Forget,
}

impl BlockSink for Sink<'_> {
	fn put(&mut self, cid: &Cid, bytes: &[u8]) -> Result<(), BlockError> {
		match self {
			Self::Store(store) => Ok(store.put(cid, bytes)?),
			Self::Forget => Ok(()),
		}
	}
}

/// Gives the blocks of the store.
struct Blocks<'a>(&'a BlockStore);

impl BlockFetcher for Blocks<'_> {
	fn get(&mut self, cid: &Cid) -> Result<Option<Vec<u8>>, BlockError> {
		Ok(self.0.get(cid)?)
	}
}

/// A shard in the store.
struct Held<'a> {
	store: &'a BlockStore,
	root: Cid,
	layout: ShardLayout,
	bytes: u64,
	/// The stored trees of its segments, one after the other.
	levels: File,
	roots: Vec<[u8; 32]>,
}

impl Held<'_> {
	/// How long an answer takes, which is verified before it is sent.
	fn timed(&self) -> Result<Duration> {
		let start = Instant::now();
		let drawn = (0..samples())
			.map(|sample| {
				let leaf = draw::<Native>(&[1; 32], &[2; 32], sample, self.layout.leaves());
				self.layout.locate(leaf).context("draws are in range")
			})
			.collect::<Result<Vec<_>>>()?;
		let claims = drawn
			.iter()
			.map(|(segment, index)| {
				Ok(Claim {
					root: *self.roots.get(*segment as usize).context("a root")?,
					leaves: self.layout.segment_leaves(*segment).context("a segment")?,
					index: *index,
				})
			})
			.collect::<Result<Vec<_>>>()?;
		let mut source = Source {
			held: self,
			reader: ShardReader::new(Blocks(self.store), self.root, self.bytes),
			claims: &drawn,
		};
		let proof = prove(&claims, &mut source)?;
		verify::<Native>(&claims, &proof)?;
		Ok(start.elapsed())
	}
}

struct Source<'a> {
	held: &'a Held<'a>,
	reader: ShardReader<Blocks<'a>>,
	claims: &'a [(u32, u32)],
}

impl SegmentSource for Source<'_> {
	fn read(&mut self, claim: usize, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
		let (segment, _) = self.claims[claim];
		let start = u64::from(segment) * u64::from(SEGMENT_BYTES);
		self.reader
			.read_at(start + offset, buffer)
			.map_err(io::Error::other)
	}

	fn tree(&mut self, claim: usize) -> Option<Vec<u8>> {
		let (segment, _) = self.claims[claim];
		let leaves = self.held.layout.segment_leaves(segment)?;
		let mut bytes = vec![0; SegmentTree::encoded_len(leaves)];
		let start = u64::from(segment) * SegmentTree::encoded_len(SEGMENT_LEAVES) as u64;
		self.held.levels.read_exact_at(&mut bytes, start).ok()?;
		Some(bytes)
	}

	fn keep(&mut self, _: usize, _: &SegmentTree) {}
}

/// Writes the trees of a shard's segments.
fn levels(store: &BlockStore, root: Cid, bytes: u64, directory: &Path) -> Result<File> {
	let mut reader = ShardReader::new(Blocks(store), root, bytes);
	let mut committer = SegmentCommitter::new();
	let mut trees = Vec::new();
	let mut buffer = vec![0; READ_BYTES];
	let mut offset = 0;
	while offset < bytes {
		let length = usize::try_from(bytes - offset).map_or(READ_BYTES, |left| left.min(READ_BYTES));
		reader.read_at(offset, &mut buffer[..length])?;
		committer.update(&buffer[..length], |tree| trees.extend(tree.to_bytes()));
		offset += length as u64;
	}
	if let Some(last) = committer.finish()? {
		trees.extend(last.to_bytes());
	}
	let path = directory.join("levels");
	fs::write(&path, trees)?;
	let file = File::open(path)?;
	file.sync_all()?;
	Ok(file)
}

/// Takes the files below a directory out of memory.
fn forget_all(directory: &Path) -> Result<()> {
	for entry in fs::read_dir(directory)? {
		let path = entry?.path();
		if path.is_dir() {
			forget_all(&path)?;
		} else {
			forget(&File::open(path)?)?;
		}
	}
	Ok(())
}
