//! Inversion in the base fields by divsteps.
//!
//! Bernstein and Yang, *Fast constant-time gcd computation and modular inversion* (CHES 2019), in the variable-time form of
//! libsecp256k1's `modinv64`: 62 divsteps at a time are computed from the lowest words alone and then applied to the whole numbers.
//! About six times faster than binary Euclid on whole numbers; that matters because every batch of additions has one.
//!
//! Its time depends on the value, as that of everything in this crate does.

use ark_bls12_381::{Fq, Fq2};
use ark_ff::{AdditiveGroup, BigInt, Field, PrimeField};

/// Bits in a limb.
const BITS: u32 = 62;
/// The bits of a limb.
const MASK: u64 = u64::MAX >> (64 - BITS);
/// Limbs of a number.
const LIMBS: usize = 7;

/// A number in limbs of 62 bits, all but the highest of which are not negative: Σ limbs[i]·2^(62i).
type Signed = [i64; LIMBS];

/// p.
const MODULUS: Signed = limbs(&Fq::MODULUS);
/// 1/p modulo 2^62.
const MODULUS_INVERSE: u64 = inverse_of_odd(Fq::MODULUS.0[0]) & MASK;
/// 2^384, by which arkworks multiplies what it keeps.
const RADIX: Fq = Fq::new_unchecked(Fq::R2);

/// The limbs of an unsigned integer.
const fn limbs(integer: &BigInt<6>) -> Signed {
	let mut limbs = [0; LIMBS];
	let mut limb = 0;
	while limb < LIMBS {
		let bit = limb * BITS as usize;
		let (word, offset) = (bit / 64, bit % 64);
		let mut value = integer.0[word] >> offset;
		if offset > 2 && word + 1 < 6 {
			value |= integer.0[word + 1] << (64 - offset);
		}
		limbs[limb] = (value & MASK) as i64;
		limb += 1;
	}
	limbs
}

/// The inverse of an odd number modulo 2^64, by Newton's iteration.
const fn inverse_of_odd(odd: u64) -> u64 {
	let mut inverse = odd;
	let mut step = 0;
	// The first guess has three bits right, and each step doubles that.
	while step < 5 {
		inverse = inverse.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(inverse)));
		step += 1;
	}
	inverse
}

/// 2^62 times the matrix that 62 divsteps are: (f, g) becomes (u·f + v·g, q·f + r·g) / 2^62.
struct Transition {
	u: i64,
	v: i64,
	q: i64,
	r: i64,
}

/// 62 divsteps on numbers with the lowest words `f`, odd, and `g`. `eta` is −δ.
fn divsteps(eta: &mut i64, mut f: u64, mut g: u64) -> Transition {
	let (mut u, mut v, mut q, mut r) = (1u64, 0u64, 0u64, 1u64);
	let mut left = BITS;
	loop {
		// As many halvings as the zeros at the end of g, but no more than are left.
		let zeros = (g | u64::MAX << left).trailing_zeros();
		g >>= zeros;
		u <<= zeros;
		v <<= zeros;
		*eta -= i64::from(zeros);
		left -= zeros;
		if left == 0 {
			return Transition {
				u: u as i64,
				v: v as i64,
				q: q as i64,
				r: r as i64,
			};
		}
		let swaps = *eta < 0;
		if swaps {
			*eta = -*eta;
			(f, g) = (g, f.wrapping_neg());
			(u, q) = (q, u.wrapping_neg());
			(v, r) = (r, v.wrapping_neg());
		}
		// The multiple of f that clears the lowest bits of g: as many as there are divsteps before the next swap, six at most
		// after a swap, four else: for so many an inverse of f is cheap.
		let steps = (*eta + 1).min(i64::from(left)) as u32;
		let mask = u64::MAX >> (64 - steps);
		let factor = if swaps {
			f.wrapping_mul(g).wrapping_mul(f.wrapping_mul(f).wrapping_sub(2)) & mask & 63
		} else {
			let inverse = f.wrapping_add((f.wrapping_add(1) & 4) << 1);
			inverse.wrapping_neg().wrapping_mul(g) & mask & 15
		};
		g = g.wrapping_add(f.wrapping_mul(factor));
		q = q.wrapping_add(u.wrapping_mul(factor));
		r = r.wrapping_add(v.wrapping_mul(factor));
	}
}

