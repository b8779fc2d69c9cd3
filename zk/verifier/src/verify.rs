//! The verifier's equation, for one proof and for many.

use crate::{
	curve::Curve,
	hash::hash_512,
	key::VerifyingKey,
	proof::Proof,
	statement::{Statement, StatementError, StatementInput},
	transcript::{encode_weights, PUBLIC_INPUTS},
	weights::WeightsCommitment,
};
use alloc::vec::Vec;
use ark_bls12_381::{Fr, G1Affine, G2Affine};
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};
use thiserror::Error;

const BATCH_SEED_TAG: &[u8] = b"OpenSand/groth16-batch-seed/v2";
const BATCH_MULTIPLIER_TAG: &[u8] = b"OpenSand/groth16-batch-multiplier/v2";

/// Why a well-formed proof is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum VerifyError {
	/// The statement's binding names another key than the one given. Take the key of the model that was asked.
	#[error("the statement names another key")]
	WrongKey,
	/// The statement shows its input and the key is for hashed inputs, or the other way round.
	#[error("the statement's input does not have the visibility that the key is for")]
	WrongVisibility,
	/// The statement's input does not have as many values as the model's.
	#[error("the statement's input does not have the length that the key is for")]
	WrongInputLength,
	/// The statement's output does not have as many values as the model's.
	#[error("the statement's output does not have the length that the key is for")]
	WrongOutputLength,
	/// The key has a weights' segment and no commitment was given. Give the one that the model registered.
	#[error("the key needs a commitment to the model's weights")]
	MissingWeights,
	/// A commitment to weights was given and the key has no segment for it: its weights are constants.
	#[error("the key takes no commitment to weights")]
	UnexpectedWeights,
	/// The statement has no words.
	#[error(transparent)]
	Statement(#[from] StatementError),
	/// The proof does not prove the statement under the key: it is for another circuit, statement, request, worker or
	/// weights, or it was altered.
	#[error("the proof does not prove the statement under the key")]
	InvalidProof,
}

/// A key, a statement and a proof of it.
#[derive(Clone, Copy, Debug)]
pub struct BatchItem<'a> {
	/// The key under which the proof was made.
	pub key: &'a VerifyingKey,
	/// What is proven.
	pub statement: &'a Statement,
	/// The registered commitment to the model's weights, for keys that have one.
	pub weights: Option<&'a WeightsCommitment>,
	/// The proof.
	pub proof: &'a Proof,
}

impl BatchItem<'_> {
	/// The public inputs r, b and f, once everything about the statement fits the key.
	fn public_inputs(&self) -> Result<[Fr; PUBLIC_INPUTS], VerifyError> {
		let Self {
			key,
			statement,
			weights,
			proof,
		} = self;
		if statement.binding.key != key.id() {
			return Err(VerifyError::WrongKey);
		}
		let shape = key.shape();
		if statement.input.visibility() != shape.visibility {
			return Err(VerifyError::WrongVisibility);
		}
		if let StatementInput::Public(values) = &statement.input {
			if values.len() != shape.input_len as usize {
				return Err(VerifyError::WrongInputLength);
			}
		}
		if statement.output.len() != shape.output_len as usize {
			return Err(VerifyError::WrongOutputLength);
		}
		match (key.has_weights(), weights) {
			(true, None) => return Err(VerifyError::MissingWeights),
			(false, Some(_)) => return Err(VerifyError::UnexpectedWeights),
			_ => (),
		}
		let challenges = statement.challenges(&proof.committed, *weights);
		Ok(statement.public_inputs(&challenges)?)
	}
}

