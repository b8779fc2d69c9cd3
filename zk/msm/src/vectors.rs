//! Batches of affine additions, eight at a time.
//!
//! The same steps as in [`batch_affine`](crate::batch_affine), where each lane has a chain of products of its own. Doublings
//! and sums that need no division take part in their lanes with operands that make the common steps right, or harmless.

use crate::{
	batch_affine::{is_identity, without_division, Additions, Kind, BATCH},
	curve::Curve,
	ifma::{
		from_words, multiply, negate, reduced, shifted, splat, subtract, subtract_both, subtract_reduced,
		to_words, Element, Words, LANES,
	},
	inverse::Invert,
	prefetch::prefetch,
};
use ark_bls12_381::{Fq, Fq2};
use ark_ec::short_weierstrass::Affine;
use ark_ff::{AdditiveGroup, BigInt, Field, Zero};

/// A field element of D components in the base field.
pub trait Components<const D: usize>: Invert {
	/// The components, in arkworks' Montgomery form.
	fn words(&self) -> [&[u64; 6]; D];

	/// The element with these components.
	fn from_words(words: [[u64; 6]; D]) -> Self;
}

impl Components<1> for Fq {
	fn words(&self) -> [&[u64; 6]; 1] {
		[&self.0 .0]
	}

	fn from_words([words]: [[u64; 6]; 1]) -> Self {
		Fq::new_unchecked(BigInt(words))
	}
}

impl Components<2> for Fq2 {
	fn words(&self) -> [&[u64; 6]; 2] {
		[&self.c0.0 .0, &self.c1.0 .0]
	}

	fn from_words(words: [[u64; 6]; 2]) -> Self {
		let [c0, c1] = words.map(|words| Fq::new_unchecked(BigInt(words)));
		Fq2::new(c0, c1)
	}
}

/// Groups of additions whose operands are asked for before they are used.
const AHEAD: usize = 2;

/// Eight field elements, component by component.
type Elements<const D: usize> = [Element; D];

/// The right factor of a product: in the quadratic extension with u² = −1, also minus its second component.
struct Factor<const D: usize> {
	components: Elements<D>,
	negated: Element,
}

/// Buffers for one thread.
pub struct VectorBatch<const D: usize> {
	/// For each eight additions: in each lane the product of the denominators after it, of weight 416.
	products: Vec<Elements<D>>,
	/// What they divide by, of weight 384.
	denominators: Vec<Elements<D>>,
}

/// Whether this processor has the instructions.
pub(crate) fn available() -> bool {
	is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma")
}

impl<const D: usize> VectorBatch<D> {
	/// Buffers, if this processor has the instructions.
	pub fn new() -> Option<Self> {
		available().then(|| Self {
			products: Vec::with_capacity(BATCH / LANES),
			denominators: Vec::with_capacity(BATCH / LANES),
		})
	}