fn product(a: i64, b: i64) -> i128 {
	i128::from(a) * i128::from(b)
}

impl Transition {
	/// Applies the steps to f and g, which they divide by 2^62 exactly.
	fn apply(&self, f: &mut Signed, g: &mut Signed) {
		let mut low = product(self.u, f[0]) + product(self.v, g[0]);
		let mut high = product(self.q, f[0]) + product(self.r, g[0]);
		low >>= BITS;
		high >>= BITS;
		for limb in 1..LIMBS {
			low += product(self.u, f[limb]) + product(self.v, g[limb]);
			high += product(self.q, f[limb]) + product(self.r, g[limb]);
			f[limb - 1] = (low as u64 & MASK) as i64;
			g[limb - 1] = (high as u64 & MASK) as i64;
			low >>= BITS;
			high >>= BITS;
		}
		f[LIMBS - 1] = low as i64;
		g[LIMBS - 1] = high as i64;
	}

	/// Applies the steps to d and e modulo p; both are between −2p and p before and after.
	fn apply_modulo(&self, d: &mut Signed, e: &mut Signed) {
		// Multiples of p: of p itself where a number is negative, and what makes the sums divisible by 2^62.
		let (d_sign, e_sign) = (d[LIMBS - 1] >> 63, e[LIMBS - 1] >> 63);
		let mut d_multiple = (self.u & d_sign) + (self.v & e_sign);
		let mut e_multiple = (self.q & d_sign) + (self.r & e_sign);
		let mut low = product(self.u, d[0]) + product(self.v, e[0]);
		let mut high = product(self.q, d[0]) + product(self.r, e[0]);
		let clearing = |multiple: i64, sum: i128| {
			let excess = MODULUS_INVERSE
				.wrapping_mul(sum as u64)
				.wrapping_add(multiple as u64);
			multiple - (excess & MASK) as i64
		};
		d_multiple = clearing(d_multiple, low);
		e_multiple = clearing(e_multiple, high);
		low = (low + product(MODULUS[0], d_multiple)) >> BITS;
		high = (high + product(MODULUS[0], e_multiple)) >> BITS;
		for limb in 1..LIMBS {
			let (d_limb, e_limb) = (d[limb], e[limb]);
			low += product(self.u, d_limb) + product(self.v, e_limb) + product(MODULUS[limb], d_multiple);
			high += product(self.q, d_limb) + product(self.r, e_limb) + product(MODULUS[limb], e_multiple);
			d[limb - 1] = (low as u64 & MASK) as i64;
			e[limb - 1] = (high as u64 & MASK) as i64;
			low >>= BITS;
			high >>= BITS;
		}
		d[LIMBS - 1] = low as i64;
		e[LIMBS - 1] = high as i64;
	}
}

/// The number between 0 and p − 1 that is congruent to `number`, between −2p and p, or to −`number`.
fn reduced(mut number: Signed, negate: bool) -> BigInt<6> {
	let add_modulus_if_negative = |number: &mut Signed| {
		if number[LIMBS - 1] < 0 {
			for (limb, modulus) in number.iter_mut().zip(MODULUS) {
				*limb += modulus;
			}
		}
	};
	let carry = |number: &mut Signed| {
		for limb in 1..LIMBS {
			number[limb] += number[limb - 1] >> BITS;
			number[limb - 1] &= MASK as i64;
		}
	};
	add_modulus_if_negative(&mut number);
	if negate {
		number = number.map(|limb| -limb);
	}
	carry(&mut number);
	add_modulus_if_negative(&mut number);
	carry(&mut number);
	let mut words = [0; 6];
	for (limb, value) in number.iter().enumerate() {
		let bit = limb * BITS as usize;
		let (word, offset) = (bit / 64, bit % 64);
		words[word] |= (*value as u64) << offset;
		if offset > 2 && word + 1 < 6 {
			words[word + 1] |= *value as u64 >> (64 - offset);
		}
	}
	BigInt(words)
}

