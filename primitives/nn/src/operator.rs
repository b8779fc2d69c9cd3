//! The operators and their parameters.

use alloc::{boxed::Box, vec::Vec};
use codec::{Decode, Encode};

/// Which tensor an operator reads: 0 is the model's input, `i + 1` the output of layer `i`.
pub type TensorIndex = u16;

/// What a requantised value is clamped to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Activation {
	/// To -128..=127.
	#[codec(index = 0)]
	Identity,
	/// To 0..=127: ReLU, fused into the clamp.
	#[codec(index = 1)]
	Relu,
}

impl Activation {
	/// The least value that the clamp lets through: -128 or 0.
	pub const fn floor(&self) -> i8 {
		match self {
			Activation::Identity => i8::MIN,
			Activation::Relu => 0,
		}
	}
}

/// A fully connected layer: `acc[o] = bias[o] + Σ_j weight[o][j] · x[j]`, then requantisation.
///
/// The input is a vector. Weights are row-major, one row an output.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Linear {
	/// Length of the output vector.
	pub outputs: u32,
	/// Requantisation shift of each output, 0..=31; as many as `outputs`.
	pub shifts: Vec<u8>,
	/// The clamp after requantisation.
	pub activation: Activation,
}

/// Where a window stands: its size, its step and the border of the input. Rows first, columns second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Window {
	/// Rows and columns of the window, at least 1.
	pub kernel: [u16; 2],
	/// Rows and columns between two positions, at least 1.
	pub stride: [u16; 2],
	/// Border above, left, below and right of the input; each less than the kernel on its axis, so that every window
	/// that the output has touches the input.
	pub padding: [u16; 4],
}

impl Window {
	/// Elements of the window in one channel.
	pub fn area(&self) -> u64 {
		let [rows, columns] = self.kernel.map(u64::from);
		rows.saturating_mul(columns)
	}
}

/// A convolution (cross-correlation, as every framework means it), then requantisation.
///
/// `acc[o][y][x] = bias[o] + Σ_{i,r,s} weight[o][i][r][s] · in[g·I + i][y·stride + r - top][x·stride + s - left]` where
/// `g` is the group of `o`, `I` the input channels of a group, and what lies outside the input is zero.
/// Weights are laid out `outputs × (inputs / groups) × rows × columns`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Conv2d {
	/// Output channels; a multiple of `groups`.
	pub outputs: u32,
	/// Kernel, stride and padding (with zeros).
	pub window: Window,
	/// Groups; divides the channels of the input too.
	pub groups: u32,
	/// Requantisation shift of each output channel, 0..=31; as many as `outputs`.
	pub shifts: Vec<u8>,
	/// The clamp after requantisation.
	pub activation: Activation,
}

/// Average pooling without its divisor: `acc = Σ window`, then requantisation by `shift`.
///
/// What lies outside the input counts as zero. The output is the mean times `kernel area / 2^shift`; where that is not
/// one, the next layer's weights carry the inverse. So a window costs nothing but its requantisation in a circuit.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AvgPool {
	/// Kernel, stride and padding (with zeros).
	pub window: Window,
	/// Requantisation shift of all channels, 0..=31.
	pub shift: u8,
}

/// The sum of two tensors of one shape: `acc = multipliers[0] · x + multipliers[1] · other`, then requantisation.
///
/// The multipliers bring the operands to a common scale; as constants they cost nothing in a circuit.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Add {
	/// The second operand. May be the same tensor as the first.
	pub other: TensorIndex,
	/// Multipliers of the first and the second operand, 1..=2^15.
	pub multipliers: [u16; 2],
	/// Requantisation shift of all channels, 0..=31.
	pub shift: u8,
	/// The clamp after requantisation.
	pub activation: Activation,
}

/// What a layer does to its input tensor.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Operator {
	/// Fully connected. Has weights and accumulators.
	#[codec(index = 0)]
	Linear(Linear),
	/// Convolution. Has weights and accumulators.
	#[codec(index = 1)]
	Conv2d(Conv2d),
	/// The maximum of each window in each channel. What lies outside the input does not take part.
	#[codec(index = 2)]
	MaxPool(Window),
	/// Average pooling. Has accumulators.
	#[codec(index = 3)]
	AvgPool(AvgPool),
	/// Sum of two tensors. Has accumulators.
	#[codec(index = 4)]
	Add(Add),
	/// The same elements in the same order under another shape.
	#[codec(index = 5)]
	Reshape(crate::Shape),
	/// `max(x, 0)` on every element.
	#[codec(index = 6)]
	Relu,
	/// Every element through a table: entry `i` is the image of `i - 128`.
	#[codec(index = 7)]
	Lut(Box<[i8; 256]>),
}

impl Operator {
	/// The operator's name as the documentation spells it.
	pub const fn name(&self) -> &'static str {
		match self {
			Operator::Linear(_) => "Linear",
			Operator::Conv2d(_) => "Conv2d",
			Operator::MaxPool(_) => "MaxPool",
			Operator::AvgPool(_) => "AvgPool",
			Operator::Add(_) => "Add",
			Operator::Reshape(_) => "Reshape",
			Operator::Relu => "Relu",
			Operator::Lut(_) => "Lut",
		}
	}

	/// Whether the operator has an entry in [`Weights`](crate::Weights).
	pub const fn has_weights(&self) -> bool {
		matches!(self, Operator::Linear(_) | Operator::Conv2d(_))
	}

	/// Whether the operator accumulates in int32 and requantises.
	pub const fn has_accumulators(&self) -> bool {
		matches!(
			self,
			Operator::Linear(_) | Operator::Conv2d(_) | Operator::AvgPool(_) | Operator::Add(_)
		)
	}

	/// Shift and clamp by which output channel `channel` is requantised; `None` where the operator has no accumulators
	/// or the channel does not exist.
	pub fn requantisation(&self, channel: usize) -> Option<(u8, Activation)> {
		match self {
			Operator::Linear(linear) => Some((*linear.shifts.get(channel)?, linear.activation)),
			Operator::Conv2d(conv) => Some((*conv.shifts.get(channel)?, conv.activation)),
			Operator::AvgPool(pool) => Some((pool.shift, Activation::Identity)),
			Operator::Add(add) => Some((add.shift, add.activation)),
			Operator::MaxPool(_) | Operator::Reshape(_) | Operator::Relu | Operator::Lut(_) => None,
		}
	}

	/// The tensor that the operator reads besides its layer's input.
	pub const fn second_input(&self) -> Option<TensorIndex> {
		match self {
			Operator::Add(add) => Some(add.other),
			_ => None,
		}
	}
}
