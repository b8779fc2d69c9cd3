//! Additions in affine coordinates, many with one inversion (Montgomery's trick).
//!
//! An addition costs an inversion, two multiplications and a squaring; with the inverses of a batch computed together,
//! five multiplications and a squaring, where a mixed addition to a projective point costs eleven.

use crate::curve::Curve;
use ark_ec::{short_weierstrass::Affine, AffineRepr};
use ark_ff::{AdditiveGroup, Field};

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

/// What to divide by: none where the sum is known without.
fn denominator<P: Curve>(a: &Affine<P>, b: &Affine<P>) -> Option<P::BaseField> {
	let difference = b.x - a.x;
	if difference != P::BaseField::ZERO {
		return (!a.is_zero() && !b.is_zero()).then_some(difference);
	}
	// Equal, opposite, or both the identity.
	let sum = a.y + b.y;
	(sum != P::BaseField::ZERO).then_some(sum)
}

/// The sum where there is nothing to divide by.
fn without_division<P: Curve>(a: &Affine<P>, b: &Affine<P>) -> Affine<P> {
	if a.is_zero() {
		*b
	} else if b.is_zero() {
		*a
	} else {
		Affine::identity()
	}
}

fn with_inverse<P: Curve>(a: &Affine<P>, b: &Affine<P>, inverse: P::BaseField) -> Affine<P> {
	let numerator = if a.x == b.x {
		let square = a.x.square();
		square.double() + square + P::COEFF_A
	} else {
		b.y - a.y
	};
	let slope = numerator * inverse;
	let x = slope.square() - a.x - b.x;
	Affine::new_unchecked(x, slope * (a.x - x) - a.y)
}

/// Does `count` additions.
pub(crate) fn add_all<P: Curve>(
	additions: &mut impl Additions<P>,
	count: usize,
	products: &mut Vec<P::BaseField>,
) {
	products.resize(BATCH, P::BaseField::ONE);
	for start in (0..count).step_by(BATCH) {
		let batch = start..count.min(start + BATCH);
		// Backwards: the product of all later denominators. Then forwards, so that results can be stored in order.
		let mut product = P::BaseField::ONE;
		for index in batch.clone().rev() {
			let (a, b) = additions.operands(index);
			if let Some(denominator) = denominator(a, b) {
				products[index - start] = product;
				product *= denominator;
			}
		}
		let Some(mut inverse) = product.inverse() else {
			unreachable!("no denominator is zero")
		};
		for index in batch {
			let (a, b) = additions.operands(index);
			let sum = match denominator(a, b) {
				None => without_division(a, b),
				Some(denominator) => {
					let sum = with_inverse(a, b, inverse * products[index - start]);
					inverse *= denominator;
					sum
				}
			};
			additions.store(index, sum);
		}
	}
}
