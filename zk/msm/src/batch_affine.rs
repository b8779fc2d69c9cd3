//! Additions in affine coordinates, many with one inversion (Montgomery's trick).
//!
//! An addition costs an inversion, two multiplications and a squaring; with the inverses of a batch computed together,
//! five multiplications and a squaring, where a mixed addition to a projective point costs eleven.

use crate::{curve::Curve, inverse::Invert};
use ark_ec::{short_weierstrass::Affine, AffineRepr};
use ark_ff::{AdditiveGroup, Field, Zero};

/// Additions that share an inversion: an inversion takes as long as 20 additions by vector instructions, and the buffers of
/// 2,048 additions in G1 stay in a core's second-level cache.
pub(crate) const BATCH: usize = 2048;

/// A list of independent additions.
///
/// Additions are stored in ascending order, each after its operands were read for the last time: a result may take the
/// place of operands of this addition or of earlier ones, never of later ones.
pub trait Additions<P: Curve> {
	/// The two points of an addition.
	fn operands(&self, index: usize) -> (&Affine<P>, &Affine<P>);

	/// Takes the sum of an addition.
	fn store(&mut self, index: usize, sum: Affine<P>);
}

/// What an addition divides by, and whether it is a doubling; none where the sum is known without.
fn denominator<P: Curve>(a: &Affine<P>, b: &Affine<P>) -> Option<(P::BaseField, bool)> {
	let difference = b.x - a.x;
	if !difference.is_zero() {
		return (!is_identity(a) && !is_identity(b)).then_some((difference, false));
	}
	// Equal, opposite, or both the identity.
	let sum = a.y + b.y;
	(!sum.is_zero()).then_some((sum, true))
}

/// By both coordinates, because there are curves with points at x = 0; the first settles nearly every case.
pub(crate) fn is_identity<P: Curve>(point: &Affine<P>) -> bool {
	point.x.is_zero() && point.is_zero()
}

/// The sum where there is nothing to divide by.
pub(crate) fn without_division<P: Curve>(a: &Affine<P>, b: &Affine<P>) -> Affine<P> {
	if is_identity(a) {
		*b
	} else if is_identity(b) {
		*a
	} else {
		Affine::identity()
	}
}

/// The sum, given the inverse of the denominator.
fn with_inverse<P: Curve>(a: &Affine<P>, b: &Affine<P>, inverse: &P::BaseField, doubling: bool) -> Affine<P> {
	let mut slope = if doubling {
		let square = a.x.square();
		square.double() + square + P::COEFF_A
	} else {
		b.y - a.y
	};
	slope *= inverse;
	let x = slope.square() - a.x - b.x;
	Affine::new_unchecked(x, slope * (a.x - x) - a.y)
}

/// Buffers that calls to [`Batch::add_all`] share.
pub(crate) struct Batch<P: Curve> {
	/// Of each addition: the product of the denominators after it.
	products: Vec<P::BaseField>,
	/// What each divides by.
	denominators: Vec<P::BaseField>,
	kinds: Vec<Kind>,
	vectors: Option<P::Vectors>,
}

/// What an addition is.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
	/// Of points with different x.
	Addition,
	/// Of equal points.
	Doubling,
	/// Of opposite points, or with an identity.
	WithoutDivision,
}

impl<P: Curve> Batch<P> {
	/// Buffers for one thread.
	pub fn new() -> Self {
		Self {
			products: Vec::new(),
			denominators: Vec::new(),
			kinds: Vec::new(),
			vectors: P::vectors(),
		}
	}

	/// Does `count` additions.
	pub fn add_all(&mut self, additions: &mut impl Additions<P>, count: usize) {
		for start in (0..count).step_by(BATCH) {
			let batch = BATCH.min(count - start);
			match &mut self.vectors {
				Some(vectors) => P::add(vectors, additions, start, batch),
				None => self.add(additions, start, batch),
			}
		}
	}

	fn add(&mut self, additions: &mut impl Additions<P>, start: usize, count: usize) {
		self.products.resize(BATCH, P::BaseField::ONE);
		self.denominators.resize(BATCH, P::BaseField::ONE);
		self.kinds.resize(BATCH, Kind::WithoutDivision);
		// Backwards: the product of all later denominators. Then forwards, so that sums can be stored in order.
		let mut product = P::BaseField::ONE;
		for index in (0..count).rev() {
			let (a, b) = additions.operands(start + index);
			self.kinds[index] = match denominator(a, b) {
				None => Kind::WithoutDivision,
				Some((denominator, doubling)) => {
					self.products[index] = product;
					self.denominators[index] = denominator;
					product *= &denominator;
					if doubling {
						Kind::Doubling
					} else {
						Kind::Addition
					}
				}
			};
		}
		// No denominator is zero, so neither is their product.
		let mut inverse = product.inverted();
		for index in 0..count {
			let (a, b) = additions.operands(start + index);
			let kind = self.kinds[index];
			let sum = match kind {
				Kind::WithoutDivision => without_division(a, b),
				Kind::Addition | Kind::Doubling => {
					let inverse_here = inverse * self.products[index];
					inverse *= &self.denominators[index];
					with_inverse(a, b, &inverse_here, matches!(kind, Kind::Doubling))
				}
			};
			additions.store(start + index, sum);
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use ark_bls12_381::{g1, g2};
	use ark_ec::{short_weierstrass::Projective, CurveGroup};

	struct Pairs<P: Curve> {
		operands: Vec<(Affine<P>, Affine<P>)>,
		sums: Vec<Affine<P>>,
	}

	impl<P: Curve> Additions<P> for Pairs<P> {
		fn operands(&self, index: usize) -> (&Affine<P>, &Affine<P>) {
			let (a, b) = &self.operands[index];
			(a, b)
		}

		fn store(&mut self, index: usize, sum: Affine<P>) {
			assert_eq!(index, self.sums.len());
			self.sums.push(sum);
		}
	}

	/// With vector instructions, where there are any, and without.
	fn sums_are_exact<P: Curve>() {
		let generator = Projective::<P>::from(Affine::<P>::generator());
		let multiples: Vec<_> = std::iter::successors(Some(generator), |sum| Some(*sum + generator))
			.take(50)
			.collect();
		let mut points = Projective::normalize_batch(&multiples);
		points.push(Affine::identity());
		let operands: Vec<_> = points
			.iter()
			.flat_map(|a| points.iter().flat_map(move |b| [(*a, *b), (*a, -*b)]))
			.collect();
		let expected: Vec<Affine<P>> = operands.iter().map(|(a, b)| (*a + *b).into_affine()).collect();
		for vectors in [P::vectors(), None] {
			let mut batch = Batch::<P> {
				vectors,
				..Batch::new()
			};
			for count in [0, 1, 7, 8, 9, 100, BATCH, BATCH + 1, operands.len()] {
				let mut pairs = Pairs {
					operands: operands[operands.len() - count..].to_vec(),
					sums: Vec::new(),
				};
				batch.add_all(&mut pairs, count);
				assert_eq!(pairs.sums, expected[operands.len() - count..]);
			}
		}
	}

	#[test]
	fn sums_are_exact_in_both_groups() {
		sums_are_exact::<g1::Config>();
		sums_are_exact::<g2::Config>();
	}
}
