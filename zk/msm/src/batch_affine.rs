//! Additions in affine coordinates, many with one inversion (Montgomery's trick).
//!
//! An addition costs an inversion, two multiplications and a squaring; with the inverses of a batch computed together,
//! five multiplications and a squaring, where a mixed addition to a projective point costs eleven.

use crate::curve::Curve;
use ark_ec::{short_weierstrass::Affine, AffineRepr};
use ark_ff::{AdditiveGroup, Field, Zero};

/// Additions that share an inversion: an inversion costs about 280 multiplications, and 1,024 additions of G1 stay in a
/// core's second-level cache.
pub(crate) const BATCH: usize = 1024;

/// A list of independent additions.
///
/// Additions are stored in ascending order, each after its operands were read for the last time: a result may take the
/// place of operands of this addition or of earlier ones, never of later ones.
pub(crate) trait Additions<P: Curve> {
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
fn is_identity<P: Curve>(point: &Affine<P>) -> bool {
	point.x.is_zero() && point.is_zero()
}

/// The sum where there is nothing to divide by.
fn without_division<P: Curve>(a: &Affine<P>, b: &Affine<P>) -> Affine<P> {
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
}

#[derive(Clone, Copy)]
enum Kind {
	Addition,
	Doubling,
	WithoutDivision,
}

impl<P: Curve> Batch<P> {
	/// Buffers for one thread.
	pub fn new() -> Self {
		Self {
			products: vec![P::BaseField::ONE; BATCH],
			denominators: vec![P::BaseField::ONE; BATCH],
			kinds: vec![Kind::WithoutDivision; BATCH],
		}
	}

	/// Does `count` additions.
	pub fn add_all(&mut self, additions: &mut impl Additions<P>, count: usize) {
		for start in (0..count).step_by(BATCH) {
			self.add(additions, start, BATCH.min(count - start));
		}
	}

	fn add(&mut self, additions: &mut impl Additions<P>, start: usize, count: usize) {
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
		let mut inverse = product.inverse().unwrap_or(P::BaseField::ONE);
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