/// Accepts if and only if the statement fits the key and
/// e(A, B) = e(α, β) · e(IC₀ + r·IC₁ + b·IC₂ + f·IC₃, γ) · e(D₁, δ₁) · e(D_w, δ_w) · e(C, δ),
/// the factor with D_w only where the key has a weights' segment.
///
/// One MSM over four points, five or six Miller loops, one final exponentiation. `weights` is the registered
/// commitment to the model's weights, for keys that have one.
#[allow(clippy::arithmetic_side_effects, reason = "negation of a point is total")]
pub fn verify<C: Curve>(
	key: &VerifyingKey,
	statement: &Statement,
	weights: Option<&WeightsCommitment>,
	proof: &Proof,
) -> Result<(), VerifyError> {
	let item = BatchItem {
		key,
		statement,
		weights,
		proof,
	};
	let [r, b, folded] = item.public_inputs()?;
	let ic = C::msm_g1(&key.ic, &[Fr::ONE, r, b, folded]).ok_or(VerifyError::InvalidProof)?;
	let factors = [
		Some((-proof.a, proof.b)),
		Some((key.alpha, key.g2.beta)),
		Some((ic, key.g2.gamma)),
		Some((proof.committed, key.g2.delta_committed)),
		weights
			.zip(key.g2.delta_weights)
			.map(|(weights, delta)| (*weights.point(), delta)),
		Some((proof.c, key.g2.delta)),
	];
	let pairs: Vec<_> = factors.into_iter().flatten().collect();
	C::pairing_product_is_one(&pairs)
		.then_some(())
		.ok_or(VerifyError::InvalidProof)
}

/// Σ ρᵢ·Pᵢ before it is computed.
#[derive(Default)]
struct Combination {
	points: Vec<G1Affine>,
	multipliers: Vec<Fr>,
}

impl Combination {
	fn add(&mut self, point: &G1Affine, multiplier: &Fr) {
		self.points.push(*point);
		self.multipliers.push(*multiplier);
	}

	/// Adds to the multiplier of a point that is known, for points that many items share.
	#[allow(clippy::arithmetic_side_effects, reason = "field arithmetic is total")]
	fn add_shared(&mut self, point: &G1Affine, multiplier: &Fr) {
		let known = self.points.iter().position(|known| known == point);
		match known.and_then(|at| self.multipliers.get_mut(at)) {
			Some(sum) => *sum += multiplier,
			None => self.add(point, multiplier),
		}
	}

	fn sum<C: Curve>(&self) -> Result<G1Affine, VerifyError> {
		C::msm_g1(&self.points, &self.multipliers).ok_or(VerifyError::InvalidProof)
	}
}

/// The items of a batch that share a key, folded.
struct KeyTerms<'a> {
	key: &'a VerifyingKey,
	/// Σ ρᵢ·(1, rᵢ, bᵢ, fᵢ): the coefficients of the key's IC points. The first is the coefficient of α too.
	ic: [Fr; PUBLIC_INPUTS + 1],
	/// The points D₁.
	committed: Combination,
	/// The points D_w.
	weights: Combination,
	/// The points C.
	c: Combination,
}

impl<'a> KeyTerms<'a> {
	fn new(key: &'a VerifyingKey) -> Self {
		Self {
			key,
			ic: [Fr::ZERO; PUBLIC_INPUTS + 1],
			committed: Combination::default(),
			weights: Combination::default(),
			c: Combination::default(),
		}
	}

	#[allow(clippy::arithmetic_side_effects, reason = "field arithmetic is total")]
	fn add(&mut self, item: &BatchItem<'_>, inputs: &[Fr; PUBLIC_INPUTS], multiplier: &Fr) {
		for (coefficient, input) in self.ic.iter_mut().zip([&Fr::ONE].into_iter().chain(inputs)) {
			*coefficient += *multiplier * input;
		}
		self.committed.add(&item.proof.committed, multiplier);
		if let Some(weights) = item.weights {
			self.weights.add_shared(weights.point(), multiplier);
		}
		self.c.add(&item.proof.c, multiplier);
	}

