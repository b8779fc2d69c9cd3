//! The transforms of [`odd_coset`](crate::odd_coset) on eight elements at a time, with AVX-512's 52-bit multiply-add instructions.
//!
//! An inverse transform by decimation in frequency leaves coefficients in bit-reversed order, from which a transform by
//! decimation in time starts: nothing is ever reordered. In that one, the level of length 2m evaluates at ω₄ₘ·ω₂ₘʲ, so its twiddle
//! factors are the odd powers ω₄ₘ²ʲ⁺¹, and no pass that shifts to the coset is needed.
//!
//! The three levels of the longest butterflies, at either end, are done in arkworks' form. Between them the values are eight
//! independent arrays with equal twiddle factors: one in each lane.
//!
//! A vector element is five limbs of 52 bits. Montgomery multiplication divides by 2^260, and twiddle factors carry that weight, so
//! values keep arkworks' weight of 2^256. Values are below 2r between levels.

use ark_bls12_381::Fr;
use ark_ff::{BigInt, FftField, Field, PrimeField};
use rayon::prelude::*;
use std::arch::x86_64::{
	__m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_cmplt_epi64_mask, _mm512_madd52hi_epu64,
	_mm512_madd52lo_epu64, _mm512_mask_blend_epi64, _mm512_or_si512, _mm512_set1_epi64, _mm512_set_epi64,
	_mm512_setzero_si512, _mm512_slli_epi64, _mm512_srai_epi64, _mm512_srli_epi64, _mm512_sub_epi64,
};

const LANES: usize = 8;
const LIMBS: usize = 5;
const LIMB_BITS: u32 = 52;
const LIMB_MASK: u64 = (1 << LIMB_BITS) - 1;
/// The shortest transform that is done here: each lane has at least eight elements.
const SHORTEST: usize = 64;
/// Blocks of a sub-transform that one thread does alone: 640 KiB.
const ALONE: usize = 1 << 11;

const R: [u64; LIMBS] = limbs(&Fr::MODULUS.0, 1);
const R2: [u64; LIMBS] = limbs(&Fr::MODULUS.0, 2);
/// −r⁻¹ mod 2^52.
const R_INVERSE: u64 = Fr::INV & LIMB_MASK;

/// Eight elements: vectors of their limbs.
type Block = [__m512i; LIMBS];

const fn limbs(words: &[u64; 4], factor: u64) -> [u64; LIMBS] {
	let mut limbs = [0; LIMBS];
	let mut carry = 0;
	let mut limb = 0;
	while limb < LIMBS {
		let bit = limb * LIMB_BITS as usize;
		let (word, shift) = (bit / 64, bit % 64);
		let mut bits = words[word] >> shift;
		if shift > 12 && word < 3 {
			bits |= words[word + 1] << (64 - shift);
		}
		let sum = (bits & LIMB_MASK) * factor + carry;
		limbs[limb] = sum & LIMB_MASK;
		carry = sum >> LIMB_BITS;
		limb += 1;
	}
	limbs
}

/// Twiddle factors of one length. That it exists shows that the processor has the instructions.
pub(crate) struct Tables {
	/// ω₂ₙᵏ for k < n, where n is the length.
	powers: Vec<Fr>,
	/// Of each level of the lanes' transforms, from length 2 up: ω₂ₘ⁻ʲ for j < m, of weight 2^260.
	inverse: Vec<Vec<[u64; LIMBS]>>,
	/// Likewise ω₄ₘ²ʲ⁺¹.
	forward: Vec<Vec<[u64; LIMBS]>>,
	/// n⁻¹.
	scale: [u64; LIMBS],
}

impl Tables {
	/// For length n; none if this processor lacks the instructions, or n is short or not a power of two.
	pub fn new(n: usize) -> Option<Self> {
		let available = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma");
		if !available || n < SHORTEST || !n.is_power_of_two() {
			return None;
		}
		let root = Fr::get_root_of_unity(2 * n as u64)?;
		let mut powers = vec![Fr::ONE; n];
		const CHUNK: usize = 1 << 12;
		powers
			.par_chunks_mut(CHUNK)
			.enumerate()
			.for_each(|(chunk, powers)| {
				let mut power = root.pow([(chunk * CHUNK) as u64]);
				for value in powers {
					*value = power;
					power *= root;
				}
			});
		let weighted = |value: Fr| limbs(&(value * Fr::from(16u64)).0 .0, 1);
		let level =
			|m: usize, twiddle: &(dyn Fn(usize) -> Fr + Sync)| (0..m).map(|j| weighted(twiddle(j))).collect();
		let levels = || (0..n.trailing_zeros() - 3).map(|log2| 1usize << log2);
		Some(Self {
			inverse: levels()
				.map(|m| level(m, &|j| if j == 0 { Fr::ONE } else { -powers[n - j * (n / m)] }))
				.collect(),
			forward: levels()
				.map(|m| level(m, &|j| powers[(2 * j + 1) * (n / (2 * m))]))
				.collect(),
			scale: weighted(Fr::from(n as u64).inverse()?),
			powers,
		})
	}

