//! Whether points are multiples of other points by one unknown factor, for many at once by random combinations.

use crate::{hash::Digest, points::Group};
use ark_bls12_381::{Fr, G1Affine, G2Affine};
use ark_ec::{short_weierstrass::Affine, AffineRepr, CurveGroup};
use opensand_zk_msm::{multiply, Bases, Scalars};
use opensand_zk_verifier::{hash::hash_512, Curve as _, Native};
use rayon::prelude::*;

const TAG: &[u8] = b"OpenSand/ceremony-multiplier/v1";

/// The factor s with P·s = Q in G2, as the pair (P, Q).
#[derive(Clone, Copy)]
pub(crate) struct Ratio {
	pub from: G2Affine,
	pub to: G2Affine,
}

impl Ratio {
	/// The factor of a point over the generator.
	pub fn of(to: G2Affine) -> Self {
		Self {
			from: G2Affine::generator(),
			to,
		}
	}

	/// Whether `to` is `from` times the factor, in G1.
	pub fn holds(&self, from: &G1Affine, to: &G1Affine) -> bool {
		Native::pairing_product_is_one(&[(*from, self.to), (-*to, self.from)])
	}
}

/// 128-bit multipliers that are a hash of everything they multiply: points for which an equation does not hold pass with
/// probability 2^-128 a try.
pub(crate) struct Multipliers {
	seed: Digest,
	next: u64,
}

impl Multipliers {
	/// `seed` is a hash of everything that will be combined.
	pub fn new(seed: Digest) -> Self {
		Self { seed, next: 0 }
	}

	/// The next multipliers.
	fn draw(&mut self, count: usize) -> Vec<Fr> {
		let first = self.next;
		self.next += count as u64;
		(0..count)
			.into_par_iter()
			.with_min_len(1024)
			.map(|index| {
				let index = first + index as u64;
				let hash = hash_512(TAG, &[&self.seed, &index.to_le_bytes()]);
				Fr::from(u128::from_le_bytes(std::array::from_fn(|i| hash[i])))
			})
			.collect()
	}

	/// Combinations of two equally long sequences of points in the subgroup by the same multipliers.
	pub fn combine<P: Group>(&mut self, first: &[Affine<P>], second: &[Affine<P>]) -> [Affine<P>; 2] {
		let scalars = Scalars::new(&self.draw(first.len()));
		[first, second].map(|points| {
			let bases =
				Bases::new(points.to_vec()).expect("files have fewer points than scalars are limited to");
			multiply(&bases, &scalars).into_affine()
		})
	}

	/// Whether every point of `to` is the point of `from` in its place times the factor.
	pub fn all_hold(&mut self, ratio: &Ratio, from: &[G1Affine], to: &[G1Affine]) -> bool {
		if from.len() != to.len() {
			return false;
		}
		let [from, to] = self.combine(from, to);
		ratio.holds(&from, &to)
	}
}
