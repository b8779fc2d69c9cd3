//! Segments in memory, and the naive verifier.

pub mod naive;

use opensand_storage_proof::{Claim, SegmentCommitter, SegmentSource, SegmentTree};
use rand::RngCore;
use rand_chacha::{rand_core::SeedableRng, ChaCha8Rng};
use std::io;

/// A segment with its tree.
#[derive(Clone)]
pub struct Segment {
	pub bytes: Vec<u8>,
	pub tree: SegmentTree,
}

impl Segment {
	/// A segment of random leaves.
	pub fn random(seed: u64, leaves: u32) -> Self {
		let mut bytes = vec![0; leaves as usize * 256];
		ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
		Self::of(bytes)
	}

	/// The segment with these bytes.
	pub fn of(bytes: Vec<u8>) -> Self {
		let mut full = None;
		let mut committer = SegmentCommitter::new();
		committer.update(&bytes, |tree| full = Some(tree));
		let last = committer.finish().unwrap();
		let tree = full.or(last).unwrap();
		Self { bytes, tree }
	}

	pub fn claim(&self, index: u32) -> Claim {
		Claim {
			root: *self.tree.root(),
			leaves: self.tree.leaves(),
			index,
		}
	}
}

/// Where stored trees come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trees {
	Stored,
	Missing,
}

/// The segment of each claim, in memory.
pub struct Memory<'a> {
	pub segments: Vec<&'a Segment>,
	pub trees: Trees,
	/// Claims whose trees were rebuilt.
	pub kept: Vec<usize>,
}

impl<'a> Memory<'a> {
	pub fn new(segments: Vec<&'a Segment>, trees: Trees) -> Self {
		Self {
			segments,
			trees,
			kept: Vec::new(),
		}
	}
}

impl SegmentSource for Memory<'_> {
	fn read(&mut self, claim: usize, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
		let bytes = self.segments[claim]
			.bytes
			.get(offset as usize..)
			.unwrap_or_default();
		let bytes = bytes.get(..buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
		buffer.copy_from_slice(bytes);
		Ok(())
	}

	fn tree(&mut self, claim: usize) -> Option<Vec<u8>> {
		(self.trees == Trees::Stored).then(|| self.segments[claim].tree.to_bytes())
	}

	fn keep(&mut self, claim: usize, tree: &SegmentTree) {
		assert_eq!(*tree, self.segments[claim].tree);
		self.kept.push(claim);
	}
}
