//! Reads a shard, each block checked against its CID and each node against the shape that the shard's length fixes.

use cid::Cid;
use thiserror::Error;

use super::{
	capacity,
	node::{decode_node, Link, NodeError},
	root_height, LEAF_BLOCK_BYTES, MAX_NODE_BYTES,
};
use crate::block::{self, BlockError, BlockFetcher, RAW_CODEC, UNIXFS_CODEC};

/// Why a shard could not be read. The remedy is always another source for the shard, or another shard.
#[derive(Debug, Error)]
pub enum ShardError {
	/// The source does not have the block.
	#[error("block {0} is missing")]
	Missing(Cid),
	/// The source failed.
	#[error("block {cid} could not be fetched: {source}")]
	Fetch {
		/// The block.
		cid: Cid,
		/// What the source says.
		source: BlockError,
	},
	/// The source gave other bytes than the CID names.
	#[error("what was given for block {0} is not that block")]
	Corrupt(Cid),
	/// An inner node cannot be decoded. Whoever made the shard made it wrongly: no source can help.
	#[error("block {cid} is no inner node of a shard: {error}")]
	Node {
		/// The block.
		cid: Cid,
		/// Why.
		error: NodeError,
	},
	/// A node or leaf does not fit into a shard of this length. Whoever made the shard made it wrongly.
	#[error("block {0} does not fit into a shard of this length")]
	Shape(Cid),
	/// The range that was asked for ends beyond the shard.
	#[error("the range ends at byte {end}, and the shard has {bytes}")]
	OutOfRange {
		/// End of the range.
		end: u64,
		/// Bytes of the shard.
		bytes: u64,
	},
}

/// Reads ranges of one shard; consecutive ones cost no block twice.
pub struct ShardReader<F> {
	fetcher: F,
	root: Cid,
	bytes: u64,
	height: u32,
	/// The nodes from the root to the leaf that was read last.
	path: Vec<PathNode>,
	leaf: Vec<u8>,
	/// Where `leaf` begins in the shard, once there is one.
	leaf_start: Option<u64>,
}

struct PathNode {
	cid: Cid,
	/// Where it begins in the shard.
	start: u64,
	links: Vec<Link>,
}

impl<F: BlockFetcher> ShardReader<F> {
	/// A reader of the shard with this root block and `bytes` bytes.
	///
	/// Memory stays below 1 MiB besides what the fetcher keeps, whatever the blocks hold.
	pub fn new(fetcher: F, root: Cid, bytes: u64) -> Self {
		Self {
			fetcher,
			root,
			bytes,
			height: root_height(bytes),
			path: Vec::new(),
			leaf: Vec::new(),
			leaf_start: None,
		}
	}

	/// Fills `out` from byte `offset` of the shard on.
	pub fn read_at(&mut self, offset: u64, out: &mut [u8]) -> Result<(), ShardError> {
		let end = offset.saturating_add(out.len() as u64);
		if end > self.bytes {
			return Err(ShardError::OutOfRange {
				end,
				bytes: self.bytes,
			});
		}
		let (mut offset, mut out) = (offset, out);
		while !out.is_empty() {
			let within = (offset % LEAF_BLOCK_BYTES as u64) as usize;
			self.load_leaf(offset - within as u64)?;
			let length = out.len().min(self.leaf.len() - within);
			let (now, later) = out.split_at_mut(length);
			now.copy_from_slice(&self.leaf[within..within + length]);
			offset += length as u64;
			out = later;
		}
		Ok(())
	}

	/// Calls `visit` with the CID of every block of the shard, each node before its children. Leaves are not fetched.
	pub fn visit_blocks(&mut self, mut visit: impl FnMut(&Cid)) -> Result<(), ShardError> {
		self.path.clear();
		let mut start = 0;
		loop {
			let known = self.descend(start)?;
			for node in &self.path[known..] {
				visit(&node.cid);
			}
			if let Some(lowest) = self.path.last() {
				lowest.links.iter().for_each(|link| visit(&link.cid));
			}
			start += capacity(1);
			if start >= self.bytes {
				return Ok(());
			}
		}
	}

