//! Columns of a circuit's matrices, combined with points for the rows.

use crate::points::Group;
use ark_bls12_381::Fr;
use ark_ec::short_weierstrass::{Affine, Projective};
use ark_ff::{AdditiveGroup, Field, PrimeField};
use opensand_zk_msm::{multiply, Bases, Scalars};
use opensand_zk_r1cs::Matrices;

/// Columns with more entries are summed by Pippenger's algorithm.
const LONG: usize = 48;

/// One matrix by columns.
pub(crate) struct Columns {
	/// Where each column starts in `entries`, and the end of the last.
	starts: Vec<usize>,
	/// Row and coefficient.
	entries: Vec<(u32, Fr)>,
}

impl Columns {
	/// Of A (0), B (1) or C (2). After the constraints, each public column has a row of its own in A.
	pub fn new(matrices: &Matrices, matrix: usize) -> Self {
		let segments = matrices.segments();
		let own = if matrix == 0 { segments.public } else { 0 };
		let mut starts = vec![0; segments.variables() + 1];
		for row in 0..matrices.constraints() {
			for (column, _) in matrices.row(matrix, row) {
				starts[column + 1] += 1;
			}
		}
		for column in 0..segments.variables() {
			starts[column + 1] += starts[column] + usize::from(column < own);
		}
		let mut next = starts.clone();
		let mut entries = vec![(0, Fr::ZERO); starts[segments.variables()]];
		let mut put = |column: usize, row: usize, coefficient: Fr| {
			entries[next[column]] = (row as u32, coefficient);
			next[column] += 1;
		};
		for row in 0..matrices.constraints() {
			for (column, coefficient) in matrices.row(matrix, row) {
				put(column, row, *coefficient);
			}
		}
		for column in 0..own {
			put(column, matrices.constraints() + column, Fr::ONE);
		}
		Self { starts, entries }
	}

	/// Σ coefficient·point over a column, with a point for each row.
	pub fn sum<P: Group>(&self, column: usize, rows: &[Affine<P>]) -> Projective<P> {
		let entries = &self.entries[self.starts[column]..self.starts[column + 1]];
		if entries.len() > LONG {
			let points = entries.iter().map(|(row, _)| rows[*row as usize]).collect();
			let scalars: Vec<_> = entries.iter().map(|(_, coefficient)| *coefficient).collect();
			let bases = Bases::new(points).expect("a circuit has fewer rows than scalars are limited to");
			return multiply(&bases, &Scalars::new(&scalars));
		}
		entries
			.iter()
			.map(|(row, coefficient)| multiple(&rows[*row as usize], coefficient))
			.sum()
	}
}

/// coefficient·point. Most coefficients are small, with either sign.
fn multiple<P: Group>(point: &Affine<P>, coefficient: &Fr) -> Projective<P> {
	let negated = -*coefficient;
	match (coefficient.into_bigint().0, negated.into_bigint().0) {
		([magnitude, 0, 0, 0], _) => small_multiple(point, magnitude),
		(_, [magnitude, 0, 0, 0]) => -small_multiple(point, magnitude),
		_ => *point * coefficient,
	}
}

/// magnitude·point, bit by bit.
fn small_multiple<P: Group>(point: &Affine<P>, magnitude: u64) -> Projective<P> {
	let mut sum = Projective::ZERO;
	for bit in (0..u64::BITS - magnitude.leading_zeros()).rev() {
		sum.double_in_place();
		if magnitude >> bit & 1 == 1 {
			sum += point;
		}
	}
	sum
}
