//! What a proof is asked to show, and in which order it shows it.

use alloc::{
	collections::{btree_map::Entry, BTreeMap},
	vec::Vec,
};

use crate::{hash::Hash, layout::SEGMENT_LEAVES, verify::PossessionError, MAX_SAMPLES};

/// One leaf of one segment, which a proof has to show.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Claim {
	/// The segment's root.
	pub root: Hash,
	/// Leaves of the segment, 1 to [`SEGMENT_LEAVES`].
	pub leaves: u32,
	/// The leaf, from 0.
	pub index: u32,
}

/// A leaf of a segment, and where the proof shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Asked {
	/// Its index in the segment.
	pub index: u32,
	/// Its position among the proof's leaves.
	pub place: usize,
}

/// Everything that the claims ask about one segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Question {
	/// Position of the first claim about the segment.
	pub claim: usize,
	/// The segment's root.
	pub root: Hash,
	/// Its leaves.
	pub leaves: u32,
	/// The leaves that are asked for, in ascending order, each once.
	pub asked: Vec<Asked>,
}

/// Sorts claims by segment, segments in the order of their first claims. A leaf that is claimed more than once is asked
/// for once; the others have places in the order of the claims.
pub(crate) fn questions(claims: &[Claim]) -> Result<Vec<Question>, PossessionError> {
	if claims.is_empty() {
		return Err(PossessionError::NoClaims);
	}
	if claims.len() > MAX_SAMPLES as usize {
		return Err(PossessionError::TooManyClaims);
	}
	let mut segments: BTreeMap<(Hash, u32), Question> = BTreeMap::new();
	let mut places = 0..claims.len();
	for (position, claim) in claims.iter().enumerate() {
		if claim.leaves == 0 || claim.leaves > SEGMENT_LEAVES {
			return Err(PossessionError::SegmentSize);
		}
		if claim.index >= claim.leaves {
			return Err(PossessionError::IndexOutOfRange);
		}
		let question = match segments.entry((claim.root, claim.leaves)) {
			Entry::Occupied(entry) => entry.into_mut(),
			Entry::Vacant(entry) => entry.insert(Question {
				claim: position,
				root: claim.root,
				leaves: claim.leaves,
				asked: Vec::new(),
			}),
		};
		if let Err(at) = question
			.asked
			.binary_search_by_key(&claim.index, |asked| asked.index)
		{
			let asked = places.next().map(|place| Asked {
				index: claim.index,
				place,
			});
			question.asked.splice(at..at, asked);
		}
	}
	let mut questions: Vec<_> = segments.into_values().collect();
	questions.sort_unstable_by_key(|question| question.claim);
	Ok(questions)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn claim(root: u8, index: u32) -> Claim {
		Claim {
			root: [root; 32],
			leaves: 100,
			index,
		}
	}

	#[test]
	fn claims_are_sorted_by_segment_and_shown_once() {
		let claims = [claim(2, 9), claim(1, 5), claim(2, 3), claim(2, 9), claim(1, 0)];
		let questions = questions(&claims).unwrap();
		let summary: Vec<_> = questions
			.iter()
			.map(|question| {
				let asked: Vec<_> = question
					.asked
					.iter()
					.map(|asked| (asked.index, asked.place))
					.collect();
				(question.claim, question.root[0], asked)
			})
			.collect();
		assert_eq!(
			summary,
			[(0, 2, vec![(3, 2), (9, 0)]), (1, 1, vec![(0, 3), (5, 1)])]
		);
	}

	#[test]
	fn claims_that_cannot_be_answered() {
		let sized = |leaves, index| Claim {
			root: [0; 32],
			leaves,
			index,
		};
		assert_eq!(questions(&[]), Err(PossessionError::NoClaims));
		assert!(questions(&[claim(0, 0); 64]).is_ok());
		assert_eq!(questions(&[claim(0, 0); 65]), Err(PossessionError::TooManyClaims));
		assert_eq!(questions(&[sized(0, 0)]), Err(PossessionError::SegmentSize));
		assert_eq!(questions(&[sized(32_769, 0)]), Err(PossessionError::SegmentSize));
		assert_eq!(questions(&[sized(7, 7)]), Err(PossessionError::IndexOutOfRange));
		assert!(questions(&[sized(7, 6)]).is_ok());
	}
}
