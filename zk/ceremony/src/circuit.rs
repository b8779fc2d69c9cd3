//! A circuit that keys are made for, and its digest.

use crate::{
	hash::{Digest, Hasher},
	reader::put_scalar,
};
use ark_bls12_381::Fr;
use ark_ff::Field;
use opensand_zk_r1cs::{Matrices, Segments};
use opensand_zk_verifier::{InputVisibility, StatementShape};

const TAG: &[u8] = b"OpenSand/ceremony-circuit/v1";

/// A constraint system and the shape of its statements. Row i is the one at point i of the domain: where circuits have weights and domains of
/// different sizes, those of the weights are spread in the larger ones ([`Matrices::with_spread_weights`]).
#[derive(Clone, Debug)]
pub struct Circuit {
	/// The constraint system.
	pub matrices: Matrices,
	/// What its statements look like; part of the verifying key.
	pub shape: StatementShape,
}

impl Circuit {
	/// The rows that the circuit needs: its constraints and one for each public column, rounded up to a power of two.
	pub fn rows(&self) -> usize {
		(self.matrices.constraints() + self.matrices.segments().public).next_power_of_two()
	}

	/// Whether weight j occurs in row `stride`·j of A, as itself, and nowhere else.
	pub(crate) fn has_weights_at(&self, stride: usize) -> bool {
		let columns = self.matrices.segments().weight_columns();
		let mut found = 0;
		for row in 0..self.matrices.constraints() {
			for matrix in 0..3 {
				for (column, coefficient) in self.matrices.row(matrix, row) {
					if columns.contains(&column) {
						if matrix != 0 || row != stride * (column - columns.start) || *coefficient != Fr::ONE
						{
							return false;
						}
						found += 1;
					}
				}
			}
		}
		found == columns.len()
	}

	/// The hash of everything that defines the circuit: the statements' shape, the segments' lengths and all rows, each as
	/// columns and coefficients.
	pub fn digest(&self) -> Digest {
		let mut hasher = Hasher::new(TAG);
		hasher.update(&[match self.shape.visibility {
			InputVisibility::Public => 0,
			InputVisibility::Hashed => 1,
		}]);
		hasher.update(&self.shape.input_len.to_le_bytes());
		hasher.update(&self.shape.output_len.to_le_bytes());
		let Segments {
			public,
			committed,
			weights,
			rest,
		} = self.matrices.segments();
		for number in [public, committed, weights, rest, self.matrices.constraints()] {
			hasher.update(&(number as u64).to_le_bytes());
		}
		let mut bytes = Vec::new();
		for row in 0..self.matrices.constraints() {
			for matrix in 0..3 {
				bytes.clear();
				for (column, coefficient) in self.matrices.row(matrix, row) {
					bytes.extend_from_slice(&(column as u32).to_le_bytes());
					put_scalar(&mut bytes, coefficient);
				}
				hasher.update(&(bytes.len() as u64).to_le_bytes());
				hasher.update(&bytes);
			}
		}
		hasher.finish()
	}
}
