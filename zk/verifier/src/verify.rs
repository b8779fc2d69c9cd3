//! The verifier's equation, for one proof and for many.

use crate::{curve::Curve, hash::hash_512, key::VerifyingKey, proof::Proof};
use alloc::{vec, vec::Vec};
use ark_bls12_381::{Fr, G1Affine, G2Affine};
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};
use thiserror::Error;

const BATCH_SEED_TAG: &[u8] = b"OpenSand/groth16-batch-seed/v1";
const BATCH_MULTIPLIER_TAG: &[u8] = b"OpenSand/groth16-batch-multiplier/v1";

/// Why a well-formed proof is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum VerifyError {
	/// The number of public inputs is not the key's. The statement's tensors do not have the model's shape, or the key
	/// is another model's.
	#[error("the number of public inputs is not the key's")]
	WrongInputCount,
	/// The proof does not prove the statement under the key: it is for another circuit, statement, request or worker,
	/// or it was altered.
	#[error("the proof does not prove the statement under the key")]
	InvalidProof,
}

/// Accepts if and only if e(A, B) = e(α, β) · e(IC₀ + Σ uⱼ·ICⱼ, γ) · e(C, δ).
///
/// One MSM over the key's points, four Miller loops, one final exponentiation.
#[allow(clippy::arithmetic_side_effects, reason = "negation of a point is total")]
pub fn verify<C: Curve>(key: &VerifyingKey, inputs: &[Fr], proof: &Proof) -> Result<(), VerifyError> {
	if inputs.len() != key.public_input_count() {
		return Err(VerifyError::WrongInputCount);
	}
	let scalars: Vec<Fr> = core::iter::once(Fr::ONE).chain(inputs.iter().copied()).collect();
	let ic = C::msm_g1(&key.ic, &scalars).ok_or(VerifyError::InvalidProof)?;
	let pairs = [
		(-proof.a, proof.b),
		(key.alpha, key.beta),
		(ic, key.gamma),
		(proof.c, key.delta),
	];
	C::pairing_product_is_one(&pairs)
		.then_some(())
		.ok_or(VerifyError::InvalidProof)
}

/// A key, public inputs and a proof of a batch.
#[derive(Clone, Copy, Debug)]
pub struct BatchItem<'a> {
	/// The key under which the proof was made.
	pub key: &'a VerifyingKey,
	/// The statement's public inputs.
	pub inputs: &'a [Fr],
	/// The proof.
	pub proof: &'a Proof,
}

/// The items of a batch that share a key, folded.
struct KeyTerms<'a> {
	key: &'a VerifyingKey,
	/// The key's id, for the hash.
	id: [u8; 32],
	/// Σ ρᵢ·(1, uᵢ): the coefficients of the key's IC points. The first is the coefficient of α too.
	ic: Vec<Fr>,
	/// The points Cᵢ and their multipliers ρᵢ.
	c: Vec<G1Affine>,
	multipliers: Vec<Fr>,
}

impl<'a> KeyTerms<'a> {
	fn new(key: &'a VerifyingKey) -> Self {
		Self {
			key,
			id: key.id(),
			ic: vec![Fr::ZERO; key.ic.len()],
			c: Vec::new(),
			multipliers: Vec::new(),
		}
	}
}

/// Accepts a batch if every item verifies; for a batch with a bad item, fixed before the hash is drawn, the chance to
/// pass is 2^-128.
///
/// Each item's equation is raised to a 128-bit multiplier drawn from a hash of all keys, inputs and proofs, and all are
/// multiplied: n + 3k Miller loops for n proofs under k keys, one final exponentiation. The error does not say which
/// item is bad: verify them one by one to find it. An empty batch holds.
#[allow(clippy::arithmetic_side_effects, reason = "field arithmetic is total")]
pub fn verify_batch<C: Curve>(items: &[BatchItem<'_>]) -> Result<(), VerifyError> {
	if items
		.iter()
		.any(|item| item.inputs.len() != item.key.public_input_count())
	{
		return Err(VerifyError::WrongInputCount);
	}
	let mut terms: Vec<KeyTerms<'_>> = Vec::new();
	let mut positions = Vec::with_capacity(items.len());
	for item in items {
		let known = terms.iter().position(|term| term.key == item.key);
		positions.push(known.unwrap_or(terms.len()));
		if known.is_none() {
			terms.push(KeyTerms::new(item.key));
		}
	}

	let seed = batch_seed(items, &terms, &positions);
	let mut pairs: Vec<(G1Affine, G2Affine)> = Vec::with_capacity(items.len());
	for (index, (item, position)) in items.iter().zip(positions).enumerate() {
		let multiplier = batch_multiplier(&seed, index);
		let term = terms.get_mut(position).ok_or(VerifyError::InvalidProof)?;
		for (coefficient, input) in term
			.ic
			.iter_mut()
			.zip(core::iter::once(&Fr::ONE).chain(item.inputs))
		{
			*coefficient += multiplier * input;
		}
		term.c.push(item.proof.c);
		term.multipliers.push(multiplier);
		let a = C::mul_g1(&-item.proof.a, &multiplier).ok_or(VerifyError::InvalidProof)?;
		pairs.push((a, item.proof.b));
	}
	for term in &terms {
		let sum = term.ic.first().ok_or(VerifyError::InvalidProof)?;
		let alpha = C::mul_g1(&term.key.alpha, sum).ok_or(VerifyError::InvalidProof)?;
		let ic = C::msm_g1(&term.key.ic, &term.ic).ok_or(VerifyError::InvalidProof)?;
		let c = C::msm_g1(&term.c, &term.multipliers).ok_or(VerifyError::InvalidProof)?;
		pairs.extend([(alpha, term.key.beta), (ic, term.key.gamma), (c, term.key.delta)]);
	}
	C::pairing_product_is_one(&pairs)
		.then_some(())
		.ok_or(VerifyError::InvalidProof)
}

/// A hash of everything in the batch: for each item its key's id, its number of inputs, the inputs and the proof.
fn batch_seed(items: &[BatchItem<'_>], terms: &[KeyTerms<'_>], positions: &[usize]) -> [u8; 64] {
	let mut transcript = Vec::new();
	for (item, position) in items.iter().zip(positions) {
		if let Some(term) = terms.get(*position) {
			transcript.extend_from_slice(&term.id);
		}
		transcript.extend_from_slice(&(item.inputs.len() as u64).to_le_bytes());
		for input in item.inputs {
			transcript.extend_from_slice(&input.into_bigint().to_bytes_le());
		}
		transcript.extend_from_slice(&item.proof.to_bytes());
	}
	hash_512(BATCH_SEED_TAG, &[&transcript])
}

/// The 128-bit multiplier of the item at `index`.
fn batch_multiplier(seed: &[u8; 64], index: usize) -> Fr {
	let hash = hash_512(BATCH_MULTIPLIER_TAG, &[seed, &(index as u64).to_le_bytes()]);
	Fr::from_le_bytes_mod_order(hash.first_chunk::<16>().unwrap_or(&[0; 16]))
}
