//! Eight elements of BLS12-381's base field at a time, with AVX-512's 52-bit multiply-add instructions.
//!
//! An element is eight limbs of 52 bits; a vector holds one limb of eight elements. [`multiply`] is Montgomery multiplication
//! with radix 2^416: a·b / 2^416 mod p. Elsewhere the radix is 2^384, so the weight of a value, the power of two that
//! it is multiplied by, is kept track of by hand: the product of weights v and w has weight v + w − 416. Shifting an element by 32
//! bits to the left ([`shifted`]) adds 32 to its weight; it is then an integer below 2^416 that may be multiplied, and nothing else.
//!
//! All elements are normalised (limbs below 2^52) and below 2p. The product of two, one of them shifted, is below
//! (2p·2p·2^32 + …) / 2^416 + p < 1.5p, and the sum of two such products below 1.9p, since p < 0.102·2^384.
//!
//! The functions are safe; calling one where the instructions are missing is not, which is why only code that has them enabled can.

use ark_bls12_381::Fq;
use ark_ff::{BigInt, PrimeField};
use std::arch::x86_64::{
	__m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_cmplt_epi64_mask, _mm512_madd52hi_epu64,
	_mm512_madd52lo_epu64, _mm512_mask_blend_epi64, _mm512_or_si512, _mm512_set1_epi64, _mm512_set_epi64,
	_mm512_setzero_si512, _mm512_slli_epi64, _mm512_srai_epi64, _mm512_srli_epi64, _mm512_sub_epi64,
};

/// Elements that a vector holds.
pub(crate) const LANES: usize = 8;
const LIMBS: usize = 8;
const LIMB_BITS: u32 = 52;
const LIMB_MASK: u64 = (1 << LIMB_BITS) - 1;

/// p, limb by limb.
const P: [u64; LIMBS] = limbs(Fq::MODULUS.0, 1);
/// 2p, limb by limb.
const P2: [u64; LIMBS] = limbs(Fq::MODULUS.0, 2);
/// −p⁻¹ mod 2^52.
const P_INVERSE: u64 = Fq::INV & LIMB_MASK;

/// Eight elements: vectors of their limbs.
pub(crate) type Element = [__m512i; LIMBS];
/// Eight elements as six words each, word by word.
pub(crate) type Words = [[u64; LANES]; 6];

const fn limbs(words: [u64; 6], factor: u128) -> [u64; LIMBS] {
	let mut limbs = [0; LIMBS];
	let mut limb = 0;
	let mut carry = 0u128;
	while limb < LIMBS {
		let bit = limb * LIMB_BITS as usize;
		let (word, shift) = (bit / 64, bit % 64);
		let mut bits = words[word] >> shift;
		if shift > 12 && word < 5 {
			bits |= words[word + 1] << (64 - shift);
		}
		let sum = (bits & LIMB_MASK) as u128 * factor + carry;
		limbs[limb] = sum as u64 & LIMB_MASK;
		carry = sum >> LIMB_BITS;
		limb += 1;
	}
	limbs
}

#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn load(lanes: &[u64; LANES]) -> __m512i {
	let [a, b, c, d, e, f, g, h] = lanes.map(|lane| lane as i64);
	_mm512_set_epi64(h, g, f, e, d, c, b, a)
}

#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn all(value: u64) -> __m512i {
	_mm512_set1_epi64(value as i64)
}

/// Words to limbs.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
pub(crate) fn from_words(words: &Words) -> Element {
	let [w0, w1, w2, w3, w4, w5] = [
		load(&words[0]),
		load(&words[1]),
		load(&words[2]),
		load(&words[3]),
		load(&words[4]),
		load(&words[5]),
	];
	let mask = all(LIMB_MASK);
	let or = |a, b| _mm512_and_si512(_mm512_or_si512(a, b), mask);
	[
		_mm512_and_si512(w0, mask),
		or(_mm512_srli_epi64::<52>(w0), _mm512_slli_epi64::<12>(w1)),
		or(_mm512_srli_epi64::<40>(w1), _mm512_slli_epi64::<24>(w2)),
		or(_mm512_srli_epi64::<28>(w2), _mm512_slli_epi64::<36>(w3)),
		or(_mm512_srli_epi64::<16>(w3), _mm512_slli_epi64::<48>(w4)),
		_mm512_and_si512(_mm512_srli_epi64::<4>(w4), mask),
		or(_mm512_srli_epi64::<56>(w4), _mm512_slli_epi64::<8>(w5)),
		_mm512_srli_epi64::<44>(w5),
	]
}

