//! The challenge, drawn from a hash of everything that is fixed before it, and the public inputs that follow from it.

use crate::{
	encoding::encode_g1,
	hash::{hash_512, hash_to_field},
	statement::{Statement, StatementError, StatementInput},
	weights::WeightsCommitment,
};
use alloc::vec::Vec;
use ark_bls12_381::{Fr, G1Affine};
use ark_ff::AdditiveGroup;

const SEED_TAG: &[u8] = b"OpenSand/inference-challenge/v2";
const R_TAG: &[u8] = b"OpenSand/inference-challenge-r/v2";
const B_TAG: &[u8] = b"OpenSand/inference-challenge-b/v2";
const PUBLIC_INPUT: &[u8] = &[0];
const HASHED_INPUT: &[u8] = &[1];
const WITHOUT_WEIGHTS: u8 = 0;
const WITH_WEIGHTS: u8 = 1;

/// Number of public inputs of every circuit: r, b and f.
pub const PUBLIC_INPUTS: usize = 3;

/// The two independent challenges of one proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenges {
	/// Where the statement's words are folded and the look-ups' fractions are summed.
	pub r: Fr,
	/// What combines the columns of a table of pairs: q + b·y.
	pub b: Fr,
}

impl Statement {
	/// Challenges for a commitment under this statement. `weights` is the registered commitment to the model's weights,
	/// for keys that have one.
	///
	/// `committed` is D₁, as the prover computed it or the verifier decoded it; it is hashed in its one encoding.
	pub fn challenges(&self, committed: &G1Affine, weights: Option<&WeightsCommitment>) -> Challenges {
		let binding = &self.binding;
		let (visibility, input) = match &self.input {
			StatementInput::Public(values) => (PUBLIC_INPUT, framed(values)),
			StatementInput::Hashed(hash) => (HASHED_INPUT, hash.to_vec()),
		};
		let mut commitments = Vec::new();
		encode_weights(&mut commitments, weights);
		encode_g1(&mut commitments, committed);
		let seed = hash_512(
			SEED_TAG,
			&[
				&binding.genesis,
				&binding.key,
				&binding.model,
				&binding.request.to_le_bytes(),
				&binding.worker,
				visibility,
				&input,
				&framed(&self.output),
				&commitments,
			],
		);
		Challenges {
			r: hash_to_field(R_TAG, &[&seed]),
			b: hash_to_field(B_TAG, &[&seed]),
		}
	}

	/// The public inputs (r, b, f) of a proof of this statement under the given challenges: f is the
	/// [`fold`] of the statement's words at r.
	pub fn public_inputs(&self, challenges: &Challenges) -> Result<[Fr; PUBLIC_INPUTS], StatementError> {
		let folded = fold(&self.words()?, &challenges.r);
		Ok([challenges.r, challenges.b, folded])
	}
}

/// Σ sₖ·r^(k+1) over the words s₀, s₁, …, by Horner's rule from the last.
#[allow(clippy::arithmetic_side_effects, reason = "field arithmetic is total")]
pub fn fold(words: &[Fr], r: &Fr) -> Fr {
	words
		.iter()
		.rev()
		.fold(Fr::ZERO, |folded, word| (folded + word) * r)
}

/// Appends one byte that says whether there is a commitment to weights, and the commitment.
pub(crate) fn encode_weights(out: &mut Vec<u8>, weights: Option<&WeightsCommitment>) {
	match weights {
		None => out.push(WITHOUT_WEIGHTS),
		Some(weights) => {
			out.push(WITH_WEIGHTS);
			encode_g1(out, weights.point());
		}
	}
}

/// A tensor's length (u64, little-endian) and its values in two's complement.
fn framed(values: &[i8]) -> Vec<u8> {
	let len = (values.len() as u64).to_le_bytes();
	len.into_iter()
		.chain(values.iter().map(|value| value.cast_unsigned()))
		.collect()
}
