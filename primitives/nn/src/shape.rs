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
