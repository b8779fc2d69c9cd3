//! The segments of a shard: the one place that knows the possession proofs' commitment.

use opensand_storage_proof::{SegmentCommitter, SegmentTree};

/// Commits to a shard as its bytes come, and keeps of each segment's tree what is asked for.
pub(crate) struct Segments<T> {
	committer: SegmentCommitter,
	keep: fn(SegmentTree) -> T,
	kept: Vec<T>,
}

impl Segments<[u8; 32]> {
	/// Keeps the roots alone.
	pub(crate) fn roots() -> Self {
		Self::keeping(|tree| *tree.root())
	}
}

impl Segments<SegmentTree> {
	/// Keeps the whole trees.
	pub(crate) fn trees() -> Self {
		Self::keeping(|tree| tree)
	}
}

impl<T> Segments<T> {
	fn keeping(keep: fn(SegmentTree) -> T) -> Self {
		Self {
			committer: SegmentCommitter::new(),
			keep,
			kept: Vec::new(),
		}
	}

	/// Takes the next bytes of the shard.
	pub(crate) fn update(&mut self, bytes: &[u8]) {
		let (keep, kept) = (self.keep, &mut self.kept);
		self.committer.update(bytes, |tree| kept.push(keep(tree)));
	}

	/// What was kept of all segments. The shard's length must be a multiple of 256, as [`crate::Layout`] makes it.
	pub(crate) fn finish(mut self) -> Vec<T> {
		let last = self
			.committer
			.finish()
			.expect("a layout's shards are whole leaves; qed");
		self.kept.extend(last.map(self.keep));
		self.kept
	}
}
