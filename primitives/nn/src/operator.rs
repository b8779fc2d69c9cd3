//! The operators and their parameters.

use crate::{
	embedding::Embedding,
	error::ModelError,
	layer_normalization::LayerNormalization,
	limits::{MAX_CONCAT, MAX_MULTIPLIER, MAX_SHIFT, MAX_WINDOW},
	matmul::MatMul,
	shape::Shape,
	softmax::Softmax,
};
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
	/// Shape of the window's positions over `from`, with the channels of `from`; `None` where the window does not fit:
	/// a kernel or stride of zero or above 1024, a padding not less than its kernel, a kernel larger than the padded input.
	pub fn positions(&self, from: Shape) -> Option<Shape> {
		let [top, left, bottom, right] = self.padding;
		let [kernel_rows, kernel_columns] = self.kernel;
		let [row_stride, column_stride] = self.stride;
		let positions = |len: u32, kernel: u16, stride: u16, before: u16, after: u16| {
			let valid = 1..=MAX_WINDOW;
			if !valid.contains(&kernel) || !valid.contains(&stride) || before >= kernel || after >= kernel {
				return None;
			}
			let padded = len.checked_add(before.into())?.checked_add(after.into())?;
			padded
				.checked_sub(kernel.into())?
				.checked_div(stride.into())?
				.checked_add(1)
		};
		Some(Shape {
			channels: from.channels,
			height: positions(from.height, kernel_rows, row_stride, top, bottom)?,
			width: positions(from.width, kernel_columns, column_stride, left, right)?,
		})
	}

	/// This window with a kernel that reads every `dilation[axis]`-th element only, as one without a dilation: the kernel's
	/// size becomes that of the whole stretch that it reads from. `None` where that leaves uint16 or a dilation is zero.
	pub fn dilated(&self, dilation: [u16; 2]) -> Option<Window> {
		let extent = |kernel: u16, dilation: u16| {
			let steps = kernel.checked_sub(1)?.checked_mul(dilation)?;
			steps.checked_add(1).filter(|_| dilation > 0)
		};
		let [rows, columns] = self.kernel;
		let [row_dilation, column_dilation] = dilation;
		Some(Window {
			kernel: [extent(rows, row_dilation)?, extent(columns, column_dilation)?],
			..*self
		})
	}

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

/// A convolution whose kernel reads every `dilation`-th row and column only.
///
/// As [`Conv2d`], with `in[g·I + i][y·stride + r·dilation - top][x·stride + s·dilation - left]`. The padding is less than the
/// whole stretch that the kernel spans.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct DilatedConv2d {
	/// Everything but the dilation.
	pub conv: Conv2d,
	/// Rows and columns of the input from one element of the kernel to the next, at least 1; not 1 in both, which is a
	/// [`Conv2d`].
	pub dilation: [u16; 2],
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

