//! Products of two activations.

use crate::{error::ModelError, operator::TensorIndex, shape::Shape};
use alloc::vec::Vec;
use codec::{Decode, Encode};

/// The product of two tensors of matrices, one a channel: `acc[c][i][j] = Σ_k x[c][i][k] · other[c][k][j]`, then requantisation.
///
/// A channel's rows and columns are those of its matrix; heads of attention are channels. Where `transposed`, the second
/// operand is read as `other[c][j][k]`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct MatMul {
	/// The second operand. May be the same tensor as the first.
	pub other: TensorIndex,
	/// Whether the second operand's matrices are transposed.
	pub transposed: bool,
	/// Requantisation shift of all channels, 0..=31.
	pub shift: u8,
}

impl MatMul {
	/// Rows and columns of the second operand's matrices as they are multiplied.
	fn matrix(&self, other: Shape) -> (u32, u32) {
		if self.transposed {
			(other.width, other.height)
		} else {
			(other.height, other.width)
		}
	}

	/// Shape of the output; the shift is not checked.
	pub(crate) fn output_shape(
		&self,
		layer: usize,
		from: Shape,
		others: &[Shape],
	) -> Result<Shape, ModelError> {
		match others {
			[other] if other.channels == from.channels && self.matrix(*other).0 == from.width => Ok(Shape {
				width: self.matrix(*other).1,
				..from
			}),
			_ => Err(ModelError::MatMulMismatch { layer }),
		}
	}

	/// The accumulators for operands of shapes `from` and `other`.
	pub(crate) fn accumulators(&self, from: Shape, x: &[i8], other: Shape, y: &[i8]) -> Vec<i32> {
		let len = |len: u32| usize::try_from(len).unwrap_or(usize::MAX).max(1);
		let (inner, columns) = self.matrix(other);
		let (inner, columns) = (len(inner), len(columns));
		let channels = x.chunks(len(from.plane())).zip(y.chunks(len(other.plane())));
		let rows = channels.flat_map(|(x, y)| x.chunks(inner).map(move |row| (row, y)));
		rows.flat_map(|(row, matrix)| {
			(0..columns).map(move |column| {
				let (first, step) = if self.transposed {
					(column.saturating_mul(inner), 1)
				} else {
					(column, columns)
				};
				let column = matrix.iter().skip(first).step_by(step);
				// `Model::new` has shown that no partial sum leaves int32.
				row.iter().zip(column).fold(0i32, |sum, (x, y)| {
					sum.wrapping_add(i32::from(*x).wrapping_mul((*y).into()))
				})
			})
		})
		.collect()
	}
}
