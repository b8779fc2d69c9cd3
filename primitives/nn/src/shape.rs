//! Shapes of tensors.

use crate::{error::ModelError, limits::MAX_TENSOR_ELEMENTS};
use codec::{Decode, Encode};

/// The shape of an int8 tensor: channels, height and width, laid out in this order (CHW), batch one.
///
/// A vector of `n` elements is `n × 1 × 1`. No dimension is zero and the product is at most
/// [`MAX_TENSOR_ELEMENTS`](crate::limits::MAX_TENSOR_ELEMENTS) in a checked architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Shape {
	/// Channels.
	pub channels: u32,
	/// Rows.
	pub height: u32,
	/// Columns.
	pub width: u32,
}

impl Shape {
	/// A tensor of `channels × height × width`.
	pub const fn new(channels: u32, height: u32, width: u32) -> Self {
		Self {
			channels,
			height,
			width,
		}
	}

	/// A vector of `len` elements.
	pub const fn vector(len: u32) -> Self {
		Self {
			channels: len,
			height: 1,
			width: 1,
		}
	}

	/// Whether height and width are one.
	pub const fn is_vector(&self) -> bool {
		self.height == 1 && self.width == 1
	}

	/// Elements of one channel. Exact for shapes within the limits, saturating otherwise.
	pub const fn plane(&self) -> u32 {
		self.height.saturating_mul(self.width)
	}

	/// Elements of the tensor. Exact for shapes within the limits, saturating otherwise.
	pub const fn elements(&self) -> u32 {
		self.channels.saturating_mul(self.plane())
	}

	/// The shape whose axis `i` is axis `permutation[i]` of this one; `None` where that is no permutation of 0, 1 and 2.
	pub fn transposed(&self, permutation: [u8; 3]) -> Option<Shape> {
		let [first, second, third] = permutation;
		if first == second || second == third || first == third {
			return None;
		}
		let axis = |axis: u8| match axis {
			0 => Some(self.channels),
			1 => Some(self.height),
			2 => Some(self.width),
			_ => None,
		};
		Some(Shape::new(axis(first)?, axis(second)?, axis(third)?))
	}

	/// For each element of the tensor that [`transposed`](Self::transposed) gives, in order, its place in this one.
	/// `permutation` must be one; else the places are without meaning.
	pub fn transposed_places(&self, permutation: [u8; 3]) -> impl Iterator<Item = usize> {
		let step = |axis: u8| match axis {
			0 => self.plane(),
			1 => self.width,
			_ => 1,
		};
		let [first, second, third] = permutation.map(step);
		let to = self.transposed(permutation).unwrap_or(Shape::vector(0));
		let place = move |channel: u32, row: u32, column: u32| {
			let place = channel
				.saturating_mul(first)
				.saturating_add(row.saturating_mul(second))
				.saturating_add(column.saturating_mul(third));
			usize::try_from(place).unwrap_or(usize::MAX)
		};
		(0..to.channels).flat_map(move |channel| {
			(0..to.height).flat_map(move |row| (0..to.width).map(move |column| place(channel, row, column)))
		})
	}

	/// Checks that no dimension is zero and that the tensor is within the limit.
	pub(crate) fn check(&self, tensor: usize) -> Result<(), ModelError> {
		if self.channels == 0 || self.height == 0 || self.width == 0 {
			return Err(ModelError::EmptyTensor { tensor });
		}
		if self.elements() > MAX_TENSOR_ELEMENTS {
			return Err(ModelError::TensorTooLarge { tensor });
		}
		Ok(())
	}
}
