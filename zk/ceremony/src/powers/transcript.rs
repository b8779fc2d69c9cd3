//! The hash chain of phase 1.

use super::{file::encode_base, file::encode_start, Powers, PowersBase, PowersContribution};
use crate::{
	hash::{hash, Digest},
	knowledge::Claim,
};
use ark_bls12_381::G1Affine;

const START_TAG: &[u8] = b"OpenSand/ceremony-powers-start/v1";
const MESSAGE_TAG: &[u8] = b"OpenSand/ceremony-powers-message/v1";
const CONTRIBUTION_TAG: &[u8] = b"OpenSand/ceremony-powers-contribution/v1";

/// The hash before any contribution: of the number of powers and where they start.
pub(super) fn start(powers: &Powers) -> Digest {
	let mut bytes = Vec::new();
	encode_start(&mut bytes, &powers.start);
	hash(START_TAG, &[&(powers.count() as u64).to_le_bytes(), &bytes])
}

/// What the proofs of a contribution are about.
pub(super) fn message(transcript: &Digest, after: &PowersBase) -> Digest {
	let mut bytes = Vec::new();
	encode_base(&mut bytes, after);
	hash(MESSAGE_TAG, &[transcript, &bytes])
}

/// The hash after a contribution.
pub(super) fn next(transcript: &Digest, contribution: &PowersContribution) -> Digest {
	let mut bytes = Vec::new();
	contribution.encode(&mut bytes);
	hash(CONTRIBUTION_TAG, &[transcript, &bytes])
}

/// The hashes before any contribution and after each.
pub(super) fn hashes(powers: &Powers) -> Vec<Digest> {
	let mut hashes = vec![start(powers)];
	for contribution in &powers.contributions {
		hashes.push(next(&hashes[hashes.len() - 1], contribution));
	}
	hashes
}

/// The points before and after whose factor is proven known, of τ, α and β.
pub(super) fn pairs<'a>(before: &'a PowersBase, after: &'a PowersBase) -> [(&'a G1Affine, &'a G1Affine); 3] {
	[
		(&before.tau_g1, &after.tau_g1),
		(&before.alpha_g1, &after.alpha_g1),
		(&before.beta_g1, &after.beta_g1),
	]
}

/// What is claimed about the factor in each place.
pub(super) fn claims<'a>(
	message: &'a Digest,
	before: &'a PowersBase,
	after: &'a PowersBase,
) -> [Claim<'a>; 3] {
	let pairs = pairs(before, after);
	[0, 1, 2].map(|index| Claim {
		message,
		index: index as u32,
		before: pairs[index].0,
		after: pairs[index].1,
	})
}
