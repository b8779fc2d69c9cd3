//! Lagrange polynomials at τ in the exponent, from powers of τ.
//!
//! Over the n-th roots of unity ωʲ: L_j = (1/n)·Σ ω^(−ij)·τⁱ, an inverse transform of the powers. Over the 2n-th roots, as the
//! generator's quotients are (`generator.rs` of the prover): for the odd ones ξωʲ with ξ² = ω, because ξ^n = −1,
//! ℓ_j = (1/n)·Σ_{i<n} ω^(−ij)·ξ^(−i)·(τⁱ − τ^(i+n))/2; and for the even ones ℓ_j − L_j = L_j·Z/2 = (1/n)·Σ_{i<n} ω^(−ij)·(τ^(i+n) − τⁱ)/2.

use crate::{points::Group, powers::Powers};
use ark_bls12_381::{Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::{
	short_weierstrass::{Affine, Projective},
	CurveGroup,
};
use ark_ff::{FftField, Field};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use rayon::prelude::*;

/// The Lagrange polynomials of a domain at τ.
pub(crate) struct Lagrange {
	/// L_j in G1.
	pub g1: Vec<G1Affine>,
	/// L_j in G2.
	pub g2: Vec<G2Affine>,
	/// α·L_j.
	pub alpha: Vec<G1Affine>,
	/// β·L_j.
	pub beta: Vec<G1Affine>,
	/// L_j·Z/2.
	pub correction: Vec<G1Affine>,
	/// ℓ_j of the odd points.
	pub odd: Vec<G1Affine>,
}

impl Lagrange {
	/// For `domain` rows; none if it is not a power of two, or 2·`domain` more than the powers or roots of unity there are.
	pub fn new(powers: &Powers, domain: usize) -> Option<Self> {
		let tau = powers.tau_g1();
		if !domain.is_power_of_two() || tau.len() < 2 * domain {
			return None;
		}
		let roots = Radix2EvaluationDomain::<Fr>::new(domain)?;
		let xi_inverse = Fr::get_root_of_unity(2 * domain as u64)?.inverse()?;
		let half = Fr::from(2u64).inverse()?;
		let differences: Vec<G1Projective> = (0..domain).map(|i| tau[i + domain] - tau[i]).collect();
		let odd = differences
			.par_iter()
			.enumerate()
			.map(|(i, difference)| *difference * (-half * xi_inverse.pow([i as u64])))
			.collect();
		let correction = differences
			.par_iter()
			.map(|difference| *difference * half)
			.collect();
		let ((g1, g2), ((alpha, beta), (correction, odd))) = rayon::join(
			|| {
				rayon::join(
					|| transform(&roots, projective(&tau[..domain])),
					|| transform(&roots, projective(&powers.tau_g2()[..domain])),
				)
			},
			|| {
				rayon::join(
					|| {
						rayon::join(
							|| transform(&roots, projective(&powers.alpha_g1()[..domain])),
							|| transform(&roots, projective(&powers.beta_g1()[..domain])),
						)
					},
					|| rayon::join(|| transform(&roots, correction), || transform(&roots, odd)),
				)
			},
		);
		Some(Self {
			g1,
			g2,
			alpha,
			beta,
			correction,
			odd,
		})
	}
}

fn projective<P: Group>(points: &[Affine<P>]) -> Vec<Projective<P>> {
	points.iter().map(|point| Projective::from(*point)).collect()
}

/// The inverse transform.
fn transform<P: Group>(roots: &Radix2EvaluationDomain<Fr>, mut points: Vec<Projective<P>>) -> Vec<Affine<P>> {
	roots.ifft_in_place(&mut points);
	Projective::normalize_batch(&points)
}
