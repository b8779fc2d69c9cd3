//! How the columns of a constraint system are divided.

use std::ops::Range;

/// The lengths of the segments of z, in the order in which they follow each other:
/// z = (1, public inputs | committed | weights | rest). Every private variable is in exactly one segment, and each segment
/// has a trapdoor of its own in the key (`zk/PROTOCOL.md`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segments {
	/// The constant one and the public inputs.
	pub public: usize,
	/// Private variables that are committed to in the proof, before the challenge is drawn.
	pub committed: usize,
	/// Private variables that are committed to once, when a model is registered: its weights.
	pub weights: usize,
	/// All other private variables.
	pub rest: usize,
}

impl Segments {
	/// The length of z.
	pub fn variables(&self) -> usize {
		self.public + self.private()
	}

	/// The number of private variables.
	pub fn private(&self) -> usize {
		self.committed + self.weights + self.rest
	}

	/// The columns of the committed segment.
	pub fn committed_columns(&self) -> Range<usize> {
		self.public..self.public + self.committed
	}

	/// The columns of the weights' segment.
	pub fn weight_columns(&self) -> Range<usize> {
		let start = self.committed_columns().end;
		start..start + self.weights
	}

	/// The columns of the rest.
	pub fn rest_columns(&self) -> Range<usize> {
		let start = self.weight_columns().end;
		start..start + self.rest
	}
}
