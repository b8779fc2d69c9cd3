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

	/// The same constraints with `stride` points from one weight's row to the next. Row j of the weights, which have the first rows, stands at
	/// point `stride`·j, and all others in their order at the points that remain, from the lowest on. Between the weights' rows there may
	/// be more points than other rows: these have empty rows, which hold for every z.
	pub fn with_spread_weights(self, stride: usize) -> Self {
		let (rows, weights) = (self.constraints(), self.segments.weights);
		if stride == 1 || weights == 0 {
			return self;
		}
		let mut others = weights..rows;
		let points = rows.max((weights - 1) * stride + 1);
		let order: Vec<Option<usize>> = (0..points)
			.map(|point| {
				if point % stride == 0 && point / stride < weights {
					Some(point / stride)
				} else {
					others.next()
				}
			})
			.collect();
		let matrices = self.matrices.map(|matrix| {
			let mut spread = SparseMatrix {
				row_starts: Vec::with_capacity(points + 1),
				entries: Vec::with_capacity(matrix.entries.len()),
			};
			spread.row_starts.push(0);
			for row in &order {
				if let Some(row) = *row {
					let range = matrix.row_starts[row] as usize..matrix.row_starts[row + 1] as usize;
					spread.entries.extend_from_slice(&matrix.entries[range]);
				}
				spread.row_starts.push(spread.entries.len() as u32);
			}
			spread
		});
		Self { matrices, ..self }
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

#[cfg(test)]
mod tests {
	use super::*;

	/// Rows that are told apart by their coefficient: row i says (i + 1)·z₀ · z₀ = 0.
	fn numbered(weights: usize, rows: usize) -> Matrices {
		let segments = Segments {
			public: 1,
			weights,
			..Segments::default()
		};
		let numbers = (0..rows).map(|row| vec![(Fr::from(row as u64 + 1), 0)]);
		let ones = vec![vec![(Fr::ONE, 0)]; rows];
		Matrices::new([numbers.collect(), ones, vec![Vec::new(); rows]], segments)
	}

	/// Which row stands at each point; 0 for an empty one.
	fn order(matrices: &Matrices) -> Vec<Fr> {
		let first = |point| matrices.row(0, point).map(|(_, coefficient)| *coefficient).next();
		(0..matrices.constraints())
			.map(|point| first(point).unwrap_or(Fr::ZERO))
			.collect()
	}

	#[test]
	fn weights_are_spread_and_the_rest_fills_the_points_between() {
		for (weights, rows, stride, expected) in [
			(3, 5, 1, vec![1, 2, 3, 4, 5]),
			(0, 3, 4, vec![1, 2, 3]),
			(1, 3, 4, vec![1, 2, 3]),
			(3, 9, 2, vec![1, 4, 2, 5, 3, 6, 7, 8, 9]),
			(3, 5, 4, vec![1, 4, 5, 0, 2, 0, 0, 0, 3]),
			(2, 2, 4, vec![1, 0, 0, 0, 2]),
		] {
			let spread = numbered(weights, rows).with_spread_weights(stride);
			let expected: Vec<Fr> = expected.into_iter().map(|row: u64| Fr::from(row)).collect();
			assert_eq!(order(&spread), expected, "{weights} of {rows} rows, {stride}");
			assert_eq!(spread.terms(), 2 * rows);
		}
	}

	/// Whatever fits a domain with its public rows still fits when the weights are spread, if they fit a domain as much smaller.
	#[test]
	fn spread_rows_fit_the_same_domain() {
		const PUBLIC: usize = 4;
		for stride in [2usize, 4, 8] {
			let smaller = 8;
			let domain = smaller * stride;
			for weights in 1..=smaller - PUBLIC {
				for rows in (domain / 2 - PUBLIC + 1).max(weights)..=domain - PUBLIC {
					let spread = numbered(weights, rows).with_spread_weights(stride);
					let points = spread.constraints() + PUBLIC;
					assert_eq!(points.next_power_of_two(), domain);
				}
			}
		}
	}
}
