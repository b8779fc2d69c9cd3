//! The keys that contributions start from: those of the generator for the τ, α and β of phase 1, with γ = δ = δ₁ = δ_w = 1; over a domain
//! larger than the smallest of circuits with weights, δ_w = q(τ).

use crate::{
	circuit::Circuit, columns::Columns, contribution::Trapdoor, lagrange::Lagrange, powers::VerifiedPowers,
};
use ark_bls12_381::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{
	short_weierstrass::{Affine, Projective, SWCurveConfig},
	AffineRepr, CurveGroup,
};
use ark_ff::Field;
use opensand_zk_prover::Query;
use opensand_zk_r1cs::Segments;
use rayon::prelude::*;
use std::ops::Range;
use thiserror::Error;

/// The most circuits of one ceremony.
pub const MAX_CIRCUITS: usize = 16;

/// Why circuits and powers give no keys.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InitialError {
	/// There are no circuits, or more than [`MAX_CIRCUITS`]. Hold several ceremonies.
	#[error("{0} circuits were given; a ceremony is for 1 to {MAX_CIRCUITS}")]
	Circuits(usize),
	/// A circuit needs more powers. Take a larger phase 1.
	#[error("the circuits have 2^{rows_log2} rows, for which 2^{} powers are needed; there are {powers}", rows_log2 + 1)]
	TooFewPowers {
		/// The logarithm of the rows.
		rows_log2: u32,
		/// Powers that there are.
		powers: usize,
	},
	/// Nobody contributed to the powers, or τ is a root of unity, which nobody can have aimed for. Contribute to the powers first.
	#[error("tau is a root of unity, as it is before any contribution; contribute to the powers first")]
	Point,
	/// Some circuits have weights and others do not, or different numbers of them, or a weight does not stand by itself in the row that
	/// is its own: one commitment would not be for all keys. Give circuits of one family, or hold several ceremonies.
	#[error("the circuits do not have the same weights' segment; only a family of circuits can share a ceremony with it")]
	Weights,
}

/// The elements of a circuit's key at γ = δ = δ₁ = δ_w = 1; the weights' are those of the smallest domain.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct InitialKey {
	pub segments: Segments,
	pub domain: usize,
	/// q(τ), δ_w of the smallest domain in this one's key; none where this one is the smallest.
	pub weights_factor: Option<Trapdoor>,
	pub ic: Vec<G1Affine>,
	pub a: Query<G1Affine>,
	pub b_g1: Query<G1Affine>,
	pub b_g2: Query<G2Affine>,
	pub l: Query<G1Affine>,
	pub h: Query<G1Affine>,
	pub committed: Query<G1Affine>,
	pub weights: Query<G1Affine>,
}

/// The keys of all circuits, each over its own domain. With weights, all have the same elements for them: β·L_j over the smallest domain, which
/// is β·L_kj / q(τ) over one that is k times as large.
pub(crate) fn initial_keys(
	powers: &VerifiedPowers,
	circuits: &[Circuit],
) -> Result<Vec<InitialKey>, InitialError> {
	if circuits.is_empty() || circuits.len() > MAX_CIRCUITS {
		return Err(InitialError::Circuits(circuits.len()));
	}
	let largest = circuits.iter().map(Circuit::rows).max().unwrap_or(1);
	if powers.tau_g1().len() < 2 * largest {
		return Err(InitialError::TooFewPowers {
			rows_log2: largest.trailing_zeros(),
			powers: powers.count(),
		});
	}
	// τ^n = ±1.
	if powers.tau_g1()[largest].x == G1Affine::generator().x {
		return Err(InitialError::Point);
	}
	let has_weights = |circuit: &Circuit| circuit.matrices.segments().weights > 0;
	let shared = circuits.iter().any(has_weights);
	let smallest = circuits.iter().map(Circuit::rows).min().unwrap_or(1);
	let number = circuits[0].matrices.segments().weights;
	let fits = |circuit: &Circuit| {
		let weights = circuit.matrices.segments().weights;
		weights == number && circuit.has_weights_at(circuit.rows() / smallest)
	};
	if shared && !circuits.iter().all(fits) {
		return Err(InitialError::Weights);
	}
	let mut keys: Vec<InitialKey> = Vec::with_capacity(circuits.len());
	let mut known: Option<(usize, Lagrange)> = None;
	for circuit in circuits {
		let domain = circuit.rows();
		let lagrange = match known.take() {
			Some((rows, lagrange)) if rows == domain => lagrange,
			_ => Lagrange::new(powers, domain).ok_or(InitialError::TooFewPowers {
				rows_log2: domain.trailing_zeros(),
				powers: powers.count(),
			})?,
		};
		let mut key = InitialKey::new(circuit, domain, &lagrange);
		if shared && domain > smallest {
			key.weights_factor = Some(weights_factor(powers, smallest, domain)?);
		}
		keys.push(key);
		known = Some((domain, lagrange));
	}
	let of_smallest = keys.iter().find(|key| key.domain == smallest);
	if let Some(weights) = of_smallest.filter(|_| shared).map(|key| key.weights.clone()) {
		keys.iter_mut().for_each(|key| key.weights.clone_from(&weights));
	}
	Ok(keys)
}