	/// Values of a polynomial of degree below n on the n-th roots of unity become its values on the other 2n-th ones.
	pub fn extend(&self, values: &mut [Fr]) {
		let n = self.powers.len();
		for level in 0..3 {
			self.each_half(values, level, |u, v, j| {
				let difference = *v - *u;
				*u += &*v;
				// ω⁻ʲ = −ω₂ₙⁿ⁻²ʲ.
				*v = if j == 0 {
					-difference
				} else {
					difference * self.powers[n - 2 * j]
				};
			});
		}
		#[allow(unsafe_code)]
		// SAFETY: tables exist only where `new` found the instructions.
		unsafe {
			self.lanes(values)
		}
		for level in (0..3).rev() {
			self.each_half(values, level, |u, v, j| {
				// The odd power ω₂ₙ²ʲ⁺¹ on the longest level, and its 2ᵏ-th powers on the next.
				let product = *v * self.powers[2 * j + (1 << level)];
				*v = *u - product;
				*u += product;
			});
		}
	}

	/// Butterflies of the level with 2^level parts: of two elements, and j times the number of parts.
	fn each_half(&self, values: &mut [Fr], level: usize, butterfly: impl Fn(&mut Fr, &mut Fr, usize) + Sync) {
		let part = values.len() >> level;
		values.par_chunks_exact_mut(part).for_each(|part| {
			let (low, high) = part.split_at_mut(part.len() / 2);
			low.par_iter_mut()
				.zip(high)
				.with_min_len(1 << 12)
				.enumerate()
				.for_each(|(j, (u, v))| butterfly(u, v, j << level));
		});
	}

	/// The levels within eighths of the values.
	#[target_feature(enable = "avx512f,avx512ifma")]
	fn lanes(&self, values: &mut [Fr]) {
		let len = values.len() / LANES;
		let mut blocks: Vec<Block> = (0..len)
			.map(|index| load(std::array::from_fn(|lane| &values[lane * len + index].0 .0)))
			.collect();
		self.inverse_levels(&mut blocks);
		self.forward_levels(&mut blocks);
		let scale = splat(&self.scale);
		for (index, block) in blocks.iter_mut().enumerate() {
			let scaled = subtract_once(&multiply(block, &scale), &R);
			for (lane, words) in store(&scaled).into_iter().enumerate() {
				values[lane * len + index] = Fr::new_unchecked(BigInt(words));
			}
			// What is left in memory is a function of the witness.
			*block = [_mm512_setzero_si512(); LIMBS];
		}
	}

	#[target_feature(enable = "avx512f,avx512ifma")]
	fn inverse_levels(&self, blocks: &mut [Block]) {
		let half = blocks.len() / 2;
		if half == 0 {
			return;
		}
		let (low, high) = blocks.split_at_mut(half);
		let twiddles = &self.inverse[half.trailing_zeros() as usize];
		for ((u, v), twiddle) in low.iter_mut().zip(high.iter_mut()).zip(twiddles) {
			let difference = subtract(u, v);
			*u = add(u, v);
			*v = multiply(&difference, &splat(twiddle));
		}
		self.halves(low, high, Self::inverse_levels_of);
	}

	#[target_feature(enable = "avx512f,avx512ifma")]
	fn forward_levels(&self, blocks: &mut [Block]) {
		let half = blocks.len() / 2;
		if half == 0 {
			return;
		}
		let (low, high) = blocks.split_at_mut(half);
		self.halves(low, high, Self::forward_levels_of);
		let twiddles = &self.forward[half.trailing_zeros() as usize];
		for ((u, v), twiddle) in low.iter_mut().zip(high.iter_mut()).zip(twiddles) {
			let product = multiply(v, &splat(twiddle));
			*v = reduce(&subtract(u, &product));
			*u = add(u, &product);
		}
	}

	/// Both halves, on two threads if they are long.
	fn halves(&self, low: &mut [Block], high: &mut [Block], work: fn(&Self, &mut [Block])) {
		if low.len() < ALONE {
			work(self, low);
			work(self, high);
		} else {
			rayon::join(|| work(self, low), || work(self, high));
		}
	}

	fn inverse_levels_of(&self, blocks: &mut [Block]) {
		#[allow(unsafe_code)]
		// SAFETY: tables exist only where `new` found the instructions.
		unsafe {
			self.inverse_levels(blocks)
		}
	}