/// Limbs to words, of elements below 2^384.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
pub(crate) fn to_words(a: &Element) -> Words {
	let or = |a, b| _mm512_or_si512(a, b);
	let words = [
		or(a[0], _mm512_slli_epi64::<52>(a[1])),
		or(_mm512_srli_epi64::<12>(a[1]), _mm512_slli_epi64::<40>(a[2])),
		or(_mm512_srli_epi64::<24>(a[2]), _mm512_slli_epi64::<28>(a[3])),
		or(_mm512_srli_epi64::<36>(a[3]), _mm512_slli_epi64::<16>(a[4])),
		or(
			or(_mm512_srli_epi64::<48>(a[4]), _mm512_slli_epi64::<4>(a[5])),
			_mm512_slli_epi64::<56>(a[6]),
		),
		or(_mm512_srli_epi64::<8>(a[6]), _mm512_slli_epi64::<44>(a[7])),
	];
	words.map(store)
}

/// The lanes of a vector.
#[inline]
fn store(vector: __m512i) -> [u64; LANES] {
	#[allow(unsafe_code)]
	// SAFETY: both are 64 bytes, and any bytes are eight integers.
	unsafe {
		std::mem::transmute(vector)
	}
}

/// The same element in every lane.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
pub(crate) fn splat(words: &BigInt<6>) -> Element {
	from_words(&words.0.map(|word| [word; LANES]))
}

/// Carries between limbs, which may be negative, of integers that are not.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn normalise(mut a: Element) -> Element {
	let mask = all(LIMB_MASK);
	for limb in 0..LIMBS - 1 {
		a[limb + 1] = _mm512_add_epi64(a[limb + 1], _mm512_srai_epi64::<LIMB_BITS>(a[limb]));
		a[limb] = _mm512_and_si512(a[limb], mask);
	}
	a
}

/// a − b + p: not negative if b ≤ p, below 2p if a ≤ p.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
pub(crate) fn subtract(a: &Element, b: &Element) -> Element {
	let mut difference = *a;
	for limb in 0..LIMBS {
		difference[limb] = _mm512_add_epi64(_mm512_sub_epi64(a[limb], b[limb]), all(P[limb]));
	}
	normalise(difference)
}

/// 2p − a.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
pub(crate) fn negate(a: &Element) -> Element {
	let mut difference = *a;
	for limb in 0..LIMBS {
		difference[limb] = _mm512_sub_epi64(all(P2[limb]), a[limb]);
	}
	normalise(difference)
}

/// a minus a constant, where that is not negative.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn subtract_once(a: &Element, constant: &[u64; LIMBS]) -> Element {
	let mut difference = *a;
	for limb in 0..LIMBS {
		difference[limb] = _mm512_sub_epi64(a[limb], all(constant[limb]));
	}
	let mut difference = normalise(difference);
	let negative = _mm512_cmplt_epi64_mask(difference[LIMBS - 1], _mm512_setzero_si512());
	for limb in 0..LIMBS {
		difference[limb] = _mm512_mask_blend_epi64(negative, difference[limb], a[limb]);
	}
	difference
}

/// (a − b − c + 2p) mod p, below p, for a < 2p and b, c ≤ p.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
pub(crate) fn subtract_both(a: &Element, b: &Element, c: &Element) -> Element {
	let mut difference = *a;
	for limb in 0..LIMBS {
		let sum = _mm512_add_epi64(b[limb], c[limb]);
		difference[limb] = _mm512_add_epi64(_mm512_sub_epi64(a[limb], sum), all(P2[limb]));
	}
	subtract_once(&subtract_once(&normalise(difference), &P2), &P)
}

/// (a − b + p) mod p, below p, for a < 2p and b ≤ p.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
pub(crate) fn subtract_reduced(a: &Element, b: &Element) -> Element {
	subtract_once(&subtract_once(&subtract(a, b), &P2), &P)
}

/// a mod p, for a < 2p.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
pub(crate) fn reduced(a: &Element) -> Element {
	subtract_once(a, &P)
}

