//! A circuit by hand with everything that the protocol is for: words that are committed to and folded, a look-up with
//! multiplicities, and weights that are constants or a segment of their own.
//!
//! The "model" has one weight for each input word; its output word is the weighted sum. Beside that the witness has a
//! digit, proven to be one of 0 … 3 by a look-up.

use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, Field, One};
use opensand_zk_verifier::Challenges;
use std::ops::Range;

/// Entries of the look-up table: 0 … 3.
pub const TABLE: usize = 4;

/// A linear combination: coefficients and columns.
type Row = Vec<(Fr, usize)>;

/// Where the weights are.
#[derive(Clone, Debug)]
pub enum Weights {
	/// Coefficients of the matrices.
	Constant(Vec<Fr>),
	/// As many columns of the weights' segment.
	Committed(usize),
}

/// Constraints (A·z)∘(B·z) = C·z over z = (1, r, b, f | committed | weights | rest).
pub struct Circuit {
	inputs: usize,
	pub rows: Vec<[Row; 3]>,
	/// Columns of the committed segment: words, the digit, multiplicities.
	pub committed: Range<usize>,
	pub weight_columns: Range<usize>,
	pub rest: Range<usize>,
}

const ONE: usize = 0;
const R: usize = 1;
const B: usize = 2;
const F: usize = 3;
/// Number of public columns.
pub const PUBLIC: usize = 4;

impl Circuit {
	/// The circuit of a model with a weight for each input word and one output word.
	pub fn new(weights: Weights) -> Self {
		let (inputs, weight_columns) = match &weights {
			Weights::Constant(values) => (values.len(), 0),
			Weights::Committed(len) => (*len, *len),
		};
		let words = inputs + 1;
		let committed = PUBLIC..PUBLIC + words + 1 + TABLE;
		let weight_columns = committed.end..committed.end + weight_columns;
		let rest_len = (words - 1) + weight_columns.len() + 1 + 1 + TABLE;
		let rest = weight_columns.end..weight_columns.end + rest_len;

		let one = Fr::ONE;
		let word = |k: usize| PUBLIC + k;
		let digit = word(words);
		let multiplicity = |j: usize| digit + 1 + j;
		let partial = |k: usize| rest.start + k - 1;
		let product = |k: usize| rest.start + words - 1 + k;
		let square = product(weight_columns.len());
		let inverse = square + 1;
		let fraction = |j: usize| inverse + 1 + j;

		let mut rows: Vec<[Row; 3]> = Vec::new();
		// The fold, by Horner's rule: Tₖ = (Tₖ₊₁ + sₖ)·r, T₀ = f.
		for k in (0..words).rev() {
			let mut sum = vec![(one, word(k))];
			if k + 1 < words {
				sum.push((one, partial(k + 1)));
			}
			let folded = if k == 0 { F } else { partial(k) };
			rows.push([sum, vec![(one, R)], vec![(one, folded)]]);
		}
		// The output word is the weighted sum of the input words.
		let sum = match &weights {
			Weights::Constant(values) => values
				.iter()
				.enumerate()
				.map(|(k, value)| (*value, word(k)))
				.collect(),
			Weights::Committed(len) => {
				for k in 0..*len {
					rows.push([
						vec![(one, weight_columns.start + k)],
						vec![(one, word(k))],
						vec![(one, product(k))],
					]);
				}
				(0..*len).map(|k| (one, product(k))).collect()
			}
		};
		rows.push([sum, vec![(one, ONE)], vec![(one, word(inputs))]]);
		rows.push([vec![(one, B)], vec![(one, B)], vec![(one, square)]]);
		// 1/(r − digit) = Σ mⱼ/(r − j).
		rows.push([
			vec![(one, inverse)],
			vec![(one, R), (-one, digit)],
			vec![(one, ONE)],
		]);
		for j in 0..TABLE {
			rows.push([
				vec![(one, fraction(j))],
				vec![(one, R), (-Fr::from(j as u64), ONE)],
				vec![(one, multiplicity(j))],
			]);
		}
		let fractions = (0..TABLE).map(|j| (one, fraction(j))).collect();
		rows.push([fractions, vec![(one, ONE)], vec![(one, inverse)]]);

		Self {
			inputs,
			rows,
			committed,
			weight_columns,
			rest,
		}
	}

	/// Number of columns.
	pub fn variables(&self) -> usize {
		self.rest.end
	}

	/// Size of the domain: the constraints and a row for each public column.
	pub fn domain(&self) -> usize {
		(self.rows.len() + PUBLIC).next_power_of_two()
	}

	/// The committed segment: all words, a digit and the multiplicities that are right for it.
	pub fn commit(&self, words: &[Fr], digit: u64) -> Vec<Fr> {
		let multiplicities = (0..TABLE as u64).map(|j| if j == digit { Fr::ONE } else { Fr::ZERO });
		words
			.iter()
			.copied()
			.chain([Fr::from(digit)])
			.chain(multiplicities)
			.collect()
	}

	/// The whole z: everything that follows from the committed segment, the weights and the challenges. Whether z satisfies
	/// the constraints depends on them.
	pub fn assign(&self, committed: &[Fr], weights: &[Fr], challenges: &Challenges) -> Vec<Fr> {
		assert_eq!(committed.len(), self.committed.len());
		assert_eq!(weights.len(), self.weight_columns.len());
		let Challenges { r, b } = *challenges;
		let words = &committed[..=self.inputs];
		let digit = committed[self.inputs + 1];
		let multiplicities = &committed[self.inputs + 2..];
		// Tₖ for k from the last to 0.
		let mut partials: Vec<Fr> = Vec::new();
		for word in words.iter().rev() {
			let last = partials.last().copied().unwrap_or(Fr::ZERO);
			partials.push((last + word) * r);
		}
		let folded = partials.pop().unwrap();
		partials.reverse();
		let products = weights.iter().zip(words).map(|(weight, word)| *weight * word);
		// At a pole there is no inverse and no honest proof.
		let inverse = |x: Fr| x.inverse().unwrap_or(Fr::ZERO);
		let fractions = multiplicities
			.iter()
			.enumerate()
			.map(|(j, multiplicity)| *multiplicity * inverse(r - Fr::from(j as u64)));
		let z: Vec<Fr> = [Fr::one(), r, b, folded]
			.into_iter()
			.chain(committed.iter().copied())
			.chain(weights.iter().copied())
			.chain(partials)
			.chain(products)
			.chain([b.square(), inverse(r - digit)])
			.chain(fractions)
			.collect();
		assert_eq!(z.len(), self.variables());
		z
	}

	/// Whether z satisfies every constraint.
	pub fn is_satisfied(&self, z: &[Fr]) -> bool {
		self.rows.iter().all(|row| {
			let [a, b, c] = row.each_ref().map(|row| product(row, z));
			a * b == c
		})
	}

	/// Columns of the table's fractions, in the rest.
	pub fn fraction_columns(&self) -> Range<usize> {
		self.rest.end - TABLE..self.rest.end
	}

	/// Columns of the multiplicities.
	pub fn multiplicity_columns(&self) -> Range<usize> {
		self.committed.end - TABLE..self.committed.end
	}
}

/// The value of a linear combination.
pub fn product(row: &[(Fr, usize)], z: &[Fr]) -> Fr {
	row.iter()
		.map(|(coefficient, column)| *coefficient * z[*column])
		.sum()
}
