//! Pippenger's algorithm.

use crate::{
	bases::Bases,
	buckets::{fill, weigh},
	curve::Curve,
	digits::{small_terms, wide_terms, Terms},
	scalars::Scalars,
	window::Windows,
};
use ark_ec::short_weierstrass::{Affine, Projective};
use ark_ff::AdditiveGroup;
use rayon::prelude::*;
use zeroize::Zeroize;

/// Σ sᵢ·Pᵢ over the scalars that have a base; bases beyond the scalars are multiplied by zero. Runs on the threads of the current
/// rayon pool.
pub fn multiply<P: Curve>(bases: &Bases<P>, scalars: &Scalars) -> Projective<P> {
	let small = || sum(bases.points(), &small_terms(bases, scalars));
	let wide = || {
		let (terms, points) = wide_terms(bases, scalars);
		sum(&points, &terms)
	};
	let (small, wide) = rayon::join(small, wide);
	small + wide
}

fn sum<P: Curve, M>(points: &[Affine<P>], terms: &Terms<M>) -> Projective<P>
where
	M: Zeroize + Copy + Into<u128> + Sync,
{
	if terms.len() == 0 {
		return Projective::ZERO;
	}
	let windows = Windows::cheapest(&terms.lengths());
	let mut buckets = vec![Affine::identity(); windows.count * windows.buckets()];
	buckets
		.par_chunks_exact_mut(windows.buckets())
		.enumerate()
		.for_each(|(window, buckets)| fill(buckets, points, terms, window, windows));
	weigh(&buckets, windows)
		.into_iter()
		.rev()
		.fold(Projective::ZERO, |mut sum, window| {
			for _ in 0..windows.width {
				sum.double_in_place();
			}
			sum + window
		})
}
