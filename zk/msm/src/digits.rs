//! Signed digits of multiplications' terms.

use crate::{bases::Bases, curve::Curve, scalars::Scalars, split::quarters};
use ark_ec::short_weierstrass::Affine;
use rayon::prelude::*;
use zeroize::{Zeroize, Zeroizing};

/// A point of a list, and its sign: the index times two, plus one where the point is subtracted.
pub(crate) type SignedIndex = u32;

/// The terms ±magnitude·P of a sum.
pub(crate) struct Terms<M: Zeroize> {
	/// Which points.
	pub points: Zeroizing<Vec<SignedIndex>>,
	/// By how much they are multiplied.
	pub magnitudes: Zeroizing<Vec<M>>,
}

impl<M: Zeroize + Copy + Into<u128> + Sync> Terms<M> {
	/// The number of terms.
	pub fn len(&self) -> usize {
		self.points.len()
	}

	/// How many magnitudes have each length, in bits.
	pub fn lengths(&self) -> [usize; 129] {
		let mut lengths = [0; 129];
		for magnitude in self.magnitudes.iter() {
			let magnitude: u128 = (*magnitude).into();
			lengths[(128 - magnitude.leading_zeros()) as usize] += 1;
		}
		lengths
	}

	/// A term's digit in a window of `width` bits: Booth's recoding, in −2^(width − 1) ..= 2^(width − 1). A digit depends on
	/// its own bits and the one below, so windows need no carry from each other.
	pub fn digit(&self, term: usize, window: usize, width: usize) -> i32 {
		booth(self.magnitudes[term].into(), window, width)
	}
}

/// See [`Terms::digit`]; for values below 2^127, or windows above the lowest.
pub(crate) fn booth(value: u128, window: usize, width: usize) -> i32 {
	let bits = match window {
		0 => (value as u64) << 1,
		_ => (value >> (window * width - 1)) as u64,
	};
	let bits = bits & ((2 << width) - 1);
	let top = bits >> width;
	(bits.div_ceil(2) as i32) - ((top << width) as i32)
}

/// Terms of at most 64 bits: one for each small scalar that has a base.
pub(crate) fn small_terms<P: Curve>(bases: &Bases<P>, scalars: &Scalars) -> Terms<u64> {
	let mut terms = Terms {
		points: Zeroizing::new(Vec::with_capacity(scalars.small.len().min(bases.len()))),
		magnitudes: Zeroizing::new(Vec::with_capacity(scalars.small.len().min(bases.len()))),
	};
	for small in scalars.small.iter() {
		if let Some(position) = bases.position(small.index) {
			terms.points.push(position << 1 | u32::from(small.negative));
			terms.magnitudes.push(small.magnitude);
		}
	}
	terms
}

/// Terms of full-width scalars, split along the endomorphism, and the points they refer to: each base with its images.
pub(crate) fn wide_terms<P: Curve>(bases: &Bases<P>, scalars: &Scalars) -> (Terms<u128>, Vec<Affine<P>>) {
	let present: Vec<_> = scalars
		.wide
		.iter()
		.filter_map(|wide| Some((wide, bases.position(wide.index)?)))
		.collect();
	let mut points = vec![Affine::identity(); present.len() * P::PARTS];
	let mut terms = Terms {
		points: Zeroizing::new(vec![0; points.len()]),
		magnitudes: Zeroizing::new(vec![0; points.len()]),
	};
	points
		.par_chunks_exact_mut(P::PARTS)
		.zip(terms.points.par_chunks_exact_mut(P::PARTS))
		.zip(terms.magnitudes.par_chunks_exact_mut(P::PARTS))
		.zip(present.par_iter())
		.with_min_len(256)
		.enumerate()
		.for_each(|(index, (((points, indices), magnitudes), (wide, position)))| {
			let mut point = bases.points()[*position as usize];
			let mut put = |part: usize, magnitude: u128, negative: bool| {
				if part > 0 {
					point = P::image(&point);
				}
				points[part] = point;
				indices[part] =
					((index * P::PARTS + part) as u32) << 1 | u32::from(negative != wide.negative);
				magnitudes[part] = magnitude;
			};
			for (part, half) in wide.halves.iter().enumerate() {
				if P::PARTS == 2 {
					put(part, half.magnitude, half.negative);
				} else {
					let [(first, first_negative), (second, second_negative)] = quarters(*half);
					put(2 * part, first.into(), first_negative);
					put(2 * part + 1, second.into(), second_negative);
				}
			}
		});
	(terms, points)
}

#[cfg(test)]
mod tests {
	use super::booth;

	#[test]
	fn digits_recombine() {
		for width in 2..=16 {
			let values = (0..200u128)
				.chain((0..127).flat_map(|i| [1 << i, (1 << i) - 1, 0xabcd_1234 << i & !(1 << 127)]));
			for value in values {
				let mut sum = 0i128;
				for window in (0..128usize.div_ceil(width)).rev() {
					let digit = booth(value, window, width);
					assert!(digit.unsigned_abs() <= 1 << (width - 1));
					sum = (sum << width) + i128::from(digit);
				}
				assert_eq!(sum as u128, value, "{value:x} {width}");
			}
		}
	}
}
