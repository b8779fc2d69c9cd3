//! The part of a segment's tree that is kept, so that proving a leaf does not need the whole segment.

use thiserror::Error;

use super::{many::levels, GROUP_LEAVES, GROUP_LEVELS};
use crate::{
	hash::{self, Hash, Native},
	layout::SEGMENT_LEVELS,
	SEGMENT_LEAVES,
};

const MAGIC: [u8; 4] = *b"OSST";
const VERSION: u8 = 1;

/// Why bytes are not a stored tree. In each case: rebuild it from the segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum TreeError {
	/// It does not begin as a stored tree does.
	#[error("this is not a stored segment tree; rebuild it from the segment")]
	NotATree,
	/// Another version wrote it.
	#[error("version {0} of stored segment trees is unknown; rebuild it from the segment")]
	UnknownVersion(u8),
	/// No segment has so many leaves.
	#[error("a segment cannot have {0} leaves; rebuild the tree from the segment")]
	LeafCount(u32),
	/// Not as long as a tree over so many leaves is.
	#[error("the stored segment tree has another length than its leaves need; rebuild it from the segment")]
	WrongLength,
	/// Its hashes do not lead to its root.
	#[error("the stored segment tree was changed; rebuild it from the segment")]
	Corrupt,
}

/// A segment's root, and its tree's hashes over groups of 64 leaves: 16 KiB for a full segment.
///
/// # Encoding, version 1
///
/// ```text
/// bytes 0..4    "OSST"
/// byte  4       version, 1
/// bytes 5..9    leaves, 1 to 32,768, little endian
/// bytes 9..41   the segment's root
/// bytes 41..    for each 64 leaves, or the rest of them, the top of their tree
/// ```
///
/// The root doubles as the checksum: it binds the hashes and the number of leaves, and decoding recomputes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SegmentTree {
	leaves: u32,
	root: Hash,
	/// From the groups' hashes to the top alone.
	levels: Vec<Vec<Hash>>,
}

impl SegmentTree {
	/// The tree over `leaves` leaves whose groups have these hashes.
	pub(super) fn new(leaves: u32, groups: Vec<Hash>) -> Self {
		let levels = levels(groups, SEGMENT_LEVELS.saturating_sub(GROUP_LEVELS));
		let top = levels.last().and_then(|level| level.first()).unwrap_or(&[0; 32]);
		Self {
			leaves,
			root: hash::root::<Native>(leaves, top),
			levels,
		}
	}

	/// What commits to the segment.
	pub fn root(&self) -> &Hash {
		&self.root
	}

	/// Leaves of the segment.
	pub fn leaves(&self) -> u32 {
		self.leaves
	}

	/// The hash of a subtree: level 0 are the groups.
	pub(super) fn node(&self, level: u32, position: u32) -> Option<&Hash> {
		self.levels.get(level as usize)?.get(position as usize)
	}

	/// Bytes of the encoding of a tree over `leaves` leaves.
	pub fn encoded_len(leaves: u32) -> usize {
		let hashes = leaves.div_ceil(GROUP_LEAVES).saturating_add(1) as usize;
		hashes.saturating_mul(32).saturating_add(9)
	}

	/// Encodes it as described above.
	pub fn to_bytes(&self) -> Vec<u8> {
		let groups = self
			.levels
			.first()
			.map_or(&[][..], |groups| groups.as_flattened());
		[
			&MAGIC[..],
			&[VERSION],
			&self.leaves.to_le_bytes(),
			&self.root,
			groups,
		]
		.concat()
	}

	/// Decodes a tree and checks that its hashes lead to its root. That the root is the expected one is the caller's to
	/// check. Takes no more memory than a segment's tree, whatever the bytes are.
	pub fn from_bytes(bytes: &[u8]) -> Result<Self, TreeError> {
		let rest = bytes.strip_prefix(&MAGIC).ok_or(TreeError::NotATree)?;
		let (version, rest) = rest.split_first().ok_or(TreeError::WrongLength)?;
		if *version != VERSION {
			return Err(TreeError::UnknownVersion(*version));
		}
		let (leaves, rest) = rest.split_first_chunk().ok_or(TreeError::WrongLength)?;
		let leaves = u32::from_le_bytes(*leaves);
		if leaves == 0 || leaves > SEGMENT_LEAVES {
			return Err(TreeError::LeafCount(leaves));
		}
		if bytes.len() != Self::encoded_len(leaves) {
			return Err(TreeError::WrongLength);
		}
		let (root, groups) = rest.split_first_chunk::<32>().ok_or(TreeError::WrongLength)?;
		let tree = Self::new(leaves, groups.as_chunks().0.to_vec());
		if tree.root == *root {
			Ok(tree)
		} else {
			Err(TreeError::Corrupt)
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::SegmentCommitter;

	fn tree(leaves: usize) -> SegmentTree {
		let mut committer = SegmentCommitter::new();
		committer.update(&vec![3; leaves * 256], |_| unreachable!("less than a segment"));
		committer.finish().unwrap().unwrap()
	}

	#[test]
	fn trees_are_stored_and_read() {
		for leaves in [1, 64, 65, 1000] {
			let tree = tree(leaves);
			assert_eq!(tree.leaves() as usize, leaves);
			let bytes = tree.to_bytes();
			assert_eq!(bytes.len(), SegmentTree::encoded_len(tree.leaves()));
			assert_eq!(SegmentTree::from_bytes(&bytes), Ok(tree));
		}
	}

	#[test]
	fn every_flipped_bit_is_noticed() {
		let bytes = tree(150).to_bytes();
		for bit in 0..bytes.len() * 8 {
			let mut changed = bytes.clone();
			changed[bit / 8] ^= 1 << (bit % 8);
			let error = SegmentTree::from_bytes(&changed).unwrap_err();
			match bit / 8 {
				0..4 => assert_eq!(error, TreeError::NotATree),
				4 => assert_eq!(error, TreeError::UnknownVersion(changed[4])),
				5..9 => assert!(
					matches!(
						error,
						TreeError::LeafCount(_) | TreeError::WrongLength | TreeError::Corrupt
					),
					"bit {bit}: {error}"
				),
				_ => assert_eq!(error, TreeError::Corrupt, "bit {bit}"),
			}
		}
	}

	#[test]
	fn every_other_length_is_noticed() {
		let bytes = tree(150).to_bytes();
		for length in 0..bytes.len() {
			let expected = if length < 4 {
				TreeError::NotATree
			} else {
				TreeError::WrongLength
			};
			assert_eq!(
				SegmentTree::from_bytes(&bytes[..length]),
				Err(expected),
				"{length} bytes"
			);
		}
		let longer = [&bytes[..], &[0]].concat();
		assert_eq!(SegmentTree::from_bytes(&longer), Err(TreeError::WrongLength));
	}
}
