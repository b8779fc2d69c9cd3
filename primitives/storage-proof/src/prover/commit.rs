//! Commitment to a stream of bytes.

use thiserror::Error;

use super::{
	many::{hash_each, hash_level},
	tree::SegmentTree,
	GROUP_BYTES, GROUP_LEVELS,
};
use crate::{hash::Hash, LEAF_BYTES, SEGMENT_LEAVES};

/// Bytes that are hashed at a time: enough that each level up to the groups' fills the widest vectors. Segments are
/// made of whole batches.
const BATCH_BYTES: usize = 8 * GROUP_BYTES as usize;

/// Why a stream cannot be committed to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum CommitError {
	/// Pad the data to a multiple of [`LEAF_BYTES`].
	#[error("the data end {0} bytes into a leaf; pad them to a multiple of {LEAF_BYTES} bytes")]
	PartialLeaf(usize),
}

/// Commits to a shard as it streams by, in about 170 KiB of memory.
#[derive(Clone, Default)]
pub struct SegmentCommitter {
	/// Less than a batch of bytes that were not hashed yet.
	rest: Vec<u8>,
	/// Leaves of the segment that were hashed.
	leaves: u32,
	/// The hashes of its groups.
	groups: Vec<Hash>,
	/// The level that was hashed last, and the one above it.
	level: Vec<Hash>,
	above: Vec<Hash>,
}

impl SegmentCommitter {
	/// A committer at the start of a shard.
	pub fn new() -> Self {
		Self::default()
	}

	/// Takes the next bytes, as many as there are, and gives the tree of each segment that they complete.
	pub fn update(&mut self, bytes: &[u8], mut completed: impl FnMut(SegmentTree)) {
		let mut bytes = bytes;
		if !self.rest.is_empty() {
			let missing = BATCH_BYTES.saturating_sub(self.rest.len());
			let (head, tail) = bytes.split_at_checked(missing).unwrap_or((bytes, &[]));
			self.rest.extend_from_slice(head);
			if self.rest.len() < BATCH_BYTES {
				return;
			}
			let mut batch = core::mem::take(&mut self.rest);
			self.absorb(&batch);
			self.complete(&mut completed);
			batch.clear();
			self.rest = batch;
			bytes = tail;
		}
		let (batches, rest) = bytes.as_chunks::<BATCH_BYTES>();
		for batch in batches {
			self.absorb(batch);
			self.complete(&mut completed);
		}
		self.rest.extend_from_slice(rest);
	}

	/// Ends the shard. Gives the tree of its last segment, unless that was a full one, which [`Self::update`] gave.
	pub fn finish(mut self) -> Result<Option<SegmentTree>, CommitError> {
		let (_, partial) = self.rest.as_chunks::<{ LEAF_BYTES as usize }>();
		if !partial.is_empty() {
			return Err(CommitError::PartialLeaf(partial.len()));
		}
		let rest = core::mem::take(&mut self.rest);
		self.absorb(&rest);
		Ok((self.leaves > 0).then(|| self.take()))
	}

	/// Hashes whole leaves, at most a batch of them, up to the hashes of their groups.
	fn absorb(&mut self, bytes: &[u8]) {
		let (leaves, _) = bytes.as_chunks::<{ LEAF_BYTES as usize }>();
		self.leaves = self.leaves.saturating_add(leaves.len() as u32);
		self.level.clear();
		hash_each(leaves, &mut self.level);
		for _ in 0..GROUP_LEVELS {
			self.above.clear();
			hash_level(&self.level, &mut self.above);
			core::mem::swap(&mut self.level, &mut self.above);
		}
		self.groups.append(&mut self.level);
	}

	/// Gives the segment under way if it is full.
	fn complete(&mut self, completed: &mut impl FnMut(SegmentTree)) {
		if self.leaves == SEGMENT_LEAVES {
			completed(self.take());
		}
	}

	/// The tree of the segment under way, after which the next one begins.
	fn take(&mut self) -> SegmentTree {
		SegmentTree::new(
			core::mem::take(&mut self.leaves),
			core::mem::take(&mut self.groups),
		)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::SEGMENT_BYTES;

	/// Roots of `bytes`, fed in chunks of `chunk` bytes.
	fn roots(bytes: &[u8], chunk: usize) -> Vec<Hash> {
		let mut roots = Vec::new();
		let mut committer = SegmentCommitter::new();
		for chunk in bytes.chunks(chunk) {
			committer.update(chunk, |tree| roots.push(*tree.root()));
		}
		roots.extend(committer.finish().unwrap().map(|tree| *tree.root()));
		roots
	}

	#[test]
	fn segments_end_where_they_should() {
		let bytes: Vec<u8> = (0..2 * SEGMENT_BYTES + 512)
			.map(|byte| (byte / 256) as u8)
			.collect();
		let whole = roots(&bytes, bytes.len());
		assert_eq!(whole.len(), 3);
		assert_eq!(roots(&bytes[..2 * SEGMENT_BYTES as usize], 1 << 20), whole[..2]);
		assert_eq!(roots(&bytes[2 * SEGMENT_BYTES as usize..], 256), whole[2..]);
		for chunk in [
			4097,
			BATCH_BYTES - 1,
			BATCH_BYTES,
			BATCH_BYTES + 1,
			SEGMENT_BYTES as usize,
		] {
			assert_eq!(roots(&bytes, chunk), whole, "{chunk}");
		}
	}

	#[test]
	fn data_end_with_a_leaf() {
		let mut committer = SegmentCommitter::new();
		committer.update(&[0; 300], |_| unreachable!("less than a segment"));
		assert_eq!(committer.finish(), Err(CommitError::PartialLeaf(44)));
		assert_eq!(SegmentCommitter::new().finish(), Ok(None));
	}
}
