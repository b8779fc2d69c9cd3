//! The segment roots of a shard: the one place that knows the possession proofs' commitment.

use opensand_storage_proof::SegmentCommitter;

/// Commits to a shard as its bytes come.
pub(crate) struct SegmentRoots {
	committer: SegmentCommitter,
	roots: Vec<[u8; 32]>,
}

impl SegmentRoots {
	pub(crate) fn new() -> Self {
		Self {
			committer: SegmentCommitter::new(),
			roots: Vec::new(),
		}
	}

	/// Takes the next bytes of the shard.
	pub(crate) fn update(&mut self, bytes: &[u8]) {
		let roots = &mut self.roots;
		self.committer.update(bytes, |tree| roots.push(*tree.root()));
	}

	/// The roots of all segments. The shard's length must be a multiple of 256, as [`crate::Layout`] makes it.
	pub(crate) fn finish(mut self) -> Vec<[u8; 32]> {
		let last = self
			.committer
			.finish()
			.expect("a layout's shards are whole leaves; qed");
		self.roots.extend(last.map(|tree| *tree.root()));
		self.roots
	}
}
