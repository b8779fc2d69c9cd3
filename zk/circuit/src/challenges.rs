//! The challenges of a proof, and the statement's words folded by them.

use ark_bls12_381::Fr;
use ark_ff::AdditiveGroup;
use opensand_zk_verifier::{Statement, StatementError};

/// The number of public inputs of every circuit: r, b and the fold.
pub const PUBLIC_INPUTS: usize = 3;

/// Two independent field elements that nobody knows before the committed values are fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenges {
	/// Where the fold and the sums of inverses are evaluated.
	pub r: Fr,
	/// The second challenge.
	pub b: Fr,
}

/// Words that the fold runs over: input words or the input's hash, then output words.
pub fn words(statement: &Statement) -> Result<Vec<Fr>, StatementError> {
	let mut inputs = statement.public_inputs()?;
	// The binding stands first.
	inputs.remove(0);
	Ok(inputs)
}

/// Σ_k s_k · r^(k+1).
pub fn fold(words: &[Fr], r: &Fr) -> Fr {
	words.iter().rev().fold(Fr::ZERO, |sum, word| (sum + word) * r)
}

/// (r, b, f): the public inputs of a statement.
pub fn public_inputs(
	statement: &Statement,
	challenges: &Challenges,
) -> Result<[Fr; PUBLIC_INPUTS], StatementError> {
	let fold = fold(&words(statement)?, &challenges.r);
	Ok([challenges.r, challenges.b, fold])
}
