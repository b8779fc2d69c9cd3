//! Verification.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use thiserror::Error;

use crate::{
	claims::{questions, Claim},
	hash::{self, Hash, Hasher},
	proof::PossessionProof,
	MAX_SAMPLES,
};

/// Why a proof does not show what the claims ask for.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Error, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub enum PossessionError {
	/// The bytes are not the encoding of a proof, or more follow it: send what the prover encoded, unchanged.
	#[error("the bytes are no encoded proof")]
	Undecodable,
	/// Nothing was asked, so nothing can be shown: ask for at least one leaf.
	#[error("there is no claim to prove")]
	NoClaims,
	/// More than [`MAX_SAMPLES`] claims: ask for fewer.
	#[error("more than {MAX_SAMPLES} claims; ask for fewer")]
	TooManyClaims,
	/// A claim's segment has no leaves, or more than a segment can have: correct the claim.
	#[error("a claim names a segment without leaves, or with too many")]
	SegmentSize,
	/// A claim's leaf is not in its segment: correct the claim.
	#[error("a claim asks for a leaf that its segment does not have")]
	IndexOutOfRange,
	/// Not as many leaves as the claims ask for, each counted once: prove these claims.
	#[error("the proof shows another number of leaves than asked for")]
	WrongLeafCount,
	/// Too few hashes: prove these claims.
	#[error("the proof lacks hashes")]
	MissingNodes,
	/// More hashes than needed: a proof has one form, so leave them out.
	#[error("the proof has more hashes than needed")]
	SurplusNodes,
	/// The leaves do not belong to the committed data, or a hash is wrong: check the stored data against its root.
	#[error("the leaves and hashes do not lead to the root that claim {claim} names")]
	WrongRoot {
		/// Position of the first claim about the segment.
		claim: u32,
	},
}

/// Checks that `proof` shows exactly the leaves that the claims, in the order in which they were drawn, ask for.
///
/// Hashes one leaf and at most 15 nodes for each claim, and one root for each segment. Errors are found in the order in
/// which [`PossessionError`] lists them, but that a wrong root is found before surplus hashes.
pub fn verify<H: Hasher>(claims: &[Claim], proof: &PossessionProof) -> Result<(), PossessionError> {
	let questions = questions(claims)?;
	let asked = questions
		.iter()
		.fold(0, |sum: usize, question| sum.saturating_add(question.asked.len()));
	if proof.leaves.len() != asked {
		return Err(PossessionError::WrongLeafCount);
	}
	let mut nodes = proof.nodes.iter().copied();
	for question in questions {
		let mut known = Vec::with_capacity(question.asked.len());
		for asked in &question.asked {
			let leaf = proof
				.leaves
				.get(asked.place)
				.ok_or(PossessionError::WrongLeafCount)?;
			known.push((asked.index, H::hash(leaf)));
		}
		let top = climb::<H, _>(known, question.leaves, |_, _| {
			nodes.next().ok_or(PossessionError::MissingNodes)
		})?;
		if top.map(|top| hash::root::<H>(question.leaves, &top)) != Some(question.root) {
			let claim = question.claim.try_into().unwrap_or(u32::MAX);
			return Err(PossessionError::WrongRoot { claim });
		}
	}
	match nodes.next() {
		None => Ok(()),
		Some(_) => Err(PossessionError::SurplusNodes),
	}
}

/// Climbs from known hashes of leaves (index and hash, ascending) to the top of the tree over `width` leaves, asking for
/// each sibling that does not follow from them by its level, counted from the leaves, and its position in that level.
/// This defines the tree's shape and the order of a proof's hashes. `None` if nothing is known.
///
/// A level's last node, if it has no right neighbour, stands in the next level as it is.
pub(crate) fn climb<H: Hasher, E>(
	mut known: Vec<(u32, Hash)>,
	mut width: u32,
	mut sibling: impl FnMut(u32, u32) -> Result<Hash, E>,
) -> Result<Option<Hash>, E> {
	let mut above = Vec::with_capacity(known.len());
	let mut level = 0u32;
	while width > 1 {
		let mut rest = known.drain(..).peekable();
		while let Some((position, hash)) = rest.next() {
			let neighbour = position ^ 1;
			let parent = if neighbour >= width {
				hash
			} else if neighbour < position {
				hash::node::<H>(&sibling(level, neighbour)?, &hash)
			} else if let Some((_, right)) = rest.next_if(|(position, _)| *position == neighbour) {
				hash::node::<H>(&hash, &right)
			} else {
				hash::node::<H>(&hash, &sibling(level, neighbour)?)
			};
			above.push((position / 2, parent));
		}
		drop(rest);
		core::mem::swap(&mut known, &mut above);
		width = width.div_ceil(2);
		level = level.saturating_add(1);
	}
	Ok(known.first().map(|(_, top)| *top))
}