	/// The key's pairs for the product of pairings.
	fn pairs<C: Curve>(&self) -> Result<Vec<(G1Affine, G2Affine)>, VerifyError> {
		let VerifyingKey { alpha, g2, ic, .. } = self.key;
		let [multipliers, ..] = &self.ic;
		let alpha = C::mul_g1(alpha, multipliers).ok_or(VerifyError::InvalidProof)?;
		let ic = C::msm_g1(ic, &self.ic).ok_or(VerifyError::InvalidProof)?;
		let mut pairs = Vec::with_capacity(5);
		pairs.extend([
			(alpha, g2.beta),
			(ic, g2.gamma),
			(self.committed.sum::<C>()?, g2.delta_committed),
			(self.c.sum::<C>()?, g2.delta),
		]);
		if let Some(delta) = g2.delta_weights {
			pairs.push((self.weights.sum::<C>()?, delta));
		}
		Ok(pairs)
	}
}

/// Accepts if [`verify`] accepts every item; a batch with a bad item, fixed before the hash is drawn, passes with a
/// probability of 2^-128.
///
/// Each item's equation is raised to a 128-bit multiplier drawn from a hash of all keys, inputs, commitments and proofs,
/// and all are multiplied: n + 4k Miller loops for n proofs under k keys, one more for each key with a weights' segment,
/// and one final exponentiation. An item that does not fit its key is named by its error; [`VerifyError::InvalidProof`]
/// does not say which item is bad: verify them one by one to find it. An empty batch holds.
#[allow(clippy::arithmetic_side_effects, reason = "negation of a point is total")]
pub fn verify_batch<C: Curve>(items: &[BatchItem<'_>]) -> Result<(), VerifyError> {
	let inputs = items
		.iter()
		.map(BatchItem::public_inputs)
		.collect::<Result<Vec<_>, _>>()?;
	let seed = batch_seed(items, &inputs);
	let mut terms: Vec<KeyTerms<'_>> = Vec::new();
	let mut pairs: Vec<(G1Affine, G2Affine)> = Vec::with_capacity(items.len());
	for (index, (item, inputs)) in items.iter().zip(&inputs).enumerate() {
		let multiplier = batch_multiplier(&seed, index);
		match terms.iter_mut().find(|term| term.key.id() == item.key.id()) {
			Some(term) => term.add(item, inputs, &multiplier),
			None => {
				let mut term = KeyTerms::new(item.key);
				term.add(item, inputs, &multiplier);
				terms.push(term);
			}
		}
		let a = C::mul_g1(&-item.proof.a, &multiplier).ok_or(VerifyError::InvalidProof)?;
		pairs.push((a, item.proof.b));
	}
	for term in &terms {
		pairs.extend(term.pairs::<C>()?);
	}
	C::pairing_product_is_one(&pairs)
		.then_some(())
		.ok_or(VerifyError::InvalidProof)
}

/// A hash of everything in the batch's equation: for each item its key's id, its public inputs, the commitment to
/// weights, and the proof.
fn batch_seed(items: &[BatchItem<'_>], inputs: &[[Fr; PUBLIC_INPUTS]]) -> [u8; 64] {
	let mut transcript = Vec::new();
	for (item, inputs) in items.iter().zip(inputs) {
		transcript.extend_from_slice(&item.key.id());
		for input in inputs {
			transcript.extend_from_slice(&input.into_bigint().to_bytes_le());
		}
		encode_weights(&mut transcript, item.weights);
		transcript.extend_from_slice(&item.proof.to_bytes());
	}
	hash_512(BATCH_SEED_TAG, &[&transcript])
}

/// The 128-bit multiplier of the item at `index`.
fn batch_multiplier(seed: &[u8; 64], index: usize) -> Fr {
	let hash = hash_512(BATCH_MULTIPLIER_TAG, &[seed, &(index as u64).to_le_bytes()]);
	Fr::from_le_bytes_mod_order(hash.first_chunk::<16>().unwrap_or(&[0; 16]))
}
