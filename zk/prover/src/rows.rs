//! A·z and B·z, with machine integers where values allow it.
//!
//! Coefficients are weights and small powers of two, and most of z are bits and bytes: a term is then one integer multiplication
//! instead of one in the field. C is not needed to prove.

use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, BigInteger, PrimeField};
use opensand_zk_r1cs::{Matrices, Segments};
use rayon::prelude::*;
use std::collections::HashMap;
use zeroize::Zeroizing;

/// Stands for a value that is not small.
const WIDE: i64 = i64::MIN;
/// Small coefficients are below 2^31, small values below 2^62 in absolute value: 2^32 products of them fit 128 bits.
const COEFFICIENT_BITS: u32 = 31;
const VALUE_BITS: u32 = 62;

/// The matrices A and B by rows, compact.
#[derive(Clone, Debug)]
pub struct Rows {
	segments: Segments,
	constraints: usize,
	domain: usize,
	matrices: [SparseRows; 2],
	/// Distinct coefficients as integers, or [`WIDE`].
	small: Vec<i64>,
	/// The same as field elements.
	coefficients: Vec<Fr>,
}

/// One matrix.
#[derive(Clone, Debug, Default)]
struct SparseRows {
	/// Where each row starts in `entries`, and the end of the last.
	starts: Vec<u32>,
	/// Column, and index of the coefficient.
	entries: Vec<(u32, u32)>,
}

/// ±x as an integer if x has at most `bits` bits.
fn small(value: &Fr, bits: u32) -> Option<i64> {
	let integer = |value: Fr| {
		let magnitude = value.into_bigint();
		(magnitude.num_bits() <= bits).then_some(magnitude.0[0] as i64)
	};
	integer(*value).or_else(|| integer(-*value).map(|magnitude| -magnitude))
}

impl Rows {
	/// The rows of a constraint system.
	pub fn new(matrices: &Matrices) -> Self {
		let mut coefficients = Vec::new();
		let mut indices: HashMap<Fr, u32> = HashMap::new();
		let sparse = [0, 1].map(|matrix| {
			let mut rows = SparseRows {
				starts: vec![0],
				entries: Vec::new(),
			};
			for row in 0..matrices.constraints() {
				for (column, coefficient) in matrices.row(matrix, row) {
					let index = *indices.entry(*coefficient).or_insert_with(|| {
						coefficients.push(*coefficient);
						coefficients.len() as u32 - 1
					});
					rows.entries.push((column as u32, index));
				}
				rows.starts.push(rows.entries.len() as u32);
			}
			rows.entries.shrink_to_fit();
			rows
		});
		let rows = matrices.constraints() + matrices.segments().public;
		Self {
			segments: matrices.segments(),
			constraints: matrices.constraints(),
			domain: rows.next_power_of_two(),
			matrices: sparse,
			small: coefficients
				.iter()
				.map(|coefficient| small(coefficient, COEFFICIENT_BITS).unwrap_or(WIDE))
				.collect(),
			coefficients,
		}
	}

	/// How the columns are divided.
	pub fn segments(&self) -> Segments {
		self.segments
	}

	/// The number of points of the domain: the rows, with those of public inputs, rounded up to a power of two.
	pub fn domain(&self) -> usize {
		self.domain
	}

	/// The number of constraints, with empty ones between them: rows before those of public inputs.
	pub fn constraints(&self) -> usize {
		self.constraints
	}

	/// Distinct coefficients, by their index in the entries.
	pub fn coefficients(&self) -> &[Fr] {
		&self.coefficients
	}

	/// Where each constraint starts in the entries of A (0) or B (1), and the end of the last.
	pub fn starts(&self, matrix: usize) -> &[u32] {
		&self.matrices[matrix].starts
	}

	/// The entries of A (0) or B (1), one constraint after the other: column, and index of the coefficient.
	pub fn entries(&self, matrix: usize) -> &[(u32, u32)] {
		&self.matrices[matrix].entries
	}

	/// A·z and B·z on every row of the domain. Public inputs have rows of their own in A, after the constraints, which
	/// make their polynomials independent.
	pub(crate) fn products(&self, z: &[Fr]) -> [Vec<Fr>; 2] {
		let integers: Vec<i64> = z
			.par_iter()
			.with_min_len(1024)
			.map(|value| small(value, VALUE_BITS).unwrap_or(WIDE))
			.collect();
		let integers = Zeroizing::new(integers);
		[0, 1].map(|matrix| {
			let mut values = vec![Fr::ZERO; self.domain()];
			values[..self.constraints]
				.par_iter_mut()
				.with_min_len(256)
				.enumerate()
				.for_each(|(row, value)| *value = self.product(matrix, row, z, &integers));
			if matrix == 0 {
				values[self.constraints..][..self.segments.public]
					.copy_from_slice(&z[..self.segments.public]);
			}
			values
		})
	}

	fn product(&self, matrix: usize, row: usize, z: &[Fr], integers: &[i64]) -> Fr {
		let rows = &self.matrices[matrix];
		let (mut sum, mut wide) = (0i128, Fr::ZERO);
		for (column, coefficient) in &rows.entries[rows.starts[row] as usize..rows.starts[row + 1] as usize] {
			let (column, coefficient) = (*column as usize, *coefficient as usize);
			let (value, factor) = (integers[column], self.small[coefficient]);
			match (value, factor) {
				(WIDE, 1) => wide += z[column],
				(WIDE, -1) => wide -= z[column],
				(WIDE, _) | (_, WIDE) => wide += z[column] * self.coefficients[coefficient],
				_ => sum += i128::from(value) * i128::from(factor),
			}
		}
		if sum == 0 {
			wide
		} else {
			wide + Fr::from(sum)
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use ark_ff::{Field, UniformRand};
	use rand::{Rng, SeedableRng};
	use rand_chacha::ChaCha20Rng;

	#[test]
	fn products_are_those_of_the_matrices() {
		let mut rng = ChaCha20Rng::seed_from_u64(1);
		let edges = |bits: u32| {
			let power = Fr::from(2u64).pow([u64::from(bits)]);
			[power, power - Fr::ONE, -power, Fr::ONE - power]
		};
		let mut values = vec![
			Fr::ZERO,
			Fr::ONE,
			-Fr::ONE,
			Fr::from(i64::MAX),
			Fr::from(i64::MIN),
		];
		values.extend(edges(VALUE_BITS).into_iter().chain(edges(COEFFICIENT_BITS)));
		values.extend((0..5).map(|_| Fr::rand(&mut rng)));
		let segments = Segments {
			public: 3,
			rest: 17,
			..Segments::default()
		};
		let mut z = vec![Fr::ONE];
		z.resize_with(segments.variables(), || values[rng.gen_range(0..values.len())]);
		let mut row = |_| {
			let len = rng.gen_range(0..40);
			let mut term = || (values[rng.gen_range(0..values.len())], rng.gen_range(0..z.len()));
			(0..len).map(|_| term()).collect()
		};
		let mut matrix = || (0..100).map(&mut row).collect::<Vec<_>>();
		let matrices = Matrices::new([matrix(), matrix(), matrix()], segments);
		let [a, b] = Rows::new(&matrices).products(&z);
		assert_eq!((a.len(), b.len()), (128, 128));
		for row in 0..100 {
			assert_eq!(a[row], matrices.product(0, row, &z));
			assert_eq!(b[row], matrices.product(1, row, &z));
		}
		assert_eq!(a[100..103], z[..3]);
		assert!(a[103..].iter().chain(&b[100..]).all(|value| *value == Fr::ZERO));
	}
}
