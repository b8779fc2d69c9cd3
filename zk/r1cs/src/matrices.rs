//! The matrices of a constraint system, compact: a coefficient is an index into a table of distinct values.

use crate::Segments;
use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, Field};
use std::collections::HashMap;

/// A sparse matrix by rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SparseMatrix {
	/// Where each row starts in `entries`, and the end of the last.
	row_starts: Vec<u32>,
	/// Column, and index of the coefficient in the table.
	entries: Vec<(u32, u32)>,
}

impl Default for SparseMatrix {
	fn default() -> Self {
		Self {
			row_starts: vec![0],
			entries: Vec::new(),
		}
	}
}

/// The matrices A, B and C of (A·z) ∘ (B·z) = C·z, with the columns of [`Segments`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrices {
	/// A, B and C.
	matrices: [SparseMatrix; 3],
	/// Distinct coefficients.
	coefficients: Vec<Fr>,
	/// How the columns are divided.
	segments: Segments,
}

impl Matrices {
	/// From rows of (coefficient, column).
	pub fn new(rows: [Vec<Vec<(Fr, usize)>>; 3], segments: Segments) -> Self {
		let mut builder = MatricesBuilder::new(segments);
		let [a, b, c] = rows;
		for ((a, b), c) in a.into_iter().zip(b).zip(c) {
			builder.push([a, b, c]);
		}
		builder.finish()
	}

	/// Number of constraints.
	pub fn constraints(&self) -> usize {
		self.matrices[0].row_starts.len() - 1
	}

	/// How the columns are divided.
	pub fn segments(&self) -> Segments {
		self.segments
	}

	/// Length of (1, public inputs).
	pub fn instance_len(&self) -> usize {
		self.segments.public
	}

	/// Length of the witness: all private variables.
	pub fn witness_len(&self) -> usize {
		self.segments.private()
	}

	/// Entries of all three matrices that are not zero.
	pub fn terms(&self) -> usize {
		self.matrices.iter().map(|matrix| matrix.entries.len()).sum()
	}

	/// The entries of a row of A (0), B (1) or C (2), as (column, coefficient).
	pub fn row(&self, matrix: usize, row: usize) -> impl Iterator<Item = (usize, &Fr)> {
		let matrix = &self.matrices[matrix];
		let range = matrix.row_starts[row] as usize..matrix.row_starts[row + 1] as usize;
		matrix.entries[range]
			.iter()
			.map(|(column, coefficient)| (*column as usize, &self.coefficients[*coefficient as usize]))
	}

	/// One element of A·z (0), B·z (1) or C·z (2).
	pub fn product(&self, matrix: usize, row: usize, z: &[Fr]) -> Fr {
		let mut sum = Fr::ZERO;
		for (column, coefficient) in self.row(matrix, row) {
			sum += if *coefficient == Fr::ONE {
				z[column]
			} else {
				z[column] * coefficient
			};
		}
		sum
	}

	/// The first constraint that z does not satisfy.
	pub fn first_unsatisfied(&self, z: &[Fr]) -> Option<usize> {
		(0..self.constraints())
			.find(|row| self.product(0, *row, z) * self.product(1, *row, z) != self.product(2, *row, z))
	}
}

/// Takes constraints one by one, so that no more than one is ever held in the form in which it is written down.
pub struct MatricesBuilder {
	matrices: Matrices,
	/// Where each coefficient stands in the table.
	indices: HashMap<Fr, u32>,
}

impl MatricesBuilder {
	/// No constraints yet.
	pub fn new(segments: Segments) -> Self {
		Self {
			matrices: Matrices {
				matrices: Default::default(),
				coefficients: Vec::new(),
				segments,
			},
			indices: HashMap::new(),
		}
	}

	/// Adds a constraint: its rows of A, B and C, of (coefficient, column) in any order. Terms of one column are summed.
	pub fn push(&mut self, rows: [Vec<(Fr, usize)>; 3]) {
		let Matrices {
			matrices,
			coefficients,
			..
		} = &mut self.matrices;
		for (matrix, mut row) in matrices.iter_mut().zip(rows) {
			row.sort_by_key(|(_, column)| *column);
			row.dedup_by(|(next, column), (sum, previous)| {
				let same = column == previous;
				if same {
					*sum += *next;
				}
				same
			});
			for (coefficient, column) in row {
				if coefficient == Fr::ZERO {
					continue;
				}
				let index = *self.indices.entry(coefficient).or_insert_with(|| {
					coefficients.push(coefficient);
					coefficients.len() as u32 - 1
				});
				matrix.entries.push((column as u32, index));
			}
			matrix.row_starts.push(matrix.entries.len() as u32);
		}
	}

	/// The matrices.
	pub fn finish(self) -> Matrices {
		self.matrices
	}
}
