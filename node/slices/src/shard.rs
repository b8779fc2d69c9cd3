//! One shard: its blocks and its commitment, made in one pass, and checked.

use opensand_storage_proof::SegmentTree;
use thiserror::Error;

use crate::{
	block::{self, BlockError, BlockFetcher, BlockSink},
	code::{GRAIN_BYTES, SEGMENT_BYTES},
	commitment::Segments,
	dag::{Link, ShardError, ShardReader, TreeWriter, LEAF_BLOCK_BYTES},
	manifest::ShardCommitment,
};

/// Cuts a shard into blocks and commits to it as its bytes come.
pub(crate) struct ShardWriter<S> {
	sink: S,
	tree: TreeWriter,
	roots: Segments<[u8; 32]>,
	/// The beginning of a leaf whose rest has not come yet.
	leaf: Vec<u8>,
}

impl<S: BlockSink> ShardWriter<S> {
	pub(crate) fn new(sink: S) -> Self {
		Self {
			sink,
			tree: TreeWriter::default(),
			roots: Segments::roots(),
			leaf: Vec::new(),
		}
	}

	/// Takes the next bytes of the shard. Whole leaves are not copied.
	pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), BlockError> {
		let mut rest = bytes;
		if !self.leaf.is_empty() {
			let (now, later) = rest.split_at(rest.len().min(LEAF_BLOCK_BYTES - self.leaf.len()));
			self.leaf.extend_from_slice(now);
			rest = later;
			if self.leaf.len() < LEAF_BLOCK_BYTES {
				return Ok(());
			}
			let mut leaf = std::mem::take(&mut self.leaf);
			self.put_leaf(&leaf)?;
			leaf.clear();
			self.leaf = leaf;
		}
		while let Some((leaf, later)) = rest.split_at_checked(LEAF_BLOCK_BYTES) {
			self.put_leaf(leaf)?;
			rest = later;
		}
		self.leaf.extend_from_slice(rest);
		Ok(())
	}

	/// Ends the shard, whose length must be a multiple of 256.
	pub(crate) fn finish(mut self) -> Result<ShardCommitment, BlockError> {
		if !self.leaf.is_empty() {
			let leaf = std::mem::take(&mut self.leaf);
			self.put_leaf(&leaf)?;
		}
		let root = self.tree.finish(&mut self.sink)?;
		Ok(ShardCommitment {
			cid: block::digest_in(&root),
			segments: self.roots.finish(),
		})
	}

	/// Hashes a leaf for both trees while it is in the processor's cache.
	fn put_leaf(&mut self, leaf: &[u8]) -> Result<(), BlockError> {
		self.roots.update(leaf);
		let cid = block::raw_cid(block::digest(leaf));
		self.sink.put(&cid, leaf)?;
		let link = Link {
			cid,
			file_bytes: leaf.len() as u64,
			total_bytes: leaf.len() as u64,
		};
		self.tree.push_leaf(link, &mut self.sink)
	}
}

/// Why a shard is not what was committed to.
#[derive(Debug, Error)]
pub enum VerifyError {
	/// It cannot be read: fetch it from elsewhere.
	#[error(transparent)]
	Shard(#[from] ShardError),
	/// Its blocks are those that its CID names, but a segment has another root than the one committed to, so that nobody
	/// can prove to hold it: refuse the order.
	#[error("segment {0} has another root than the one committed to; refuse the shard")]
	Segment(usize),
	/// There are roots for more or fewer segments than the shard has, or no shard has this length: refuse the order.
	#[error(
		"{committed} segments are committed to, and a shard of this length has {segments}; refuse the shard"
	)]
	SegmentCount {
		/// Roots committed to.
		committed: usize,
		/// Segments of the shard.
		segments: usize,
	},
}

/// Checks that a shard of `shard_bytes` bytes, a positive multiple of 256, is to be had and is what `commitment` says:
/// what a provider does before it proves. Returns the tree of each segment.
pub fn verify_shard(
	fetcher: impl BlockFetcher,
	commitment: &ShardCommitment,
	shard_bytes: u64,
) -> Result<Vec<SegmentTree>, VerifyError> {
	let segments = shard_bytes.div_ceil(SEGMENT_BYTES) as usize;
	let is_whole = shard_bytes > 0 && shard_bytes.is_multiple_of(GRAIN_BYTES as u64);
	if commitment.segments.len() != segments || !is_whole {
		return Err(VerifyError::SegmentCount {
			committed: commitment.segments.len(),
			segments,
		});
	}
	let mut reader = ShardReader::new(fetcher, block::shard_cid(commitment.cid), shard_bytes);
	let mut trees = Segments::trees();
	let mut leaf = vec![0; LEAF_BLOCK_BYTES];
	let mut offset = 0;
	while offset < shard_bytes {
		let length = (shard_bytes - offset).min(LEAF_BLOCK_BYTES as u64) as usize;
		reader.read_at(offset, &mut leaf[..length])?;
		trees.update(&leaf[..length]);
		offset += length as u64;
	}
	let trees = trees.finish();
	match trees
		.iter()
		.zip(&commitment.segments)
		.position(|(tree, committed)| tree.root() != committed)
	{
		Some(segment) => Err(VerifyError::Segment(segment)),
		None => Ok(trees),
	}
}