/// q(τ) for q = (X^domain − 1) / (k·(X^smallest − 1)) with k = domain / smallest, which is the mean of X^(smallest·i) for i < k.
fn weights_factor(powers: &VerifiedPowers, smallest: usize, domain: usize) -> Result<Trapdoor, InitialError> {
	let too_few = || InitialError::TooFewPowers {
		rows_log2: domain.trailing_zeros(),
		powers: powers.count(),
	};
	let (g1, g2) = (powers.tau_g1(), powers.tau_g2());
	let last = domain - smallest;
	if g1.len() <= last || g2.len() <= last {
		return Err(too_few());
	}
	let count = Fr::from((domain / smallest) as u64);
	let scale = count.inverse().ok_or_else(too_few)?;
	let exponents = || (0..domain).step_by(smallest);
	let sum_g1: G1Projective = exponents().map(|exponent| g1[exponent]).sum();
	let sum_g2: G2Projective = exponents().map(|exponent| g2[exponent]).sum();
	let factor = Trapdoor {
		g1: (sum_g1 * scale).into_affine(),
		g2: (sum_g2 * scale).into_affine(),
	};
	// Then τ would be a root of unity, which was refused for the largest domain.
	if factor.g1.is_zero() || factor.g2.is_zero() {
		return Err(InitialError::Point);
	}
	Ok(factor)
}

impl InitialKey {
	fn new(circuit: &Circuit, domain: usize, lagrange: &Lagrange) -> Self {
		let segments = circuit.matrices.segments();
		let [a, b, c] = [0, 1, 2].map(|matrix| Columns::new(&circuit.matrices, matrix));
		let all = 0..segments.variables();
		// β·aₖ + α·bₖ + cₖ.
		let combined = |k: usize| -> G1Projective {
			a.sum(k, &lagrange.beta) + b.sum(k, &lagrange.alpha) + c.sum(k, &lagrange.g1)
		};
		// cₖ·Z/2.
		let correction = |k: usize| -> G1Projective { c.sum(k, &lagrange.correction) };
		let rest = segments.rest_columns();
		let l = |k: usize| {
			if rest.contains(&k) {
				combined(k) + correction(k)
			} else {
				correction(k)
			}
		};
		Self {
			segments,
			domain,
			weights_factor: None,
			ic: points(0..segments.public, combined),
			a: query(points(all.clone(), |k| a.sum(k, &lagrange.g1))),
			b_g1: query(points(all.clone(), |k| b.sum(k, &lagrange.g1))),
			b_g2: query(points(all.clone(), |k| -> G2Projective {
				b.sum(k, &lagrange.g2)
			})),
			l: query(points(all, l)),
			h: query(lagrange.odd.clone()),
			committed: query(points(segments.committed_columns(), combined)),
			weights: query(points(segments.weight_columns(), combined)),
		}
	}
}

/// A point for each column.
fn points<P: SWCurveConfig>(
	columns: Range<usize>,
	point: impl Fn(usize) -> Projective<P> + Send + Sync,
) -> Vec<Affine<P>> {
	let points: Vec<_> = columns.into_par_iter().map(point).collect();
	Projective::normalize_batch(&points)
}

/// Points without identities.
fn query<A: AffineRepr>(points: Vec<A>) -> Query<A> {
	let scalars = points.len();
	let (indices, points) = (0..).zip(points).filter(|(_, point)| !point.is_zero()).unzip();
	Query::new(scalars, indices, points).expect("indices ascend and are below the number of points")
}
