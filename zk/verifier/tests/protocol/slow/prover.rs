//! The prover, with discrete logarithms in place of points: each line is a line of the protocol.

use super::{
	circuit::product,
	polynomial::{domain, evaluate, interpolate, quotient},
	setup::{g1, g2, Setup},
};
use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, Field, One, UniformRand};
use opensand_zk_verifier::{Proof, WeightsCommitment};
use rand::{CryptoRng, RngCore};

/// What hides a witness: ρ, σ, ρ₁.
#[derive(Clone, Copy)]
pub struct Blinding {
	pub a: Fr,
	pub b: Fr,
	pub committed: Fr,
}

impl Blinding {
	pub fn random(rng: &mut (impl RngCore + CryptoRng)) -> Self {
		Self {
			a: Fr::rand(rng),
			b: Fr::rand(rng),
			committed: Fr::rand(rng),
		}
	}
}

/// A proof as discrete logarithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Logarithms {
	pub a: Fr,
	pub b: Fr,
	pub c: Fr,
	pub committed: Fr,
}

impl Logarithms {
	/// The proof.
	pub fn to_proof(self) -> Proof {
		Proof::from_points(g1(&self.a), g2(&self.b), g1(&self.c), g1(&self.committed)).unwrap()
	}
}

/// A commitment to weights and what it takes to prove with it.
#[derive(Clone)]
pub struct Registered {
	/// The mask and the weights.
	pub weights: Vec<Fr>,
	pub logarithm: Fr,
	pub commitment: WeightsCommitment,
}

impl Setup {
	/// D₁ = Σ_committed zᵢ·Kᵢ + ρ₁·δ.
	pub fn commit(&self, committed: &[Fr], blinding: &Fr) -> Fr {
		let columns = self.circuit.committed.clone();
		let sum: Fr = columns
			.zip(committed)
			.map(|(i, value)| *value * self.key_element(i))
			.sum();
		sum + *blinding * self.trapdoors.delta
	}

	/// D_w = Σ_weights zᵢ·Kᵢ for the mask, which hides, and weights.
	pub fn register(&self, mask: Fr, weights: &[Fr]) -> Registered {
		let weights = [&[mask], weights].concat();
		let columns = self.circuit.weight_columns.clone();
		assert_eq!(columns.len(), weights.len());
		let logarithm = columns
			.zip(&weights)
			.map(|(i, value)| *value * self.key_element(i))
			.sum();
		Registered {
			weights,
			logarithm,
			commitment: WeightsCommitment::from_point(g1(&logarithm)).unwrap(),
		}
	}

	/// A, B, C and D₁ for z.
	pub fn prove(&self, z: &[Fr], blinding: &Blinding) -> Logarithms {
		let t = &self.trapdoors;
		let sum = |term: &dyn Fn(usize) -> Fr| -> Fr { (0..z.len()).map(|i| z[i] * term(i)).sum() };
		let a = t.alpha + sum(&|i| self.columns[i].a) + blinding.a * t.delta;
		let b = t.beta + sum(&|i| self.columns[i].b) + blinding.b * t.delta;
		let rest: Fr = self
			.circuit
			.rest
			.clone()
			.map(|i| z[i] * self.key_element(i))
			.sum();
		let vanishing = t.tau.pow([self.domain as u64]) - Fr::one();
		let h = evaluate(&self.quotient(z), &t.tau) * vanishing / t.delta;
		let c = rest + h + blinding.b * a + blinding.a * b
			- blinding.a * blinding.b * t.delta
			- blinding.committed * t.delta_committed;
		let committed = self.commit(&z[self.circuit.committed.clone()], &blinding.committed);
		Logarithms { a, b, c, committed }
	}

	/// Coefficients of (a·b − c)/Z.
	fn quotient(&self, z: &[Fr]) -> Vec<Fr> {
		let domain = domain(self.domain);
		let polynomial = |matrix: usize| {
			let mut values = vec![Fr::ZERO; domain.len()];
			let (own, public) = self.points.split_at(self.circuit.rows.len());
			for (row, point) in self.circuit.rows.iter().zip(own) {
				values[*point] = product(&row[matrix], z);
			}
			if matrix == 0 {
				for (column, point) in public.iter().enumerate() {
					values[*point] = z[column];
				}
			}
			interpolate(&domain, &values)
		};
		quotient(&polynomial(0), &polynomial(1), &polynomial(2))
	}
}
