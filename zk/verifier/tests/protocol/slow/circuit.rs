//! Circuits by hand with everything that the protocol is for: words that are committed to and folded, a look-up with
//! multiplicities, and weights that are constants or a segment of their own.
//!
//! The "model" has one weight for each input word; its output word is the weighted sum. Beside that the witness has a
//! digit, proven to be one of 0 … 3 by a look-up. Weights that are committed are digits too, which the circuit of their
//! registration proves.

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
	/// As many columns of the weights' segment, after the mask's.
	Committed(usize),
}

/// What a circuit's statements say.
#[derive(Clone)]
enum Purpose {
	/// A model with that many input words and one output word.
	Inference { inputs: usize },
	/// The committed words, but for the mask, are digits.
	Registration,
}

/// Constraints (A·z)∘(B·z) = C·z over z = (1, r, b, f | committed | weights | rest).
#[derive(Clone)]
pub struct Circuit {
	purpose: Purpose,
	pub rows: Vec<[Row; 3]>,
	/// Columns of the committed segment: words, what is looked up, multiplicities.
	pub committed: Range<usize>,
	/// Columns of the weights' segment: the mask and the weights.
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
			Weights::Committed(len) => (*len, 1 + len),
		};
		let words = inputs + 1;
		let committed = PUBLIC..PUBLIC + words + 1 + TABLE;
		let weight_columns = committed.end..committed.end + weight_columns;
		let products = weight_columns.len().saturating_sub(1);
		let rest_len = weight_columns.len() + (words - 1) + products + 1 + 1 + TABLE;
		let rest = weight_columns.end..weight_columns.end + rest_len;

		let one = Fr::ONE;
		let word = |k: usize| PUBLIC + k;
		let digit = word(words);
		let copy = |j: usize| rest.start + j;
		let partial = |k: usize| copy(weight_columns.len()) + k - 1;
		let product = |k: usize| partial(words) + k;
		let square = product(products);

		// The weights' segment comes first, and a constraint is all that a column of it occurs in.
		let mut rows: Vec<[Row; 3]> = weight_columns
			.clone()
			.enumerate()
			.map(|(j, column)| equal(column, copy(j)))
			.collect();
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
						vec![(one, copy(k + 1))],
						vec![(one, word(k))],
						vec![(one, product(k))],
					]);
				}
				(0..*len).map(|k| (one, product(k))).collect()
			}
		};
		rows.push([sum, vec![(one, ONE)], vec![(one, word(inputs))]]);
		rows.push([vec![(one, B)], vec![(one, B)], vec![(one, square)]]);
		look_up(&mut rows, digit..digit + 1, square + 1);

		Self {
			purpose: Purpose::Inference { inputs },
			rows,
			committed,
			weight_columns,
			rest,
		}
	}

	/// The circuit that registers as many weights.
	pub fn registration(len: usize) -> Self {
		let committed = PUBLIC..PUBLIC + len + TABLE;
		let weight_columns = committed.end..committed.end + 1 + len;
		// A copy of the mask, b², inverses and fractions.
		let rest = weight_columns.end..weight_columns.end + 1 + 1 + len + TABLE;
		let digits = committed.start..committed.start + len;
		let (mask, square) = (rest.start, rest.start + 1);

		let one = Fr::ONE;
		let mut rows: Vec<[Row; 3]> = weight_columns
			.clone()
			.zip([mask].into_iter().chain(digits.clone()))
			.map(|(column, value)| equal(column, value))
			.collect();
		// The fold of no words.
		rows.push([vec![(one, F)], vec![(one, ONE)], vec![]]);
		rows.push([vec![(one, B)], vec![(one, B)], vec![(one, square)]]);
		look_up(&mut rows, digits, square + 1);

		Self {
			purpose: Purpose::Registration,
			rows,
			committed,
			weight_columns,
			rest,
		}
	}

	/// The same circuit with its last row repeated until there are as many as that.
	pub fn padded(mut self, rows: usize) -> Self {
		let last = self.rows[self.rows.len() - 1].clone();
		self.rows.resize(self.rows.len().max(rows), last);
		self
	}

	/// Number of columns.
	pub fn variables(&self) -> usize {
		self.rest.end
	}

	/// Size of the domain: the constraints and a row for each public column.
	pub fn domain(&self) -> usize {
		(self.rows.len() + PUBLIC).next_power_of_two()
	}

	/// The committed segment of a model: all words, a digit and the multiplicities that are right for it.
	pub fn commit(&self, words: &[Fr], digit: u64) -> Vec<Fr> {
		let digit = [Fr::from(digit)];
		words
			.iter()
			.copied()
			.chain(digit)
			.chain(multiplicities(&digit))
			.collect()
	}

	/// The committed segment of a registration: the weights without the mask, and the multiplicities that are right for
	/// them.
	pub fn commit_registration(&self, weights: &[Fr]) -> Vec<Fr> {
		let weights = &weights[1..];
		weights.iter().copied().chain(multiplicities(weights)).collect()
	}

	/// The whole z: everything that follows from the committed segment, the weights and the challenges. Whether z satisfies
	/// the constraints depends on them.
	pub fn assign(&self, committed: &[Fr], weights: &[Fr], challenges: &Challenges) -> Vec<Fr> {
		assert_eq!(committed.len(), self.committed.len());
		assert_eq!(weights.len(), self.weight_columns.len());
		let Challenges { r, b } = *challenges;
		let (values, multiplicities) = committed.split_at(committed.len() - TABLE);
		let (folded, copies, digits) = match self.purpose {
			Purpose::Inference { inputs } => {
				let (words, digits) = values.split_at(inputs + 1);
				// Tₖ for k from the last to 0.
				let mut partials: Vec<Fr> = Vec::new();
				for word in words.iter().rev() {
					let last = partials.last().copied().unwrap_or(Fr::ZERO);
					partials.push((last + word) * r);
				}
				let folded = partials.pop().unwrap();
				partials.reverse();
				let products = weights
					.iter()
					.skip(1)
					.zip(words)
					.map(|(weight, word)| *weight * word);
				let copies: Vec<Fr> = weights.iter().copied().chain(partials).chain(products).collect();
				(folded, copies, digits)
			}
			Purpose::Registration => (Fr::ZERO, vec![weights[0]], values),
		};
		// At a pole there is no inverse and no honest proof.
		let inverse = |x: Fr| x.inverse().unwrap_or(Fr::ZERO);
		let inverses = digits.iter().map(|digit| inverse(r - digit));
		let fractions = multiplicities
			.iter()
			.enumerate()
			.map(|(j, multiplicity)| *multiplicity * inverse(r - Fr::from(j as u64)));
		let z: Vec<Fr> = [Fr::one(), r, b, folded]
			.into_iter()
			.chain(committed.iter().copied())
			.chain(weights.iter().copied())
			.chain(copies)
			.chain([b.square()])
			.chain(inverses)
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

/// One column is as large as another.
fn equal(left: usize, right: usize) -> [Row; 3] {
	let one = Fr::ONE;
	[vec![(one, left)], vec![(one, ONE)], vec![(one, right)]]
}

/// Σ 1/(r − digit) = Σ mⱼ/(r − j): each of the digits is in the table, with the multiplicities in the columns behind
/// them. Inverses and fractions begin at a column of the rest.
fn look_up(rows: &mut Vec<[Row; 3]>, digits: Range<usize>, inverses: usize) {
	let one = Fr::ONE;
	let inverses = inverses..inverses + digits.len();
	let fraction = |j: usize| inverses.end + j;
	for (inverse, digit) in inverses.clone().zip(digits.clone()) {
		rows.push([
			vec![(one, inverse)],
			vec![(one, R), (-one, digit)],
			vec![(one, ONE)],
		]);
	}
	for j in 0..TABLE {
		rows.push([
			vec![(one, fraction(j))],
			vec![(one, R), (-Fr::from(j as u64), ONE)],
			vec![(one, digits.end + j)],
		]);
	}
	let fractions = (0..TABLE).map(|j| (one, fraction(j))).collect();
	let inverses = inverses.map(|inverse| (one, inverse)).collect();
	rows.push([fractions, vec![(one, ONE)], inverses]);
}

/// How often each entry of the table occurs.
fn multiplicities(digits: &[Fr]) -> Vec<Fr> {
	(0..TABLE as u64)
		.map(|j| digits.iter().filter(|digit| **digit == Fr::from(j)).count() as u64)
		.map(Fr::from)
		.collect()
}

/// The value of a linear combination.
pub fn product(row: &[(Fr, usize)], z: &[Fr]) -> Fr {
	row.iter()
		.map(|(coefficient, column)| *coefficient * z[*column])
		.sum()
}
