//! Phase 1: powers of tau, which depend on no circuit.

mod contribute;
mod file;
mod import;
#[cfg(test)]
pub(crate) mod tests;
mod transcript;
mod verify;

pub use import::{import, ImportError};
pub use verify::{PowersError, VerifiedPowers};

use crate::{hash::Digest, knowledge::KnowledgeProof};
use ark_bls12_381::{G1Affine, G2Affine};
use ark_ec::AffineRepr;

/// The logarithm of the largest number of powers: such a file has 2.4 GB, as much as fits the keys of a 2^21 circuit.
pub const MAX_POWERS_LOG2: u32 = 22;

/// τ, α and β, without the secrets themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowersBase {
	/// τ in G1.
	pub tau_g1: G1Affine,
	/// τ in G2.
	pub tau_g2: G2Affine,
	/// α in G1.
	pub alpha_g1: G1Affine,
	/// β in G1.
	pub beta_g1: G1Affine,
	/// β in G2.
	pub beta_g2: G2Affine,
}

impl PowersBase {
	/// τ = α = β = 1.
	fn generators() -> Self {
		Self {
			tau_g1: G1Affine::generator(),
			tau_g2: G2Affine::generator(),
			alpha_g1: G1Affine::generator(),
			beta_g1: G1Affine::generator(),
			beta_g2: G2Affine::generator(),
		}
	}
}

/// Where the contributions of a file start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowersStart {
	/// For powers of another ceremony, BLAKE2b-512 of the file they were read from, by which that ceremony knows it. That it is the
	/// file of an honest ceremony is not checked here and cannot be: compare the hash with the published one.
	pub imported: Option<[u8; 64]>,
	/// τ, α and β there; one, unless they were imported.
	pub base: PowersBase,
}

impl PowersStart {
	/// At τ = α = β = 1.
	fn generators() -> Self {
		Self {
			imported: None,
			base: PowersBase::generators(),
		}
	}
}

/// What one participant did: τ, α and β afterwards, and proofs that it knows its three factors.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PowersContribution {
	after: PowersBase,
	/// For τ, α and β.
	proofs: [KnowledgeProof; 3],
}

/// Powers of tau for N = 2^k: points that were checked one by one, in relations that were not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Powers {
	start: PowersStart,
	contributions: Vec<PowersContribution>,
	/// τⁱ for i ≤ 2N − 2.
	tau_g1: Vec<G1Affine>,
	/// τⁱ for i < N.
	tau_g2: Vec<G2Affine>,
	/// α·τⁱ for i < N.
	alpha_g1: Vec<G1Affine>,
	/// β·τⁱ for i < N.
	beta_g1: Vec<G1Affine>,
	/// β.
	beta_g2: G2Affine,
}

impl Powers {
	/// 2^log2 powers of τ = α = β = 1, for participants to contribute to; none if there are fewer than 2 or more than
	/// 2^[`MAX_POWERS_LOG2`].
	pub fn new(log2: u32) -> Option<Self> {
		if !(1..=MAX_POWERS_LOG2).contains(&log2) {
			return None;
		}
		let count = 1 << log2;
		let g1 = G1Affine::generator();
		Some(Self {
			start: PowersStart::generators(),
			contributions: Vec::new(),
			tau_g1: vec![g1; 2 * count - 1],
			tau_g2: vec![G2Affine::generator(); count],
			alpha_g1: vec![g1; count],
			beta_g1: vec![g1; count],
			beta_g2: G2Affine::generator(),
		})
	}

	/// N. Circuits may have N/2 rows: quotients on the odd coset need τ^(2n − 1) for n rows.
	pub fn count(&self) -> usize {
		self.tau_g2.len()
	}

	/// Where the contributions start.
	pub fn start(&self) -> &PowersStart {
		&self.start
	}

	/// The hash of the transcript before any contribution, and after each.
	pub fn transcript(&self) -> Vec<Digest> {
		transcript::hashes(self)
	}

	/// τ, α and β as the powers have them.
	fn base(&self) -> PowersBase {
		PowersBase {
			tau_g1: self.tau_g1[1],
			tau_g2: self.tau_g2[1],
			alpha_g1: self.alpha_g1[0],
			beta_g1: self.beta_g1[0],
			beta_g2: self.beta_g2,
		}
	}

	pub(crate) fn tau_g1(&self) -> &[G1Affine] {
		&self.tau_g1
	}

	pub(crate) fn tau_g2(&self) -> &[G2Affine] {
		&self.tau_g2
	}

	pub(crate) fn alpha_g1(&self) -> &[G1Affine] {
		&self.alpha_g1
	}

	pub(crate) fn beta_g1(&self) -> &[G1Affine] {
		&self.beta_g1
	}

	pub(crate) fn beta_g2(&self) -> G2Affine {
		self.beta_g2
	}
}
