//! One point by many scalars, for set-ups.

use crate::{
	batch_affine::{Additions, Batch, BATCH},
	curve::Curve,
	digits::booth,
	split::{halves, quarters, signed},
};
use ark_bls12_381::Fr;
use ark_ec::{
	short_weierstrass::{Affine, Projective},
	CurveGroup,
};
use rayon::prelude::*;
use zeroize::{Zeroize, Zeroizing};

/// The widest window: tables of 2^13 points a window.
const MAX_WIDTH: usize = 14;

/// Multiples of a point, to multiply it by many scalars: a table of j·2^(w·c)·P for windows w of c bits.
pub struct FixedBase<P: Curve> {
	/// The multiples 1 ..= 2^(c − 1) of each window, one after the other.
	table: Vec<Affine<P>>,
	width: usize,
	windows: usize,
}

/// Adds to each sum the multiple of a window that its digit says.
struct Step<'a, P: Curve> {
	sums: &'a mut [Affine<P>],
	multiples: Vec<Affine<P>>,
}

impl<P: Curve> Additions<P> for Step<'_, P> {
	fn operands(&self, index: usize) -> (&Affine<P>, &Affine<P>) {
		(&self.sums[index], &self.multiples[index])
	}

	fn store(&mut self, index: usize, sum: Affine<P>) {
		self.sums[index] = sum;
	}
}

/// Short scalars of one scalar, with signs.
type Parts = [(u128, bool); 4];

fn parts<P: Curve>(scalar: &Fr) -> Parts {
	let (mut magnitude, negative) = signed(scalar);
	let [first, second] = halves(&magnitude);
	magnitude.0.zeroize();
	if P::PARTS == 2 {
		[first, second, Default::default(), Default::default()]
			.map(|half| (half.magnitude, half.negative != negative))
	} else {
		let ([a, b], [c, d]) = (quarters(first), quarters(second));
		[a, b, c, d].map(|(magnitude, sign)| (magnitude.into(), sign != negative))
	}
}

impl<P: Curve> FixedBase<P> {
	/// Tables for a point that is to be multiplied by about `count` scalars.
	pub fn new(point: Affine<P>, count: usize) -> Self {
		let bits = 256 / P::PARTS;
		let additions = |width: usize| {
			let windows = bits.div_ceil(width);
			count * P::PARTS * windows + (windows << (width - 1))
		};
		let width = (2..=MAX_WIDTH)
			.min_by_key(|width| additions(*width))
			.unwrap_or(MAX_WIDTH);
		let windows = bits.div_ceil(width);
		let mut bases = Vec::with_capacity(windows);
		let mut power = Projective::from(point);
		for _ in 0..windows {
			bases.push(power);
			for _ in 0..width {
				power += power;
			}
		}
		let bases = Projective::normalize_batch(&bases);
		let multiples = 1 << (width - 1);
		let mut table = vec![Affine::identity(); windows * multiples];
		table
			.par_chunks_exact_mut(multiples)
			.zip(&bases)
			.for_each(|(row, base)| {
				row[0] = *base;
				// From the multiples up to n those up to 2n: j + n is the sum of j and n.
				let mut known = 1;
				let mut batch = Batch::new();
				while known < multiples {
					let (below, above) = row.split_at_mut(known);
					let last = below[known - 1];
					above[..known].copy_from_slice(below);
					let mut step = Step {
						sums: &mut above[..known],
						multiples: vec![last; known],
					};
					batch.add_all(&mut step, known);
					known *= 2;
				}
			});
		Self {
			table,
			width,
			windows,
		}
	}

	/// The point times each scalar. Digits are erased; the products tell the scalars to whoever can take discrete logarithms.
	pub fn multiply(&self, scalars: &[Fr]) -> Vec<Affine<P>> {
		let mut results = vec![Affine::identity(); scalars.len()];
		results
			.par_chunks_mut(BATCH)
			.zip(scalars.par_chunks(BATCH))
			.for_each(|(sums, scalars)| self.multiply_batch(sums, scalars));
		results
	}

	fn multiply_batch(&self, sums: &mut [Affine<P>], scalars: &[Fr]) {
		let parts: Zeroizing<Vec<Parts>> = Zeroizing::new(scalars.iter().map(parts::<P>).collect());
		let mut batch = Batch::new();
		// Horner's rule over the parts: an image of the sum so far, plus the next part's multiple.
		for part in (0..P::PARTS).rev() {
			for sum in sums.iter_mut() {
				*sum = P::image(sum);
			}
			for window in 0..self.windows {
				let multiples = parts
					.iter()
					.map(|parts| self.multiple(parts[part], window))
					.collect();
				let count = sums.len();
				batch.add_all(&mut Step { sums, multiples }, count);
			}
		}
	}

	/// The multiple that a window of a short scalar stands for.
	fn multiple(&self, (magnitude, negative): (u128, bool), window: usize) -> Affine<P> {
		let digit = booth(magnitude, window, self.width);
		if digit == 0 {
			return Affine::identity();
		}
		let point = self.table[(window << (self.width - 1)) + digit.unsigned_abs() as usize - 1];
		if negative != (digit < 0) {
			-point
		} else {
			point
		}
	}
}