	fn forward_levels_of(&self, blocks: &mut [Block]) {
		#[allow(unsafe_code)]
		// SAFETY: tables exist only where `new` found the instructions.
		unsafe {
			self.forward_levels(blocks)
		}
	}
}

#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn all(value: u64) -> __m512i {
	_mm512_set1_epi64(value as i64)
}

#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn splat(limbs: &[u64; LIMBS]) -> Block {
	let [a, b, c, d, e] = *limbs;
	[all(a), all(b), all(c), all(d), all(e)]
}

/// Elements to limbs.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn load(elements: [&[u64; 4]; LANES]) -> Block {
	let word = |word: usize| {
		let [a, b, c, d, e, f, g, h] = elements.map(|element| element[word] as i64);
		_mm512_set_epi64(h, g, f, e, d, c, b, a)
	};
	let (w0, w1, w2, w3) = (word(0), word(1), word(2), word(3));
	let mask = all(LIMB_MASK);
	let or = |a, b| _mm512_and_si512(_mm512_or_si512(a, b), mask);
	[
		_mm512_and_si512(w0, mask),
		or(_mm512_srli_epi64::<52>(w0), _mm512_slli_epi64::<12>(w1)),
		or(_mm512_srli_epi64::<40>(w1), _mm512_slli_epi64::<24>(w2)),
		or(_mm512_srli_epi64::<28>(w2), _mm512_slli_epi64::<36>(w3)),
		_mm512_srli_epi64::<16>(w3),
	]
}

/// Limbs to elements, of values below 2^256.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn store(block: &Block) -> [[u64; 4]; LANES] {
	let or = |a, b| _mm512_or_si512(a, b);
	let words = [
		or(block[0], _mm512_slli_epi64::<52>(block[1])),
		or(
			_mm512_srli_epi64::<12>(block[1]),
			_mm512_slli_epi64::<40>(block[2]),
		),
		or(
			_mm512_srli_epi64::<24>(block[2]),
			_mm512_slli_epi64::<28>(block[3]),
		),
		or(
			_mm512_srli_epi64::<36>(block[3]),
			_mm512_slli_epi64::<16>(block[4]),
		),
	];
	#[allow(unsafe_code)]
	// SAFETY: both are 64 bytes, and any bytes are eight integers.
	let words = words.map(|word| unsafe { std::mem::transmute::<__m512i, [u64; LANES]>(word) });
	std::array::from_fn(|lane| words.map(|word| word[lane]))
}

/// Carries between limbs, which may be negative, of integers that are not, or whose top limb keeps the sign.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn normalise(mut a: Block) -> Block {
	let mask = all(LIMB_MASK);
	for limb in 0..LIMBS - 1 {
		a[limb + 1] = _mm512_add_epi64(a[limb + 1], _mm512_srai_epi64::<LIMB_BITS>(a[limb]));
		a[limb] = _mm512_and_si512(a[limb], mask);
	}
	a
}

/// a minus a constant, where that is not negative.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn subtract_once(a: &Block, constant: &[u64; LIMBS]) -> Block {
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

/// a below 4r to the same below 2r.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn reduce(a: &Block) -> Block {
	subtract_once(a, &R2)
}

/// a + b below 2r.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn add(a: &Block, b: &Block) -> Block {
	let mut sum = *a;
	for limb in 0..LIMBS {
		sum[limb] = _mm512_add_epi64(a[limb], b[limb]);
	}
	reduce(&normalise(sum))
}

/// a − b + 2r, below 4r.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn subtract(a: &Block, b: &Block) -> Block {
	let mut difference = *a;
	for limb in 0..LIMBS {
		difference[limb] = _mm512_add_epi64(_mm512_sub_epi64(a[limb], b[limb]), all(R2[limb]));
	}
	normalise(difference)
}

/// a·b / 2^260 mod r, below 2r for a below 4r and b below r.
///
/// Low and high halves of limbs' products have sums of their own, so that chains of dependent instructions are short.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn multiply(a: &Block, b: &Block) -> Block {
	let zero = _mm512_setzero_si512();
	let mut sum = [zero; LIMBS];
	for limb in a {
		let mut high = [zero; LIMBS];
		for other in 0..LIMBS {
			sum[other] = _mm512_madd52lo_epu64(sum[other], *limb, b[other]);
			high[other] = _mm512_madd52hi_epu64(high[other], *limb, b[other]);
		}
		let quotient = _mm512_madd52lo_epu64(zero, sum[0], all(R_INVERSE));
		for other in 0..LIMBS {
			sum[other] = _mm512_madd52lo_epu64(sum[other], quotient, all(R[other]));
			high[other] = _mm512_madd52hi_epu64(high[other], quotient, all(R[other]));
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
