//! Proving.

use std::{
	collections::{btree_map::Entry, BTreeMap},
	io,
};

use thiserror::Error;

use super::{
	many::{hash_each, levels},
	tree::SegmentTree,
	SegmentCommitter, GROUP_BYTES, GROUP_LEAVES, GROUP_LEVELS,
};
use crate::{
	claims::{questions, Claim, Question},
	hash::{self, Hash, Native},
	proof::PossessionProof,
	verify::{climb, PossessionError},
	LEAF_BYTES,
};

/// Bytes that are read at a time when a tree has to be rebuilt.
const READ_BYTES: u32 = 1 << 20;

/// The data that claims are about. A claim is named by its position; claims about one segment are asked after under the
/// first one's.
pub trait SegmentSource {
	/// Fills `buffer` with the segment's bytes from `offset` on.
	fn read(&mut self, claim: usize, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

	/// The segment's stored tree, as [`SegmentTree::to_bytes`] encoded it, if there is one.
	fn tree(&mut self, claim: usize) -> Option<Vec<u8>>;

	/// Stores the segment's tree: there was none, or it was damaged.
	fn keep(&mut self, claim: usize, tree: &SegmentTree);
}

/// Why a proof could not be made.
#[derive(Debug, Error)]
pub enum ProveError {
	/// Nobody could answer these claims.
	#[error("the claims cannot be answered: {0}")]
	Claims(PossessionError),
	/// The segment of a claim cannot be read: fetch or repair it, then prove again.
	#[error("the segment of claim {claim} cannot be read: {source}")]
	Read {
		/// Position of the first claim about the segment.
		claim: usize,
		/// What went wrong.
		source: io::Error,
	},
	/// The segment of a claim is not what was committed to: fetch or repair it, then prove again.
	#[error("the segment of claim {claim} does not match its root; fetch it again or repair it")]
	Damaged {
		/// Position of the first claim about the segment.
		claim: usize,
	},
}

/// Proves possession of the leaves that the claims, in the order in which they were drawn, ask for.
///
/// Of each segment it reads the stored tree, and the 16 KiB around each leaf. Where the stored tree is missing or
/// damaged, it reads the whole segment and hands the rebuilt tree to [`SegmentSource::keep`]. Everything that was read is
/// checked against the roots, so that a proof which is returned is valid.
pub fn prove(claims: &[Claim], source: &mut impl SegmentSource) -> Result<PossessionProof, ProveError> {
	let mut shown = BTreeMap::new();
	let mut nodes = Vec::new();
	for question in questions(claims).map_err(ProveError::Claims)? {
		let tree = match stored_tree(&question, source) {
			Some(tree) => tree,
			None => rebuilt_tree(&question, source)?,
		};
		let damaged = || ProveError::Damaged {
			claim: question.claim,
		};
		let mut groups: BTreeMap<u32, Vec<Vec<Hash>>> = BTreeMap::new();
		let mut known = Vec::with_capacity(question.asked.len());
		let mut group = Group::default();
		for asked in &question.asked {
			let number = asked.index / GROUP_LEAVES;
			// Leaves are in ascending order, so a group that was met before is the one that was read last.
			if let Entry::Vacant(entry) = groups.entry(number) {
				group.read(number, &question, source)?;
				let levels = group.levels();
				let top = levels.last().and_then(|level| level.first());
				if top.is_none() || top != tree.node(0, number) {
					return Err(damaged());
				}
				entry.insert(levels);
			}
			let leaf = group
				.leaves()
				.get((asked.index % GROUP_LEAVES) as usize)
				.ok_or_else(damaged)?;
			shown.insert(asked.place, *leaf);
			known.push((asked.index, <Native as hash::Hasher>::hash(leaf)));
		}
		let top = climb::<Native, _>(known, question.leaves, |level, position| {
			let node = sibling(level, position, &groups, &tree).ok_or_else(damaged)?;
			nodes.push(*node);
			Ok(*node)
		})?;
		if top.map(|top| hash::root::<Native>(question.leaves, &top)) != Some(question.root) {
			return Err(damaged());
		}
	}
	Ok(PossessionProof {
		leaves: shown.into_values().collect(),
		nodes,
	})
}

/// Bytes of up to [`GROUP_LEAVES`] leaves.
#[derive(Default)]
struct Group(Vec<u8>);

impl Group {
	fn read(
		&mut self,
		number: u32,
		question: &Question,
		source: &mut impl SegmentSource,
	) -> Result<(), ProveError> {
		let offset = u64::from(number).saturating_mul(GROUP_BYTES.into());
		let bytes = segment_bytes(question)
			.saturating_sub(offset)
			.min(GROUP_BYTES.into());
		self.0.resize(bytes as usize, 0);
		read(question, source, offset, &mut self.0)
	}

	fn leaves(&self) -> &[[u8; LEAF_BYTES as usize]] {
		self.0.as_chunks().0
	}

	/// The levels of the group's own tree, from the leaves' hashes to its top.
	fn levels(&self) -> Vec<Vec<Hash>> {
		let mut hashes = Vec::with_capacity(self.leaves().len());
		hash_each(self.leaves(), &mut hashes);
		levels(hashes, GROUP_LEVELS)
	}
}

/// A node of the segment's tree: from its group if that is below the stored hashes, else from the stored tree.
fn sibling<'a>(
	level: u32,
	position: u32,
	groups: &'a BTreeMap<u32, Vec<Vec<Hash>>>,
	tree: &'a SegmentTree,
) -> Option<&'a Hash> {
	match GROUP_LEVELS.checked_sub(level) {
		None | Some(0) => tree.node(level.checked_sub(GROUP_LEVELS)?, position),
		Some(below) => {
			// A group has 2^below nodes in this level.
			let number = position.checked_shr(below)?;
			let within = position.checked_sub(number.checked_shl(below)?)?;
			groups.get(&number)?.get(level as usize)?.get(within as usize)
		}
	}
}

fn stored_tree(question: &Question, source: &mut impl SegmentSource) -> Option<SegmentTree> {
	let tree = SegmentTree::from_bytes(&source.tree(question.claim)?).ok()?;
	(*tree.root() == question.root && tree.leaves() == question.leaves).then_some(tree)
}

fn rebuilt_tree(question: &Question, source: &mut impl SegmentSource) -> Result<SegmentTree, ProveError> {
	let damaged = ProveError::Damaged {
		claim: question.claim,
	};
	let mut committer = SegmentCommitter::new();
	let mut tree = None;
	let mut buffer = Vec::new();
	let mut offset = 0u64;
	while offset < segment_bytes(question) {
		let bytes = segment_bytes(question)
			.saturating_sub(offset)
			.min(READ_BYTES.into());
		buffer.resize(bytes as usize, 0);
		read(question, source, offset, &mut buffer)?;
		committer.update(&buffer, |full| tree = Some(full));
		offset = offset.saturating_add(bytes);
	}
	let last = committer.finish().ok().flatten();
	match tree.or(last).filter(|tree| *tree.root() == question.root) {
		Some(tree) => {
			source.keep(question.claim, &tree);
			Ok(tree)
		}
		None => Err(damaged),
	}
}

fn read(
	question: &Question,
	source: &mut impl SegmentSource,
	offset: u64,
	buffer: &mut [u8],
) -> Result<(), ProveError> {
	let claim = question.claim;
	source
		.read(claim, offset, buffer)
		.map_err(|source| ProveError::Read { claim, source })
}

fn segment_bytes(question: &Question) -> u64 {
	u64::from(question.leaves).saturating_mul(LEAF_BYTES.into())
}
