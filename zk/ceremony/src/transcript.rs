//! The hash chain of phase 2.

use crate::{
	ceremony::Ceremony,
	contribution::{encode_trapdoors, Contribution, Trapdoor},
	hash::{hash, Digest, Hasher},
};

const START_TAG: &[u8] = b"OpenSand/ceremony-start/v1";
const MESSAGE_TAG: &[u8] = b"OpenSand/ceremony-message/v1";
const CONTRIBUTION_TAG: &[u8] = b"OpenSand/ceremony-contribution/v1";

/// The hash before any contribution: of the powers, the circuits, and whether they share weights. These fix all elements
/// that contributions start from.
pub(crate) fn start(ceremony: &Ceremony) -> Digest {
	let mut hasher = Hasher::new(START_TAG);
	hasher.update(&ceremony.powers);
	hasher.update(&[u8::from(ceremony.has_weights())]);
	hasher.update(&(ceremony.circuits.len() as u64).to_le_bytes());
	for elements in &ceremony.circuits {
		hasher.update(&elements.circuit);
	}
	hasher.finish()
}

/// What the proofs of a contribution are about: the transcript so far, and all trapdoors afterwards.
pub(crate) fn message(transcript: &Digest, after: &[Trapdoor]) -> Digest {
	let mut bytes = Vec::new();
	encode_trapdoors(&mut bytes, after);
	hash(MESSAGE_TAG, &[transcript, &bytes])
}

/// The hash after a contribution.
pub(crate) fn next(transcript: &Digest, contribution: &Contribution) -> Digest {
	let mut bytes = Vec::new();
	contribution.encode(&mut bytes);
	hash(CONTRIBUTION_TAG, &[transcript, &bytes])
}