/// Tensors one behind the other along the channels.
///
/// Nothing is requantised: all operands have one scale. Height and width agree, so vectors are simply joined.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Concat {
	/// What follows the layer's input, in order: 1..=63 tensors.
	pub others: Vec<TensorIndex>,
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
	Reshape(Shape),
	/// `max(x, 0)` on every element.
	#[codec(index = 6)]
	Relu,
	/// Every element through a table: entry `i` is the image of `i - 128`.
	#[codec(index = 7)]
	Lut(Box<[i8; 256]>),
	/// Convolution with a dilated kernel. Has weights and accumulators.
	#[codec(index = 8)]
	DilatedConv2d(DilatedConv2d),
	/// Several tensors along the channels.
	#[codec(index = 9)]
	Concat(Concat),
	/// The axes in another order: axis `i` of the output is axis `permutation[i]` of the input, of channels, rows and
	/// columns.
	#[codec(index = 10)]
	Transpose([u8; 3]),
	/// Product of two tensors of matrices. Has accumulators.
	#[codec(index = 11)]
	MatMul(MatMul),
	/// Softmax over the last axis.
	#[codec(index = 12)]
	Softmax(Softmax),
	/// Layer normalisation over the last axis. Has weights and accumulators.
	#[codec(index = 13)]
	LayerNormalization(LayerNormalization),
	/// Rows of a table. Has weights.
	#[codec(index = 14)]
	Embedding(Embedding),
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
			Operator::DilatedConv2d(_) => "DilatedConv2d",
			Operator::Concat(_) => "Concat",
			Operator::Transpose(_) => "Transpose",
			Operator::MatMul(_) => "MatMul",
			Operator::Softmax(_) => "Softmax",
			Operator::LayerNormalization(_) => "LayerNormalization",
			Operator::Embedding(_) => "Embedding",
		}
	}

	/// Whether the operator has an entry in [`Weights`](crate::Weights).
	pub const fn has_weights(&self) -> bool {
		matches!(
			self,
			Operator::Linear(_)
				| Operator::Conv2d(_)
				| Operator::DilatedConv2d(_)
				| Operator::LayerNormalization(_)
				| Operator::Embedding(_)
		)
	}

	/// The convolution that the operator is, if it is one, and its dilation: 1 in both axes for a [`Conv2d`].
	pub const fn convolution(&self) -> Option<(&Conv2d, [u16; 2])> {
		match self {
			Operator::Conv2d(conv) => Some((conv, [1, 1])),
			Operator::DilatedConv2d(DilatedConv2d { conv, dilation }) => Some((conv, *dilation)),
			_ => None,
		}
	}

	/// Whether the operator accumulates in int32 and requantises.
	pub const fn has_accumulators(&self) -> bool {
		matches!(
			self,
			Operator::Linear(_)
				| Operator::Conv2d(_)
				| Operator::AvgPool(_)
				| Operator::Add(_)
				| Operator::DilatedConv2d(_)
				| Operator::MatMul(_)
				| Operator::LayerNormalization(_)
		)
	}

	/// Shift and clamp by which output channel `channel` is requantised; `None` where the operator has no accumulators
	/// or the channel does not exist.
	pub fn requantisation(&self, channel: usize) -> Option<(u8, Activation)> {
		match self {
			Operator::Linear(linear) => Some((*linear.shifts.get(channel)?, linear.activation)),
			Operator::Conv2d(conv) | Operator::DilatedConv2d(DilatedConv2d { conv, .. }) => {
				Some((*conv.shifts.get(channel)?, conv.activation))
			}
			Operator::AvgPool(pool) => Some((pool.shift, Activation::Identity)),
			Operator::Add(add) => Some((add.shift, add.activation)),
			Operator::MatMul(matmul) => Some((matmul.shift, Activation::Identity)),
			Operator::LayerNormalization(normalization) => Some((normalization.shift, Activation::Identity)),
			Operator::MaxPool(_)
			| Operator::Reshape(_)
			| Operator::Relu
			| Operator::Lut(_)
			| Operator::Concat(_)
			| Operator::Transpose(_)
			| Operator::Softmax(_)
			| Operator::Embedding(_) => None,
		}
	}

	/// The tensors that the operator reads besides its layer's input, in order.
	pub fn other_inputs(&self) -> &[TensorIndex] {
		match self {
			Operator::Add(add) => core::slice::from_ref(&add.other),
			Operator::Concat(concat) => &concat.others,
			Operator::MatMul(matmul) => core::slice::from_ref(&matmul.other),
			_ => &[],
		}
	}

	/// Shape of the output for an input of shape `from`, and shapes `others` of the [`other_inputs`](Self::other_inputs).
	/// Checks the parameters against the shapes; `layer` is the number that errors name. The product of the dimensions is not
	/// checked.
	pub fn output_shape(&self, layer: usize, from: Shape, others: &[Shape]) -> Result<Shape, ModelError> {
		let positions = |window: &Window| window.positions(from).ok_or(ModelError::BadWindow { layer });
		match self {
			Operator::Linear(linear) => {
				if !from.is_vector() {
					return Err(ModelError::NotAVector { layer });
				}
				check_shifts(layer, &linear.shifts, linear.outputs)?;
				Ok(Shape::vector(linear.outputs))
			}
			Operator::Conv2d(conv) => conv.output_shape(layer, from, &conv.window),
			Operator::DilatedConv2d(DilatedConv2d { conv, dilation }) => {
				let window = conv.window.dilated(*dilation);
				match window.filter(|_| *dilation != [1, 1]) {
					Some(window) => conv.output_shape(layer, from, &window),
					None => Err(ModelError::BadDilation { layer }),
				}
			}
			Operator::MaxPool(window) => positions(window),
			Operator::AvgPool(pool) => {
				check_shift(layer, pool.shift)?;
				positions(&pool.window)
			}
			Operator::Add(add) => {
				check_shift(layer, add.shift)?;
				if add
					.multipliers
					.iter()
					.any(|multiplier| !(1..=MAX_MULTIPLIER).contains(multiplier))
				{
					return Err(ModelError::BadMultiplier { layer });
				}
				if others != [from] {
					return Err(ModelError::AddMismatch { layer });
				}
				Ok(from)
			}
			Operator::Reshape(to) => {
				if to.elements() != from.elements() {
					return Err(ModelError::ReshapeMismatch { layer });
				}
				Ok(*to)
			}
			Operator::Relu | Operator::Lut(_) => Ok(from),
			Operator::Concat(_) => {
				let fits = |other: &Shape| (other.height, other.width) == (from.height, from.width);
				if others.is_empty() || others.len() >= MAX_CONCAT || !others.iter().all(fits) {
					return Err(ModelError::ConcatMismatch { layer });
				}
				let channels = others
					.iter()
					.fold(from.channels, |sum, other| sum.saturating_add(other.channels));
				Ok(Shape { channels, ..from })
			}
			Operator::Transpose(permutation) => from
				.transposed(*permutation)
				.ok_or(ModelError::BadPermutation { layer }),
			Operator::MatMul(matmul) => {
				check_shift(layer, matmul.shift)?;
				matmul.output_shape(layer, from, others)
			}
			Operator::Softmax(softmax) => softmax.check(layer, from).map(|()| from),
			Operator::LayerNormalization(normalization) => {
				check_shift(layer, normalization.shift)?;
				normalization.check(layer, from).map(|()| from)
			}
			Operator::Embedding(embedding) => embedding.output_shape(layer, from),
		}
	}
}