	/// Brings the leaf that begins at `start` into `self.leaf`.
	fn load_leaf(&mut self, start: u64) -> Result<(), ShardError> {
		if self.leaf_start == Some(start) {
			return Ok(());
		}
		self.descend(start)?;
		let link = self
			.path
			.last()
			.and_then(|node| {
				node.links
					.get(((start - node.start) / LEAF_BLOCK_BYTES as u64) as usize)
			})
			.copied()
			.ok_or(ShardError::Shape(self.root))?;
		self.leaf_start = None;
		self.leaf = self.fetch(&link.cid, link.file_bytes as usize)?;
		if self.leaf.len() as u64 != link.file_bytes {
			return Err(ShardError::Shape(link.cid));
		}
		self.leaf_start = Some(start);
		Ok(())
	}

	/// Makes `self.path` lead to the leaf that begins at `start`. Returns how many of its nodes were there already.
	fn descend(&mut self, start: u64) -> Result<usize, ShardError> {
		let mut known = self.path.len();
		let mut expected = Link {
			cid: self.root,
			file_bytes: self.bytes,
			total_bytes: 0,
		};
		let mut node_start = 0;
		for depth in 0..self.height {
			let index = depth as usize;
			let height = self.height - depth;
			let child_capacity = capacity(height - 1);
			let child = ((start - node_start) / child_capacity) as usize;
			if self.path.get(index).is_none_or(|node| node.start != node_start) {
				known = known.min(index);
				self.path.truncate(index);
				let links = self.fetch_node(&expected, height, depth == 0)?;
				let upcoming: Vec<Cid> = links.iter().skip(child).map(|link| link.cid).collect();
				self.fetcher.prefetch(&upcoming);
				self.path.push(PathNode {
					cid: expected.cid,
					start: node_start,
					links,
				});
			}
			expected = *self.path[index]
				.links
				.get(child)
				.ok_or(ShardError::Shape(expected.cid))?;
			node_start += child as u64 * child_capacity;
		}
		Ok(known)
	}

	/// The links of the node that `expected` names, which must have the shape of a node at `height`.
	fn fetch_node(&mut self, expected: &Link, height: u32, is_root: bool) -> Result<Vec<Link>, ShardError> {
		let cid = expected.cid;
		let bytes = self.fetch(&cid, MAX_NODE_BYTES)?;
		let node = decode_node(&bytes).map_err(|error| ShardError::Node { cid, error })?;

		let (child_codec, child_capacity) = match height {
			1 => (RAW_CODEC, LEAF_BLOCK_BYTES as u64),
			_ => (UNIXFS_CODEC, capacity(height - 1)),
		};
		let mut left = expected.file_bytes;
		let mut total = bytes.len() as u64;
		for link in &node.links {
			let fits = link.cid.codec() == child_codec
				&& link.file_bytes == left.min(child_capacity)
				&& link.file_bytes > 0
				&& (height > 1 || link.total_bytes == link.file_bytes);
			if !fits {
				return Err(ShardError::Shape(cid));
			}
			left -= link.file_bytes;
			total = total.saturating_add(link.total_bytes);
		}
		if left != 0 || !(is_root || total == expected.total_bytes) {
			return Err(ShardError::Shape(cid));
		}
		Ok(node.links)
	}

	/// The block with this CID, which has at most `limit` bytes.
	fn fetch(&mut self, cid: &Cid, limit: usize) -> Result<Vec<u8>, ShardError> {
		let bytes = self
			.fetcher
			.get(cid)
			.map_err(|source| ShardError::Fetch { cid: *cid, source })?
			.ok_or(ShardError::Missing(*cid))?;
		if bytes.len() > limit || block::digest(&bytes) != block::digest_in(cid) {
			return Err(ShardError::Corrupt(*cid));
		}
		Ok(bytes)
	}
}
