//! What the fuzz targets do with arbitrary bytes. `tests/corpus.rs` runs the same on the committed corpora.

use codec::{Decode, Encode};
use opensand_storage_proof::{
	prove, Claim, Native, PossessionError, PossessionProof, PossessionScheme, SegmentCommitter,
	SegmentMerkle, SegmentSource, SegmentTree,
};
use std::io;

/// A proof has one encoding, alone and at the head of other bytes.
pub fn possession_proof(bytes: &[u8]) {
	let whole = PossessionProof::from_bytes(bytes);
	let mut rest = bytes;
	match PossessionProof::decode(&mut rest) {
		Ok(proof) => {
			assert_eq!(proof.encode(), &bytes[..bytes.len() - rest.len()]);
			assert_eq!(whole.is_ok(), rest.is_empty());
		}
		Err(_) => assert_eq!(whole, Err(PossessionError::Undecodable)),
	}
}

/// A stored tree has one encoding.
pub fn segment_tree(bytes: &[u8]) {
	if let Ok(tree) = SegmentTree::from_bytes(bytes) {
		assert_eq!(tree.to_bytes(), bytes);
	}
}

/// Of all bytes, only the prover's answer verifies. The first byte is the number of leaves of a segment, the second that
/// of the claims, whose leaves the next bytes are; the proof follows.
pub fn possession(bytes: &[u8]) {
	let Some(([leaves, count], rest)) = bytes.split_first_chunk::<2>() else {
		return;
	};
	let Some((indices, proof)) = rest.split_at_checked(usize::from(*count)) else {
		return;
	};
	let mut segment = Segment {
		leaves: (0..=*leaves).flat_map(|leaf| [leaf; 256]).collect(),
	};
	let tree = segment.committed();
	let claims: Vec<_> = indices
		.iter()
		.map(|index| Claim {
			root: *tree.root(),
			leaves: tree.leaves(),
			index: u32::from(*index),
		})
		.collect();
	let verified = SegmentMerkle::<Native>::verify(&claims, proof);
	let expected = prove(&claims, &mut segment).map(|proof| proof.encode());
	assert_eq!(verified.is_ok(), expected.is_ok_and(|expected| expected == proof));
}

/// A segment of at most 256 leaves, without a stored tree.
struct Segment {
	leaves: Vec<u8>,
}

impl Segment {
	fn committed(&self) -> SegmentTree {
		let mut committer = SegmentCommitter::new();
		committer.update(&self.leaves, |_| {
			unreachable!("256 leaves are less than a segment")
		});
		committer
			.finish()
			.ok()
			.flatten()
			.expect("there is at least one leaf, and none is partial")
	}
}

impl SegmentSource for Segment {
	fn read(&mut self, _: usize, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
		let bytes = self.leaves.get(offset as usize..).unwrap_or_default();
		buffer.copy_from_slice(bytes.get(..buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
		Ok(())
	}

	fn tree(&mut self, _: usize) -> Option<Vec<u8>> {
		None
	}

	fn keep(&mut self, _: usize, tree: &SegmentTree) {
		assert_eq!(*tree, self.committed());
	}
}
