//! Splitting scalars along the endomorphisms of BLS12-381.
//!
//! With the curve's parameter of absolute value X = 0xd201000000010000, the order of the groups is r = X⁴ − X² + 1 (ePrint
//! 2019/403, section 2.1; Galbraith, Lin and Scott, EUROCRYPT 2009). Writing a scalar in base X² gives two halves, each half in base X two quarters.
//! Remainders are taken nearest to zero, so halves are below 2^127 and quarters below 2^63 in absolute value.

use ark_bls12_381::Fr;
use ark_ff::{BigInt, BigInteger, PrimeField};

/// The absolute value of the curve's parameter.
pub(crate) const X: u64 = 0xd201_0000_0001_0000;
/// X².
const X_SQUARED: u128 = X as u128 * X as u128;
/// ⌊2^384 / X²⌋ − 2^256, for division by multiplication.
const RECIPROCAL: [u64; 4] = reciprocal();

/// A signed integer whose absolute value fits 127 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Half {
	/// The absolute value.
	pub magnitude: u128,
	/// Whether the integer is below zero.
	pub negative: bool,
}

/// ⌊2^384 / X²⌋ has 257 bits; this is all but its leading one. Long division by bits.
const fn reciprocal() -> [u64; 4] {
	let mut quotient = [0u64; 4];
	// The leading one: 2^128 ≥ X², remainder 2^128 − X².
	let mut remainder: u128 = 0u128.wrapping_sub(X_SQUARED);
	let mut bit = 256;
	while bit > 0 {
		bit -= 1;
		let overflows = remainder >> 127 == 1;
		remainder <<= 1;
		if overflows || remainder >= X_SQUARED {
			remainder = remainder.wrapping_sub(X_SQUARED);
			quotient[bit / 64] |= 1 << (bit % 64);
		}
	}
	quotient
}

/// (h₀, h₁) with s = h₀ + h₁·X², for s ≤ r/2.
pub(crate) fn halves(scalar: &BigInt<4>) -> [Half; 2] {
	// q = ⌊s·reciprocal / 2^384⌋ is the quotient or one less.
	let limbs = &scalar.0;
	let mut product = [0u64; 8];
	for i in 0..4 {
		let mut carry = 0u128;
		for j in 0..4 {
			let sum = u128::from(product[i + j]) + u128::from(limbs[i]) * u128::from(RECIPROCAL[j]) + carry;
			product[i + j] = sum as u64;
			carry = sum >> 64;
		}
		product[i + 4] = carry as u64;
	}
	let mut carry = 0u128;
	for (limb, scalar) in product[4..].iter_mut().zip(limbs) {
		let sum = u128::from(*limb) + u128::from(*scalar) + carry;
		*limb = sum as u64;
		carry = sum >> 64;
	}
	let mut quotient = u128::from(product[7]) << 64 | u128::from(product[6]);
	// The remainder is below 2·X² < 2^129: its low 128 bits, and whether there is another.
	let low = |limbs: &[u64]| u128::from(limbs[1]) << 64 | u128::from(limbs[0]);
	let (q0, q1) = (quotient as u64, (quotient >> 64) as u64);
	let (x0, x1) = (X_SQUARED as u64, (X_SQUARED >> 64) as u64);
	let cross = u128::from(q0) * u128::from(x1);
	let other = u128::from(q1) * u128::from(x0);
	let bottom = u128::from(q0) * u128::from(x0);
	let middle = (bottom >> 64) + u128::from(cross as u64) + u128::from(other as u64);
	let product_low = middle << 64 | u128::from(bottom as u64);
	let product_third =
		(u128::from(q1) * u128::from(x1) + (cross >> 64) + (other >> 64) + (middle >> 64)) as u64;
	let (mut remainder, borrow) = low(limbs).overflowing_sub(product_low);
	let third = limbs[2]
		.wrapping_sub(product_third)
		.wrapping_sub(u64::from(borrow));
	if third != 0 || remainder >= X_SQUARED {
		remainder = remainder.wrapping_sub(X_SQUARED);
		quotient += 1;
	}
	// Nearest to zero.
	let mut first = Half {
		magnitude: remainder,
		negative: false,
	};
	if remainder > X_SQUARED / 2 {
		first = Half {
			magnitude: X_SQUARED - remainder,
			negative: true,
		};
		quotient += 1;
	}
	[
		first,
		Half {
			magnitude: quotient,
			negative: false,
		},
	]
}

/// ((q₀, negative), (q₁, negative)) with h = q₀ + q₁·X.
pub(crate) fn quarters(half: Half) -> [(u64, bool); 2] {
	let (mut quotient, remainder) = (
		(half.magnitude / u128::from(X)) as u64,
		(half.magnitude % u128::from(X)) as u64,
	);
	if remainder > X / 2 {
		quotient += 1;
		[(X - remainder, !half.negative), (quotient, half.negative)]
	} else {
		[(remainder, half.negative), (quotient, half.negative)]
	}
}

/// The scalar nearest to zero: (|s|, s < 0) with |s| ≤ r/2.
pub(crate) fn signed(scalar: &Fr) -> (BigInt<4>, bool) {
	let value = scalar.into_bigint();
	if value > Fr::MODULUS_MINUS_ONE_DIV_TWO {
		let mut negated = Fr::MODULUS;
		negated.sub_with_borrow(&value);
		(negated, true)
	} else {
		(value, false)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use ark_ff::{AdditiveGroup, Field, UniformRand};
	use rand::SeedableRng;
	use rand_chacha::ChaCha20Rng;

	fn field(magnitude: u128, negative: bool) -> Fr {
		let value = Fr::from(magnitude);
		if negative {
			-value
		} else {
			value
		}
	}

	#[test]
	fn parts_recombine_and_are_short() {
		let mut rng = ChaCha20Rng::seed_from_u64(1);
		let x = Fr::from(X);
		let x_squared = x * x;
		assert_eq!(Fr::from(X_SQUARED), x_squared);
		let edges = [
			Fr::ZERO,
			Fr::ONE,
			-Fr::ONE,
			x,
			x_squared,
			x_squared - Fr::ONE,
			x_squared + Fr::ONE,
			Fr::from(X_SQUARED / 2),
			Fr::from(X_SQUARED / 2 + 1),
			Fr::from(u128::MAX),
			Fr::from(Fr::MODULUS_MINUS_ONE_DIV_TWO),
			Fr::from(Fr::MODULUS_MINUS_ONE_DIV_TWO) + Fr::ONE,
		];
		let multiples =
			(0..300u64).flat_map(|i| [-1i64, 0, 1].map(|d| x_squared * Fr::from(i) * x + Fr::from(d)));
		let random = (0..2000).map(|_| Fr::rand(&mut rng));
		for scalar in edges
			.into_iter()
			.chain(multiples.collect::<Vec<_>>())
			.chain(random)
		{
			let (magnitude, negative) = signed(&scalar);
			let parts = halves(&magnitude);
			assert!(parts.iter().all(|half| half.magnitude >> 127 == 0));
			let [first, second] = parts.map(|half| field(half.magnitude, half.negative));
			let sum = first + second * x_squared;
			assert_eq!(if negative { -sum } else { sum }, scalar);
			for half in parts {
				let parts = quarters(half);
				assert!(parts.iter().all(|(magnitude, _)| magnitude >> 63 == 0));
				let [first, second] = parts.map(|(magnitude, negative)| field(magnitude.into(), negative));
				assert_eq!(first + second * x, field(half.magnitude, half.negative));
			}
		}
	}
}