	/// Does the additions from `start`, at most a batch of them.
	pub fn add<P: Curve>(&mut self, additions: &mut impl Additions<P>, start: usize, count: usize)
	where
		P::BaseField: Components<D>,
	{
		#[allow(unsafe_code)]
		// SAFETY: a `VectorBatch` exists only where `available` found the instructions that `add` is compiled for.
		unsafe {
			add(self, additions, start, count)
		}
	}
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn add<P: Curve, const D: usize>(
	batch: &mut VectorBatch<D>,
	additions: &mut impl Additions<P>,
	start: usize,
	count: usize,
) where
	P::BaseField: Components<D>,
{
	let groups = count.div_ceil(LANES);
	let mut kinds = [[Kind::WithoutDivision; LANES]; BATCH / LANES];
	// Backwards, see `Batch::add`.
	let one = weight_416(P::BaseField::ONE);
	let mut product = one;
	batch.products.clear();
	batch.denominators.clear();
	for group in (0..groups).rev() {
		let first = start + group * LANES;
		if group >= AHEAD {
			for lane in 0..LANES {
				let (a, b) = additions.operands(first + lane - AHEAD * LANES);
				prefetch(a);
				prefetch(b);
			}
		}
		let (mut minuend, mut subtrahend) = ([[[0; LANES]; 6]; D], [[[0; LANES]; 6]; D]);
		let lanes = LANES.min(start + count - first);
		for (lane, place) in kinds[group][..lanes].iter_mut().enumerate() {
			let (a, b) = additions.operands(first + lane);
			*place = kind(a, b);
			match *place {
				Kind::Addition => {
					put(&mut minuend, lane, &b.x);
					put(&mut subtrahend, lane, &a.x);
				}
				Kind::Doubling => put(&mut minuend, lane, &a.y.double()),
				Kind::WithoutDivision => put(&mut minuend, lane, &P::BaseField::ONE),
			}
		}
		for lane in lanes..LANES {
			put(&mut minuend, lane, &P::BaseField::ONE);
		}
		let denominator = difference(&load(&minuend), &load(&subtrahend));
		batch.products.push(product);
		batch.denominators.push(denominator);
		product = times(&product, &shifted_factor(&denominator));
	}
	let mut inverse = invert::<P::BaseField, D>(&product);
	for (group, kinds) in kinds[..groups].iter().enumerate() {
		let first = start + group * LANES;
		let lanes = LANES.min(start + count - first);
		let mut words = [[[[0; LANES]; 6]; D]; 4];
		for (lane, kind) in kinds[..lanes].iter().enumerate() {
			let (a, b) = additions.operands(first + lane);
			let [x1, y1, x2, y2] = &mut words;
			match kind {
				Kind::WithoutDivision => continue,
				Kind::Addition => put(y2, lane, &b.y),
				Kind::Doubling => {
					// What y₁ is subtracted from, to give the slope's numerator 3x² + a.
					let square = a.x.square();
					put(y2, lane, &(square.double() + square + P::COEFF_A + a.y));
				}
			}
			put(x1, lane, &a.x);
			put(y1, lane, &a.y);
			put(x2, lane, &b.x);
		}
		let [x1, y1, x2, y2] = [load(&words[0]), load(&words[1]), load(&words[2]), load(&words[3])];
		// Groups were pushed backwards.
		let (product, denominator) = (
			&batch.products[groups - 1 - group],
			&batch.denominators[groups - 1 - group],
		);
		let slope = times(&difference(&y2, &y1), &factor(&times(&inverse, &factor(product))));
		inverse = times(&inverse, &shifted_factor(denominator));
		let slope_factor = shifted_factor(&slope);
		let square = times(&slope, &slope_factor);
		let (mut x, mut y) = (x1, y1);
		for component in 0..D {
			x[component] = subtract_both(&square[component], &x1[component], &x2[component]);
		}
		let rise = times(&difference(&x1, &x), &slope_factor);
		for component in 0..D {
			y[component] = subtract_reduced(&rise[component], &y1[component]);
		}
		let (x, y) = (unload(&x), unload(&y));
		for (lane, kind) in kinds[..lanes].iter().enumerate() {
			let sum = match kind {
				Kind::WithoutDivision => {
					let (a, b) = additions.operands(first + lane);
					without_division(a, b)
				}
				Kind::Addition | Kind::Doubling => Affine::new_unchecked(get(&x, lane), get(&y, lane)),
			};
			additions.store(first + lane, sum);
		}
	}
}

/// What an addition is.
fn kind<P: Curve>(a: &Affine<P>, b: &Affine<P>) -> Kind {
	if a.x == b.x {
		return if (a.y + b.y).is_zero() {
			Kind::WithoutDivision
		} else {
			Kind::Doubling
		};
	}
	if is_identity(a) || is_identity(b) {
		Kind::WithoutDivision
	} else {
		Kind::Addition
	}
}

/// Puts an element into a lane.
#[inline]
fn put<F: Components<D>, const D: usize>(words: &mut [Words; D], lane: usize, element: &F) {
	for (words, element) in words.iter_mut().zip(element.words()) {
		for (word, value) in words.iter_mut().zip(element) {
			word[lane] = *value;
		}
	}
}

/// The element in a lane.
#[inline]
fn get<F: Components<D>, const D: usize>(words: &[Words; D], lane: usize) -> F {
	F::from_words(std::array::from_fn(|component| {
		std::array::from_fn(|word| words[component][word][lane])
	}))
}

#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn load<const D: usize>(words: &[Words; D]) -> Elements<D> {
	let mut elements = [from_words(&words[0]); D];
	for component in 1..D {
		elements[component] = from_words(&words[component]);
	}
	elements
}

#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn unload<const D: usize>(elements: &Elements<D>) -> [Words; D] {
	let mut words = [to_words(&elements[0]); D];
	for component in 1..D {
		words[component] = to_words(&elements[component]);
	}
	words
}

/// a − b, below 2p, for a and b below p.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn difference<const D: usize>(a: &Elements<D>, b: &Elements<D>) -> Elements<D> {
	let mut difference = *a;
	for component in 0..D {
		difference[component] = subtract(&a[component], &b[component]);
	}
	difference
}

#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn factor<const D: usize>(elements: &Elements<D>) -> Factor<D> {
	Factor {
		components: *elements,
		negated: negate(&elements[D - 1]),
	}
}

/// The element as a factor, with a weight of 32 more.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn shifted_factor<const D: usize>(elements: &Elements<D>) -> Factor<D> {
	let mut factor = factor(elements);
	for component in 0..D {
		factor.components[component] = shifted(&factor.components[component]);
	}
	factor.negated = shifted(&factor.negated);
	factor
}

/// The product, below 2p; its weight is that of both factors less 416.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn times<const D: usize>(a: &Elements<D>, b: &Factor<D>) -> Elements<D> {
	let mut product = *a;
	if D == 1 {
		product[0] = multiply([(&a[0], &b.components[0])]);
	} else {
		product[0] = multiply([(&a[0], &b.components[0]), (&a[1], &b.negated)]);
		product[1] = multiply([(&a[0], &b.components[1]), (&a[1], &b.components[0])]);
	}
	product
}

/// An element of the field in every lane, of weight 416.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn weight_416<F: Components<D>, const D: usize>(element: F) -> Elements<D> {
	let shifted = element * F::from(1u64 << 32);
	let words = shifted.words();
	let mut elements = [splat(&BigInt(*words[0])); D];
	for component in 1..D {
		elements[component] = splat(&BigInt(*words[component]));
	}
	elements
}

/// The inverses of eight elements that are not zero, all of weight 416.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn invert<F: Components<D>, const D: usize>(elements: &Elements<D>) -> Elements<D> {
	// By factors of weight 384 and 448, each component for itself.
	let down = splat(&Fq::from(1u64).0);
	let up = splat(&Fq::from(1u128 << 64).0);
	let mut outside = *elements;
	for component in &mut outside {
		*component = reduced(&multiply([(component, &down)]));
	}
	let words = unload(&outside);
	let mut inverses: [F; LANES] = std::array::from_fn(|lane| get(&words, lane));
	F::invert_all(&mut inverses);
	let mut words = words;
	for (lane, inverse) in inverses.iter().enumerate() {
		put(&mut words, lane, inverse);
	}
	let mut inverses = load(&words);
	for component in &mut inverses {
		*component = multiply([(component, &up)]);
	}
	inverses
}