/// a·2^32 as an integer.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
pub(crate) fn shifted(a: &Element) -> Element {
	let mask = all(LIMB_MASK);
	let mut result = *a;
	for limb in 0..LIMBS {
		result[limb] = _mm512_and_si512(_mm512_slli_epi64::<32>(a[limb]), mask);
		if limb > 0 {
			result[limb] = _mm512_or_si512(result[limb], _mm512_srli_epi64::<20>(a[limb - 1]));
		}
	}
	result
}

/// Σ aₖ·bₖ / 2^416 mod p, for one or two products.
///
/// Low and high halves of limbs' products have sums of their own, so that chains of dependent instructions are short.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
pub(crate) fn multiply<const N: usize>(factors: [(&Element, &Element); N]) -> Element {
	let zero = _mm512_setzero_si512();
	let mut sum = [zero; LIMBS];
	for limb in 0..LIMBS {
		let mut high = [zero; LIMBS];
		for (a, b) in factors {
			for other in 0..LIMBS {
				sum[other] = _mm512_madd52lo_epu64(sum[other], a[limb], b[other]);
				high[other] = _mm512_madd52hi_epu64(high[other], a[limb], b[other]);
			}
		}
		let quotient = _mm512_madd52lo_epu64(zero, sum[0], all(P_INVERSE));
		for other in 0..LIMBS {
			sum[other] = _mm512_madd52lo_epu64(sum[other], quotient, all(P[other]));
			high[other] = _mm512_madd52hi_epu64(high[other], quotient, all(P[other]));
		}
		// The lowest limb is a multiple of 2^52: all limbs move down, and high halves go one up.
		let carry = _mm512_srli_epi64::<LIMB_BITS>(sum[0]);
		for other in 0..LIMBS - 1 {
			sum[other] = _mm512_add_epi64(sum[other + 1], high[other]);
		}
		sum[LIMBS - 1] = high[LIMBS - 1];
		sum[0] = _mm512_add_epi64(sum[0], carry);
	}
	normalise(sum)
}

#[cfg(test)]
mod tests {
	use super::*;
	use ark_ff::{AdditiveGroup, Field, UniformRand};
	use rand::{Rng, SeedableRng};
	use rand_chacha::ChaCha20Rng;

	fn words(elements: &[Fq; LANES]) -> Words {
		std::array::from_fn(|word| elements.map(|element| element.0 .0[word]))
	}

	#[target_feature(enable = "avx512f,avx512ifma")]
	fn check() {
		let mut rng = ChaCha20Rng::seed_from_u64(1);
		let edges = [
			Fq::ZERO,
			Fq::ONE,
			-Fq::ONE,
			Fq::new_unchecked(BigInt::one()),
			-Fq::new_unchecked(BigInt::one()),
		];
		for _ in 0..1000 {
			let mut draw = || {
				std::array::from_fn(|_| match rng.gen_range(0..10) {
					edge @ 0..5 => edges[edge],
					_ => Fq::rand(&mut rng),
				})
			};
			let (a, b, c): ([Fq; LANES], [Fq; LANES], [Fq; LANES]) = (draw(), draw(), draw());
			let of = |function: &dyn Fn(usize) -> Fq| words(&std::array::from_fn(function));
			let [x, y, z] = [&a, &b, &c].map(words).map(|words| from_words(&words));
			assert_eq!(to_words(&x), words(&a));
			let product = multiply([(&x, &shifted(&y))]);
			assert_eq!(to_words(&reduced(&product)), of(&|i| a[i] * b[i]));
			// Of elements that are not reduced, in both places.
			let (sum, minus) = (subtract(&x, &y), negate(&subtract(&y, &z)));
			let products = multiply([(&sum, &shifted(&minus)), (&minus, &shifted(&sum))]);
			let expected = of(&|i| ((a[i] - b[i]) * (c[i] - b[i])).double());
			assert_eq!(to_words(&reduced(&products)), expected);
			assert_eq!(
				to_words(&subtract_both(&products, &x, &y)),
				of(&|i| { ((a[i] - b[i]) * (c[i] - b[i])).double() - a[i] - b[i] })
			);
			assert_eq!(
				to_words(&subtract_reduced(&product, &z)),
				of(&|i| a[i] * b[i] - c[i])
			);
		}
		assert_eq!(to_words(&splat(&Fq::ONE.0)), words(&[Fq::ONE; LANES]));
	}

	#[test]
	fn arithmetic_is_that_of_the_field() {
		if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma") {
			#[allow(unsafe_code)]
			// SAFETY: the instructions were found.
			unsafe {
				check()
			}
		}
	}
}