/// 1/`value`, or zero for zero.
fn invert(value: &Fq) -> Fq {
	// arkworks keeps 2^384 times the value.
	let mut g = limbs(&value.0);
	let mut f = MODULUS;
	let (mut d, mut e) = ([0; LIMBS], [0; LIMBS]);
	e[0] = 1;
	let mut eta = -1;
	while g != [0; LIMBS] {
		let transition = divsteps(&mut eta, f[0] as u64, g[0] as u64);
		transition.apply_modulo(&mut d, &mut e);
		transition.apply(&mut f, &mut g);
	}
	// f is one or minus one, and d times the value is f.
	let inverse = reduced(d, f[LIMBS - 1] < 0);
	Fq::from_bigint(inverse).map_or(Fq::ZERO, |inverse| inverse * RADIX)
}

/// A field whose elements are inverted faster than arkworks does it.
pub trait Invert: Field {
	/// 1/self, or zero for zero.
	fn inverted(&self) -> Self;

	/// Inverts all elements, none of which is zero, with one inversion.
	fn invert_all<const N: usize>(elements: &mut [Self; N]) {
		let mut product = Self::ONE;
		let before = elements.map(|element| {
			let before = product;
			product *= element;
			before
		});
		let mut inverse = product.inverted();
		for (element, before) in elements.iter_mut().zip(before).rev() {
			let this = inverse * before;
			inverse *= *element;
			*element = this;
		}
	}
}

impl Invert for Fq {
	fn inverted(&self) -> Self {
		invert(self)
	}
}

/// 1/(a + bu) = (a − bu)/(a² + b²).
impl Invert for Fq2 {
	fn inverted(&self) -> Self {
		let norm = invert(&(self.c0.square() + self.c1.square()));
		Fq2::new(self.c0 * norm, -(self.c1 * norm))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use ark_ff::UniformRand;
	use rand::SeedableRng;
	use rand_chacha::ChaCha20Rng;

	/// As arkworks inverts, but zero.
	fn expected<F: Field>(value: &F) -> F {
		value.inverse().unwrap_or(F::ZERO)
	}

	#[test]
	fn inverses_are_those_of_arkworks() {
		let mut rng = ChaCha20Rng::seed_from_u64(62);
		let powers = (0..381).map(|exponent| Fq::from(2u64).pow([exponent]));
		let edges: Vec<Fq> = powers
			.flat_map(|power| [power, power - Fq::ONE, power + Fq::ONE])
			.chain((0..100u64).map(Fq::from))
			.flat_map(|value| [value, -value, value * RADIX.inverse().unwrap()])
			.collect();
		let random = (0..5000).map(|_| Fq::rand(&mut rng));
		for value in edges.into_iter().chain(random) {
			assert_eq!(value.inverted(), expected(&value), "{value}");
		}
	}

	#[test]
	fn inverses_in_the_extension_are_those_of_arkworks() {
		let mut rng = ChaCha20Rng::seed_from_u64(63);
		let one_component = [Fq2::ZERO, Fq2::ONE, Fq2::new(Fq::ZERO, Fq::ONE), -Fq2::ONE];
		let random = (0..500).map(|_| Fq2::rand(&mut rng));
		for value in one_component.into_iter().chain(random) {
			assert_eq!(value.inverted(), expected(&value), "{value}");
		}
	}

	#[test]
	fn several_are_inverted_at_once() {
		let mut rng = ChaCha20Rng::seed_from_u64(64);
		let mut elements: [Fq2; 8] = std::array::from_fn(|_| Fq2::rand(&mut rng));
		let inverses = elements.map(|element| expected(&element));
		Fq2::invert_all(&mut elements);
		assert_eq!(elements, inverses);
	}

	#[test]
	fn constants_are_those_of_their_definitions() {
		assert_eq!(RADIX, Fq::from(2u64).pow([384]));
		assert_eq!(MODULUS_INVERSE.wrapping_mul(Fq::MODULUS.0[0]) & MASK, 1);
	}
}