impl Conv2d {
	/// Shape of the output for an input of shape `from`, where the kernel with its dilation is `window`.
	fn output_shape(&self, layer: usize, from: Shape, window: &Window) -> Result<Shape, ModelError> {
		let divides = |channels: u32| channels.checked_rem(self.groups) == Some(0);
		if !divides(from.channels) || !divides(self.outputs) {
			return Err(ModelError::BadGroups { layer });
		}
		check_shifts(layer, &self.shifts, self.outputs)?;
		let positions = window.positions(from).ok_or(ModelError::BadWindow { layer })?;
		Ok(Shape {
			channels: self.outputs,
			..positions
		})
	}
}

/// Checks that there is one valid shift a channel.
fn check_shifts(layer: usize, shifts: &[u8], channels: u32) -> Result<(), ModelError> {
	if u32::try_from(shifts.len()) != Ok(channels) {
		let expected = usize::try_from(channels).unwrap_or(usize::MAX);
		return Err(ModelError::WrongShiftCount {
			layer,
			found: shifts.len(),
			expected,
		});
	}
	shifts.iter().try_for_each(|shift| check_shift(layer, *shift))
}

/// Checks that a shift is at most [`MAX_SHIFT`].
fn check_shift(layer: usize, shift: u8) -> Result<(), ModelError> {
	if shift > MAX_SHIFT {
		return Err(ModelError::BadShift { layer });
	}
	Ok(())
}
